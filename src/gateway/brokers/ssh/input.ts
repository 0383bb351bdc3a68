/**
 * The input of a command over which a person decides: all of it, or none.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import type { GatewayLimits } from "../../limits.ts";
import { chunksOf } from "./flow-control.ts";

/** A client that was given no input often leaves it open: as long as nothing comes, there is none. */
const SILENT_MS = 2000;

/** Reads `channel` to its end; a sentence where there is none, or too much. */
export async function collectInput(
  channel: ServerChannel,
  { spoolBytes, wholeBodyMs }: Pick<GatewayLimits, "spoolBytes" | "wholeBodyMs">,
): Promise<Buffer | string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of chunksOf(channel)) {
      bytes += chunk.length;
      if (bytes > spoolBytes) return "large";
      chunks.push(chunk);
    }
    return "ended";
  })();
  const first = await Promise.race([reading, later(SILENT_MS)]);
  if (first === undefined && bytes === 0) {
    reading.catch(() => {});
    return Buffer.alloc(0);
  }
  const how = first ?? (await Promise.race([reading, later(wholeBodyMs - SILENT_MS)]));
  reading.catch(() => {});
  if (how === "ended") return Buffer.concat(chunks);
  return how === "large"
    ? `a person decides over ${spoolBytes} bytes of input at most`
    : `its input did not end within ${wholeBodyMs / 1000} s; a person decides over all of it: close it, or use </dev/null`;
}

function later(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
