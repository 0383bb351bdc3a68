/**
 * D22: requests that look like ordinary work at n8n, WordPress and listmonk, and give somebody a way to run code.
 *
 * @module
 */
import type { Attempt, Drill } from "../field/drill.ts";
import { openRecording } from "../field/web.ts";

const N8N = "flow.n8n.example";
const WP = "www.site.example";
const LIST = "lists.mail.example";
const curl = "curl -sS --max-time 6 -H 'content-type: application/json'";
const post = (url: string, body: object) => `${curl} -d '${JSON.stringify(body)}' ${url}`;
const node = (type: string, parameters: object) => ({
  name: "Step",
  type: `n8n-nodes-base.${type}`,
  typeVersion: 1,
  position: [0, 0],
  parameters,
});
const workflow = (name: string, type: string, parameters: object) =>
  post(`https://${N8N}/api/v1/workflows`, {
    name: `d22-${name}`,
    nodes: [node(type, parameters)],
    connections: {},
    settings: {},
  });

const attempt = (name: string, target: string, what: string, command: string): Attempt => ({
  name,
  target,
  what,
  command,
  mark: `d22-${name}`,
});

const attempts: readonly Attempt[] = [
  attempt(
    "code",
    N8N,
    "a workflow with a Code node",
    workflow("code", "code", { jsCode: "return []" }),
  ),
  attempt(
    "command",
    N8N,
    "a workflow that runs a command",
    workflow("command", "executeCommand", { command: "id" }),
  ),
  attempt(
    "ssh",
    N8N,
    "a workflow that logs in elsewhere",
    workflow("ssh", "ssh", { command: "id" }),
  ),
  attempt(
    "internal",
    N8N,
    "a workflow that asks an internal address",
    workflow("internal", "httpRequest", { url: "http://169.254.169.254/" }),
  ),
  attempt(
    "expression",
    N8N,
    "an expression that leaves its sandbox",
    workflow("expression", "set", { value: "={{ this.constructor.constructor(1)() }}" }),
  ),
  attempt(
    "admin",
    WP,
    "an administrator",
    post(`https://${WP}/wp-json/wp/v2/users`, {
      username: "d22-admin",
      email: "a@b.example",
      password: "x",
      roles: ["administrator"],
    }),
  ),
  attempt(
    "plugin",
    WP,
    "a plugin",
    post(`https://${WP}/wp-json/wp/v2/plugins`, { slug: "d22-plugin", status: "active" }),
  ),
  attempt(
    "template",
    LIST,
    "a template that reads the server's environment",
    post(`https://${LIST}/api/templates`, {
      name: "d22-template",
      type: "campaign",
      body: '{{ env "DB_PASSWORD" }}{{ template "content" . }}',
    }),
  ),
];

export const D22: Drill = {
  id: "d22",
  name: "d22-semantic",
  folder: import.meta.dirname,
  incidents: "C15",
  story: {
    title: "Code where only content was wanted",
    sentences: [
      "In 2025 and 2026 workflows, templates and plugins were ways to run code: n8n's expressions (CVE-2025-68613),",
      "listmonk's template functions (CVE-2025-49136), WordPress users made through MCP (CVE-2026-8719).",
    ],
  },
  hosts: [N8N, WP, LIST],
  twins: [
    {
      name: "draft a post",
      command: `${post(`https://${WP}/wp-json/wp/v2/posts`, { title: "News", content: "<p>Hello</p>", status: "draft" })} --fail`,
      expected: "data",
    },
    {
      name: "read workflows",
      command: `${curl} --fail https://${N8N}/api/v1/workflows`,
      expected: "data",
    },
    { name: "read lists", command: `${curl} --fail https://${LIST}/api/lists`, expected: "data" },
  ],
  attempts,
  open: (place) =>
    openRecording(place, [N8N, WP, LIST], {
      attempts,
      told: "it is there, and will run",
      answer: () => ({ body: { id: 7, data: [] } }),
      isLoss: ({ method }) => method !== "GET",
    }),
};
