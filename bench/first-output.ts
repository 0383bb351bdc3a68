/**
 * From asking for a run to its first byte of output.
 *
 * @module
 */
import type { Frame } from "../src/api/index.ts";
import { Fault } from "../src/base/index.ts";
import { startRun } from "../src/cli/run-stream.ts";
import type { Daemon } from "./daemon.ts";

/** Milliseconds until the first output of `command`; resolves when the run has ended. */
export async function connectedRun(daemon: Daemon, command: readonly string[]): Promise<number> {
  const begun = performance.now();
  let ms: number | undefined;
  const { stream, reader, frames } = await startRun(
    daemon.home,
    daemon.orderOf(command),
    () => ({}),
  );
  const isLast = (frame: Frame) => {
    if (frame.type === "stdout") ms ??= performance.now() - begun;
    return frame.type === "exit";
  };
  let isOver = frames.some(isLast);
  if (!isOver) {
    for await (const chunk of stream) {
      isOver = reader.push(chunk as Buffer).some(isLast);
      if (isOver) break;
    }
  }
  stream.destroy();
  if (ms === undefined) throw new Fault("bench.run", "a run that said nothing");
  return ms;
}
