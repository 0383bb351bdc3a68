/**
 * The scripted model against the published formats: what a client of each would put together from its
 * answers, whole and streamed, and what it reads out of requests.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import { sampleOf } from "./sample.ts";
import { DIALECTS, startModelServer, type ModelServer, type Turn } from "./index.ts";

const INPUT = { command: "echo 'x \u00e9' \\ \"y\"" };
const SCRIPT: readonly Turn[] = [
  { text: "First.", calls: [{ tool: "shell", input: INPUT }] },
  { calls: [{ tool: "patch", input: "free\ntext" }] },
  { text: "Last." },
];
const HOST = "model.example.com";

let server: ModelServer;
before(async () => (server = await startModelServer({ script: SCRIPT, hosts: [HOST] })));
after(() => server.close());

/** The server as a client sees it: verified by its own authority, for its name. */
async function call(path: string, body?: object): Promise<{ status: number; text: string }> {
  const sent = request({
    host: "127.0.0.1",
    port: server.port,
    servername: HOST,
    ca: server.ca,
    path,
    method: body === undefined ? "GET" : "POST",
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

/** Events as the HTML standard reads them (9.2.6), for the fields in use. */
function eventsOf(text: string): readonly { event: string; data: string }[] {
  assert.ok(text.endsWith("\n\n"), "the last event is ended");
  return text
    .trimEnd()
    .split("\n\n")
    .map((block) => {
      const fields = block.split("\n").map((line) => /^(event|data): (.*)$/.exec(line) ?? []);
      const of = (name: string) => fields.find((field) => field[1] === name)?.[2] ?? "";
      return { event: of("event"), data: of("data") };
    });
}

const parse = (data: string) => z.record(z.string(), z.unknown()).parse(JSON.parse(data));
const said = async (path: string, body: object) => eventsOf((await call(path, body)).text);

describe("Anthropic messages", () => {
  const tools = [{ name: "shell", input_schema: {} }];
  const asks = { model: "m", max_tokens: 10, tools, messages: [{ role: "user", content: "Go." }] };
  const done = [
    { role: "assistant", content: [{ type: "tool_use", id: "1", name: "shell", input: {} }] },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "1", content: [{ type: "text", text: "out" }] },
      ],
    },
  ];

  test("a stream has the events in the published order, and the pieces make the input", async () => {
    const events = await said("/v1/messages?beta=true", { ...asks, stream: true });
    assert.deepEqual(
      events.map(({ event }) => event.replace("content_block", "block")),
      [
        "message_start",
        ...["block_start", "block_delta", "block_delta", "block_stop"],
        ...["block_start", "block_delta", "block_delta", "block_stop"],
        ...["message_delta", "message_stop"],
      ],
    );
    for (const { event, data } of events) assert.equal(parse(data)["type"], event);
    const pieces = events
      .map(({ data }) => /"partial_json":("(?:[^"\\]|\\.)*")/.exec(data)?.[1])
      .filter((piece) => piece !== undefined)
      .map((piece) => z.string().parse(JSON.parse(piece)));
    assert.deepEqual(JSON.parse(pieces.join("")), INPUT);
    assert.match(events.at(-2)?.data ?? "", /"stop_reason":"tool_use"/);
  });

  test("the place in the script is where the conversation is, also when it is asked again", async () => {
    const later = { ...asks, messages: [...asks.messages, ...done, ...done] };
    for (let n = 0; n < 2; n += 1) {
      const answer = parse((await call("/v1/messages", later)).text);
      assert.deepEqual(answer["content"], [{ type: "text", text: "Last." }]);
      assert.equal(answer["stop_reason"], "end_turn");
    }
    assert.deepEqual(server.asked.at(-1)?.results, ["out", "out"]);
  });

  test("without the script's tools it is an aside; where JSON must fit a schema, it does", async () => {
    const schema = { type: "object", properties: { title: { type: "string" } } };
    const format = { type: "json_schema", schema };
    const body = { ...asks, tools: [], output_config: { format } };
    const answer = await call("/v1/messages", body);
    assert.match(answer.text, /"text":"\{\\"title\\":\\"scripted\\"\}"/);
    assert.equal(server.asked.at(-1)?.aside, true);
  });
});

describe("OpenAI responses", () => {
  const asks = {
    model: "m",
    stream: true,
    input: [{ role: "user", content: [] }],
    tools: [{ type: "function", name: "shell" }],
  };
  const round = (n: number) => [
    { type: "function_call", call_id: `${n}`, name: "shell", arguments: "{}" },
    { type: "function_call_output", call_id: `${n}`, output: `out ${n}` },
  ];

  test("events are numbered, named, and end in the whole response", async () => {
    const events = await said("/v1/responses", asks);
    events.forEach(({ event, data }, n) => {
      assert.equal(parse(data)["sequence_number"], n);
      assert.equal(parse(data)["type"], event);
    });
    assert.deepEqual(
      events.map(({ event }) => event.replace("response.", "")),
      [
        ...["created", "in_progress"],
        ...["output_item.added", "content_part.added", "output_text.delta", "output_text.delta"],
        ...["output_text.done", "content_part.done", "output_item.done"],
        ...["output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"],
        ...["function_call_arguments.done", "output_item.done", "completed"],
      ],
    );
    const { response } = z
      .object({
        response: z.looseObject({ status: z.string(), output: z.array(z.looseObject({})) }),
      })
      .parse(parse(events.at(-1)?.data ?? ""));
    assert.equal(response.status, "completed");
    assert.deepEqual(response.output[1]?.["arguments"], JSON.stringify(INPUT));
    const whole = parse((await call("/v1/responses", { ...asks, stream: false })).text);
    assert.equal(z.array(z.unknown()).parse(whole["output"]).length, 2);
  });

  test("a tool of free text is called as a custom one; tools may come in the conversation", async () => {
    const tools = [{ type: "namespace", name: "n", tools: [{ type: "custom", name: "patch" }] }];
    const input = [{ type: "additional_tools", tools }, ...round(1)];
    const events = await said("/v1/responses", { ...asks, tools: [], input });
    assert.match(events.at(-1)?.data ?? "", /"type":"custom_tool_call"[^}]*"input":"free\\ntext"/);
    assert.deepEqual(server.asked.at(-1)?.results, ["out 1"]);
  });

  test("parallel calls are one turn", async () => {
    const [first, answer] = round(1);
    await call("/v1/responses", { ...asks, input: [first, first, answer, answer] });
    assert.equal(server.asked.at(-1)?.turn, 1);
  });
});

describe("OpenAI chat completions", () => {
  const tools = [{ type: "function", function: { name: "shell" } }];
  const asks = { model: "m", tools, messages: [{ role: "user", content: "Go." }] };

  test("deltas make the message, then comes the usage, then the end", async () => {
    const events = await said("/v1/chat/completions", { ...asks, stream: true });
    assert.equal(events.at(-1)?.data, "[DONE]");
    const chunks = events.slice(0, -1).map(({ data }) =>
      z
        .object({
          object: z.literal("chat.completion.chunk"),
          choices: z.array(
            z.object({
              delta: z.looseObject({
                content: z.string().optional(),
                tool_calls: z
                  .array(z.looseObject({ function: z.looseObject({ arguments: z.string() }) }))
                  .optional(),
              }),
              finish_reason: z.string().nullable(),
            }),
          ),
        })
        .parse(JSON.parse(data)),
    );
    const choices = chunks.flatMap((chunk) => chunk.choices);
    assert.equal(choices.map(({ delta }) => delta.content ?? "").join(""), "First.");
    const json = choices.flatMap(({ delta }) => delta.tool_calls ?? []);
    assert.deepEqual(JSON.parse(json.map((one) => one.function.arguments).join("")), INPUT);
    assert.equal(choices.at(-1)?.finish_reason, "tool_calls");
    assert.deepEqual(chunks.at(-1)?.choices, []);
  });

  test("whole, after one round", async () => {
    const messages = [
      ...asks.messages,
      { role: "assistant", content: null, tool_calls: [{}] },
      { role: "tool", tool_call_id: "1", content: "out" },
      { role: "assistant", content: "", tool_calls: [{}] },
      { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "more" }] },
    ];
    const answer = await call("/v1/chat/completions", { ...asks, messages });
    assert.match(answer.text, /"content":"Last\."[^]*"finish_reason":"stop"/);
    assert.deepEqual(server.asked.at(-1)?.results, ["out", "more"]);
  });
});

describe("Google generateContent", () => {
  const path = "/v1beta/models/gem:";
  const tools = [{ functionDeclarations: [{ name: "shell" }] }];
  const asks = { tools, contents: [{ role: "user", parts: [{ text: "Go." }] }] };

  test("a stream of documents, of which the last has the reason to finish", async () => {
    const events = await said(`${path}streamGenerateContent?alt=sse`, asks);
    const reasons = events.map(({ data }) => /"finishReason":"(\w+)"/.exec(data)?.[1]);
    assert.deepEqual(reasons, [undefined, undefined, "STOP"]);
    const last = z
      .object({
        candidates: z.array(z.object({ content: z.object({ parts: z.array(z.looseObject({})) }) })),
      })
      .parse(JSON.parse(events.at(-1)?.data ?? ""));
    const [part] = last.candidates[0]?.content.parts ?? [];
    assert.deepEqual(
      z.looseObject({ args: z.unknown() }).parse(part?.["functionCall"]).args,
      INPUT,
    );
    assert.equal(server.asked.at(-1)?.model, "gem");
  });

  test("an answer in JSON fits the schema, in either spelling of types", async () => {
    const responseSchema = { type: "OBJECT", properties: { n: { type: "INTEGER", minimum: 3 } } };
    const body = { contents: asks.contents, generationConfig: { responseSchema } };
    assert.match((await call(`${path}generateContent`, body)).text, /"text":"\{\\"n\\":3\}"/);
  });
});

test("what is in no dialect is refused and recorded", async () => {
  for (const path of ["/v1/other", "/v1/messages/batches"]) {
    assert.equal((await call(path, {})).status, 404);
    assert.deepEqual([server.asked.at(-1)?.path, server.asked.at(-1)?.status], [path, 404]);
  }
  assert.equal((await call("/v1/messages", { model: 1 })).status, 400);
  assert.equal((await call("/v1/models")).status, 200);
  assert.equal((await call("/v1/messages/count_tokens", {})).status, 200);
  assert.equal(new Set(DIALECTS.map(({ name }) => name)).size, 4);
});

const SAMPLES: readonly (readonly [unknown, unknown, string])[] = [
  [{ enum: ["a", "b"] }, "a", "the first of a list"],
  [{ const: 7 }, 7, "the only one"],
  [{ type: ["string", "null"] }, "scripted", "the first of several types"],
  [{ type: "array", items: { type: "string" } }, [], "no more than it must"],
  [{ type: "object", properties: { a: { type: "boolean" } } }, { a: false }, "each property"],
  [true, {}, "a schema that says nothing"],
];
for (const [schema, expected, why] of SAMPLES) {
  test(`the smallest value: ${why}`, () => assert.deepEqual(sampleOf(schema), expected));
}
