/**
 * One client's connection: its commands one after the other, each judged before it is sent. Answers come in the
 * order of the commands, ours in their place among the server's.
 *
 * What the connection itself is about is answered here and never sent: AUTH and HELLO's AUTH (the agent holds no
 * password), MULTI and its queue (a transaction is judged and sent as a whole), RESET (it would log out).
 *
 * @module
 */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { UNKNOWN_VERB } from "../../../action/index.ts";
import { isFault } from "../../../base/index.ts";
import { plainReadOf, redisWordsOf } from "../../../protocols/index.ts";
import {
  encodeRedisCommand,
  encodeRedisError,
  RedisCommandFramer,
  RedisReplyScanner,
} from "../../../wire/index.ts";
import type { Judged, Session } from "../broker.ts";
import { hasRoom } from "./has-room.ts";
import { ReplyQueue, type Awaited } from "./reply-queue.ts";
import { Transaction, UNQUEUED } from "./transaction.ts";
import { openUpstream, type RedisUpstream } from "./upstream.ts";

/** Commands that were sent and not answered; a client that sends more reads its answers first. */
const OPEN_MAX = 10_000;
/** What a client of RESP2 may say after it has subscribed. */
const WHEN_SUBSCRIBED = /^(?:[ps]?(?:un)?subscribe|ping|quit)$/;
const OK = Buffer.from("+OK\r\n");
const QUEUED = Buffer.from("+QUEUED\r\n");

type Words = readonly Buffer[];

export class RedisSession {
  readonly #session: Session;
  readonly #client: Socket;
  readonly #queue: ReplyQueue;
  #upstream: RedisUpstream | undefined;
  #database = 0;
  #transaction: Transaction | undefined;
  #isWatching = false;
  #toServer: Buffer[] = [];
  /** Channels and patterns that it listens to, by the kind of command. */
  readonly #channels = new Map<string, Set<string>>();
  #isOver = false;

  constructor(session: Session, client: Socket) {
    this.#session = session;
    this.#client = client;
    this.#queue = new ReplyQueue((bytes) => this.#toClient(bytes));
  }

  /** Serves it until it is over. */
  async serve(): Promise<void> {
    const { limits } = this.#session;
    const framer = new RedisCommandFramer(limits.spoolBytes);
    this.#client.once("close", () => this.#end());
    this.#session.lastWord = (text) => {
      if (this.#queue.isInside || !this.#client.writable) return false;
      this.#client.end(encodeRedisError("NOPERM", `Cofferdam: ${text}`));
      this.#end();
      return true;
    };
    try {
      for await (const chunk of this.#client.iterator({ destroyOnReturn: false })) {
        framer.push(chunk as Buffer);
        for (let words = framer.next(); words !== undefined; words = framer.next()) {
          const under = this.#command(words);
          if (under !== undefined) {
            this.#send();
            await under;
          }
          if (this.#isOver) return;
        }
        this.#send();
        await hasRoom(this.#client);
        while (this.#queue.open > OPEN_MAX && !this.#isOver) await this.#queue.empty();
      }
      await this.#queue.empty();
    } catch (error) {
      this.#failed(error);
      this.#send();
      // What was asked before is still answered, and what was wrong told after that.
      await Promise.race([this.#queue.empty(), sleep(limits.lingerMs, undefined, { ref: false })]);
    } finally {
      this.#client.end();
      this.#end();
    }
  }

  #failed(error: unknown): void {
    if (this.#isOver || this.#client.destroyed) return;
    if (isFault(error, "redis.command")) {
      const title = "These bytes are no Redis command";
      const reason = error.message;
      const { text } = this.#session.refuse({ rule: "redis.command", title, reason });
      this.#queue.answer(encodeRedisError("ERR", `Protocol error: ${text}`));
    } else if (isFault(error)) {
      this.#session.because(error.code);
      this.#queue.answer(encodeRedisError("ERR", `cofferdam: ${error.message}`));
    } else throw error;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#upstream?.socket.destroy();
    this.#queue.close();
  }

  #toClient(bytes: Buffer): void {
    if (this.#client.writable && !this.#client.write(bytes)) {
      const from = this.#upstream?.socket;
      if (from === undefined) return;
      from.pause();
      this.#client.once("drain", () => from.resume());
    }
  }

  #send(): void {
    if (this.#toServer.length === 0) return;
    const bytes = this.#toServer.length === 1 ? this.#toServer[0] : Buffer.concat(this.#toServer);
    this.#toServer = [];
    if (bytes !== undefined) this.#upstream?.socket.write(bytes);
  }

  #error(text: string, word = "NOPERM"): void {
    this.#queue.answer(encodeRedisError(word, text));
  }

  /** What follows is awaited only where it cannot be done at once. */
  #command(words: Words): Promise<void> | undefined {
    const name = nameOf(words[0]);
    if (this.#transaction !== undefined && name !== "quit") {
      return this.#inTransaction(this.#transaction, name, words);
    }
    if (this.#hasChannels() && this.#queue.resp === 2 && !WHEN_SUBSCRIBED.test(name)) {
      this.#error("this connection listens to channels, and takes no other command", "ERR");
      return undefined;
    }
    const key = plainReadOf(words, this.#database);
    if (key !== undefined && name !== "watch" && !name.endsWith("subscribe")) {
      if (this.#upstream !== undefined && this.#session.repeats(key)) {
        if (name === "unwatch") this.#isWatching = false;
        this.#forward([words], { replies: 1 });
        return undefined;
      }
      return this.#operation([words], key);
    }
    switch (name) {
      case "auth":
        this.#queue.answer(OK); // Whatever it says: it is not what the server is told.
        return undefined;
      case "hello":
        return this.#hello(words);
      case "quit":
        return this.#quit();
      case "reset":
        return this.#reset();
      case "multi":
        this.#transaction = new Transaction(this.#session.limits.spoolBytes);
        this.#queue.answer(OK);
        return undefined;
      case "exec":
      case "discard":
        this.#error(`${name.toUpperCase()} without MULTI`, "ERR");
        return undefined;
      default:
        return this.#operation([words]);
    }
  }

  async #quit(): Promise<void> {
    this.#queue.answer(OK);
    await this.#queue.empty();
    this.#client.end();
    this.#end();
  }

  /** Connects once there is something to say, so that what is no Redis never gets a connection. */
  async #connected(): Promise<RedisUpstream> {
    if (this.#upstream !== undefined) return this.#upstream;
    const upstream = await openUpstream(this.#session, await this.#session.connect());
    this.#upstream = upstream;
    const { socket, redactor } = upstream;
    socket.on("data", (chunk: Buffer) => {
      try {
        this.#queue.take(redactor.push(chunk));
      } catch (error) {
        this.#session.cut(isFault(error) ? error.message : "internal");
      }
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      if (!this.#isOver) this.#session.because("the server hung up");
      this.#client.end();
      this.#end();
    });
    socket.resume();
    return upstream;
  }

  #forward(commands: readonly Words[], awaited: Awaited): void {
    for (const words of commands) this.#toServer.push(encodeRedisCommand(words));
    this.#queue.expect(awaited);
  }

  /** Sends what is ours, and whether the server took it. */
  async #ask(words: readonly (Buffer | string)[], isOurs: boolean): Promise<boolean> {
    await this.#connected();
    const taken = new Promise<boolean>((resolve) => {
      this.#toServer.push(encodeRedisCommand(words));
      const settled = (isError: boolean) => resolve(!isError);
      this.#queue.expect({ replies: 1, settled, ...(isOurs ? { isOurs } : {}) });
    });
    this.#send();
    return await taken;
  }

  /** Judges `commands`, and does with them what was decided. */
  async #operation(commands: readonly Words[], key?: string): Promise<void> {
    await this.#connected();
    const named = commands.map(redisWordsOf);
    const body = named.flatMap((one) => one.body);
    const operation = {
      database: this.#database,
      commands: named.map(({ command }) => command),
      ...(this.#queue.resp === 3 ? { resp: 3 } : {}),
    };
    const asking = body.length === 0 ? { operation } : { operation, body: Buffer.concat(body) };
    const judged = await this.#session.judge(asking);
    if (judged.decision.verdict === "allow") {
      if (key !== undefined) this.#session.remember(key, judged);
      await this.#perform(commands, judged);
    } else if (judged.decision.verdict === "confirm") {
      await this.#hold(judged);
    } else this.#error(`${this.#session.deny(judged).text}${whyUnknown(judged)}`);
    if (nameOf(commands[0]?.[0]) === "unwatch" && !this.#isQueuedAlone) this.#isWatching = false;
  }

  async #perform(commands: readonly Words[], judged: Judged): Promise<void> {
    const settled = (isError: boolean) => {
      // What cannot be recorded ends the run, where it is recorded.
      void this.#session.outcome(judged, { answer: isError ? "error" : "ok" }).catch(() => {});
    };
    const isTransaction = commands.length > 1 || this.#isQueuedAlone;
    if (isTransaction) {
      const all = [[Buffer.from("MULTI")], ...commands, [Buffer.from("EXEC")]];
      this.#forward(all, { replies: all.length, isTransaction, settled });
      return;
    }
    const [words = []] = commands;
    const name = nameOf(words[0]);
    if (name === "watch") this.#isWatching = true;
    if (name.endsWith("subscribe")) {
      await this.#listen(name, words, settled);
      return;
    }
    if (name !== "select") {
      this.#forward(commands, { replies: 1, settled });
      return;
    }
    // What comes next is judged by the database that is selected then.
    const taken = new Promise<boolean>((resolve) => {
      this.#forward(commands, {
        replies: 1,
        settled: (isError) => (settled(isError), resolve(!isError)),
      });
    });
    this.#send();
    if (await taken) this.#database = Number(words[1]?.toString("latin1"));
  }

  async #hold(judged: Judged): Promise<void> {
    if (this.#isWatching) {
      const title = "What waits for a person cannot be watched for";
      const reason = "a transaction after WATCH depends on this connection; send it without WATCH";
      this.#error(this.#session.refuse({ rule: "redis.watch", title, reason }).text);
      return;
    }
    if (isBoundToConnection(judged)) {
      const title = "This belongs to the connection, and cannot wait for a person";
      const reason = "a subscription or a change to this connection is granted, or it is not";
      this.#error(this.#session.refuse({ rule: "redis.connection", title, reason }).text);
      return;
    }
    const resolution = await this.#session.hold(judged);
    if (resolution.kind !== "answered") {
      const word = resolution.kind === "pending" ? "PENDING" : "NOPERM";
      const approval = resolution.kind === "pending" ? ` (${resolution.approval})` : "";
      this.#error(`${this.#session.deny(judged, resolution).text}${approval}`, word);
      return;
    }
    const { body, isCut } = resolution.answer;
    if (isCut || !isOneReply(body)) {
      this.#error("cofferdam: a person allowed it and it was done; its answer was not kept", "ERR");
    } else this.#queue.answer(body);
  }

  #hasChannels(): boolean {
    return [...this.#channels.values()].some(({ size }) => size > 0);
  }

  /** Changes what it listens to; resolves when the server has. */
  async #listen(name: string, words: Words, settled: (isError: boolean) => void): Promise<void> {
    const kind = name.replace(/(?:un)?subscribe$/, "");
    const channels = new Set(this.#channels.get(kind));
    const named = words.slice(1).map((word) => word.toString("latin1"));
    let replies = Math.max(1, named.length);
    if (!name.includes("unsub")) for (const one of named) channels.add(one);
    else if (named.length > 0) for (const one of named) channels.delete(one);
    else {
      replies = Math.max(1, channels.size);
      channels.clear();
    }
    const before = this.#channels.get(kind) ?? new Set<string>();
    this.#channels.set(kind, channels);
    const isTaken = new Promise<boolean>((resolve) => {
      this.#forward([words], {
        replies,
        channels: this.#hasChannels() ? "some" : "none",
        settled: (isError) => (settled(isError), resolve(!isError)),
      });
    });
    this.#send();
    if (!(await isTaken)) this.#channels.set(kind, before);
  }

  /** `HELLO [2|3 [AUTH user password] [SETNAME name]]`: sent without the login. */
  async #hello(words: Words): Promise<void> {
    const said = words.map((word) => word.toString("latin1"));
    const [, version = ""] = said;
    const sent: (Buffer | string)[] = ["HELLO"];
    if (said.length > 1) sent.push(version);
    for (let at = 2; at < words.length;) {
      const option = nameOf(words[at]);
      const name = words[at + 1];
      if (option === "auth" && words.length > at + 2) at += 3;
      else if (option === "setname" && name !== undefined) {
        sent.push("SETNAME", name);
        at += 2;
      } else {
        this.#error(`Syntax error in HELLO option '${option}'`, "ERR");
        return;
      }
    }
    if (said.length > 1 && version !== "2" && version !== "3") {
      this.#error("unsupported protocol version", "NOPROTO");
      return;
    }
    if (this.#hasChannels()) {
      this.#error("this connection listens to channels; unsubscribe first", "ERR");
      return;
    }
    const isTaken = await this.#ask(sent, false);
    if (isTaken && said.length > 1) this.#queue.resp = version === "3" ? 3 : 2;
  }

  /** As the server would, but for the login: RESET would end that. */
  async #reset(): Promise<void> {
    if (this.#hasChannels()) {
      this.#error("this connection listens to channels; unsubscribe first", "ERR");
      return;
    }
    if (this.#upstream !== undefined) {
      const isReset =
        (await this.#ask(["UNWATCH"], true)) &&
        (await this.#ask(["SELECT", "0"], true)) &&
        (this.#queue.resp === 2 || (await this.#ask(["HELLO", "2"], true)));
      if (!isReset) {
        this.#session.cut("the server did not reset the connection");
        return;
      }
    }
    this.#isWatching = false;
    this.#database = 0;
    this.#queue.resp = 2;
    this.#queue.answer(Buffer.from("+RESET\r\n"));
  }

  /** A queue of one command is a transaction too. */
  #isQueuedAlone = false;

  #inTransaction(transaction: Transaction, name: string, words: Words): Promise<void> | undefined {
    if (name === "discard" || name === "reset") {
      this.#transaction = undefined;
      if (name === "reset") return this.#reset();
      return this.#discard();
    }
    if (name === "exec") {
      this.#transaction = undefined;
      if (transaction.isSpoilt) {
        this.#error("Transaction discarded because of previous errors.", "EXECABORT");
        return this.#unwatch();
      }
      return this.#exec(transaction);
    }
    if (UNQUEUED.has(name)) {
      transaction.isSpoilt = true;
      this.#error(`${name.toUpperCase()} is not allowed in a transaction here`, "ERR");
    } else if (!transaction.add(words)) {
      this.#error("the transaction is too long", "ERR");
    } else this.#queue.answer(QUEUED);
    return undefined;
  }

  async #exec({ commands }: Transaction): Promise<void> {
    if (commands.length === 0) {
      await this.#unwatch();
      this.#queue.answer(Buffer.from("*0\r\n"));
      return;
    }
    this.#isQueuedAlone = commands.length === 1;
    try {
      await this.#operation(commands);
    } finally {
      this.#isQueuedAlone = false;
    }
    await this.#unwatch();
  }

  async #discard(): Promise<void> {
    await this.#unwatch();
    this.#queue.answer(OK);
  }

  /** After EXEC and DISCARD nothing is watched, whether the server heard of them or not. */
  async #unwatch(): Promise<void> {
    if (!this.#isWatching) return;
    this.#isWatching = false;
    await this.#ask(["UNWATCH"], true);
  }
}

/** The name of a command, in lower case; what is none is long or odd, and never one of ours. */
function nameOf(word: Buffer | undefined): string {
  return word === undefined || word.length > 64 ? "?" : word.toString("latin1").toLowerCase();
}

/** Whether what was judged is about the connection, so that nobody can do it on another. */
function isBoundToConnection({ action }: Judged): boolean {
  const verbs = action.parts?.map(({ verb }) => verb) ?? [action.verb];
  return verbs.some((verb) => /^(?:watch|[ps]?subscribe|client\..*)$/.test(verb));
}

/** What was not understood, where that is why it was denied. */
function whyUnknown({ action: { verb, fields } }: Judged): string {
  return verb === UNKNOWN_VERB && typeof fields["reason"] === "string"
    ? `: ${fields["reason"]}`
    : "";
}

function isOneReply(bytes: Buffer): boolean {
  try {
    const scanner = new RedisReplyScanner();
    const { end, isWhole } = scanner.scan(bytes, 0);
    return isWhole && end === bytes.length && scanner.type !== ">";
  } catch {
    return false;
  }
}
