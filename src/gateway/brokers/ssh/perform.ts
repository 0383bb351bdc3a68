/**
 * Performs what a person approved, on a connection of its own.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { Advertisement, readPushHead } from "../../../git/index.ts";
import {
  encodeAnswer,
  meaningOf,
  operationSchema,
  type FileOperation,
  type Performed,
} from "../../../protocols/index.ts";
import { createRedaction } from "../../../vault/index.ts";
import { OPEN_FLAG, STATUS } from "../../../wire/index.ts";
import type { Asked } from "../../collected-client.ts";
import type { HeldOperation } from "../../ports.ts";
import type { Errand } from "../broker.ts";
import { chunksOf, writeAll } from "./flow-control.ts";
import { recordOfReport } from "./git-push.ts";
import { secretsOf } from "./seat.ts";
import { isAsFound, lookUpFile } from "./sftp-facts.ts";
import { performFile } from "./sftp-perform.ts";
import { isDone, SftpUpstream } from "./sftp-upstream.ts";
import { logIn, type Upstream } from "./upstream.ts";

/** See `SessionBroker.perform`. */
export async function performSsh(errand: Errand): Promise<Asked> {
  const { held } = errand;
  const sent = held.body?.length ?? 0;
  try {
    const done = await withServer(errand, (upstream) => perform(errand, upstream));
    const body = encodeAnswer(done);
    const isOk =
      done.file !== undefined
        ? done.file.code === STATUS.OK
        : done.exit !== undefined && done.isRefused !== true;
    const status = isOk ? 200 : 500;
    const answer = { status, headers: [], body, isCut: done.isCut };
    return { outcome: { status, bytesOut: sent, bytesIn: body.length }, answer };
  } catch (error) {
    const code = isFault(error) ? error.code : "internal";
    const failure = { code, detail: describeError(error) };
    return { outcome: { bytesOut: 0, bytesIn: 0, failure }, answer: undefined };
  }
}

/** See `SessionBroker.look`. */
export async function lookSsh(errand: Errand): Promise<HeldOperation["facts"]> {
  const { data } = operationSchema.safeParse(errand.held.operation);
  if (data?.op !== "sftp") return {};
  return await withServer(errand, async (upstream) => {
    const { sftp } = await SftpUpstream.start(await upstream.sftp());
    return await lookUpFile(sftp, data, errand.held.body);
  });
}

async function withServer<T>(errand: Errand, act: (upstream: Upstream) => Promise<T>): Promise<T> {
  const upstream = await logIn(errand, errand.way);
  try {
    return await act(upstream);
  } finally {
    upstream.close();
  }
}

async function perform({ held, limits, way }: Errand, upstream: Upstream): Promise<Performed> {
  const { data } = operationSchema.safeParse(held.operation);
  const body = held.body ?? Buffer.alloc(0);
  const screen = createRedaction(way.lease === undefined ? [] : secretsOf(way.lease));
  if (data?.op === "exec" && data.pty !== true) {
    const { sent, transfer } = meaningOf(data.command, false);
    const running = { body, bytesMax: limits.keptAnswerBytes, screen };
    return transfer?.service === "git-receive-pack"
      ? await push(upstream, sent, running)
      : await runCommand(upstream, sent, running);
  }
  if (data?.op === "sftp") {
    const { sftp } = await SftpUpstream.start(await upstream.sftp());
    if (data.do === "read") return await readWhole(sftp, data, limits.keptAnswerBytes);
    if (!isAsFound(await lookUpFile(sftp, data), held.facts)) {
      throw new Fault("ssh.changed", "what lies there is not what was shown; nothing was done");
    }
    const file = await performFile(sftp, data, body);
    return { file, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), isCut: false };
  }
  throw new Fault("ssh.perform", "what was stored is nothing that can be performed");
}

interface Running {
  readonly body: Buffer;
  readonly bytesMax: number;
  readonly screen: ReturnType<typeof createRedaction>;
}

async function runCommand(
  upstream: Upstream,
  command: string,
  { body, bytesMax, screen }: Running,
): Promise<Performed> {
  const { channel, ended } = await upstream.exec(command);
  const give = async () => {
    if (body.length > 0) await writeAll(channel, body);
    channel.end();
  };
  give().catch(() => {}); // It may end without reading.
  const [stdout, stderr] = await Promise.all([
    collect(channel, bytesMax, screen),
    collect(channel.stderr, bytesMax, screen),
  ]);
  return {
    ...(await ended),
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    isCut: stdout.isCut || stderr.isCut,
  };
}

/** Sends what was approved once the server has listed its refs, which the agent knows already. */
async function push(upstream: Upstream, command: string, running: Running): Promise<Performed> {
  const { body, bytesMax, screen } = running;
  const { channel, ended } = await upstream.exec(command);
  const errors = collect(channel.stderr, bytesMax, screen);
  const advertisement = new Advertisement();
  for await (const chunk of chunksOf(channel)) {
    const read = advertisement.push(chunk);
    if (!read.ok) throw new Fault("ssh.git", `the server lists no refs: ${read.reason}`);
    if (!read.value.isEnd) continue;
    writeAll(channel, body)
      .then(() => channel.end())
      .catch(() => {}); // It may end without reading.
    const { bytes, isCut } = await collect(channel, bytesMax, screen);
    const head = readPushHead(body)?.request;
    const { taken } = recordOfReport(bytes, head);
    const { bytes: stderr } = await errors;
    return {
      ...(await ended),
      stdout: bytes,
      stderr,
      isCut,
      ...(taken === true ? {} : { isRefused: true }),
    };
  }
  const { bytes: stderr } = await errors;
  throw new Fault("ssh.git", `the server takes no push: ${stderr.toString("utf8").slice(0, 300)}`);
}

async function collect(
  from: Readable,
  bytesMax: number,
  screen: Running["screen"],
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const chunks: Buffer[] = [];
  let left = bytesMax;
  let isCut = false;
  const redactor = screen.stream();
  const keep = (chunk: Buffer) => {
    if (chunk.length > left) isCut = true;
    chunks.push(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  };
  for await (const chunk of chunksOf(from)) keep(redactor.push(chunk));
  keep(redactor.end());
  return { bytes: Buffer.concat(chunks), isCut };
}

const PIECE_BYTES = 32_768;

async function readWhole(
  sftp: SftpUpstream,
  { path }: FileOperation,
  bytesMax: number,
): Promise<Performed> {
  const none = { stderr: Buffer.alloc(0), isCut: false };
  const opened = await sftp.ask({ kind: "open", path, flags: OPEN_FLAG.READ, attributes: {} });
  if (opened.response.kind !== "handle") {
    const { response } = opened;
    const file =
      response.kind === "status"
        ? { code: response.code, message: response.message }
        : { code: STATUS.FAILURE, message: "" };
    return { ...none, file, stdout: Buffer.alloc(0) };
  }
  const { handle } = opened.response;
  const pieces: Buffer[] = [];
  for (let at = 0; at <= bytesMax;) {
    const { response } = await sftp.ask({
      kind: "read",
      handle,
      offset: BigInt(at),
      length: PIECE_BYTES,
    });
    if (response.kind !== "data" || response.data.length === 0) {
      const isEnd =
        isDone(response) || (response.kind === "status" && response.code === STATUS.EOF);
      const code = isEnd ? STATUS.OK : STATUS.FAILURE;
      return { ...none, file: { code, message: "" }, stdout: Buffer.concat(pieces) };
    }
    pieces.push(Buffer.from(response.data));
    at += response.data.length;
  }
  const file = { code: STATUS.FAILURE, message: `it is larger than ${bytesMax} bytes` };
  return { ...none, file, stdout: Buffer.alloc(0) };
}
