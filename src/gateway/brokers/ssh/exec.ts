/**
 * Commands: judged as a whole before anything of them is sent. What is allowed runs live; what waits for a
 * person is kept with its input, and its output comes back when it was performed.
 *
 * @module
 */
import type { PseudoTtyOptions, ServerChannel } from "ssh2";
import { UNKNOWN_VERB, type Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import { decodeAnswer, meaningOf } from "../../../protocols/index.ts";
import type { Judged } from "../broker.ts";
import { writeOut } from "./flow-control.ts";
import { servePush } from "./git-push.ts";
import { collectInput } from "./input.ts";
import { EXIT, finish, pump, recordOf } from "./pump.ts";
import { sayError, type Seat } from "./seat.ts";
import { recordTerminal } from "./terminal.ts";

/** Nobody knows what a command finds when it runs. */
const ACTS_THEN =
  "not made: it acts on what is there when it is performed, which may be another thing than now";

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
      return await serveAllowed(seat, channel, { judged, command, request });
    case "confirm":
      if (insteadOf(command, isInteractive) === undefined) {
        return await holdCommand(seat, channel, { judged, command, request });
      }
      return await openConversation(seat, channel, { judged, command, request });
    default: {
      const { verb, summary } = judged.action;
      // Of what is not understood the rules say nothing: why it is not does.
      const instead = verb === UNKNOWN_VERB ? summary : insteadOf(command, isInteractive);
      const { text } = session.deny(judged, undefined, instead);
      return await refuse(channel, text, EXIT.denied);
    }
  }
}

/**
 * What would make a conversation possible, which cannot be held whole for a person; `undefined` where `command` is
 * none.
 */
function insteadOf(command: string, isInteractive: boolean): string | undefined {
  if (isInteractive) {
    return "what is typed on a terminal is not there yet, so nobody can decide over it: without one (ssh -T) the command can wait, or a rule with `unattended` lets it through";
  }
  const { transfer, parts } = meaningOf(command, false);
  if (transfer === undefined) return undefined;
  const { tool } = transfer;
  if (tool === "git") {
    return "a rule with verbs: [repo.read], on: that path lets it through; a push needs `with: repos` and rules of push.*, too";
  }
  const granted = `a rule with verbs: [${parts[0]?.verb ?? tool}], on: that path and \`unattended\` (a count, a reason, an end) lets it through`;
  return tool === "scp"
    ? `without -O scp uses sftp, whose files can wait one by one (sftp.read, sftp.write); else ${granted}`
    : granted;
}

interface Asked {
  readonly judged: Judged;
  readonly command: string;
  readonly request: Request;
  readonly before?: Buffer | undefined;
}

/** What is allowed to begin: of a push all that it sends is judged on its own. */
async function serveAllowed(seat: Seat, channel: ServerChannel, asked: Asked): Promise<void> {
  const { command, request } = asked;
  const { transfer } = meaningOf(command, request.pty !== undefined);
  if (transfer?.service === "git-receive-pack") return await servePush(seat, channel, asked);
  return await runLive(seat, channel, asked);
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

/**
 * Lets a conversation begin if a person has said so; it is not waited for, since a client that waits in the middle
 * of it would hold a connection for as long. On a terminal nothing bounds what is done, so nobody is asked.
 */
async function openConversation(seat: Seat, channel: ServerChannel, asked: Asked): Promise<void> {
  const { session } = seat;
  const { judged, command, request } = asked;
  const isInteractive = request.pty !== undefined;
  const instead = insteadOf(command, isInteractive);
  const resolution = isInteractive ? undefined : await session.enter(judged);
  if (resolution?.kind === "answered") return await serveAllowed(seat, channel, asked);
  const { text } = session.deny(judged, resolution, instead);
  await refuse(channel, text, resolution?.kind === "pending" ? EXIT.pending : EXIT.denied);
}

/** Keeps the input to its end, has a person decide, and gives back what came of it. */
async function holdCommand(seat: Seat, channel: ServerChannel, asked: Asked): Promise<void> {
  const { session } = seat;
  const input = await collectInput(channel, session.limits);
  if (typeof input === "string") {
    session.deny(asked.judged);
    return await refuse(channel, `Cofferdam: not performed: ${input}`, EXIT.denied);
  }
  const { operation } = asked.judged.asking;
  const judged = await session.complete(asked.judged, {
    ...{ operation, facts: { preview: ACTS_THEN } },
    ...(input.length > 0 ? { body: input } : {}),
  });
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
