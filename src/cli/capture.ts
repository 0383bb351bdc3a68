/**
 * A capture file, read as it comes and judged flow by flow: memory is bounded however long it is.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { describeError, Fault } from "../base/index.ts";
import { createFlowDetections, createFlowTable, type FlowFinding } from "../detect/index.ts";
import { createCaptureReader, createDecoder } from "../wire/index.ts";

/** What a capture holds. */
export interface CaptureReport {
  /** How many flows, those without payload among them, and frames. */
  readonly flows: number;
  readonly silent: number;
  readonly frames: number;
  /** In the order in which their flows ended; at most {@link FINDINGS_MAX}. */
  readonly findings: readonly FlowFinding[];
  /** How many more were found. */
  readonly left: number;
  /** Frames of link types that are not read, by LINKTYPE number. */
  readonly unread: ReadonlyMap<number, number>;
  /** What is wrong with the file: what stands before that was read. */
  readonly damage?: string;
}

const FINDINGS_MAX = 10_000;
const CHUNK_BYTES = 262_144;
const GZIP_MAGIC = 0x1f8b;

/**
 * Judges the capture at `path`, also where it is compressed with gzip.
 *
 * @throws {Fault} `detect.file` where it cannot be read, `wire.capture` where it is no capture.
 */
export async function judgeCapture(path: string): Promise<CaptureReport> {
  const reader = createCaptureReader();
  const decoder = createDecoder();
  const detections = createFlowDetections();
  const findings: FlowFinding[] = [];
  let [flows, silent, frames, left] = [0, 0, 0, 0];
  const keep = (found: readonly FlowFinding[]) => {
    const kept = found.slice(0, FINDINGS_MAX - findings.length);
    findings.push(...kept);
    left += found.length - kept.length;
  };
  const table = createFlowTable({
    done(flow) {
      flows += 1;
      if (flow.bytesOut + flow.bytesIn === 0) silent += 1;
      keep(detections.observe(flow));
    },
  });
  let cut: string | undefined;
  try {
    for await (const chunk of contentOf(path)) {
      for (const frame of reader.push(chunk)) {
        frames += 1;
        const segment = decoder.decode(frame);
        if (segment !== undefined) table.take(segment);
      }
    }
  } catch (error) {
    // What was compressed ends early as a file does: what came before is read.
    if (!isCutGzip(error)) throw readable(error, path);
    cut = "its compressed content is damaged";
  }
  const damage = reader.end() ?? cut;
  table.end();
  keep(detections.end());
  const report = { flows, silent, frames, findings, left, unread: decoder.unread };
  return damage === undefined ? report : { ...report, damage };
}

async function* contentOf(path: string): AsyncGenerator<Buffer> {
  const file: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let isFirst = true;
  for await (const chunk of file) {
    if (isFirst && chunk.length >= 2 && chunk.readUInt16BE(0) === GZIP_MAGIC) {
      const gunzip: AsyncIterable<Buffer> = pipeline(
        createReadStream(path, { highWaterMark: CHUNK_BYTES }),
        createGunzip({ chunkSize: CHUNK_BYTES }),
        () => {}, // An error comes out of the iteration too.
      );
      yield* gunzip;
      return;
    }
    isFirst = false;
    yield chunk;
  }
}

function isCutGzip(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "Z_BUF_ERROR" || code === "Z_DATA_ERROR";
}

function readable(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  return new Fault("detect.file", `cannot read ${path}: ${describeError(error)}`, {
    hint: "give the path of a capture that this user may read",
    cause: error,
  });
}
