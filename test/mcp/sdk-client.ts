/**
 * The makers' own client inside a run, given to Node as text.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Result } from "../support/home.ts";

/** Where scripts/setup puts clients and servers of others: a run's workspace. */
export const PEERS = join(import.meta.dirname, "..", "..", "build", "mcp");

/** A command that connects in `era` and runs `steps`, which `tell(name, work)` of what came. */
export function sdkClient(url: string, era: "legacy" | "auto", steps: string): string[] {
  const script = `
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
const client = new Client({ name: "agent", version: "1" }, {
  capabilities: { sampling: {}, elicitation: {}, roots: {} },
  versionNegotiation: { mode: ${JSON.stringify(era)} },
});
client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { name: "Ada" } }));
client.setRequestHandler("roots/list", async () => ({ roots: [] }));
await client.connect(new StreamableHTTPClientTransport(new URL(${JSON.stringify(url)})));
const told = { era: client.getNegotiatedProtocolVersion() };
const tell = async (name, work) => { try { told[name] = await work(); } catch (error) { told[name] = { error: error.message }; } };
${steps}
process.stdout.write(JSON.stringify(told), () => process.exit(0));`;
  return [process.execPath, "--input-type=module", "-e", script];
}

/** What came of each step, as the client gave it. */
export type Told = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- results of any shape

/** What it told. */
export function toldBy({ code, stdout, stderr }: Result): Told {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Told;
}
