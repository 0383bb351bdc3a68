/**
 * MCP, the Model Context Protocol: tools, resources and prompts of servers, over streamable HTTP; a server over
 * standard input and output runs in a cofferdam of its own and is reached the same way.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { Fault } from "../../base/index.ts";
import type { Protocol } from "../protocol.ts";
import { describe } from "./describe.ts";
import { CLIENT_NOTICES, REQUESTS, SERVER_REQUESTS, UNKNOWN_EFFECTS, VERBS } from "./methods.ts";
import { optionsSchema } from "./options.ts";

const FORM = 'METHOD [NAME or URI] [JSON of its arguments]: tools/call read_file {"path": "a.txt"}';

/** `tools/call NAME {...}`, `resources/read URI`, `sampling/createMessage {...}`. */
function operationOf(text: string): Json {
  const [, method = "", name, json] =
    /^(\S+)(?:\s+([^\s{]\S*))?(?:\s+(\{[^]*\}))?\s*$/.exec(text.trim()) ?? [];
  const value = json === undefined ? undefined : parse(json);
  if (method === "GET" || method === "DELETE") return { http: method };
  if (SERVER_REQUESTS.has(method)) return { from: "server", method, params: value ?? {} };
  const known = REQUESTS.get(method);
  if (
    method === "" ||
    (known === undefined && !CLIENT_NOTICES.has(method) && !method.includes("/"))
  ) {
    throw new Fault(
      "protocols.operation",
      `not an operation of MCP: ${JSON.stringify(text.slice(0, 80))}`,
      {
        hint: FORM,
      },
    );
  }
  if (known?.object === undefined) return { method, params: value ?? {} };
  if (known.object === "ref")
    return { method, params: { ref: { type: "ref/prompt", name: name ?? "" }, ...value } };
  const args =
    known.params.includes("arguments") && value !== undefined
      ? { arguments: value }
      : (value ?? {});
  return { method, params: { [known.object]: name ?? "", ...args } };
}

function parse(json: string): { [key: string]: Json } {
  try {
    return JSON.parse(json) as { [key: string]: Json };
  } catch (cause) {
    throw new Fault("protocols.operation", "what follows the name is no JSON", {
      hint: FORM,
      cause,
    });
  }
}

export const MCP: Protocol = {
  system: "mcp",
  title: "MCP servers (Model Context Protocol)",
  docs: [
    "https://modelcontextprotocol.io/specification/2025-11-25",
    "https://modelcontextprotocol.io/specification/2026-07-28",
  ],
  ports: [443],
  verbs: VERBS,
  object: { separator: "", form: "a tool's or prompt's name, a resource's URI" },
  options: optionsSchema,
  example: {},
  unknown: UNKNOWN_EFFECTS,
  describe,
  operationOf,
  template: `system: mcp
name: files
hosts: [files.mcp.internal]     # the agent's URL: http://files.mcp.internal/mcp
ports: [80]
tls: false
# dial: 127.0.0.1:3001          # a server that listens on this machine
# credential: files-token       # what the server is asked with; the agent never has it
with:
  # A server over stdin and stdout, in a cofferdam of its own, which starts and ends with the run:
  server:
    command: [npx, -y, "@modelcontextprotocol/server-filesystem", .]
    # task: files-server.yaml   # what it may reach itself; without it, nothing
  # What was reviewed by \`cofferdam mcp pin\`; what changes is not used until somebody reviews it again.
  # pin: files.pin.json
allow:
  - verbs: [tools.list, resources.list, prompts.list]
  - verbs: [tools.call]
    on: ["read_*", "list_*"]    # names of tools
    effects: [read]             # what they do, as you say; without it they wait for a person
  - verbs: [tools.call, resources.read]
`,
};
