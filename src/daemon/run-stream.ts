/**
 * Starting a run and watching it over one connection: order, answer, and the terminal's frames.
 *
 * The command line does not read the task file's meaning; it asks here which variables the task passes
 * in, and sends those and no others.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { z } from "zod";
import {
  createFrameReader,
  encodeFrame,
  runOrderSchema,
  type FrameType,
  type RunStart,
} from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { Run } from "./run.ts";
import { faultOf } from "./server.ts";

const environmentSchema = z.record(z.string(), z.string());

/** What a stream needs of the daemon. */
export interface RunStarter {
  /** Names of the variables that a task file passes in. @throws {FileFault} */
  namesOf(task: RunStart["task"]): readonly string[];
  start(request: RunStart): Promise<Run>;
}

/** Serves one `/v1/run` stream; never rejects. */
export async function serveRunStream(stream: Duplex, starter: RunStarter): Promise<void> {
  stream.on("error", () => stream.destroy());
  try {
    const order = read(runOrderSchema, await nextFrame(stream, "start"));
    if (order.command.length === 0 && !order.detach) {
      throw new Fault("daemon.request", "a run without a command shows nothing", {
        hint: "start it detached, and have it execute commands (`run.exec`)",
      });
    }
    const names = starter.namesOf(order.task);
    const environment = names.length === 0 ? {} : await askFor(stream, names);
    const run = await starter.start({ ...order, environment });
    stream.write(encodeFrame("started", JSON.stringify(run.info)));
    if (order.detach) stream.end();
    else if (stream.destroyed) run.console.release(); // Who started it has gone; it goes on.
    else {
      run.attach(stream);
      stream.resume();
    }
  } catch (error) {
    stream.end(encodeFrame("refused", JSON.stringify(faultOf(error))));
  }
}

async function askFor(stream: Duplex, names: readonly string[]): Promise<Record<string, string>> {
  stream.write(encodeFrame("needs", JSON.stringify(names)));
  const given = read(environmentSchema, await nextFrame(stream, "environment"));
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
}

function read<T>(schema: z.ZodType<T>, payload: Buffer): T {
  const parsed = schema.safeParse(parseJson(payload));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Fault("daemon.request", `run: ${issue?.path.join(".")}: ${issue?.message}`);
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8")) as unknown;
  } catch (cause) {
    throw new Fault("daemon.request", "the request is not JSON", { cause });
  }
}

/** The payload of the next frame, which must be of type `wanted` and alone: nothing is sent unasked. */
async function nextFrame(stream: Duplex, wanted: FrameType): Promise<Buffer> {
  const reader = createFrameReader();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const onData = (chunk: Buffer) => {
    try {
      const [frame, ...more] = reader.push(chunk);
      if (frame === undefined) return;
      if (frame.type !== wanted || more.length > 0) {
        throw new Fault("daemon.request", `a ${frame.type} frame where ${wanted} was due`);
      }
      resolve(frame.payload);
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => reject(new Fault("daemon.request", `the stream ended before ${wanted}`));
  stream.on("data", onData);
  stream.on("end", onEnd);
  stream.on("close", onEnd);
  stream.resume();
  try {
    return await promise;
  } finally {
    stream.pause();
    stream.off("data", onData);
    stream.off("end", onEnd);
    stream.off("close", onEnd);
  }
}
