/**
 * What a client sends to git-receive-pack (gitprotocol-pack, "Reference Update Request"): shallow lines,
 * commands with capabilities behind the first, a flush, push options where they were agreed, and the pack.
 *
 * @module
 */
import { GIT_LIMITS } from "./limits.ts";
import { FORMATS, isObjectId, type ObjectFormat, type ObjectId } from "./object-format.ts";
import { PacketReader, type Packet } from "./pkt-line.ts";
import { foldRef, isRefName } from "./ref-name.ts";
import { require, tryRead, Unreadable, type Readable } from "./unreadable.ts";

/** One ref and what becomes of it. */
export interface PushCommand {
  readonly ref: string;
  readonly old: ObjectId;
  readonly new: ObjectId;
  readonly kind: "create" | "update" | "delete";
}

export interface PushRequest {
  readonly format: ObjectFormat;
  readonly commands: readonly PushCommand[];
  readonly capabilities: readonly string[];
  readonly options: readonly string[];
  /** Commits whose parents the client does not have. */
  readonly shallow: readonly ObjectId[];
  /** Empty where everything is deleted, or nothing is sent. */
  readonly pack: Buffer;
}

/**
 * Capabilities that change nothing of what is pushed. `push-cert` signs in another form, and is left out;
 * `agent` and `session-id` are for logs.
 */
const CAPABILITIES = new Set([
  "report-status",
  "report-status-v2",
  "side-band-64k",
  "delete-refs",
  "quiet",
  "atomic",
  "ofs-delta",
  "push-options",
]);
const NAMED = /^(?:agent|session-id)=[\x21-\x7e]{1,256}$|^object-format=(?:sha1|sha256)$/;

/** Reads all of `body`. A single flush is a client's question whether it may push: it has no commands. */
export function readPushRequest(body: Uint8Array): Readable<PushRequest> {
  return tryRead(() => {
    const head = readPushHead(body);
    if (head === undefined) throw new Unreadable("a push ends within its commands");
    const { commands } = head.request;
    const pack = Buffer.from(body.buffer, body.byteOffset, body.byteLength).subarray(head.end);
    const hasNew = commands.some(({ kind }) => kind !== "delete");
    require(hasNew || pack.length === 0, "a push that only deletes brings objects");
    require(!hasNew || pack.length > 0, "a push that brings refs has no pack");
    return { ...head.request, pack };
  });
}

/** What stands before the pack, and where that begins; `undefined` where it is not all here. */
export function readPushHead(
  body: Uint8Array,
): { readonly request: Omit<PushRequest, "pack">; readonly end: number } | undefined {
  const reader = new PacketReader(body);
  const lines = linesUntilFlush(reader);
  if (lines === undefined) return undefined;
  const shallow: string[] = [];
  while (lines[0]?.startsWith("shallow ") === true) shallow.push(lines.shift()?.slice(8) ?? "");
  const [first, ...more] = lines;
  if (first === undefined) {
    require(shallow.length === 0, "a push has shallow lines and nothing else");
    const request = {
      format: FORMATS.sha1,
      commands: [],
      capabilities: [],
      options: [],
      shallow: [],
    };
    return { request, end: reader.offset };
  }
  // It is signed in a form of its own, which nobody here checks or can tell from the server's.
  require(!first.startsWith("push-cert\0"), "a signed push is not taken: push without --signed");
  const at = first.indexOf("\0");
  const capabilities = (at < 0 ? "" : first.slice(at + 1)).split(" ").filter((one) => one !== "");
  checkCapabilities(capabilities);
  const said = capabilities.find((one) => one.startsWith("object-format="))?.slice(14);
  const format = FORMATS[said === "sha256" ? "sha256" : "sha1"];
  const commands = [at < 0 ? first : first.slice(0, at), ...more].map((line) =>
    readCommand(line, format),
  );
  require(commands.length <=
    GIT_LIMITS.commands, `a push of more than ${GIT_LIMITS.commands} refs`);
  const folded = commands.map(({ ref }) => foldRef(ref));
  require(new Set(folded).size === folded.length, "a push names a ref twice");
  require(shallow.every((id) => isObjectId(id, format)), "a shallow line names no object");
  let options: readonly string[] = [];
  if (capabilities.includes("push-options")) {
    const read = linesUntilFlush(reader);
    if (read === undefined) return undefined;
    options = read;
  }
  require(options.length <= GIT_LIMITS.pushOptions, "a push with too many options");
  for (const option of options) {
    // Servers hand them on in headers and environments, where a line end begins another.
    require(/^[^\p{C}\u2028\u2029\uFFFD]{1,1000}$/u.test(
      option,
    ), "a push option with control characters");
  }
  return { request: { format, commands, capabilities, options, shallow }, end: reader.offset };
}

function checkCapabilities(capabilities: readonly string[]): void {
  const names = capabilities.map((one) => one.split("=", 1)[0] ?? "");
  require(new Set(names).size === names.length, "a push names a capability twice");
  for (const one of capabilities) {
    require(CAPABILITIES.has(one) ||
      NAMED.test(one), `a push asks for a capability that is not known: ${one.slice(0, 60)}`);
  }
}

function linesUntilFlush(reader: PacketReader): string[] | undefined {
  const lines: string[] = [];
  for (;;) {
    const packet: Packet | undefined = reader.next();
    if (packet === undefined) return undefined;
    if (packet === "flush") return lines;
    require(typeof packet !== "string", "a push has a packet that does not belong there");
    const text = packet.toString("utf8");
    require(!text.includes("\uFFFD"), "a push has a line that is no UTF-8");
    lines.push(text.replace(/\n$/, ""));
    require(lines.length <= 10_000, "a push has too many lines");
  }
}

function readCommand(line: string, format: ObjectFormat): PushCommand {
  const [old = "", next = "", ...rest] = line.split(" ");
  const ref = rest.join(" ");
  require(isObjectId(old, format) && isObjectId(next, format), "a command names no objects");
  require(isRefName(ref), `a command names no ref: ${JSON.stringify(ref.slice(0, 80))}`);
  require(old !== next, "a command changes nothing");
  const kind = old === format.none ? "create" : next === format.none ? "delete" : "update";
  return { ref, old, new: next, kind };
}
