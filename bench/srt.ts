/**
 * The peer for everything on the network: Anthropic's sandbox runtime, whose clients reach the outside
 * through an HTTP proxy that their environment names.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { peerFile, systemTool, type Scratch } from "./place.ts";
import { runProgram } from "./program.ts";

/** Runs shell text in its sandbox, with the upstream granted; resolves with its standard output. */
export type Srt = (text: string) => Promise<string>;

/** A sandbox runtime that tunnels TLS or, with `terminate`, ends it as Cofferdam does. */
export function createSrt(scratch: Scratch, caFile: string, terminate = false): Srt {
  systemTool("socat", "socat"); // It would only say so in a sandbox that fails.
  systemTool("rg", "ripgrep");
  const program = peerFile("@anthropic-ai/sandbox-runtime/dist/cli.js");
  const folder = scratch.folder(terminate ? "srt-tls" : "srt");
  const settings = join(folder, "settings.json");
  const network = { allowedDomains: ["localhost"], deniedDomains: [] };
  const filesystem = { denyRead: [], allowWrite: [folder], denyWrite: [] };
  // Its clients then trust its own authority alone, so that a tunnel would fail, not pass for this.
  const tls = terminate ? { tlsTerminate: {} } : {};
  writeFileSync(settings, JSON.stringify({ network: { ...network, ...tls }, filesystem }));
  const run: Srt = (text) =>
    runProgram([process.execPath, program, "--settings", settings, "-c", text], {
      cwd: folder,
      environment: { NODE_EXTRA_CA_CERTS: caFile, HOME: folder },
    });
  // On a busy machine its own checks at the start run out of time; that is no figure of its speed.
  return (text) => run(text).catch(() => run(text));
}
