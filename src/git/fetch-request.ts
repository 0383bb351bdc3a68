/**
 * What a client sends to git-upload-pack: it only reads, but must be that. Versions 0 and 1
 * (gitprotocol-pack, "Packfile Negotiation") are lines of want, have, shallow, deepen, filter and done;
 * version 2 is commands (gitprotocol-v2).
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { PacketReader } from "./pkt-line.ts";
import { require, tryRead, Unreadable, type Readable } from "./unreadable.ts";

const INFLATED_MAX = 32 << 20;
const ID = "(?:[0-9a-f]{40}|[0-9a-f]{64})";
const REF = "[\\x21-\\x7e\\x80-\\uffff]{1,1000}";
const CAPABILITY = "[\\x21-\\x7e]{1,300}";

const LINE = new RegExp(
  `^(?:want ${ID}(?: ${CAPABILITY})*|have ${ID}|shallow ${ID}|deepen \\d+|deepen-since \\d+|deepen-not ${REF}|` +
    `deepen-relative|filter ${CAPABILITY}|done)$`,
);
const COMMANDS = new Set(["ls-refs", "fetch", "object-info", "bundle-uri"]);
const SAID = new RegExp(
  `^(?:agent|object-format|server-option|session-id)=[\\x20-\\x7e\\x80-\\uffff]{0,1000}$`,
);
const ARGUMENT = new RegExp(
  `^(?:want ${ID}|have ${ID}|shallow ${ID}|done|thin-pack|no-progress|include-tag|ofs-delta|deepen \\d+|` +
    `deepen-relative|deepen-since \\d+|deepen-not ${REF}|filter ${CAPABILITY}|want-ref ${REF}|sideband-all|` +
    `packfile-uris ${CAPABILITY}|wait-for-done|peel|symrefs|unborn|ref-prefix ${REF}|size|oid ${ID})$`,
);

/** What a body asks: `clone`, `ls-refs`; or why it is no such body. `isPacked` where gzip is around it. */
export function readFetchRequest(body: Uint8Array, isPacked: boolean): Readable<string> {
  return tryRead(() => {
    const lines = isPacked
      ? unpacked(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (lines.length === 0) return "nothing";
    const reader = new PacketReader(lines);
    const first = reader.take();
    if (typeof first !== "string" && first.toString("latin1").startsWith("command=")) {
      return readCommand(first.toString("utf8").trim().slice(8), reader);
    }
    reader.offset = 0;
    while (!reader.isAtEnd) {
      const one = reader.take();
      if (one === "flush") continue;
      require(typeof one !== "string", "a fetch has a packet that does not belong there");
      const line = one.toString("utf8").replace(/\n$/, "");
      require(LINE.test(line), `a fetch has a line that is not known: ${line.slice(0, 60)}`);
    }
    return "fetch";
  });
}

function readCommand(command: string, reader: PacketReader): string {
  require(COMMANDS.has(command), `a command that is not known: ${command.slice(0, 40)}`);
  let areArguments = false;
  for (;;) {
    const one = reader.take();
    if (one === "flush") break;
    if (one === "delimiter") {
      require(!areArguments, "a command has its arguments twice");
      areArguments = true;
      continue;
    }
    require(typeof one !== "string", "a command has a packet that does not belong there");
    const line = one.toString("utf8").replace(/\n$/, "");
    require((areArguments ? ARGUMENT : SAID).test(
      line,
    ), `a command has a line that is not known: ${line.slice(0, 60)}`);
  }
  require(reader.isAtEnd, "a request has more than one command");
  return command;
}

function unpacked(body: Uint8Array): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_MAX });
  } catch {
    throw new Unreadable("a body cannot be unpacked");
  }
}
