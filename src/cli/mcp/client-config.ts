/**
 * How agents' MCP clients are told of the servers that a task grants: URLs inside the run, and nothing secret.
 *
 * @module
 */
import type { TaskGrant } from "../../policy/index.ts";
import { mcp } from "../../protocols/index.ts";

export const CLIENTS = ["claude-code", "codex", "opencode"] as const;
export type ClientName = (typeof CLIENTS)[number];

/** Where the run reaches the server of `grant`. */
export function urlOf({ hosts, ports, tls, with: given }: TaskGrant): string {
  const { path } = mcp.optionsSchema.parse(given ?? {});
  const [host = ""] = hosts;
  const [port = 443] = ports;
  const usual = port === (tls ? 443 : 80);
  return `${tls ? "https" : "http"}://${host}${usual ? "" : `:${port}`}${path}`;
}

/** The configuration of `client`, as its own file has it. */
export function clientConfig(client: ClientName, grants: readonly TaskGrant[]): string {
  if (client === "codex") {
    return grants
      .map((grant) => `[mcp_servers.${grant.name}]\nurl = ${JSON.stringify(urlOf(grant))}\n`)
      .join("\n");
  }
  const type = client === "claude-code" ? "http" : "remote";
  const servers = Object.fromEntries(
    grants.map((grant) => [grant.name, { type, url: urlOf(grant) }]),
  );
  const whole = client === "claude-code" ? { mcpServers: servers } : { mcp: servers };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
