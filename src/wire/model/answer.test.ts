/** Answers of models: every documented form, however its bytes are cut, and what hostile ones do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createAnswerReader } from "./answer.ts";
import { briefOf, readInput } from "./input.ts";
import { CALLS_MAX, MODEL_PROTOCOLS, type ModelProtocol } from "./protocol.ts";
import type { Answered, ModelCall } from "./reading.ts";
import { TRANSCRIPTS } from "./transcripts.golden.ts";

const said = ({ id, name, input, hosted }: ModelCall) =>
  `${id} ${name} ${input.text}${hosted ? " hosted" : ""}`;

function read(protocol: ModelProtocol, pieces: Iterable<Uint8Array>, bytesMax?: number) {
  const reader = createAnswerReader(protocol, bytesMax);
  const calls: ModelCall[] = [];
  for (const piece of pieces) calls.push(...reader.push(piece));
  calls.push(...reader.end());
  return { calls: calls.map(said), answered: reader.answered };
}

const bytesOf = (bytes: Buffer) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

for (const { name, protocol, body, calls, answered } of TRANSCRIPTS) {
  test(`${name}: each call, in order, none wrong, however it is cut`, () => {
    const [model, stop, tokensIn, tokensOut] = answered;
    const expected = Object.fromEntries(
      Object.entries({ model, stop, tokensIn, tokensOut, calls: calls.length }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const bytes = Buffer.from(body);
    const whole = read(protocol, [bytes]);
    assert.deepEqual(whole.calls, calls);
    assert.deepEqual(whole.answered, expected);
    assert.deepEqual(read(protocol, bytesOf(bytes)), whole);
    for (let at = 1; at < bytes.length; at += 41) {
      assert.deepEqual(read(protocol, [bytes.subarray(0, at), bytes.subarray(at)]), whole);
    }
  });
}

test("a call is told with the event that completes its input, not with the end of its block", () => {
  for (const { name, protocol, body, calls } of TRANSCRIPTS.filter((one) =>
    one.name.includes("streamed"),
  )) {
    const reader = createAnswerReader(protocol);
    const events = body.split(/(?<=\n\r?\n)/);
    for (const event of events) {
      const before = reader.answered.calls;
      reader.push(Buffer.from(event));
      // A block's end tells a call only where its input has no end of its own.
      const isEnd = /content_block_stop|arguments\.done/.test(event);
      const isNew = reader.answered.calls > before;
      if (isEnd && isNew) assert.match(name, /without input|of the provider/);
    }
    assert.equal(reader.answered.calls, calls.length);
  }
});

const EVENT = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const MESSAGE = { type: "message_start", message: { model: "m", content: [], usage: {} } };
const TOOL = (index: number, more: object = {}) =>
  EVENT({
    type: "content_block_start",
    index,
    content_block: { type: "tool_use", id: `t${index}`, name: "f", input: {}, ...more },
  });
const PIECE = (index: number, partial_json: string) =>
  EVENT({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } });
const ITEM = { type: "function_call", call_id: "c", name: "f", arguments: '{"a":1}' };
const DONE = (item: object, output_index = 0) =>
  EVENT({ type: "response.output_item.done", output_index, item });
const CHAT = (tool_calls: readonly object[]) =>
  EVENT({ choices: [{ index: 0, delta: { tool_calls } }] });

const GEMINI_CALL = { candidates: [{ content: { parts: [{ functionCall: { name: "f" } }] } }] };
const CHAT_CALL = {
  choices: [{ message: { tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] } }],
};

const HOSTILE: readonly (readonly [
  why: string,
  protocol: ModelProtocol,
  body: string | Buffer,
  calls: readonly string[],
  unread: RegExp | undefined,
])[] = [
  [
    "an event without end",
    "anthropic-messages",
    `data: {"x":"${"y".repeat(5000)}`,
    [],
    /more than/,
  ],
  ["a document without end", "anthropic-messages", `{"x":"${"y".repeat(5000)}`, [], /more than/],
  ["an array's item without end", "google-generate", `[{"x":"${"y".repeat(5000)}`, [], /more than/],
  [
    "two blocks under one index",
    "anthropic-messages",
    EVENT(MESSAGE) + TOOL(0) + TOOL(0, { id: "u" }),
    ["t0 f {}", "u f {}"],
    /two blocks/,
  ],
  [
    "input of an unknown block",
    "anthropic-messages",
    TOOL(0) + PIECE(7, "{}"),
    ["t0 f {}"],
    /input of no call/,
  ],
  [
    "input behind its end",
    "anthropic-messages",
    TOOL(0) + PIECE(0, '{"a":1}') + PIECE(0, ' {"b":2}'),
    ['t0 f {"a":1}'],
    /behind the end/,
  ],
  [
    "an answer that breaks off",
    "anthropic-messages",
    TOOL(0) + PIECE(0, '{"a":'),
    ['t0 f {"a":'],
    /broke off/,
  ],
  [
    "an event without an empty line at its end",
    "anthropic-messages",
    TOOL(0).trimEnd(),
    ["t0 f {}"],
    /broke off/,
  ],
  [
    "bytes that are no UTF-8",
    "anthropic-messages",
    Buffer.concat([Buffer.from(TOOL(0) + "data: "), Buffer.of(0xff, 0x0a, 0x0a)]),
    ["t0 f {}"],
    /not UTF-8/,
  ],
  [
    "a call behind what is no UTF-8",
    "anthropic-messages",
    Buffer.concat([Buffer.from("data: "), Buffer.of(0xff, 0x0a, 0x0a), Buffer.from(TOOL(0))]),
    ["t0 f {}"],
    /not UTF-8/,
  ],
  [
    "a call behind an event that is too long",
    "anthropic-messages",
    `data: "${"y".repeat(5000)}"\n\n${TOOL(0)}`,
    ["t0 f {}"],
    /more than/,
  ],
  [
    "a document that is no UTF-8",
    "anthropic-messages",
    Buffer.from('{"a":"\u00ff"}', "latin1"),
    [],
    /not UTF-8/,
  ],
  ["NUL between events", "anthropic-messages", `\0\n\n${TOOL(0)}`, ["t0 f {}"], /broke off/],
  [
    "an event that is no JSON",
    "anthropic-messages",
    `data: {"a":\n\n${TOOL(0)}`,
    ["t0 f {}"],
    /no JSON/,
  ],
  [
    "deep nesting",
    "anthropic-messages",
    `data: ${"[".repeat(900)}${"]".repeat(900)}\n\n`,
    [],
    /no JSON/,
  ],
  ["a deep document", "anthropic-messages", `{"a":${"[".repeat(900)}`, [], /deeper/],
  [
    "a stream that begins as a document",
    "anthropic-messages",
    `{\n${TOOL(0)}`,
    [],
    /broke off|no JSON/,
  ],
  ["something behind a document", "anthropic-messages", '{"type":"ping"} {}', [], /behind the end/],
  [
    "a call without a name",
    "anthropic-messages",
    TOOL(0, { name: 7 }) + EVENT({ type: "content_block_stop", index: 0 }),
    ["t0  {}"],
    /without a name/,
  ],
  [
    "a call in two forms",
    "openai-responses",
    DONE(ITEM) + DONE({ ...ITEM, arguments: "{}" }, 1),
    ['c f {"a":1}', "c f {}"],
    /two forms/,
  ],
  [
    "a call that only the end tells",
    "openai-responses",
    EVENT({ type: "response.completed", response: { status: "completed", output: [ITEM] } }),
    ['c f {"a":1}'],
    undefined,
  ],
  [
    "a call told three times alike",
    "openai-responses",
    DONE(ITEM) + DONE(ITEM) + EVENT({ type: "response.completed", response: { output: [ITEM] } }),
    ['c f {"a":1}'],
    undefined,
  ],
  [
    "one call under two names",
    "openai-chat",
    CHAT([{ index: 0, id: "c", function: { name: "f", arguments: "{" } }]) +
      CHAT([{ index: 0, function: { name: "g", arguments: "}" } }]),
    ["c f {}"],
    /two names/,
  ],
  ["no choices", "openai-chat", EVENT({ hello: 1 }), [], /without choices/],
  ["no candidates", "google-generate", EVENT({ hello: 1 }), [], /without candidates/],
  [
    "arguments in pieces",
    "google-generate",
    EVENT({
      candidates: [{ content: { parts: [{ functionCall: { name: "f", willContinue: true } }] } }],
    }),
    ["f f {}"],
    /in pieces/,
  ],
  ...(["data: ", ": \u2028data: ", ": x\n data: ", "event: x\u0085data:"] as const).map(
    (field): (typeof HOSTILE)[number] => [
      `an event behind ${JSON.stringify(field)}`,
      "google-generate",
      `${field}${JSON.stringify(GEMINI_CALL)}\n\n`,
      field === "data: " ? ["f f {}"] : [],
      field === "data: " ? undefined : /data on a line/,
    ],
  ),
  [
    "a comment that holds a connection open",
    "openai-chat",
    `: OPENROUTER PROCESSING\n\n${CHAT([{ index: 0, id: "c", function: { name: "f", arguments: "{}" } }])}`,
    ["c f {}"],
    undefined,
  ],
  [
    "a call beside an error that is none to its client",
    "openai-chat",
    EVENT({ error: "", ...CHAT_CALL }) + EVENT({ error: false, ...CHAT_CALL }),
    ["c f {}", "c f {}"],
    undefined,
  ],
  ["an error", "openai-chat", EVENT({ error: { message: "overloaded" } }), [], undefined],
  [
    "a whole message beside a piece of one",
    "openai-chat",
    JSON.stringify({ choices: [{ index: 0, delta: {}, ...CHAT_CALL.choices[0] }] }),
    ["c f {}"],
    undefined,
  ],
  [
    "a call beside an error of Google's",
    "google-generate",
    EVENT({ error: { code: 200 }, ...GEMINI_CALL }),
    ["f f {}"],
    undefined,
  ],
  ["an error of Google's", "google-generate", EVENT({ error: { code: 503 } }), [], undefined],
  [
    "candidates beside a response that another client reads",
    "google-generate",
    EVENT({ response: { candidates: [] }, ...GEMINI_CALL }),
    ["f f {}"],
    undefined,
  ],
  [
    "an item in an event that says it is a response",
    "openai-responses",
    EVENT({ type: "response.output_item.done", object: "response", output_index: 0, item: ITEM }),
    ['c f {"a":1}'],
    undefined,
  ],
  [
    "a response that says it is an error",
    "openai-responses",
    JSON.stringify({ error: { message: "" }, output: [ITEM] }),
    ['c f {"a":1}'],
    undefined,
  ],
  [
    "one call that is a function and a custom tool",
    "openai-chat",
    CHAT([{ index: 0, id: "c", function: { name: "f", arguments: "{}" }, custom: { name: "g" } }]),
    ["c f {}"],
    /two forms/,
  ],
  [
    "a call of a local shell that says it is in a container",
    "openai-responses",
    DONE({
      ...{ type: "local_shell_call", call_id: "c", action: { command: ["ls"] } },
      environment: { type: "container_auto" },
    }),
    ['c local_shell {"command":["ls"]}'],
    undefined,
  ],
  [
    "a message that says it is a ping",
    "anthropic-messages",
    JSON.stringify({
      ...{ type: "ping", role: "assistant" },
      content: [{ type: "tool_use", id: "t", name: "f", input: {} }],
    }),
    ["t f {}"],
    undefined,
  ],
  [
    "members of the prototype",
    "anthropic-messages",
    `data: {"type":"__proto__","__proto__":{"type":"message"}}\n\n`,
    [],
    undefined,
  ],
];

for (const [why, protocol, body, calls, unread] of HOSTILE) {
  test(`INV-141: ${why} is ${unread === undefined ? "read" : "said to be unread"}, in any cut`, () => {
    const bytes = Buffer.from(body as Buffer);
    const whole = read(protocol, [bytes], 4000);
    assert.deepEqual(whole.calls, calls);
    if (unread === undefined) assert.equal(whole.answered.unread, undefined);
    else assert.match(whole.answered.unread ?? "", unread);
    assert.deepEqual(read(protocol, bytesOf(bytes), 4000), whole);
  });
}

test("INV-142: an endless answer keeps no more than its limits, and its calls are counted", () => {
  const reader = createAnswerReader("anthropic-messages", 4000);
  let given = 0;
  for (let n = 0; n < 5000; n += 1) {
    given += reader.push(Buffer.from(TOOL(n % 300) + PIECE(n % 300, "{}"))).length;
  }
  given += reader.end().length;
  assert.equal(given, CALLS_MAX);
  assert.ok(reader.answered.calls > 1000);
  assert.notEqual(reader.answered.unread, undefined);
});

test("INV-142: of a long input the beginning and the digest are kept", () => {
  const reader = createAnswerReader("anthropic-messages");
  reader.push(Buffer.from(TOOL(0)));
  reader.push(Buffer.from(PIECE(0, '{"a":"')));
  for (let n = 0; n < 40; n += 1) reader.push(Buffer.from(PIECE(0, "x".repeat(100_000))));
  const [call] = reader.push(Buffer.from(PIECE(0, '"}')));
  assert.ok(call);
  assert.equal(call.input.isCut, true);
  assert.equal(call.input.bytes, 4_000_008);
  assert.equal(call.input.text.length, 4096);
  assert.match(call.input.digest, /^[0-9a-f]{64}$/);
  assert.equal(reader.answered.unread, undefined);
});

test("the digest is of what the input says, not of how it is written", () => {
  const one = readInput('{"b":1, "a":"\\u0041"}', true);
  assert.equal(one.digest, readInput('{"a":"A","b":1.0}', true).digest);
  assert.notEqual(one.digest, readInput('{"a":"A","b":2}', true).digest);
  for (const odd of ['{"a":1e999}', '"\\ud800"', "[".repeat(100) + "]".repeat(100), "{", ""]) {
    const { digest, value } = readInput(odd, true);
    assert.match(digest, /^[0-9a-f]{64}$/, odd);
    assert.equal(value, undefined, odd);
  }
});

test("a brief shows every member, whatever is long in it", () => {
  const input = readInput(JSON.stringify({ content: "x".repeat(9000), file_path: "/etc/x" }), true);
  const { text, isCut } = briefOf(input, 4096);
  assert.ok(text.length <= 4096 && isCut);
  assert.match(text, /"file_path":"\/etc\/x"/);
});

const protocols = fc.constantFrom(...MODEL_PROTOCOLS);
const cut = (bytes: Uint8Array, at: readonly number[]) => {
  const places = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, n) =>
    bytes.subarray(n === 0 ? 0 : places[n - 1], end),
  );
};
const same = (one: { calls: readonly string[]; answered: Answered }) => JSON.stringify(one);

test("whatever the bytes are and however they are cut, nothing is thrown and the same is read", () => {
  const mutated = fc
    .tuple(
      fc.constantFrom(...TRANSCRIPTS),
      fc.array(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 6 }))),
    )
    .map(([{ protocol, body }, edits]) => {
      let bytes = Buffer.from(body);
      for (const [at, put] of edits) {
        const place = at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + (at % 9))]);
      }
      return [protocol, bytes] as const;
    });
  const any = fc.oneof(mutated, fc.tuple(protocols, fc.uint8Array({ maxLength: 300 })));
  fc.assert(
    fc.property(any, fc.array(fc.nat(), { maxLength: 8 }), ([protocol, bytes], places) => {
      const whole = read(protocol, [bytes], 2000);
      assert.equal(same(read(protocol, cut(bytes, places), 2000)), same(whole));
    }),
    { numRuns: 400 },
  );
});

test("events with any members: nothing is thrown", () => {
  const events = fc.array(
    fc.tuple(
      fc.constantFrom(
        ...["message_start", "content_block_start", "content_block_delta", "content_block_stop"],
        ...["message_delta", "response.output_item.added", "response.output_item.done", "message"],
        ...["response.function_call_arguments.delta", "response.completed", "error"],
      ),
      fc.dictionary(
        fc.constantFrom(
          ...["index", "delta", "content_block", "message", "item", "output_index", "response"],
          ...["choices", "candidates", "usage", "content", "item_id", "error", "object"],
        ),
        fc.jsonValue(),
      ),
    ),
  );
  fc.assert(
    fc.property(protocols, events, (protocol, list) => {
      const body = list.map(([type, members]) => EVENT({ type, ...members })).join("");
      read(protocol, [Buffer.from(body)]);
    }),
  );
});
