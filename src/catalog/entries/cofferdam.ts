/**
 * Cofferdam itself, as a run reaches it: what it may do, why something was denied, what waits, and a way to
 * ask a person for more.
 */
import { OWN_HOST, OWN_SYSTEM } from "../../action/index.ts";
import type { EntrySource } from "../entry.ts";

/** Of MCP's two eras (2025-11-25, 2026-07-28), what begins a session, lists, or says that it was heard. */
const SESSION = [
  "initialize",
  "notifications/initialized",
  "notifications/cancelled",
  "ping",
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "logging/setLevel",
];

export const cofferdam: EntrySource = {
  system: OWN_SYSTEM,
  title: "Cofferdam",
  docs: ["https://modelcontextprotocol.io/specification/2025-11-25/basic/transports"],
  hosts: [OWN_HOST],
  unknown: ["administer"],
  routes: [
    {
      verb: "guide.read",
      request: "GET|HEAD /",
      effects: ["read"],
      summary: "Read what this run may do, what was denied and what waits",
    },
    {
      // Sessions and streams of the older era, which the server answers with 405.
      verb: "session.probe",
      request: "GET|DELETE /mcp",
      effects: ["read"],
      summary: "Ask for a session of MCP, which there is not",
    },
    {
      verb: "other",
      request: "POST /mcp",
      effects: ["administer"],
      summary: "Call {body.method} {body.params.name} of Cofferdam, which it does not have",
      body: ["json"],
      cases: [
        {
          when: { "body.method": { only: SESSION } },
          verb: "session.open",
          effects: ["read"],
          summary: "Speak MCP with Cofferdam: {body.method}",
        },
        {
          when: {
            "body.method": { only: ["tools/call"] },
            "body.params.name": { only: ["what_may_i_do", "explain_denial", "pending_approvals"] },
          },
          verb: "enquiry.read",
          effects: ["read"],
          summary: "Ask Cofferdam {body.params.name}",
        },
        {
          // What it leads to is access.request, an action of its own.
          when: {
            "body.method": { only: ["tools/call"] },
            "body.params.name": { only: ["request_access"] },
          },
          verb: "access.ask",
          effects: ["read"],
          summary: "Have a person asked for more: {body.params.arguments.what}",
        },
      ],
    },
    {
      // Recorded as what the agent says, and believed by nobody: it changes nothing.
      verb: "claim.tool-call",
      request: "POST /tool-calls",
      effects: ["read"],
      summary: "Say of a tool call: {body.hook_event_name} {body.tool_name}",
      body: ["json"],
    },
    {
      verb: "claim.spans",
      request: "POST /v1/traces",
      effects: ["read"],
      summary: "Say what the agent did, as spans of OpenTelemetry",
      body: ["json"],
    },
    {
      verb: "access.request",
      request: "POST /access-requests",
      effects: ["administer"],
      summary:
        "Asks for more access (a yes changes nothing by itself): {body.what}, because {body.why}",
      body: ["json"],
      show: "message",
      reversible: true,
    },
  ],
};
