import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMessageWatch, type MessageVerdict } from "./message-watch.ts";

type Kind = "text" | "binary";

/** The last word on messages that come whole, one after the other. */
function judge(
  from: "client" | "server",
  opaque: boolean,
  messages: readonly (readonly [Kind, string])[],
): MessageVerdict {
  const watch = createMessageWatch({ from, opaque });
  let verdict: MessageVerdict = "pass";
  for (const [kind, text] of messages) {
    watch.begin(kind);
    verdict = watch.push(Buffer.from(text, "latin1"), true);
    if (typeof verdict === "object") return verdict;
  }
  return verdict;
}

const LOGIN = '{"id":1,"method":"mining.subscribe","params":[]}';
const HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc";
const CASES: readonly (readonly [
  string,
  "client" | "server",
  boolean,
  readonly (readonly [Kind, string])[],
  string,
])[] = [
  ["a JSON message", "client", false, [["text", '{"op":"hi"}']], "pass"],
  ["words", "client", false, [["text", "pass me the salt"]], "pass"],
  ["JSON-RPC that is not mining", "client", false, [["text", '{"method":"login","id":1}']], "pass"],
  ["JSON in a binary message", "server", false, [["binary", '{"op":"hi"}']], "pass"],
  ["an empty binary message", "client", false, [["binary", ""]], "pass"],
  ["binary where it is granted", "client", true, [["binary", "\x08\x01\x12\x03abc"]], "pass"],
  ["a prompt of the server's shell", "server", false, [["text", "sh-5.2$ ls"]], "pass"],
  [
    "binary where it is not granted",
    "client",
    false,
    [["binary", "\x08\x01\x12\x03abc"]],
    "unknown",
  ],
  ["binary from the server", "server", false, [["binary", "\x08\x01\x12\x03abc"]], "unknown"],
  ["text that is no text", "client", false, [["text", "\xff\xfe\x00"]], "unknown"],
  ["a cut character", "client", false, [["text", "caf\xc3"]], "unknown"],
  ["SSH as text", "client", false, [["text", "SSH-2.0-OpenSSH_9.2\r\n"]], "ssh"],
  ["SSH as binary", "client", true, [["binary", "SSH-2.0-OpenSSH_9.2\r\n"]], "ssh"],
  ["SSH behind lines", "client", false, [["text", "hello\r\nSSH-2.0-x\r\n"]], "ssh"],
  ["chisel's SSH", "client", true, [["binary", "SSH-chisel-v3-client\r\n"]], "ssh"],
  ["a server's SSH", "server", true, [["binary", "SSH-2.0-OpenSSH_9.2\r\n"]], "ssh"],
  [
    "SSH in single bytes",
    "client",
    true,
    Array.from("SSH-2.0").map((c) => ["binary", c] as const),
    "ssh",
  ],
  [
    "SSH in a later message",
    "client",
    true,
    [
      ["text", "{}"],
      ["binary", "SSH-2.0-x\r\n"],
    ],
    "ssh",
  ],
  ["Stratum", "client", false, [["text", LOGIN]], "stratum"],
  ["Stratum as binary", "client", true, [["binary", `${LOGIN}\n`]], "stratum"],
  [
    "Stratum over two messages",
    "client",
    false,
    [
      ["text", LOGIN.slice(0, 9)],
      ["text", LOGIN.slice(9)],
    ],
    "stratum",
  ],
  [
    "Stratum in a later message",
    "client",
    false,
    [
      ["text", "{}"],
      ["text", LOGIN],
    ],
    "stratum",
  ],
  [
    "a pool's job",
    "server",
    false,
    [["text", '{"method":"mining.notify","params":[]}']],
    "stratum",
  ],
  ["TLS", "client", true, [["binary", HELLO]], "tls"],
  ["SOCKS", "client", true, [["binary", "\x05\x01\x00"]], "socks"],
  [
    "yamux",
    "client",
    true,
    [["binary", "\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"]],
    "tunnel",
  ],
  ["the agent's own shell", "client", false, [["text", "sh-5.2$ ls\n"]], "shell"],
];
for (const [why, from, opaque, messages, wanted] of CASES) {
  test(`INV-36: ${why} from a ${from}${opaque ? ", binary granted" : ""}: ${wanted}`, () => {
    const verdict = judge(from, opaque, messages);
    assert.equal(typeof verdict === "string" ? verdict : verdict.protocol, wanted);
  });
}

test("INV-36: what pings carry is looked at, also in a row", () => {
  const watch = createMessageWatch({ from: "client", opaque: true });
  assert.equal(watch.control(Buffer.from("keepalive")), "pass");
  const whole = watch.control(Buffer.from("SSH-2.0-x"));
  assert.equal(typeof whole === "object" && whole.protocol, "ssh");
  const row = createMessageWatch({ from: "client", opaque: true });
  const last = Array.from("SSH-2.0")
    .map((byte) => row.control(Buffer.from(byte)))
    .find((one) => one !== "pass");
  assert.equal(typeof last === "object" && last.protocol, "ssh");
});

test("a message is held until it is told from SSH, and no longer than time or 1 KiB allow", () => {
  const watch = createMessageWatch({ from: "client", opaque: false });
  watch.begin("text");
  assert.equal(watch.push(Buffer.from("hello "), false), "hold");
  assert.equal(watch.settle(), "pass");
  assert.equal(watch.push(Buffer.from("SSH-"), false), "pass", "inside a message it is text");
  watch.begin("text");
  assert.equal(watch.push(Buffer.from("x".repeat(1100)), false), "pass");
  watch.begin("binary");
  assert.equal(watch.push(Buffer.from("\0"), false), "hold");
  assert.notEqual(watch.settle(), "pass", "binary is not granted here");
});

test("however a text is cut into frames, it gets the same verdict", () => {
  const texts = fc.constantFrom(LOGIN, "SSH-2.0-x\r\n", '{"a":1}', "hello", "grüße");
  const property = fc.property(texts, fc.integer({ min: 1, max: 9 }), (text, step) => {
    const bytes = Buffer.from(text);
    const verdict = (size: number) => {
      const watch = createMessageWatch({ from: "client", opaque: false });
      watch.begin("text");
      let last: MessageVerdict = "hold";
      for (let at = 0; at < bytes.length && typeof last === "string"; at += size) {
        last = watch.push(bytes.subarray(at, at + size), at + size >= bytes.length);
      }
      return typeof last === "string" ? last : last.protocol;
    };
    assert.equal(verdict(step), verdict(bytes.length));
  });
  fc.assert(property);
});
