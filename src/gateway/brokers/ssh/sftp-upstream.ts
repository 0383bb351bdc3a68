/**
 * A server's file subsystem: requests go out under numbers of our own, and each is given its answer.
 *
 * @module
 */
import type { ClientChannel } from "ssh2";
import { Fault } from "../../../base/index.ts";
import {
  initPacket,
  readSftpResponse,
  readVersion,
  SFTP_EXTENSIONS,
  SftpFrames,
  sftpRequestPacket,
  STATUS,
  type SftpAsk,
  type SftpResponse,
} from "../../../wire/index.ts";
import { chunksOf, writeAll } from "./flow-control.ts";

/** OpenSSH's client has 64 under way. */
const PENDING_MAX = 256;
const VERSION = 3;

/** An answer as it came, from its type on, and as it is read. */
export interface Answer {
  readonly packet: Buffer;
  readonly response: SftpResponse;
}

/** One channel of the subsystem `sftp`. */
export class SftpUpstream {
  readonly #channel: ClientChannel;
  readonly #frames = new SftpFrames();
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>();
  #next = 1;
  #failure: Fault | undefined;
  #version: PromiseWithResolvers<ReadonlyMap<string, string>> | undefined;

  private constructor(channel: ClientChannel) {
    this.#channel = channel;
  }

  /** Agrees on version 3. Resolves with the extensions that both sides know. @throws {Fault} `ssh.sftp` */
  static async start(channel: ClientChannel): Promise<{
    readonly sftp: SftpUpstream;
    readonly extensions: readonly (readonly [string, string])[];
  }> {
    const sftp = new SftpUpstream(channel);
    const version = Promise.withResolvers<ReadonlyMap<string, string>>();
    sftp.#version = version;
    void sftp.#listen();
    await writeAll(channel, initPacket());
    const offered = await version.promise;
    const extensions = [...SFTP_EXTENSIONS].filter(([name, data]) => offered.get(name) === data);
    return { sftp, extensions };
  }

  /** Asks, and resolves with the answer, also where that is a failure. @throws {Fault} `ssh.sftp` */
  async ask(request: SftpAsk): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pending.size >= PENDING_MAX) {
      throw new Fault("ssh.sftp", "too many requests are under way");
    }
    const id = this.#next;
    this.#next = this.#next === 0xffff_ffff ? 1 : this.#next + 1;
    const answered = Promise.withResolvers<Answer>();
    answered.promise.catch(() => {}); // Whoever asked hears of it below.
    this.#pending.set(id, answered);
    const packet = sftpRequestPacket(id, request);
    await writeAll(this.#channel, packet);
    return await answered.promise;
  }

  get isFull(): boolean {
    return this.#pending.size >= PENDING_MAX / 2;
  }

  /** The absolute path that `path` leads to; `undefined` where the server cannot tell. */
  async realpath(path: string): Promise<string | undefined> {
    const { response } = await this.ask({ kind: "realpath", path });
    return response.kind === "name" && response.count === 1 ? response.first : undefined;
  }

  close(): void {
    this.#channel.end();
    this.#channel.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const chunk of chunksOf(this.#channel)) {
        for (const packet of this.#frames.push(chunk)) this.#hear(packet);
      }
      this.#fail(new Fault("ssh.sftp", "the server ended the file session"));
    } catch (error) {
      this.#fail(
        error instanceof Fault ? error : new Fault("ssh.sftp", "the file session broke off"),
      );
      this.#channel.close();
    }
  }

  #hear(packet: Buffer): void {
    if (this.#version !== undefined) {
      const version = readVersion(packet);
      if (version?.version !== VERSION) {
        throw new Fault("ssh.sftp", "the server speaks another version of SFTP than 3");
      }
      this.#version.resolve(version.extensions);
      this.#version = undefined;
      return;
    }
    const response = readSftpResponse(packet);
    const pending = response === undefined ? undefined : this.#pending.get(response.id);
    if (response === undefined || pending === undefined) {
      throw new Fault("ssh.sftp", "the server sent what is no answer to anything");
    }
    this.#pending.delete(response.id);
    pending.resolve({ packet, response });
  }

  #fail(failure: Fault): void {
    this.#failure ??= failure;
    this.#version?.reject(failure);
    for (const pending of this.#pending.values()) pending.reject(failure);
    this.#pending.clear();
  }
}

/** Reports whether `response` says that it was done. */
export function isDone(response: SftpResponse): boolean {
  return response.kind !== "status" || response.code === STATUS.OK;
}

/** What became of a request, for the record. */
export function resultOf(response: SftpResponse): Readonly<Record<string, string | number>> {
  if (response.kind !== "status") return { result: "done" };
  const { code, message } = response;
  return code === STATUS.OK
    ? { result: "done" }
    : { result: "failed", code, message: message.slice(0, 200) };
}
