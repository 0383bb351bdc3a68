import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  readSmtpCommand,
  readSmtpPath,
  SmtpReader,
  SmtpReplyReader,
  stuffDots,
  type SmtpReply,
} from "./index.ts";

/** What a message is read as, cut into chunks of `size`. */
function readData(text: string, size = 1 << 20, bytesMax = 1 << 20) {
  const reader = new SmtpReader();
  reader.begin(bytesMax);
  const bytes = Buffer.from(text, "latin1");
  let read: ReturnType<SmtpReader["message"]>;
  let at = 0;
  for (; at < bytes.length && read === undefined; at += size) {
    reader.push(bytes.subarray(at, at + size));
    read = reader.message();
  }
  if (read === undefined || "flaw" in read) return read;
  return {
    text: read.bytes.toString("latin1"),
    isTooLong: read.isTooLong,
    isAhead: reader.isAhead || at < bytes.length,
  };
}

const MESSAGES = [
  ["a\r\n.\r\n", "a\r\n", "one line"],
  [".\r\n", "", "nothing"],
  ["..\r\n.\r\n", ".\r\n", "a dot alone"],
  ["..a\r\n.b\r\n.\r\n", ".a\r\nb\r\n", "dots that begin lines"],
  ["a.\r\n.\r\n", "a.\r\n", "a dot that ends a line"],
  ["\r\n\r\n.\r\n", "\r\n\r\n", "empty lines"],
  ["...\r\n.\r\n", "..\r\n", "three dots"],
] as const;
for (const [sent, message, why] of MESSAGES) {
  test(`a message is read, however it is cut: ${why}`, () => {
    for (const size of [1, 2, 3, 100])
      assert.deepEqual(readData(sent, size), { text: message, isTooLong: false, isAhead: false });
  });
}

const SMUGGLED = [
  ["a\n.\nMAIL FROM:<x@y>\r\n.\r\n", /line feed/, "LF . LF"],
  ["a\n.\r\nMAIL FROM:<x@y>\r\n.\r\n", /line feed/, "LF . CRLF"],
  ["a\r\n.\nMAIL FROM:<x@y>\r\n.\r\n", /line feed/, "CRLF . LF"],
  ["a\r\n.\rMAIL FROM:<x@y>\r\n.\r\n", /carriage return/, "CRLF . CR"],
  ["a\r.\rMAIL FROM:<x@y>\r\n.\r\n", /carriage return/, "CR . CR"],
  ["a\r.\r\nMAIL FROM:<x@y>\r\n.\r\n", /carriage return/, "CR . CRLF"],
  ["a\r\r\n.\r\r\nMAIL FROM:<x@y>\r\n.\r\n", /carriage return/, "CR CR LF . CR CR LF"],
  ["a\n\r.\n\rMAIL FROM:<x@y>\r\n.\r\n", /line feed/, "LF CR"],
  ["a\r\n\0.\r\nMAIL FROM:<x@y>\r\n.\r\n", /zero byte/, "NUL before the dot"],
  ["a\r\n.\0\r\nMAIL FROM:<x@y>\r\n.\r\n", /zero byte/, "NUL behind the dot"],
] as const;
for (const [sent, flaw, why] of SMUGGLED) {
  test(`INV-117: nothing but CRLF . CRLF ends a message: ${why}`, () => {
    for (const size of [1, 2, 5, 100]) {
      const read = readData(sent, size);
      assert.ok(read !== undefined && "flaw" in read);
      assert.match(read.flaw, flaw);
    }
  });
}

test("what follows a message is told, and what is too long is counted, not kept", () => {
  const ahead = readData("a\r\n.\r\nMAIL FROM:<x@y>\r\n");
  assert.deepEqual(ahead, { text: "a\r\n", isTooLong: false, isAhead: true });
  const long = readData(`${"x".repeat(100)}\r\n.\r\n`, 7, 50);
  assert.deepEqual(long, { text: "", isTooLong: true, isAhead: false });
  assert.deepEqual(readData(`${"x".repeat(48)}\r\n.\r\n`, 7, 50), {
    text: `${"x".repeat(48)}\r\n`,
    isTooLong: false,
    isAhead: false,
  });
});

test("fuzz: a message that is sent is the one that is read, and no bytes end it early", () => {
  const octet = fc.constantFrom(..."\r\n..\0aA \u00e9".split(""));
  const noise = fc.string({ unit: octet, maxLength: 60 });
  const property = fc.property(noise, fc.integer({ min: 1, max: 7 }), (text, size) => {
    const read = readData(`${text}\r\n.\r\n`, size);
    const isClean = !/\0|\r(?!\n)|(?<!\r)\n/.test(`${text}\r\n`);
    if (!isClean) assert.ok(read === undefined || "flaw" in read || read.isAhead);
    // What was read, written again, is what was said up to its end.
    if (read !== undefined && !("flaw" in read)) {
      const again = `${stuffDots(Buffer.from(read.text, "latin1")).toString("latin1")}.\r\n`;
      assert.deepEqual(readData(again, size), { ...read, isAhead: false });
      assert.doesNotMatch(read.text, /\0|\r(?!\n)|(?<!\r)\n/);
    }
  });
  fc.assert(property, { numRuns: 3000 });
  const lines = fc.array(fc.stringMatching(/^[.a-z ]{0,6}$/), { maxLength: 12 });
  const same = fc.property(lines, fc.integer({ min: 1, max: 9 }), (list, size) => {
    const message = list.map((line) => `${line}\r\n`).join("");
    const sent = `${stuffDots(Buffer.from(message)).toString("latin1")}.\r\n`;
    assert.deepEqual(readData(sent, size), { text: message, isTooLong: false, isAhead: false });
  });
  fc.assert(same, { numRuns: 1000 });
});

test("lines are commands of printable ASCII that end in CRLF, of bounded length", () => {
  const read = (text: string) => {
    const reader = new SmtpReader();
    reader.push(Buffer.from(text, "latin1"));
    return [reader.line(), reader.isAhead];
  };
  assert.deepEqual(read("NOOP\r\n"), ["NOOP", false]);
  assert.deepEqual(read("NOOP\r"), [undefined, true]);
  assert.deepEqual(read("STARTTLS\r\nMAIL FROM:<x@y>\r\n"), ["STARTTLS", true]);
  for (const text of [
    "NOOP\n",
    "NO\rOP\r\n",
    "NOOP\r\r\n",
    "N\0OP\r\n",
    "NO\tOP\r\n",
    "N\u00e9\r\n",
    "\x16\x03\x01",
  ]) {
    assert.ok(typeof read(text)[0] === "object", JSON.stringify(text));
  }
  assert.ok(typeof read("A".repeat(12_289))[0] === "object");
});

const PATHS = [
  ["FROM:<a@x.example>", "a@x.example", "plain"],
  ["from: <a@x.example> SIZE=10 BODY=8BITMIME", "a@x.example", "a blank, and parameters"],
  ["FROM:<>", "", "nobody"],
  ["FROM:a@x.example", undefined, "no brackets"],
  ["FROM:<a@x.example> ", undefined, "a blank at the end"],
  ["FROM:<a@x.example>SIZE=10", undefined, "no blank"],
  ["FROM:<a@x.example> SIZE=1 SIZE=2", undefined, "a parameter twice"],
  ["FROM:<a@x.example> SIZE=", undefined, "no value"],
  ["FROM:<a@x.example> =1", undefined, "no keyword"],
  ["FROM:<a@x.example> <b@y.example>", undefined, "two paths"],
  ["FROM:<<a@x.example>>", undefined, "brackets within"],
  ["FROM :<a@x.example>", undefined, "a blank before the colon"],
  ["TO:<a@x.example>", undefined, "the other command's"],
] as const;
for (const [argument, path, why] of PATHS) {
  test(`${JSON.stringify(argument)} names ${JSON.stringify(path)}: ${why}`, () =>
    assert.equal(readSmtpPath(argument, "FROM")?.path, path));
}

test("fuzz: a command is read or not, and its path holds no bracket", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."MAILFROM:<>= a@x.1+-".split("")),
    maxLength: 40,
  });
  const property = fc.property(text, (line) => {
    const command = readSmtpCommand(line);
    const path = readSmtpPath(command?.argument ?? line, "FROM");
    if (path !== undefined) assert.doesNotMatch(path.path, /[<>]/);
  });
  fc.assert(property, { numRuns: 2000 });
  assert.deepEqual(readSmtpCommand("mail FROM:<a@x>"), { verb: "MAIL", argument: "FROM:<a@x>" });
  assert.equal(readSmtpCommand(" MAIL"), undefined);
  assert.equal(readSmtpCommand("GET/ HTTP"), undefined);
});

function repliesOf(text: string): readonly SmtpReply[] {
  const reader = new SmtpReplyReader();
  const replies: SmtpReply[] = [];
  for (const octet of text) {
    reader.push(Buffer.from(octet, "latin1"));
    const reply = reader.reply();
    if (reply !== undefined) replies.push(reply);
  }
  return replies;
}

test("replies are read line by line, and what is none is refused within bounds", () => {
  assert.deepEqual(repliesOf("250-a\r\n250-b\r\n250 c\r\n354 go\r\n250\r\n"), [
    { code: 250, lines: ["a", "b", "c"] },
    { code: 354, lines: ["go"] },
    { code: 250, lines: [""] },
  ]);
  assert.deepEqual(repliesOf("550 \x1b[31mno\u00e9\r\n"), [{ code: 550, lines: ["?[31mno?"] }]);
  for (const text of [
    "250 a\n",
    "150 a\r\n",
    "600 a\r\n",
    "25 a\r\n",
    "250_a\r\n",
    "250-a\r\n251 b\r\n",
    "HTTP/1.1 200 OK\r\n",
    "250-a\r\n".repeat(200),
    "2".repeat(3000),
  ]) {
    assert.throws(() => repliesOf(text), { code: "wire.smtp_reply" }, text.slice(0, 20));
  }
});

test("fuzz: any bytes are replies, none yet, or refused; never more lines than a bound", () => {
  const text = fc.string({ unit: fc.constantFrom(..."245 -\r\nab".split("")), maxLength: 200 });
  const property = fc.property(text, (said) => {
    try {
      for (const { lines } of repliesOf(said)) assert.ok(lines.length <= 128);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "wire.smtp_reply");
    }
  });
  fc.assert(property, { numRuns: 1000 });
});
