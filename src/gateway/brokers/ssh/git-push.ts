/**
 * A push: the refs of the server go to the agent, its commands and pack come whole, and only when they were judged
 * a byte of them goes on: the very bytes, and nothing after them. What is not let through is told as git shows
 * it (INV-126).
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import type { Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import {
  Advertisement,
  FLUSH,
  PushScanner,
  readReport,
  rejectionFor,
  type PushRequest,
} from "../../../git/index.ts";
import { decodeAnswer, meaningOf } from "../../../protocols/index.ts";
import { createRedaction } from "../../../vault/index.ts";
import { plainWords } from "../../said-plainly.ts";
import type { Judged, Told } from "../broker.ts";
import type { Request } from "./exec.ts";
import { chunksOf, writeOut } from "./flow-control.ts";
import { EXIT, finish, pump, recordOf } from "./pump.ts";
import { sayError, type Seat } from "./seat.ts";
import { UploadPack } from "./upload-pack.ts";
import type { Started } from "./upstream.ts";

/** What is read and thrown away of a push that was refused: git reads no answer before it has sent all. */
const DRAIN_BYTES_MAX = 256 << 20;
const REPORT_BYTES_MAX = 1 << 20;

export interface Pushing {
  /** That its refs are listed, which was allowed. */
  readonly judged: Judged;
  readonly command: string;
  readonly request: Request;
}

type PushHead = Omit<PushRequest, "pack">;

/** Serves `git-receive-pack` on `channel`. */
export async function servePush(
  seat: Seat,
  channel: ServerChannel,
  pushing: Pushing,
): Promise<void> {
  const { session } = seat;
  const { judged, command, request } = pushing;
  let listed: Readonly<Record<string, Json>> = {};
  try {
    const upstream = await seat.upstream();
    const { sent } = meaningOf(command, false);
    const uploadPack = await UploadPack.open(
      upstream,
      sent.replace(/^git([ -])receive-pack/, "git$1upload-pack"),
      session.limits,
    );
    // In version 1 it would only say so, and version 2 has no pushes.
    const { GIT_PROTOCOL: _, ...env } = request.env;
    const started = await upstream.exec(sent, { env });
    const came = await advertise(seat, channel, { started, isPlain: uploadPack.isPlain });
    if (!came) return await passOn(seat, channel, started);
    const collected = await collectPush(channel, session.limits);
    const { head, bytes } = collected;
    if (collected.kind === "refused") {
      leave(started);
      const told = session.refuse({
        rule: "ssh.git-push",
        title: "This push is not taken",
        reason: collected.reason,
      });
      return await reject(channel, { told, head, isMoreToCome: true });
    }
    if (collected.kind === "nothing") {
      leave(started);
      return await finish(channel, 0);
    }
    const facts = await uploadPack.factsOf(bytes);
    listed = { questions: uploadPack.asked };
    const push = await session.judge({ operation: judged.asking.operation, body: bytes, facts });
    if (push.decision.verdict === "allow") {
      return await sendPush(seat, channel, { judged: push, started, head, bytes });
    }
    leave(started);
    await (push.decision.verdict === "confirm"
      ? holdPush(seat, channel, { judged: push, head })
      : reject(channel, { told: session.deny(push), head, judged: push }));
  } catch (error) {
    listed = { ...listed, failed: isFault(error) ? error.code : "internal" };
    sayError(channel, `Cofferdam: ${describeError(error)}`);
    await finish(channel, EXIT.failed);
  } finally {
    await session.outcome(judged, listed);
  }
}

/** Passes the server's refs on; `false` where it ends without them. */
async function advertise(
  seat: Seat,
  channel: ServerChannel,
  { started, isPlain }: { readonly started: Started; readonly isPlain: boolean },
): Promise<boolean> {
  const screen = createRedaction(seat.secrets).stream();
  const pass = async (bytes: Buffer) => {
    if (bytes.length > 0) await writeOut(channel, bytes);
  };
  // Of a server that is asked in version 0 no bases are to be had.
  const advertisement = new Advertisement(isPlain ? "no-thin" : "");
  for await (const chunk of chunksOf(started.channel)) {
    const read = advertisement.push(chunk);
    // What is no advertisement is an error of the server's, for whoever reads it.
    await pass(screen.push(read.ok ? read.value.bytes : chunk));
    if (read.ok && !read.value.isEnd) continue;
    await pass(screen.end());
    return read.ok;
  }
  await pass(screen.end());
  return false;
}

/** Ends the server's side, to which nothing was said. */
function leave({ channel }: Started): void {
  channel.end(FLUSH);
  channel.resume();
  channel.stderr.resume();
}

/** What the server said instead of its refs. */
async function passOn(seat: Seat, channel: ServerChannel, started: Started): Promise<void> {
  await pump(channel, started, {
    secrets: seat.secrets,
    socket: seat.session.client,
    whole: Buffer.alloc(0),
  });
}

type Collected = { readonly head: PushHead | undefined; readonly bytes: Buffer } & (
  | { readonly kind: "whole" | "nothing" }
  | { readonly kind: "refused"; readonly reason: string }
);

/** Reads a push to its end. Its time runs from its first byte on: hooks of the agent's come before. */
async function collectPush(
  channel: ServerChannel,
  { spoolBytes, wholeBodyMs }: Seat["session"]["limits"],
): Promise<Collected> {
  const scanner = new PushScanner();
  const late = Promise.withResolvers<"late">();
  let timer: NodeJS.Timeout | undefined;
  const chunks = chunksOf(channel)[Symbol.asyncIterator]();
  const refused = (reason: string): Collected => {
    const { request: head, bytes } = scanner;
    return { kind: "refused", head, bytes, reason };
  };
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), late.promise]);
      if (next === "late") return refused(`it did not come whole within ${wholeBodyMs / 1000} s`);
      if (next.done === true) {
        const { request: head, bytes } = scanner;
        return bytes.length === 0
          ? { kind: "nothing", head, bytes }
          : refused("it ends before it is whole");
      }
      timer ??= setTimeout(() => late.resolve("late"), wholeBodyMs);
      if (scanner.bytes.length + next.value.length > spoolBytes) {
        return refused(
          `pushes of more than ${spoolBytes} bytes are not read: push a part of the history first (git push origin COMMIT:BRANCH)`,
        );
      }
      const progress = scanner.push(next.value);
      if (progress.state === "bad") return refused(progress.reason);
      const { request: head, bytes } = scanner;
      if (progress.state === "done") {
        return { kind: head?.commands.length === 0 ? "nothing" : "whole", head, bytes };
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

interface Sending {
  readonly judged: Judged;
  readonly started: Started;
  readonly head: PushHead | undefined;
  readonly bytes: Buffer;
}

async function sendPush(
  seat: Seat,
  channel: ServerChannel,
  { judged, started, head, bytes }: Sending,
): Promise<void> {
  const { session } = seat;
  const report: Buffer[] = [];
  let kept = 0;
  const ended = await pump(channel, started, {
    secrets: seat.secrets,
    socket: session.client,
    whole: bytes,
    tap(chunk, isError) {
      if (isError || kept > REPORT_BYTES_MAX) return;
      kept += chunk.length;
      report.push(chunk);
    },
  });
  await session.outcome(judged, {
    ...recordOf(session, ended),
    ...recordOfReport(Buffer.concat(report), head),
  });
}

/** What the server made of a push, for the record: whether it took the pack, and refs that it did not change. */
export function recordOfReport(
  output: Buffer,
  head: Pick<PushRequest, "capabilities"> | undefined,
): { readonly taken: boolean | "unknown"; readonly refused?: Readonly<Record<string, string>> } {
  const report = head && readReport(output, head);
  if (report === undefined) return { taken: "unknown" };
  const { unpack, refused } = report;
  if (unpack === "ok" && refused.length === 0) return { taken: true };
  const each = refused.map(({ ref, reason }) => [ref, reason.slice(0, 200)]);
  return { taken: false, refused: { unpack: unpack.slice(0, 200), ...Object.fromEntries(each) } };
}

/** Has a person decide; what was performed is told in the server's own words. */
async function holdPush(
  seat: Seat,
  channel: ServerChannel,
  { judged, head }: { readonly judged: Judged; readonly head: PushHead | undefined },
): Promise<void> {
  const { session } = seat;
  const resolution = await session.hold(judged);
  if (resolution.kind !== "answered") {
    return await reject(channel, { told: session.deny(judged, resolution), head, judged });
  }
  const { stdout, stderr, exit } = decodeAnswer(resolution.answer.body);
  if (stderr.length > 0) await writeOut(channel, stderr, { isError: true });
  if (stdout.length > 0) await writeOut(channel, stdout);
  else sayError(channel, `Cofferdam: it was approved (${resolution.approval}), and failed`);
  await finish(channel, exit);
}

interface Rejecting {
  readonly told: Told;
  readonly head: PushHead | undefined;
  readonly judged?: Judged;
  /** The agent is still sending. */
  readonly isMoreToCome?: true;
}

async function reject(
  channel: ServerChannel,
  { told, head, judged, isMoreToCome }: Rejecting,
): Promise<void> {
  if (isMoreToCome === true) await drain(channel);
  const words = plainWords(told.denial, judged?.action.summary);
  const report = head && rejectionFor(head, words);
  if (report === undefined) {
    sayError(channel, told.text);
    return await finish(channel, EXIT.denied);
  }
  await writeOut(channel, report);
  await finish(channel, 0);
}

async function drain(channel: ServerChannel): Promise<void> {
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const quiet = () =>
    new Promise<"quiet">((resolve) => (timer = setTimeout(resolve, QUIET_MS, "quiet")));
  const chunks = chunksOf(channel)[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([chunks.next(), quiet()]);
    clearTimeout(timer);
    if (next === "quiet" || next.done === true) return;
    bytes += next.value.length;
    if (bytes > DRAIN_BYTES_MAX) return;
  }
}
const QUIET_MS = 1000; // A client that sends nothing for so long waits for an answer.
