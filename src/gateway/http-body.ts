/**
 * Request bodies that are read whole before the request is judged.
 *
 * A body that announces a small length is held until all of it is here: then it is hashed, shown to the
 * mining watch, and exactly these bytes are what is sent (failure class "inspect a prefix, forward all").
 * A longer or chunked one streams, watched and hashed on its way. docs/decisions/0042.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { Fault } from "../base/index.ts";
import { createBodyWatch } from "./body-watch.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { CheckedRequest } from "./http-request.ts";
import type { GatewayLimits } from "./limits.ts";

/** A whole body and what was seen in it. */
export interface WholeBody {
  readonly bytes: Buffer;
  readonly sha256: string;
  /** A mining pool's message in it, as a sentence. */
  readonly mining: string | undefined;
}

/** Reports whether the body of `request` is read before it is judged. */
export function isReadWhole(request: CheckedRequest, limits: GatewayLimits): boolean {
  // A client that waits for "100 Continue" sends no body until the upstream has been asked.
  if (request.expectContinue || request.framing.kind !== "length") return false;
  return request.framing.bytes <= limits.wholeBodyBytes;
}

/**
 * Reads the body to its end.
 *
 * @throws {Fault} `gateway.body_late` where it did not come in time, `gateway.aborted` where the client
 *   left or its framing broke.
 */
export async function readWhole(
  incoming: Readable,
  rawHeaders: RawHeaders,
  limits: GatewayLimits,
): Promise<WholeBody> {
  const chunks: Buffer[] = [];
  const { promise: late, reject } = Promise.withResolvers<never>();
  const seconds = limits.wholeBodyMs / 1000;
  const timer = setTimeout(
    () => reject(new Fault("gateway.body_late", `the body was not there within ${seconds} s`)),
    limits.wholeBodyMs,
  );
  const reading = (async () => {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      if (Buffer.isBuffer(chunk)) chunks.push(chunk); // The parser stops at the announced length.
    }
  })();
  try {
    await Promise.race([reading, late]);
  } catch (error) {
    reading.catch(() => {}); // The client is cut next; that this ends its body is no news.
    if (error instanceof Fault) throw error;
    throw new Fault("gateway.aborted", "the client left within its request", { cause: error });
  } finally {
    clearTimeout(timer);
  }
  const bytes = Buffer.concat(chunks);
  const watch = createBodyWatch(rawHeaders);
  const mining = await watch.push(bytes);
  watch.close();
  return {
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    mining: mining?.detail,
  };
}
