/**
 * Opening files: for what is allowed the server's own handle, for what waits for a person one of ours.
 *
 * @module
 */
import { decodeAnswer, type FileOperation } from "../../../protocols/index.ts";
import { handlePacket, OPEN_FLAG, STATUS, type SftpRequest } from "../../../wire/index.ts";
import type { Judged } from "../broker.ts";
import { StreamedFile } from "./open-files.ts";
import { lookUpFile } from "./sftp-facts.ts";
import { performFile } from "./sftp-perform.ts";
import type { SftpRelay } from "./sftp-relay.ts";
import { Spool } from "./spool.ts";

type Open = SftpRequest<"open">;

const { READ, WRITE, APPEND, CREAT, TRUNC, EXCL } = OPEN_FLAG;

/** Serves one opening. */
export async function openFile(relay: SftpRelay, request: Open): Promise<void> {
  const { id, path: asked, flags, attributes } = request;
  const path = await relay.paths.follow(asked);
  const base = { op: "sftp", path, ...(path === asked ? {} : { asked }) } as const;
  const isWritten = (flags & ~READ) !== 0;
  const isRead = (flags & READ) !== 0 || !isWritten;
  const judged: Judged[] = [];
  if (isRead) {
    const reading = await relay.seat.session.judge({ operation: { ...base, do: "read" } });
    if (reading.decision.verdict !== "allow") {
      const isAlone = reading.decision.verdict === "confirm" && !isWritten;
      await (isAlone ? holdReading(relay, id, reading) : relay.deny(id, reading));
      return;
    }
    judged.push(reading);
  }
  if (isWritten) {
    const operation: FileOperation = {
      ...base,
      do: "write",
      mode: modeOf(flags),
      ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      ...((flags & EXCL) === 0 ? {} : { isExclusive: true }),
    };
    const writing = await relay.seat.session.judge({ operation });
    if (writing.decision.verdict !== "allow") {
      for (const one of judged) await relay.seat.session.outcome(one, { result: "not opened" });
      const isWhole = writing.decision.verdict === "confirm" && !isRead;
      if (isWhole) await spoolWriting(relay, id, writing, operation);
      else await relay.deny(id, writing);
      return;
    }
    judged.push(writing);
  }
  const answer = await relay.sftp.ask({ kind: "open", path, flags, attributes });
  await relay.opened(id, answer, new StreamedFile(path, judged));
}

function modeOf(flags: number): "replace" | "append" | "update" {
  if ((flags & APPEND) !== 0) return "append";
  return (flags & (TRUNC | EXCL)) === 0 && (flags & (WRITE | CREAT)) !== 0 ? "update" : "replace";
}

let handles = 0;

/** A handle of ours; servers have short ones, and one that has ours is refused. */
function ownHandle(): string {
  handles += 1;
  return `cofferdam held file ${handles}`;
}

/** Keeps what is written until it is closed; then a person decides over all of it. */
async function spoolWriting(
  relay: SftpRelay,
  id: number,
  opened: Judged,
  operation: FileOperation,
): Promise<void> {
  const { attributes = {} } = operation;
  const { spoolBytes } = relay.seat.session.limits;
  const held = new Spool({
    bytesMax: spoolBytes,
    attributes,
    isAppended: operation.mode === "append",
    closing: (closeId, spool) => closeSpool(relay, closeId, { opened, operation, spool }),
  });
  const handle = ownHandle();
  relay.files.add(handle, { kind: "spool", spool: held });
  await relay.send(handlePacket(id, handle));
}

interface Spooled {
  readonly opened: Judged;
  readonly operation: FileOperation;
  readonly spool: Spool;
}

async function closeSpool(
  relay: SftpRelay,
  id: number,
  { opened, operation, spool }: Spooled,
): Promise<void> {
  if (spool.isTooLarge) {
    await relay.fail(id, STATUS.FAILURE, "it is too large for a person to decide over");
    return;
  }
  const { content, asked } = spool;
  if (operation.mode === "update" && !spool.isWhole) {
    const text =
      "Cofferdam: a person decides over whole files: write this one anew instead of changing it in place";
    await relay.refuse(id, text);
    return;
  }
  const body = Buffer.from(content);
  const whole: FileOperation = {
    ...operation,
    mode: operation.mode === "append" ? "append" : "replace",
    ...(Object.keys(asked).length === 0 ? {} : { attributes: asked }),
  };
  const facts = await lookUpFile(relay.sftp, whole, body);
  const { session } = relay.seat;
  const judged = await session.complete(opened, { operation: whole, body, facts });
  if (judged.decision.verdict === "deny") {
    await relay.deny(id, judged);
    return;
  }
  if (judged.decision.verdict === "confirm") {
    await relay.hold(id, judged);
    return;
  }
  const { code, message } = await performFile(relay.sftp, whole, body);
  await session.outcome(judged, { result: code === STATUS.OK ? "done" : "failed", code });
  await relay.fail(id, code, message);
}

/** A file whose content a person lets the agent have. */
async function holdReading(relay: SftpRelay, id: number, judged: Judged): Promise<void> {
  const { session } = relay.seat;
  const resolution = await session.hold(judged);
  if (resolution.kind !== "answered") {
    await relay.refuse(id, session.deny(judged, resolution).text);
    return;
  }
  const { file, stdout } = decodeAnswer(resolution.answer.body);
  if (file?.code !== STATUS.OK) {
    await relay.fail(id, file?.code ?? STATUS.FAILURE, file?.message ?? "it was not performed");
    return;
  }
  const spool = new Spool({
    bytesMax: stdout.length,
    content: stdout,
    closing: (closeId) => relay.fail(closeId, STATUS.OK, ""),
  });
  const handle = ownHandle();
  relay.files.add(handle, { kind: "spool", spool });
  await relay.send(handlePacket(id, handle));
}
