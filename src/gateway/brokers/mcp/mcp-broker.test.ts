import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../../action/index.ts";
import { readMessage, readOptions, type Members, type Message } from "./terms.ts";
import { flawOfHead, readHead } from "./heads.ts";
import { openPlace } from "./open-sessions.ts";
import { hear, screenResult } from "./screen.ts";

const call = (args: Json): Message => {
  const params = { name: "a", arguments: args };
  const message = readMessage({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  assert.ok(message.kind !== "bad");
  return message;
};

const wrap = (text: string) => `=?base64?${Buffer.from(text).toString("base64")}?=`;
const HEADS: readonly (readonly [
  why: string,
  raw: readonly string[],
  args: Json,
  fits: boolean,
])[] = [
  ["none", [], {}, true],
  ["its method and name", ["Mcp-Method", "tools/call", "Mcp-Name", "a"], {}, true],
  ["its name, wrapped", ["Mcp-Name", wrap("a")], {}, true],
  ["its name, wrapped otherwise", ["Mcp-Name", wrap("a").replace("==", "=")], {}, false],
  ["another name", ["Mcp-Name", "b"], {}, false],
  ["a name in another case", ["Mcp-Name", "A"], {}, false],
  ["two names", ["Mcp-Name", "a", "mcp-name", "b"], {}, false],
  ["two equal names", ["Mcp-Name", "a", "mcp-name", "a"], {}, false],
  ["an argument", ["Mcp-Param-Region", "eu"], { region: "eu" }, true],
  ["a number", ["Mcp-Param-N", "5"], { n: 5 }, true],
  ["an argument further in", ["Mcp-Param-Region", "eu"], { where: { region: "eu" } }, true],
  ["an argument that is none", ["Mcp-Param-Region", "us"], { region: "eu" }, false],
  ["an argument of no arguments", ["Mcp-Param-Region", "eu"], {}, false],
  ["a field in disguise", ["Mcp-Param-A_b", "eu"], { a: "eu" }, false],
  ["the same twice", ["Mcp-Param-A", "eu", "mcp-param-a", "eu"], { a: "eu" }, false],
  ["an odd session", ["Mcp-Session-Id", "a b"], {}, false],
  ["two sessions", ["Mcp-Session-Id", "a", "Mcp-Session-Id", "a"], {}, false],
];
for (const [why, raw, args, fits] of HEADS) {
  test(`a head with ${why} ${fits ? "fits" : "does not fit"} its message`, () => {
    const head = readHead(raw);
    assert.equal(!("rule" in head) && flawOfHead(head, call(args)) === undefined, fits);
  });
}

test("INV-122: what one run has open is nothing to another", () => {
  const isTaken = () => true;
  const mine = openPlace("r-1", "tools", isTaken);
  mine.open("s").asked.set(5, "roots/list");
  assert.equal(openPlace("r-2", "tools", isTaken).find("s"), undefined);
  assert.equal(openPlace("r-1", "other", isTaken).find("s"), undefined);
  assert.equal(openPlace("r-1", "tools", isTaken).find("s")?.answer(5), "roots/list");
  assert.equal(openPlace("r-1", "tools", isTaken).find("s")?.answer(5), undefined, "once");
});

const options = readOptions({ result_bytes: 2000 });
const screen = (method: string, result: Members) =>
  screenResult(method, result, { options, text: JSON.stringify(result), isReviewed: true });

test("a result is cut in its own form, and says so", () => {
  const long = "é\u0001".repeat(5000);
  const { result, record } = screen("tools/call", { content: [{ type: "text", text: long }] });
  assert.ok(Buffer.byteLength(JSON.stringify(result)) <= 2000);
  assert.match(JSON.stringify(result), /cut here/);
  assert.equal(result?.["isError"], true);
  assert.equal(record["cut"], true);
  const read = screen("resources/read", { contents: [{ uri: "file:///a", text: long }] });
  assert.ok(Buffer.byteLength(JSON.stringify(read.result)) <= 2000);
  assert.equal(
    screen("tools/call", { content: [] }).result,
    undefined,
    "what is short stays as it was written",
  );
});

test("a secret in any spelling does not pass, and a message stays a message", () => {
  const secret = 'to"ken-0123456789\u00e9';
  const said = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    result: { content: [{ type: "text", text: secret }] },
  });
  const { message, text, isRedacted } = hear(said, [secret]);
  assert.equal(isRedacted, true);
  assert.equal(message.kind, "result");
  assert.ok(!JSON.stringify(JSON.parse(text)).includes("0123456789"));
});

test("numbers that a double cannot hold go on as they were written", () => {
  const said = '{"jsonrpc":"2.0","id":1,"result":{"ns":1764200000000000001}}';
  const { message, text } = hear(said, []);
  assert.equal(message.kind, "result");
  assert.equal(text, said);
});

test("fuzz: whatever a server says is read without throwing, and stays on one line", () => {
  const said = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((text) => `{"jsonrpc":"2.0","id":1,"result":${text}}`),
  );
  fc.assert(
    fc.property(said, (data) => {
      const { message, text } = hear(data, ["secret-secret"]);
      if (message.kind !== "bad") assert.doesNotMatch(text, /[\r\n]/);
    }),
    { seed: 298, numRuns: 3000 },
  );
});

test("fuzz: any fields are read without throwing; what passes says what the message says", () => {
  const name = fc.constantFrom(
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "mcp-param-a",
    "mcp-protocol-version",
    "x",
  );
  const value = fc.oneof(
    fc.constantFrom("a", "tools/call", "2025-11-25", "=?base64?YQ==?="),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
      const head = readHead(pairs.flat());
      if ("rule" in head || flawOfHead(head, call({ a: "v" })) !== undefined) return;
      assert.ok(head.method === undefined || head.method === "tools/call");
      assert.ok(head.name === undefined || ["a", "=?base64?YQ==?="].includes(head.name));
    }),
    { seed: 298, numRuns: 5000 },
  );
});
