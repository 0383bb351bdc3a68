/**
 * Mail as blocks: people, texts and files of each letter.
 *
 * @module
 */
import type { LookAttachment, LookLetter, LookOf } from "../../api/index.ts";
import { valueLines } from "../look/members.ts";
import { block, laidOut, type Block } from "./block.ts";
import { Texts } from "./texts.ts";

export function printMail({ letters, isPresent }: LookOf<"mail">): readonly Block[] {
  const all = letters.length;
  return letters.flatMap((letter, at) => [
    ...(all > 1 ? [block("Mail", [`${at + 1} of ${all}`])] : []),
    ...(isPresent ? [block("Mail", ["as the system has it now:"])] : []),
    ...printLetter(letter),
    ...(isPresent ? laidOut("It also has", valueLines(letter.rest ?? {})) : []),
  ]);
}

function printLetter(letter: LookLetter): readonly Block[] {
  const { envelope, people, passages, doubts, attachments, headers } = letter;
  const texts = new Texts();
  for (const doubt of doubts) texts.warn(doubt);
  if (envelope !== undefined) putEnvelope(texts, envelope);
  for (const { label, lines } of people) texts.put(label, lines);
  for (const passage of passages) texts.add(passage);
  texts.put(`Files (${attachments.length})`, attachments.map(fileLine));
  texts.put("Headers", headers);
  return texts.blocks;
}

function putEnvelope(
  texts: Texts,
  { from, recipients, unreached }: NonNullable<LookLetter["envelope"]>,
): void {
  texts.put("Sent as", from);
  const people = recipients.map(({ address, named }) =>
    named === "" ? `${address}  Bcc: no header names this one` : `${address}  ${named}`,
  );
  texts.put(`Goes to (${people.length})`, people);
  texts.put("Not to", unreached);
}

function fileLine({ name, type, bytes, sha256, from }: LookAttachment): string {
  const inside = sha256 === undefined ? [] : [`${bytes} bytes, SHA-256 ${sha256}`];
  return [name, type, ...inside, ...(from === undefined ? [] : [`from ${from}`])].join(", ");
}
