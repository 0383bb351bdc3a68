/**
 * A client inside a run that sends exactly what a test says, given to Node as text (`node -e`).
 *
 * @module
 */

/** One HTTP request. `$session` in a field's value stands for the latest `Mcp-Session-Id`. */
export interface Step {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  /** Goes on with the next step without waiting for this one's answer. */
  readonly ahead?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Arguments for Node. */
export function rawClient(url: string, steps: readonly Step[]): string[] {
  return ["--input-type=module", "-e", SCRIPT, url, JSON.stringify(steps)];
}

const SCRIPT = `
const [url, steps] = [process.argv[1], JSON.parse(process.argv[2])];
let session = "none";
const answers = [];
const waiting = [];
async function one(step, at) {
  const { method = "POST", path, headers = {}, body } = step;
  const fields = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    accept: "application/json, text/event-stream",
    "mcp-session-id": "$session",
    ...headers,
  };
  for (const name of Object.keys(fields)) fields[name] = fields[name].replace("$session", session);
  if (fields["mcp-session-id"] === "none") delete fields["mcp-session-id"];
  try {
    const response = await fetch(new URL(path ?? url, url), {
      method, headers: fields,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    session = response.headers.get("mcp-session-id") ?? session;
    answers[at] = { status: response.status, text: await response.text() };
  } catch (error) { answers[at] = { status: 0, text: String(error.cause ?? error) }; }
}
for (const [at, step] of steps.entries()) {
  const done = one(step, at);
  if (step.ahead) { waiting.push(done); await new Promise((r) => setTimeout(r, 1500)); } else await done;
}
await Promise.all(waiting);
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
`;

const rpc = (
  method: string,
  params: object = {},
  id: unknown = Math.floor(Math.random() * 1e9),
) => ({
  jsonrpc: "2.0",
  ...{ id, method, params },
});

export const initialize: Step = {
  headers: { "mcp-session-id": "none" },
  body: rpc("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: { sampling: {}, elicitation: {} },
    clientInfo: { name: "raw", version: "1" },
  }),
};

export const ask = (method: string, params: object = {}, id?: unknown): Step => ({
  body: rpc(method, params, id),
});

export const call = (name: string, args: object = {}, id?: unknown): Step =>
  ask("tools/call", { name, arguments: args }, id);
