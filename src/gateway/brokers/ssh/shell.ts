/**
 * Interactive shells: granted as a whole, not looked into, and recorded whole, as they looked.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import type { Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import type { Request } from "./exec.ts";
import { EXIT, finish, pump } from "./pump.ts";
import { sayError, type Seat } from "./seat.ts";
import { recordTerminal } from "./terminal.ts";

/** Serves a shell on `channel`, which was accepted. */
export async function serveShell(
  seat: Seat,
  channel: ServerChannel,
  { env, pty, running }: Request,
): Promise<void> {
  const { session } = seat;
  const term = pty?.term;
  const operation = { op: "shell", ...(term === undefined ? {} : { term: term.slice(0, 64) }) };
  const judged = await session.judge({ operation });
  if (judged.decision.verdict !== "allow") {
    const instead =
      "nobody can decide over what is not typed yet: a rule with verbs: [shell] and `unattended` (a count, a reason, an end) lets it through; a single command (ssh HOST COMMAND) can wait";
    sayError(channel, session.deny(judged, undefined, instead).text);
    await finish(channel, EXIT.denied);
    return;
  }
  let outcome: Readonly<Record<string, Json>>;
  try {
    const upstream = await seat.upstream();
    const record = await recordTerminal(session, judged, pty);
    const started = await upstream.shell({ env, pty });
    running({
      signal: (name) => started.channel.signal(name),
      resize: (height, width, h, w) => {
        record.resize(height, width);
        started.channel.setWindow(height, width, h, w);
      },
    });
    const ended = await pump(channel, started, {
      secrets: seat.secrets,
      socket: session.client,
      tap: record.tap,
    });
    outcome = {
      ...(ended.exit === undefined ? {} : { exit: ended.exit }),
      bytesIn: ended.bytesIn,
      bytesOut: ended.bytesOut,
    };
  } catch (error) {
    outcome = { failed: isFault(error) ? error.code : "internal" };
    sayError(channel, `Cofferdam: ${describeError(error)}`);
    await finish(channel, EXIT.failed);
  }
  await session.outcome(judged, outcome);
}
