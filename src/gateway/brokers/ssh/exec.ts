/**
 * Commands: judged as a whole before anything of them is sent. What is allowed runs live; what waits for a
 * person is kept with its input, and its output comes back when it was performed.
 *
 * @module
 */
import type { PseudoTtyOptions, ServerChannel } from "ssh2";
import { UNKNOWN_VERB, type Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import { meaningOf } from "../../../protocols/index.ts";
import type { Judged } from "../broker.ts";
import { decodeAnswer } from "./answer.ts";
import { writeOut } from "./flow-control.ts";
import { servePush } from "./git-push.ts";
import { collectInput } from "./input.ts";
import { EXIT, finish, pump, recordOf } from "./pump.ts";
import { sayError, type Seat } from "./seat.ts";
import { recordTerminal } from "./terminal.ts";

/** What an agent asked for before the command, and may ask during it. */
export interface Request {
  readonly env: Readonly<Record<string, string>>;
  readonly pty?: PseudoTtyOptions | undefined;
  /** Told what signals and sizes are for, once something runs. */
  readonly running: (control: Control) => void;
}

export interface Control {
  signal(name: string): void;
  resize(rows: number, columns: number, height: number, width: number): void;
}

/** Serves one command on `channel`, which was accepted. */
export async function serveExec(
  seat: Seat,
  channel: ServerChannel,
  command: string,
  request: Request,
): Promise<void> {
  const { session } = seat;
  const isInteractive = request.pty !== undefined;
  const operation = { op: "exec", command, ...(isInteractive ? { pty: true } : {}) };
  const judged = await session.judge({ operation });
  switch (judged.decision.verdict) {
    case "allow":
      if (meaningOf(command, isInteractive).transfer?.service === "git-receive-pack") {
        return await servePush(seat, channel, { judged, command, request });
      }
      return await runLive(seat, channel, { judged, command, request });
    case "confirm":
      return await holdCommand(seat, channel, { judged, command, request });
    default: {
      const { text } = session.deny(judged);
      // Of what is not understood the rules say nothing: why it is not does.
      const { verb, summary } = judged.action;
      const why = verb === UNKNOWN_VERB ? `${text}; ${summary}` : text;
      return await refuse(channel, why, EXIT.denied);
    }
  }
}

interface Asked {
  readonly judged: Judged;
  readonly command: string;
  readonly request: Request;
  readonly before?: Buffer | undefined;
}

/** Runs what is allowed. */
async function runLive(
  seat: Seat,
  channel: ServerChannel,
  { judged, command, request, before }: Asked,
): Promise<void> {
  const { session } = seat;
  const { env, pty, running } = request;
  let outcome: Readonly<Record<string, Json>>;
  try {
    const upstream = await seat.upstream();
    const record = pty === undefined ? undefined : await recordTerminal(session, judged, pty);
    const { sent } = meaningOf(command, pty !== undefined);
    const started = await upstream.exec(sent, { env, pty });
    running({
      signal: (name) => started.channel.signal(name),
      resize: (rows, columns, height, width) => {
        record?.resize(rows, columns);
        started.channel.setWindow(rows, columns, height, width);
      },
    });
    const ended = await pump(channel, started, {
      secrets: seat.secrets,
      socket: session.client,
      before,
      tap: record?.tap,
    });
    outcome = recordOf(session, ended);
  } catch (error) {
    outcome = { failed: isFault(error) ? error.code : "internal" };
    await refuse(channel, `Cofferdam: ${describeError(error)}`, EXIT.failed);
  }
  await session.outcome(judged, outcome);
}

/** Keeps the input to its end, has a person decide, and gives back what came of it. */
async function holdCommand(seat: Seat, channel: ServerChannel, asked: Asked): Promise<void> {
  const { session } = seat;
  const { command, request } = asked;
  const { transfer } = meaningOf(command, false);
  if (transfer !== undefined || request.pty !== undefined) {
    const { text } = session.deny(asked.judged);
    const why = "it is a conversation, over which nobody can decide before it is held";
    return await refuse(channel, `${text}; ${why}`, EXIT.denied);
  }
  const input = await collectInput(channel, session.limits);
  if (typeof input === "string") {
    session.deny(asked.judged);
    return await refuse(channel, `Cofferdam: not performed: ${input}`, EXIT.denied);
  }
  let { judged } = asked;
  if (input.length > 0) {
    judged = await session.judge({ operation: judged.asking.operation, body: input });
    if (judged.decision.verdict === "allow") {
      return await runLive(seat, channel, { ...asked, judged, before: input });
    }
    if (judged.decision.verdict === "deny") {
      return await refuse(channel, session.deny(judged).text, EXIT.denied);
    }
  }
  const resolution = await session.hold(judged);
  if (resolution.kind !== "answered") {
    const { text } = session.deny(judged, resolution);
    return await refuse(channel, text, resolution.kind === "pending" ? EXIT.pending : EXIT.denied);
  }
  const { stdout, stderr, exit, signal, isCut } = decodeAnswer(resolution.answer.body);
  if (resolution.note !== undefined) sayError(channel, `Cofferdam: ${resolution.note}`);
  if (stdout.length > 0) await writeOut(channel, stdout);
  if (stderr.length > 0) await writeOut(channel, stderr, { isError: true });
  if (isCut) sayError(channel, "Cofferdam: there was more output than is kept");
  if (exit === undefined && signal === undefined) {
    sayError(channel, `Cofferdam: it was approved (${resolution.approval}), and failed`);
  }
  await finish(channel, exit, signal);
}

async function refuse(channel: ServerChannel, text: string, exit: number): Promise<void> {
  sayError(channel, text);
  await finish(channel, exit);
}
