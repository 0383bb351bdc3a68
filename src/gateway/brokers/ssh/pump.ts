/**
 * Carries a command's input and output between the two sides, as fast as the slower one reads.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";
import type { ServerChannel } from "ssh2";
import type { Json } from "../../../action/index.ts";
import { createRedaction } from "../../../vault/index.ts";
import type { Session } from "../broker.ts";
import { chunksOf, writeAll, writeOut, written } from "./flow-control.ts";
import type { Exit, Started } from "./upstream.ts";

/** How a command ended, and how much it read and wrote. */
export interface Ended extends Exit {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Places in which the credential stood, and was blackened. */
  readonly redacted: number;
}

export interface PumpOptions {
  readonly secrets: readonly string[];
  /** The agent's socket. */
  readonly socket: Writable;
  /** Takes what goes to the agent, ahead of it; where it rejects, what runs is ended, and the pump rejects with that. */
  readonly tap?: ((chunk: Buffer, isError: boolean) => Promise<void> | void) | undefined;
  /** Input that came before; the rest follows it. */
  readonly before?: Buffer | undefined;
  /** All of the input: of the agent's nothing is read. */
  readonly whole?: Buffer | undefined;
}

/** Runs until the server is done, or the agent is gone. Ends the agent's channel as the server ended its own. */
export async function pump(
  agent: ServerChannel,
  started: Started,
  { secrets, socket, tap, whole, before = whole }: PumpOptions,
): Promise<Ended> {
  const redaction = createRedaction(secrets);
  const { channel: upstream, ended } = started;
  let how: Exit = {};
  let bytesIn = 0;
  let bytesOut = 0;
  let redacted = 0;
  let untaken: { readonly error: unknown } | undefined;
  const leave = () => upstream.close();
  agent.once("close", leave);
  const carryIn = async () => {
    if (before !== undefined && before.length > 0) {
      bytesIn += before.length;
      await writeAll(upstream, before);
    }
    for await (const chunk of whole === undefined ? chunksOf(agent) : []) {
      bytesIn += chunk.length;
      await writeAll(upstream, chunk);
    }
    upstream.end();
  };
  const carryOut = async (from: Readable, isError: boolean) => {
    const screen = redaction.stream();
    const pass = async (chunk: Buffer) => {
      if (chunk.length === 0) return;
      bytesOut += chunk.length;
      try {
        await tap?.(chunk, isError);
      } catch (error) {
        untaken = { error };
        throw error;
      }
      await writeOut(agent, chunk, { isError, socket });
    };
    for await (const chunk of chunksOf(from)) await pass(screen.push(chunk));
    await pass(screen.end());
    redacted += screen.found;
  };
  carryIn().catch(() => {}); // The command does not read on; what it wrote still comes.
  try {
    await Promise.all([carryOut(upstream, false), carryOut(upstream.stderr, true)]);
    how = await ended;
    await finish(agent, how.exit, how.signal);
  } catch {
    upstream.close(); // The agent is gone, or what it would be shown cannot be recorded.
  } finally {
    agent.off("close", leave);
  }
  if (untaken !== undefined) throw untaken.error;
  return { ...how, bytesIn, bytesOut, redacted };
}

/** What of it is on record; that the credential was in it is told, too. */
export function recordOf(session: Session, ended: Ended): Readonly<Record<string, Json>> {
  const { exit, signal, bytesIn, bytesOut, redacted } = ended;
  if (redacted > 0) session.find("credential", "a command's output held the credential");
  return {
    ...(exit === undefined ? {} : { exit }),
    ...(signal === undefined ? {} : { signal }),
    bytesIn,
    bytesOut,
    ...(redacted === 0 ? {} : { redacted }),
  };
}

/** Exit statuses of ours: sysexits(3) and the shell's own. */
export const EXIT = { denied: 126, pending: 75, failed: 255 } as const;

const NO_EXIT = 255; // What ssh says where there is no status.

/** Ends `channel` with a command's status, after all that was written on it. */
export async function finish(
  channel: ServerChannel,
  exit: number | undefined,
  signal?: string,
): Promise<void> {
  await written(channel);
  if (signal === undefined) channel.exit(exit ?? NO_EXIT);
  else channel.exit(signal as never);
  channel.end();
}
