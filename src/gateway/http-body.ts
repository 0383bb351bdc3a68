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
import { Fault } from "../base/index.ts";
import { createBodyWatch } from "./body-watch.ts";
import type { CheckedRequest } from "./http-request.ts";
import type { ClientSide } from "./http-sides.ts";
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
 * Reads the body of a request that is judged or approved as a whole, however it is framed.
 *
 * @throws {Fault} as {@link readWhole}; `gateway.body_long` above `limits.spoolBytes`.
 */
export async function spool(
  client: ClientSide,
  request: CheckedRequest,
  limits: GatewayLimits,
): Promise<WholeBody> {
  if (request.framing.kind === "length" && request.framing.bytes > limits.spoolBytes) {
    throw tooLong(limits);
  }
  if (request.expectContinue) client.inform(100, []); // It is our answer that it waits for.
  return await readWhole(client, limits);
}

function tooLong({ spoolBytes }: GatewayLimits): Fault {
  return new Fault("gateway.body_long", `a body above ${spoolBytes >> 20} MiB cannot be judged`, {
    hint: "send it in parts, where the system takes it so",
  });
}

/**
 * Reads the body to its end.
 *
 * @throws {Fault} `gateway.body_late` where it did not come in time, `gateway.aborted` where the client
 *   left or its framing broke.
 */
export async function readWhole(client: ClientSide, limits: GatewayLimits): Promise<WholeBody> {
  const bytes = client.whole() ?? (await collect(client, limits));
  const watch = createBodyWatch(client.head.rawHeaders);
  const mining = await watch.push(bytes);
  watch.close();
  return {
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    mining: mining?.detail,
  };
}

async function collect({ body }: ClientSide, limits: GatewayLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { promise: late, reject } = Promise.withResolvers<never>();
  const seconds = limits.wholeBodyMs / 1000;
  const timer = setTimeout(
    () => reject(new Fault("gateway.body_late", `the body was not there within ${seconds} s`)),
    limits.wholeBodyMs,
  );
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) continue;
      if ((bytes += chunk.length) > limits.spoolBytes) throw tooLong(limits);
      chunks.push(chunk);
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
  return Buffer.concat(chunks);
}
