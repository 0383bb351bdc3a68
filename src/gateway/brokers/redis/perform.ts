/**
 * Performs a stored operation: one command, or a transaction as one MULTI ... EXEC, on a connection of its own. What the
 * server answered is kept as it came.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Fault, isFault, describeError } from "../../../base/index.ts";
import { readRedisOperation, redisBytesOf } from "../../../protocols/index.ts";
import { encodeRedisCommand, RedisReplyScanner } from "../../../wire/index.ts";
import type { Asked } from "../../collected-client.ts";
import type { Errand } from "../broker.ts";
import { openUpstream } from "./upstream.ts";

export async function performRedis(errand: Errand): Promise<Asked> {
  const { held, way, limits } = errand;
  const counted = () => ({ bytesOut: way.socket.bytesWritten, bytesIn: way.socket.bytesRead });
  try {
    const operation = readRedisOperation(held.operation);
    const commands =
      operation === undefined ? undefined : redisBytesOf(operation.commands, held.body);
    if (operation === undefined || commands === undefined) {
      throw new Fault("redis.operation", "the stored operation is none of Redis");
    }
    const { socket, redactor } = await openUpstream(errand, way);
    const before = [
      ...(operation.resp === 3 ? [["HELLO", "3"]] : []),
      ["SELECT", String(operation.database)],
      ...(commands.length > 1 ? [["MULTI"]] : []),
    ];
    const sent = [...before, ...commands, ...(commands.length > 1 ? [["EXEC"]] : [])];
    const replies = new Replies(sent.length, before.length, limits.keptAnswerBytes);
    await collect(socket, {
      bytes: Buffer.concat(sent.map(encodeRedisCommand)),
      idleMs: limits.exchangeIdleMs,
      take: (chunk) => replies.take(redactor.push(chunk)),
    });
    const { body, isError, isCut } = replies;
    return {
      outcome: counted(),
      answer: { status: isError ? 500 : 200, headers: [], body, isCut },
    };
  } catch (error) {
    const code = isFault(error) ? error.code : "internal";
    return {
      outcome: { ...counted(), failure: { code, detail: describeError(error) } },
      answer: undefined,
    };
  }
}

/** Keeps the last of so many replies; none of the first may be an error. */
class Replies {
  isError = false;
  isCut = false;
  #kept: Buffer[] = [];
  #bytes = 0;
  #left: number;
  #before: number;
  readonly #bytesMax: number;
  readonly #scanner = new RedisReplyScanner();

  constructor(count: number, before: number, bytesMax: number) {
    this.#left = count;
    this.#before = before;
    this.#bytesMax = bytesMax;
  }

  get body(): Buffer {
    return Buffer.concat(this.#kept);
  }

  /** Whether all have come. */
  take(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length;) {
      const { end, isWhole } = this.#scanner.scan(bytes, at);
      if (this.#left === 1) this.#keep(bytes.subarray(at, end));
      at = end;
      if (!isWhole) return false;
      this.isError = this.#scanner.type === "-" || this.#scanner.type === "!";
      if (this.#before > 0 && this.isError) {
        throw new Fault("redis.operation", "the server refused the database or the transaction");
      }
      this.#before -= 1;
      this.#left -= 1;
      if (this.#left === 0) return true;
    }
    return false;
  }

  #keep(bytes: Buffer): void {
    const room = Math.max(0, this.#bytesMax - this.#bytes);
    if (bytes.length > room) this.isCut = true;
    this.#kept.push(bytes.subarray(0, room));
    this.#bytes += Math.min(bytes.length, room);
  }
}

interface Exchange {
  readonly bytes: Buffer;
  readonly idleMs: number;
  /** Whether all has come. */
  take(chunk: Buffer): boolean;
}

function collect(socket: Socket, { bytes, idleMs, take }: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Fault("redis.operation", reason));
    socket.on("data", (chunk: Buffer) => {
      try {
        if (take(chunk)) resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Fault("redis.operation", "no answer"));
      }
    });
    socket.on("close", () => fail("the server hung up before it had answered"));
    socket.on("error", () => fail("the connection broke before the server had answered"));
    socket.setTimeout(idleMs, () => fail("the server did not answer in time"));
    socket.resume();
    socket.write(bytes);
  });
}
