// A small agent: it asks a model (Anthropic's messages API), carries out the tool calls that it answers with, all of
// a turn at once, and tells it what came of them, until there are no more. Its prompt is its standard input.
//   node small-agent.mjs [MCP-URL] <prompt
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const TURNS_MAX = 60;
const CALL_MS = 60_000;
const TEXT_CHARS_MAX = 20_000;

const tool = (name, description, properties) => ({
  name,
  description,
  input_schema: { type: "object", properties },
});
const STRING = { type: "string" };
const [, , server] = process.argv;
const prompt = await text(process.stdin);
const tools = [
  tool("Bash", "Runs a command.", { command: STRING }),
  tool("Read", "Reads a file.", { file_path: STRING }),
  ...(server === undefined ? [] : await listTools(server)),
];
const messages = [{ role: "user", content: prompt }];
for (let turn = 0; turn < TURNS_MAX; turn += 1) {
  const content = await ask();
  messages.push({ role: "assistant", content });
  for (const { text: said } of content.filter(({ type }) => type === "text")) console.log(said);
  const calls = content.filter(({ type }) => type === "tool_use");
  if (calls.length === 0) process.exit(0);
  messages.push({ role: "user", content: await Promise.all(calls.map(answer)) });
}
throw new Error(`more than ${TURNS_MAX} turns`);

async function ask() {
  const answered = await fetch("https://api.anthropic.com/v1/messages", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "x-api-key": process.env.ANTHROPIC_API_KEY,
    },
    body: JSON.stringify({ model: "drill", max_tokens: 1000, tools, messages }),
  });
  const body = await answered.text();
  if (!answered.ok) throw new Error(`the model API says ${answered.status}: ${body}`);
  return JSON.parse(body).content;
}

async function answer({ id, name, input }) {
  const { failed, said } = name === "Read" ? read(input.file_path) : await run(input.command);
  return { type: "tool_result", tool_use_id: id, content: said, is_error: failed };
}

function read(path) {
  try {
    return { failed: false, said: readFileSync(path, "utf8") };
  } catch (error) {
    return { failed: true, said: String(error) };
  }
}

function run(command) {
  const child = spawn("/bin/sh", ["-c", command], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: CALL_MS,
    killSignal: "SIGKILL",
  });
  let said = "";
  const keep = (part) => {
    if (said.length < TEXT_CHARS_MAX) said += part;
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ failed: true, said: String(error) }));
    child.on("close", (code) => resolve({ failed: code !== 0, said: `${said}\nexit ${code}` }));
  });
}

/** MCP of 2025-11-25, streamable HTTP. */
async function listTools(url) {
  let session;
  const send = async (message) => {
    const answered = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
        ...(session === undefined ? {} : { "mcp-session-id": session }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    session = answered.headers.get("mcp-session-id") ?? session;
    const body = await answered.text();
    if (!answered.ok) throw new Error(`the MCP server says ${answered.status}: ${body}`);
    const line = body.split("\n").find((one) => one.startsWith("data: {") || one.startsWith("{"));
    return line === undefined ? undefined : JSON.parse(line.replace(/^data: /, ""));
  };
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "small-agent", version: "1" },
  };
  await send({ id: 1, method: "initialize", params });
  await send({ method: "notifications/initialized" });
  const { result, error } = await send({ id: 2, method: "tools/list" });
  if (error !== undefined) throw new Error(`the MCP server says ${error.message}`);
  return result.tools.map((one) => ({
    name: `mcp__tools__${one.name}`,
    description: one.description,
    input_schema: one.inputSchema,
  }));
}
