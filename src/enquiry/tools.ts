/**
 * The MCP server of a run: four tools over {@link Enquiries}. Stateless, so that both eras of MCP
 * (2025-11-25 and 2026-07-28) are served from one set of tools.
 *
 * @module
 */
import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { DenialTold, Enquiries, WaitingTold } from "./enquiries.ts";

/** Longest text of a request for more, in characters: a person reads it on a phone. */
export const ACCESS_CHARS_MAX = 500;

const INSTRUCTIONS =
  "You run inside Cofferdam, which lets you do what your task grants and records it. " +
  "Ask what_may_i_do before you plan; ask explain_denial when something was refused; " +
  "use request_access to have a person asked for more, rather than trying another way.";

const text = z.string().trim().min(1).max(ACCESS_CHARS_MAX);

/** A server for one request. */
export function createTools(enquiries: Enquiries, version: string): McpServer {
  const server = new McpServer({ name: "cofferdam", version }, { instructions: INSTRUCTIONS });
  server.registerTool(
    "what_may_i_do",
    { description: "What this run may do, and what of it waits for a person." },
    () => answer(enquiries.mayDo().join("\n")),
  );
  server.registerTool(
    "explain_denial",
    {
      description:
        "Why something was refused and what to do instead: the latest denial, or the one that `about` names (an id from the answer, a URL, a host).",
      inputSchema: z.strictObject({ about: text.optional() }),
    },
    ({ about }) => answer(explainDenial(enquiries.denials(), about)),
  );
  server.registerTool(
    "pending_approvals",
    { description: "What of this run waits for a person, or was decided lately." },
    () => answer(enquiries.waiting().map(waitingLine).join("\n") || "Nothing waits."),
  );
  server.registerTool(
    "request_access",
    {
      description:
        "Have a person asked for access that this run lacks. It changes nothing by itself; call it again with the same words to hear what they said.",
      inputSchema: z.strictObject({
        what: text.describe("what should be possible, in one sentence"),
        why: text.describe("what for"),
      }),
    },
    async ({ what, why }) => answer((await enquiries.requestAccess(what, why)).text),
  );
  return server;
}

function answer(said: string) {
  return { content: [{ type: "text" as const, text: said }] };
}

/** The latest denial that `about` names, in words. */
export function explainDenial(denials: readonly DenialTold[], about?: string): string {
  const names = ({ action, flow, target, system, title }: DenialTold) => [
    action ?? "",
    flow ?? "",
    target,
    system,
    title,
  ];
  const id = about?.replace(/^urn:cofferdam:/, "");
  const found = denials.findLast(
    (denial) => id === undefined || names(denial).some((name) => name !== "" && name.includes(id)),
  );
  if (found === undefined) {
    return id === undefined
      ? "Nothing was refused so far."
      : `No denial of this run is about ${id}.`;
  }
  const { at, title, target, reason, rule, allowed } = found;
  return [
    `${title}: ${target} (${at}, by ${rule})`,
    `Why: ${reason}`,
    ...(allowed.length === 0
      ? []
      : ["What you may do instead:", ...allowed.map((one) => `- ${one}`)]),
    "If the task cannot be done without it, use request_access; another way to the same thing is refused too.",
  ].join("\n");
}

/** One line on what waits. */
export function waitingLine({ approval, state, summary, reason, expiresAt }: WaitingTold): string {
  return `${approval} ${state}: ${summary}${reason === "" ? "" : ` (${reason})`}, until ${expiresAt}`;
}
