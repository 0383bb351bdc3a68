/**
 * A connection to the real Redis, logged in with the leased credential.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Fault } from "../../../base/index.ts";
import { createRedactor, type Lease, type Redactor } from "../../../vault/index.ts";
import { encodeRedisCommand, RedisReplyScanner } from "../../../wire/index.ts";
import type { Place, Way } from "../broker.ts";

const LOGIN_BYTES_MAX = 4096;

/** Ready for commands; database 0, RESP2. */
export interface RedisUpstream {
  readonly socket: Socket;
  /** For all that it says. */
  readonly redactor: Redactor;
}

/**
 * Speaks TLS where the grant says so, and logs in.
 *
 * @throws {Fault} `redis.login`, and those of `secure`
 */
export async function openUpstream(place: Place, way: Way): Promise<RedisUpstream> {
  const socket = place.grant.tls ? await place.secure(way.socket) : way.socket;
  socket.setNoDelay(true);
  const { lease } = way;
  const login = loginOf(lease);
  if (login !== undefined) {
    const reply = await exchange(socket, encodeRedisCommand(login), place.limits.connectMs);
    if (reply !== "+OK\r\n") {
      throw new Fault("redis.login", "the server did not take the credential", {
        hint: "see whether the vault's login is right, and may log in from here",
      });
    }
  }
  return { socket, redactor: createRedactor(lease?.secrets ?? []) };
}

function loginOf(lease: Lease | undefined): readonly string[] | undefined {
  if (lease === undefined) return undefined;
  const { attach } = lease;
  if (attach.kind !== "login") {
    throw new Fault("redis.login", "the credential is no login", {
      hint: "add it to the vault as a login: a user and a password",
    });
  }
  // The default user may be one of before there were users.
  return attach.user === "" || attach.user === "default"
    ? ["AUTH", attach.password]
    : ["AUTH", attach.user, attach.password];
}

/** Sends `bytes` and reads one short reply. @throws {Fault} `redis.login` */
function exchange(socket: Socket, bytes: Buffer, timeoutMs: number): Promise<string> {
  const failed = (reason: string) => new Fault("redis.login", `logging in failed: ${reason}`);
  return new Promise((resolve, reject) => {
    const scanner = new RedisReplyScanner();
    let text = "";
    const timer = setTimeout(() => settle(failed("no answer in time")), timeoutMs);
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      socket.off("data", onData).off("close", onClose).off("error", onClose);
      socket.pause();
      if (error === undefined) resolve(text);
      else reject(error instanceof Error ? error : failed("no reply"));
    };
    const onClose = () => settle(failed("the server hung up"));
    const onData = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      try {
        const { end, isWhole } = scanner.scan(chunk, 0);
        if (text.length > LOGIN_BYTES_MAX || (isWhole && end < chunk.length)) {
          settle(failed("an answer that is none"));
        } else if (isWhole) settle();
      } catch (error) {
        settle(error);
      }
    };
    socket.on("data", onData).on("close", onClose).on("error", onClose);
    socket.resume();
    socket.write(bytes);
  });
}
