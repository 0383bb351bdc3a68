import { goldenRows, type Golden } from "../golden.ts";

const MCP = "https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle";
const TRANSPORT = "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports";
const TOOLS = "https://modelcontextprotocol.io/specification/2025-11-25/server/tools";
const OURS = "src/enquiry/server.ts";

const call = (name: unknown, more: object = {}) =>
  ({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name, arguments: {}, ...more },
  }) as never;
const say = (method: unknown) => ({ jsonrpc: "2.0", id: 1, method }) as never;

export const golden: readonly Golden[] = [
  ...goldenRows(OURS, [
    ["GET /", "guide.read", ["read"], "the guide, for who does not speak MCP"],
    ["HEAD /", "guide.read", ["read"], "its head"],
    ["POST /", "unknown", ["administer"], "nothing is written there"],
    [
      "POST /tool-calls",
      "claim.tool-call",
      ["read"],
      "what a hook was given",
      { json: { hook_event_name: "PreToolUse", tool_name: "Bash", tool_input: {} } },
    ],
    ["POST /v1/traces", "claim.spans", ["read"], "spans", { json: { resourceSpans: [] } }],
    ["GET /tool-calls", "unknown", ["administer"], "claims are not read back"],
    ["POST /v1/traces/x", "unknown", ["administer"], "no path below"],
    ["POST /tool-calls", "unknown", ["administer"], "a form is none", { form: "tool_name=a" }],
    ["GET /approvals", "unknown", ["administer"], "no other path"],
    ["POST /approvals/approve", "unknown", ["administer"], "least of all one that decides"],
    [
      "POST /access-requests",
      "access.request",
      ["administer"],
      "a person is asked",
      { json: { what: "a", why: "b" }, reversible: true },
    ],
    [
      "POST /access-requests?what=a",
      "access.request",
      ["administer"],
      "whatever stands in its query",
      { json: {} },
    ],
    ["POST /access-requests", "unknown", ["administer"], "a form is not read", { form: "what=a" }],
  ]),
  ...goldenRows(MCP, [
    ["POST /mcp", "session.open", ["read"], "the older era begins", { json: say("initialize") }],
    [
      "POST /mcp",
      "session.open",
      ["read"],
      "and goes on",
      { json: say("notifications/initialized") },
    ],
    [
      "POST /mcp",
      "session.open",
      ["read"],
      "the newer era asks what there is",
      { json: say("server/discover") },
    ],
    [
      "POST /mcp",
      "other",
      ["administer"],
      "a stream without end",
      { json: say("subscriptions/listen") },
    ],
    ["POST /mcp", "other", ["administer"], "a method that is none", { json: say("tools/Call") }],
    ["POST /mcp", "other", ["administer"], "no method", { json: {} }],
    [
      "POST /mcp",
      "unknown",
      ["administer"],
      "a method that stands twice",
      { raw: { type: "application/json", text: '{"method":"ping","method":"tools/call"}' } },
    ],
  ]),
  ...goldenRows(TRANSPORT, [
    ["GET /mcp", "session.probe", ["read"], "a client looks for a stream"],
    ["DELETE /mcp", "session.probe", ["read"], "and ends a session that was none"],
    ["PUT /mcp", "unknown", ["administer"], "no method of MCP"],
    ["POST /mcp/", "unknown", ["administer"], "another path"],
    [
      "POST /mcp",
      "other",
      ["administer"],
      "a batch, which MCP has no more",
      { json: [say("ping")] as never },
    ],
  ]),
  ...goldenRows(TOOLS, [
    ["POST /mcp", "enquiry.read", ["read"], "a tool that tells", { json: call("what_may_i_do") }],
    [
      "POST /mcp",
      "enquiry.read",
      ["read"],
      "another",
      { json: call("explain_denial", { arguments: { about: "x" } }) },
    ],
    ["POST /mcp", "enquiry.read", ["read"], "another", { json: call("pending_approvals") }],
    [
      "POST /mcp",
      "access.ask",
      ["read"],
      "a tool that has a person asked",
      { json: call("request_access", { arguments: { what: "a", why: "b" } }) },
    ],
    ["POST /mcp", "other", ["administer"], "a tool that there is not", { json: call("approve") }],
    [
      "POST /mcp",
      "other",
      ["administer"],
      "a name that is a list",
      { json: call(["what_may_i_do", "approve"]) },
    ],
    [
      "POST /mcp",
      "other",
      ["administer"],
      "a name in another place",
      { json: { jsonrpc: "2.0", id: 1, method: "tools/call", name: "what_may_i_do" } },
    ],
  ]),
];
