/**
 * The command line's side of `/v1/run`: a run is started and watched over one connection, with few and
 * small modules, since a person waits for every one of them.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { RunInfo, RunOrder } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import { createFrameReader, encodeFrame, type Frame, type Home } from "../link/index.ts";

const HEAD_END = "\r\n\r\n";
const HEAD_BYTES_MAX = 64 * 1024;
const REQUEST = [
  "GET /v1/run HTTP/1.1",
  "host: control",
  "connection: upgrade",
  "upgrade: cofferdam",
].join("\r\n");

/** A run that was started, with the stream that shows it. */
export interface StartedRun {
  readonly info: RunInfo;
  readonly stream: Socket;
  readonly reader: ReturnType<typeof createFrameReader>;
  /** What came right behind the answer. */
  readonly frames: readonly Frame[];
}

/**
 * Starts a run.
 *
 * @param variables finds values for the names that the daemon asks for
 * @throws {Fault} `cli.unreachable` where no daemon answers, and whatever the daemon refuses it with.
 */
export async function startRun(
  home: Home,
  order: RunOrder,
  variables: (names: readonly string[]) => Record<string, string>,
): Promise<StartedRun> {
  const stream = connect(home.socket);
  stream.write(REQUEST + HEAD_END);
  stream.write(encodeFrame("start", JSON.stringify(order)));
  const reader = createFrameReader();
  const { promise, resolve, reject } = Promise.withResolvers<StartedRun>();
  let head = Buffer.alloc(0);
  let upgraded = false;
  const onData = (chunk: Buffer) => {
    try {
      let bytes = chunk;
      if (!upgraded) {
        head = Buffer.concat([head, chunk]);
        const rest = afterHead(head);
        if (rest === undefined) return;
        upgraded = true;
        bytes = rest;
      }
      const [frame, ...frames] = reader.push(bytes);
      if (frame === undefined) return;
      if (frame.type === "started")
        resolve({ info: read(frame) as RunInfo, stream, reader, frames });
      else if (frame.type === "needs") {
        stream.write(
          encodeFrame("environment", JSON.stringify(variables(read(frame) as string[]))),
        );
      } else throw refusalOf(frame);
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => reject(new Fault("cli.lost", "the daemon is gone; its runs are killed"));
  const onError = (cause: NodeJS.ErrnoException) => reject(unreachable(cause));
  stream.on("data", onData).on("end", onEnd).on("error", onError);
  try {
    return await promise;
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    stream.pause();
    stream.off("data", onData).off("end", onEnd).off("error", onError);
  }
}

/** What follows an answer's head; `undefined` where that is not there yet. */
function afterHead(bytes: Buffer): Buffer<ArrayBuffer> | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0 && bytes.length <= HEAD_BYTES_MAX) return undefined;
  const status = bytes.subarray(0, bytes.indexOf("\r\n")).toString("latin1");
  if (status.startsWith("HTTP/1.1 101 ")) return Buffer.from(bytes.subarray(end + HEAD_END.length));
  throw new Fault("cli.control", `the daemon answered: ${JSON.stringify(status.slice(0, 200))}`, {
    hint: "is it of another version? `cofferdam stop`, then try again",
  });
}

function refusalOf({ type, payload }: Frame): Fault {
  if (type !== "refused") return new Fault("cli.control", `the daemon sent ${type} out of turn`);
  const { code, message, hint } = JSON.parse(payload.toString()) as Record<string, string>;
  return new Fault(code ?? "cli.control", message ?? "", hint === undefined ? {} : { hint });
}

/** The daemon is the same user's, and of the same contract: what it says is not checked a second time. */
function read({ payload }: Frame): unknown {
  return JSON.parse(payload.toString());
}

function unreachable(cause: NodeJS.ErrnoException): Fault {
  const absent = cause.code === "ENOENT" || cause.code === "ECONNREFUSED";
  return new Fault(
    absent ? "cli.unreachable" : "cli.control",
    `no daemon answers: ${cause.message}`,
    {
      cause,
      hint: "it starts with `cofferdam run` or `cofferdam serve`",
    },
  );
}
