/**
 * Answers of git-receive-pack that are ours (gitprotocol-pack, "Report Status"): a push that was not let
 * through is told to the client as one that the server rejected.
 *
 * @module
 */
import { FLUSH, packet, PacketReader, PKT_CONTENT_MAX } from "./pkt-line.ts";
import { readPushHead, type PushRequest } from "./push-request.ts";
import { tryRead } from "./unreadable.ts";

const LINE_CHARS_MAX = 900;

/**
 * Tells the client that sent `body` that nothing of it was done, and why: `short` beside each ref, `lines`
 * as what the remote says. `undefined` where what it sent is no push, or it wants no report.
 */
export function rejectionOf(
  body: Uint8Array,
  { short, lines }: { readonly short: string; readonly lines: readonly string[] },
): Buffer | undefined {
  const head = tryRead(() => readPushHead(body));
  if (!head.ok || head.value === undefined) return undefined;
  return rejectionFor(head.value.request, { short, lines });
}

/** The same, of commands that were read. */
export function rejectionFor(
  { commands, capabilities }: Pick<PushRequest, "commands" | "capabilities">,
  { short, lines }: { readonly short: string; readonly lines: readonly string[] },
): Buffer | undefined {
  const wants = capabilities.some((one) => one.startsWith("report-status"));
  if (commands.length === 0 || !wants) return undefined;
  const report = Buffer.concat([
    packet("unpack ok\n"),
    ...commands.map(({ ref }) => packet(`ng ${ref} ${plain(short)}\n`)),
    FLUSH,
  ]);
  if (!capabilities.includes("side-band-64k")) return report;
  const said = lines.map((line) => band(2, Buffer.from(`${plain(line)}\n`)));
  const bands: Buffer[] = [];
  for (let at = 0; at < report.length; at += PKT_CONTENT_MAX - 1) {
    bands.push(band(1, report.subarray(at, at + PKT_CONTENT_MAX - 1)));
  }
  return Buffer.concat([...said, ...bands, FLUSH]);
}

/** What a server says of a push: the reason where it took nothing, and of each ref that it did not change. */
export interface PushReport {
  /** `ok`, or why the pack was not taken. */
  readonly unpack: string;
  readonly refused: readonly { readonly ref: string; readonly reason: string }[];
}

/** Reads what git-receive-pack answered to a push of `capabilities`; `undefined` where that is no whole report. */
export function readReport(
  output: Uint8Array,
  { capabilities }: Pick<PushRequest, "capabilities">,
): PushReport | undefined {
  const read = tryRead(() => {
    const isBanded = capabilities.includes("side-band-64k");
    const reader = new PacketReader(isBanded ? firstBand(output) : output);
    let unpack = "";
    const refused: { ref: string; reason: string }[] = [];
    for (let one = reader.take(); one !== "flush"; one = reader.take()) {
      const line = typeof one === "string" ? "" : one.toString("utf8").replace(/\n$/, "");
      const [word, ref = "", ...why] = line.split(" ");
      if (word === "unpack") unpack = line.slice(7);
      else if (word === "ng") refused.push({ ref, reason: why.join(" ") });
    }
    return { unpack, refused };
  });
  return read.ok && read.value.unpack !== "" ? read.value : undefined;
}

function firstBand(output: Uint8Array): Buffer {
  const reader = new PacketReader(output);
  const said: Buffer[] = [];
  for (let one = reader.next(); one !== undefined && one !== "flush"; one = reader.next()) {
    if (typeof one !== "string" && one[0] === 1) said.push(one.subarray(1));
  }
  return Buffer.concat(said);
}

function band(number: number, content: Buffer): Buffer {
  return packet(Buffer.concat([Buffer.from([number]), content]));
}

/** One line without what commands a terminal. */
function plain(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]+/gu, " ").slice(0, LINE_CHARS_MAX);
}
