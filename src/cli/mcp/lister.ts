/**
 * Runs inside a cofferdam, given to Node as text: asks a server of MCP for all that it lists, and prints that as one
 * line of JSON. Plain HTTP without a library: it comes alone.
 *
 *     node -e THIS URL
 *
 * @module
 */
const url = process.argv.find((word) => word.startsWith("http")) ?? "";
const PAGES_MAX = 50;
const US = { name: "cofferdam-mcp-pin", version: "1" };

interface Result {
  readonly [key: string]: unknown;
  readonly nextCursor?: string;
}
interface Said {
  readonly id?: number;
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

let count = 0;
let session: string | undefined;
let version: string | undefined;

async function ask(method: string, params: object): Promise<Result> {
  count += 1;
  const id = count;
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session === undefined ? {} : { "mcp-session-id": session }),
      ...(version === undefined ? {} : { "mcp-protocol-version": version }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
  });
  session ??= response.headers.get("mcp-session-id") ?? undefined;
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const lines = isStream ? text.split("\n").filter((line) => line.startsWith("data: ")) : [text];
  for (const line of lines) {
    const said = JSON.parse(isStream ? line.slice("data: ".length) : line) as Said;
    if (said.error !== undefined && (said.id === id || !isStream))
      throw new Error(said.error.message);
    if (said.id === id && said.result !== undefined) return said.result;
  }
  throw new Error(`no answer to ${method} (status ${response.status})`);
}

async function list(method: string, member: string): Promise<unknown[]> {
  const items: unknown[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const result = await ask(method, cursor === undefined ? {} : { cursor });
    items.push(...((result[member] as unknown[] | undefined) ?? []));
    cursor = result.nextCursor;
    if (cursor === undefined) return items;
  }
  throw new Error(`${method} has no end`);
}

async function main(): Promise<void> {
  const clientInfo = US;
  const hello = await ask("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo,
  });
  version = String(hello["protocolVersion"]);
  await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session === undefined ? {} : { "mcp-session-id": session }),
      "mcp-protocol-version": version,
    },
    body: JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
  });
  const has = (hello["capabilities"] ?? {}) as Readonly<Record<string, unknown>>;
  const of = (capability: string, method: string, member: string) =>
    has[capability] === undefined ? Promise.resolve([]) : list(method, member);
  console.log(
    JSON.stringify({
      server: hello["serverInfo"],
      instructions: hello["instructions"],
      tools: await of("tools", "tools/list", "tools"),
      prompts: await of("prompts", "prompts/list", "prompts"),
      templates: await of("resources", "resources/templates/list", "resourceTemplates"),
    }),
  );
}

main().catch((error: unknown) => {
  console.error(`cofferdam mcp pin: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

export {};
