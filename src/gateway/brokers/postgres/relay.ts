/**
 * A session after its login: the agent's messages one after the other, each judged before the server gets it.
 *
 * A refusal has to look like an error of the server's own: it fails the transaction, and in the extended protocol
 * all that follows up to the Sync is passed over. So in the place of what is refused the server gets a statement
 * that cannot be parsed, and the agent our error in the place of the server's.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { postgres } from "../../../protocols/index.ts";
import type { Judged, Session } from "../broker.ts";
import { AGAIN, Answers, type Expected } from "./answers.ts";
import { BodyReader, errorMessage, FrameReader, HEADER_BYTES, malformed, message, R, T } from "./frames.ts";
import { denialError, Judge, onlyReads } from "./judging.ts";
import { Statements, type Portal, type Prepared } from "./statements.ts";

/** The server cannot parse it, in any state of a session. */
const POISON = "cofferdam refused this";
/** An agent that sends ahead while something is decided waits from here on. */
const AHEAD_BYTES = 1 << 20;
const CONTROL_BYTES_MAX = 1 << 16;

export interface RelayPorts {
  readonly session: Session;
  readonly options: postgres.PostgresOptions;
  readonly client: Duplex;
  readonly server: Duplex;
  readonly answers: Answers;
  readonly judge: Judge;
  /** Looks up what the database holds, where it may have changed. */
  lookUp(): Promise<void>;
  /** Has a person decide over a query; gives what to say to the agent. */
  wait(asked: Waiting): Promise<Waited>;
}

/** What a person is to decide over. */
export interface Waiting {
  readonly judged: Judged;
  readonly operation: postgres.PostgresOperation;
  readonly body?: Buffer;
}

/** What became of it: messages of an answer, without their end, or an error. */
export interface Waited {
  readonly isAnswer: boolean;
  readonly frames: Buffer;
}

/** A message that goes with the next Execute or Sync. */
interface Kept {
  readonly frame: Buffer;
  readonly type: number;
  readonly prepared?: Prepared;
  readonly portal?: Portal;
}

export class Relay {
  readonly #ports: RelayPorts;
  readonly #answers: Answers;
  readonly #judge: Judge;
  readonly #statements = new Statements();
  readonly #reader: FrameReader;
  #kept: Kept[] = [];
  /** It cannot go on. */
  onBroken: (error: unknown) => void = () => {};
  /** After an error nothing is looked at up to the Sync. */
  #isPassingOver = false;
  /** An Execute went in this window. */
  #hasExecuted = false;
  #isBusy = false;
  #isStale = false;
  /** COPY FROM STDIN that waits for a person: its data is taken here. */
  #spool: { readonly chunks: Buffer[]; bytes: number; done(end: "done" | "fail"): void } | undefined;
  #out: Buffer[] = [];

  constructor(ports: RelayPorts) {
    this.#ports = ports;
    this.#answers = ports.answers;
    this.#judge = ports.judge;
    const { spoolBytes } = ports.session.limits;
    this.#reader = new FrameReader((type) => {
      if (type === T.query || type === T.parse) return postgres.SQL_BYTES_MAX + 4096;
      return type === T.bind || type === T.copyData ? spoolBytes + 4096 : CONTROL_BYTES_MAX;
    });
    this.#answers.onError = () => this.#statements.failed(this.#answers.acked);
    this.#answers.onParsed = () => this.#statements.parsed();
    this.#answers.onReady = () => {
      if (this.#answers.status === "I") this.#statements.ended(this.#answers.acked);
    };
  }

  /** Takes what the agent said. */
  take(chunk: Buffer): void {
    this.#reader.push(chunk);
    if (!this.#isBusy) this.#pump();
    else if (this.#reader.waiting > AHEAD_BYTES) this.#ports.client.pause();
  }

  #pump(): void {
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const pending = this.#handle(frame);
        if (pending === undefined && !this.#isBusy) continue;
        this.#flush();
        if (pending === undefined) return; // COPY's data is whole: whoever took it goes on.
        this.#isBusy = true;
        pending.then(
          () => {
            this.#isBusy = false;
            this.#ports.client.resume();
            this.#pump();
          },
          (error: unknown) => this.#broken(error),
        );
        return;
      }
      this.#flush();
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    this.onBroken(error);
  }

  #handle(frame: Buffer): Promise<void> | undefined {
    const type = frame[0] ?? 0;
    if (this.#spool !== undefined) return this.#spooled(type, frame);
    if (this.#answers.isCopying && !COPYING.has(type)) throw malformed("another message within COPY");
    if (this.#isPassingOver && type !== T.sync && type !== T.terminate) return undefined;
    switch (type) {
      case T.query:
        return this.#query(frame);
      case T.parse:
        return this.#parse(frame);
      case T.bind:
        return this.#bind(frame);
      case T.describe:
        return this.#describe(frame);
      case T.execute:
        return this.#execute(frame);
      case T.close:
        return this.#close(frame);
      case T.sync:
        return this.#sync(frame);
      case T.flush:
        return this.#settle(() => this.#send(frame));
      case T.copyData:
      case T.copyDone:
      case T.copyFail:
        this.#send(frame);
        return undefined;
      case T.terminate:
        this.#send(frame);
        this.#flush();
        this.#ports.server.end();
        return undefined;
      case T.functionCall:
        throw new Refused("postgres.function-call", "functions by their numbers (fastpath) are not judged");
      default:
        throw malformed(`a message of type ${JSON.stringify(String.fromCharCode(type))}`);
    }
  }

  // Towards the server

  #send(frame: Buffer): void {
    const last = this.#out.at(-1);
    const isNext =
      last !== undefined &&
      last.buffer === frame.buffer &&
      last.byteOffset + last.length === frame.byteOffset;
    if (!isNext) this.#out.push(frame);
    else {
      const length = last.length + frame.length;
      this.#out[this.#out.length - 1] = Buffer.from(frame.buffer as ArrayBuffer, last.byteOffset, length);
    }
  }

  #flush(): void {
    const out = this.#out;
    const [first] = out;
    if (first === undefined) return;
    this.#out = [];
    const { server, client } = this.#ports;
    if (server.write(out.length === 1 ? first : Buffer.concat(out)) || client.isPaused()) return;
    client.pause();
    server.once("drain", () => client.resume());
  }

  // Simple queries

  #query(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const sql = body.text();
    body.end();
    const key = this.#judge.keyOf(sql, "query");
    if (this.#kept.length === 0 && !this.#isStale && this.#ports.session.repeats(key)) {
      this.#answers.expect(AGAIN.query);
      this.#send(frame);
      return undefined;
    }
    return this.#askQuery(frame, sql, key);
  }

  async #askQuery(frame: Buffer, sql: string, key: string): Promise<void> {
    if (this.#kept.length > 0) await this.#settle(() => {});
    if (this.#isPassingOver) return;
    await this.#refresh();
    const first = this.#judge.read(sql);
    const changes = first.statements.some(({ kind }) => NAMING.has(kind));
    if (changes || /execute/i.test(sql)) await this.#settled();
    const prepared = this.#statements.textsNamedIn(sql);
    const { found, statements } = this.#judge.read(sql, prepared);
    const operation = { sql, ...(prepared === undefined ? {} : { prepared }) };
    const isCopy = hasPart(found, "copy-from");
    const alone = statements.length > 1 && (changes || isCopy);
    if (alone) return this.#refuseQuery(undefined, "send PREPARE, DEALLOCATE, DISCARD and COPY alone");
    const judged = await this.#judge.judge({ operation });
    const { verdict } = judged.decision;
    if (verdict === "deny") return this.#refuseQuery(judged);
    if (verdict === "confirm") {
      await this.#settled();
      const why = this.#whyNotHeld(found, prepared !== undefined);
      if (why !== undefined) return this.#refuseQuery(judged, why);
      return this.#waitQuery(judged, operation, isCopy);
    }
    if (prepared === undefined && onlyReads(judged.action)) this.#ports.session.remember(key, judged);
    if (isCopy) await this.#settled();
    this.#answers.isCopying = isCopy;
    const done = (isWell: boolean) => {
      if (isWell && changes) this.#renamed(statements, sql);
    };
    this.#answers.expect({ kind: "query", judged, done });
    this.#send(frame);
    this.#flush();
    if (changesCatalog(found)) this.#isStale = true;
    if (changes) await this.#settled();
  }

  /** Refuses a query, or the Execute of what was kept. */
  #refuseQuery(judged: Judged | undefined, hint?: string): void {
    const error = this.#refusal(judged, hint);
    if (this.#answers.isIdle && this.#answers.status === "I") {
      return this.#answers.say(error, message(R.ready, Buffer.from("I")));
    }
    this.#answers.expect({ kind: "query", instead: error });
    this.#send(message(T.query, POISON));
    return this.#flush();
  }

  #refusal(judged: Judged | undefined, hint?: string): Buffer {
    const { session } = this.#ports;
    const told =
      judged === undefined
        ? session.refuse({
            rule: "postgres.order",
            title: "This cannot be judged so",
            reason: hint ?? "it cannot be told what it does",
          })
        : session.deny(judged);
    return denialError(told.text, judged?.action, judged === undefined ? undefined : hint);
  }

  /** Why a person cannot be asked about it here. */
  #whyNotHeld(found: postgres.Findings, isNamed = false): string | undefined {
    if (isNamed) return "a person would decide over it: send the statement itself, not EXECUTE";
    if (this.#answers.status !== "I" || found.isTransaction || this.#hasExecuted) {
      return "a person would decide over it, which cannot be within a transaction: send it alone";
    }
    if (found.isOfSession || [...found.parts.values()].some(({ object }) => object[0] === "pg_temp")) {
      return "a person would decide over it, and it would mean nothing outside of this session";
    }
    return undefined;
  }

  async #waitQuery(
    judged: Judged,
    operation: postgres.PostgresOperation,
    isCopy: boolean,
  ): Promise<void> {
    const spooled = isCopy ? await this.#spoolCopy(judged) : {};
    if (spooled === undefined) return;
    const { isAnswer, frames } = await this.#ports.wait({ judged, operation, ...spooled });
    if (this.#ports.client.destroyed) return;
    this.#isStale ||= isAnswer;
    this.#answers.say(frames, message(R.ready, Buffer.from("I")));
  }

  /** Takes COPY's data, as the server would; `undefined` where there is none in the end. */
  async #spoolCopy(judged: Judged): Promise<{ readonly body: Buffer } | undefined> {
    const chunks: Buffer[] = [];
    const end = await new Promise<"done" | "fail">((resolve) => {
      this.#spool = { chunks, bytes: 0, done: resolve };
      this.#answers.say(message(R.copyIn, Buffer.of(0, 0, 0)));
      this.#isBusy = false;
      this.#ports.client.resume();
      queueMicrotask(() => this.#pump());
    });
    this.#isBusy = true;
    this.#spool = undefined;
    if (end === "done") return { body: Buffer.concat(chunks) };
    this.#refuseQuery(judged, "its data ended early, or is more than a person can be shown");
    return undefined;
  }

  #spooled(type: number, frame: Buffer): undefined {
    const spool = this.#spool;
    if (spool === undefined) return undefined;
    if (type === T.copyData) {
      spool.bytes += frame.length - HEADER_BYTES;
      if (spool.bytes <= this.#ports.session.limits.spoolBytes) {
        spool.chunks.push(Buffer.from(frame.subarray(HEADER_BYTES)));
      }
    } else if (type === T.copyDone) {
      spool.done(spool.bytes <= this.#ports.session.limits.spoolBytes ? "done" : "fail");
      this.#spool = undefined;
      this.#isBusy = true;
    } else if (type === T.copyFail) {
      spool.done("fail");
      this.#spool = undefined;
      this.#isBusy = true;
    } else if (type !== T.flush && type !== T.sync) throw malformed("another message within COPY");
    return undefined;
  }

  /** PREPARE, DEALLOCATE, DISCARD went well. */
  #renamed(statements: readonly postgres.Statement[], sql: string): void {
    for (const { kind, node } of statements) {
      const name = typeof node["name"] === "string" ? node["name"] : undefined;
      if (kind === "PrepareStmt" && name !== undefined) {
        const key = this.#judge.keyOf(sql, "prepared");
        this.#statements.prepare(name, {
          ...{ sql, types: [], key, window: -1, isJudged: true, isKnown: true },
        });
      } else if (name !== undefined) this.#statements.forget(name);
      else this.#statements.clear();
    }
  }

  // The extended protocol

  #parse(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const sql = body.text();
    const types = body.list(() => body.int32() >>> 0);
    body.end();
    const key = this.#judge.keyOf(sql, "prepared", types);
    const window = this.#answers.sent;
    const prepared = { sql, types, key, window, isJudged: false, isKnown: false };
    if (!this.#statements.prepare(name, prepared)) return this.#fail("53400", "too many prepared statements");
    this.#kept.push({ frame, type: T.parse, prepared });
    return undefined;
  }

  #bind(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const statement = body.text();
    const prepared = this.#statements.prepared(statement);
    if (prepared === undefined) return this.#unknown("26000", "prepared statement", statement);
    const isSure = prepared.isKnown || prepared.window === this.#answers.sent;
    if (!isSure) return this.#later(() => this.#bind(frame));
    const window = this.#answers.sent;
    const portal = { prepared, bind: frame.subarray(HEADER_BYTES), window, isJudged: false };
    if (!this.#statements.bind(name, portal)) return this.#fail("53400", "too many portals");
    this.#kept.push({ frame, type: T.bind, portal });
    return undefined;
  }

  #describe(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const isPortal = body.byte() === 0x50;
    const name = body.text();
    body.end();
    if (isPortal && this.#statements.portal(name) === undefined) {
      return this.#unknown("34000", "portal", name);
    }
    const prepared = isPortal ? undefined : this.#statements.prepared(name);
    if (!isPortal && prepared === undefined) return this.#unknown("26000", "prepared statement", name);
    this.#kept.push({ frame, type: T.describe, ...(prepared === undefined ? {} : { prepared }) });
    return undefined;
  }

  #close(frame: Buffer): undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const isPortal = body.byte() === 0x50;
    const name = body.text();
    body.end();
    if (isPortal) this.#statements.unbind(name);
    else this.#statements.forget(name);
    this.#kept.push({ frame, type: T.close });
    return undefined;
  }

  #execute(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const portal = this.#statements.portal(name);
    if (portal === undefined) return this.#unknown("34000", "portal", name);
    if (portal.window !== this.#answers.sent && portal.window >= this.#answers.acked) {
      return this.#later(() => this.#execute(frame));
    }
    const isAgain = portal.isJudged || this.#isRepeated(portal.prepared);
    if (!isAgain) return this.#askExecute(frame, name, portal);
    // What else was kept is judged too.
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    if (this.#kept.some(isOpen)) return this.#settle(() => this.#executes(frame, AGAIN.execute));
    this.#executes(frame, AGAIN.execute);
    return undefined;
  }

  #isRepeated(prepared: Prepared): boolean {
    return !this.#isStale && this.#ports.session.repeats(prepared.key);
  }

  #executes(frame: Buffer, expected: Expected): void {
    this.#release();
    this.#answers.expect(expected);
    this.#hasExecuted = true;
    this.#send(frame);
  }

  async #askExecute(frame: Buffer, name: string, portal: Portal): Promise<void> {
    const judged = await this.#askPortal(portal);
    if (judged === undefined) return;
    if (judged.decision.verdict === "confirm") {
      await this.#answers.windowsOver();
      const { found } = this.#judge.read(portal.prepared.sql);
      const why = this.#whyNotHeld(found);
      if (why !== undefined) return this.#refuseExecute(judged, why);
      return this.#waitExecute(judged, name, portal);
    }
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    if (onlyReads(judged.action)) this.#ports.session.remember(portal.prepared.key, judged);
    if (changesCatalog(this.#judge.read(portal.prepared.sql).found)) this.#isStale = true;
    await this.#settle(() => this.#executes(frame, { kind: "execute", judged }));
    this.#flush();
  }

  /** Has a portal judged; `undefined` where it was refused. */
  async #askPortal(portal: Portal): Promise<Judged | undefined> {
    await this.#refresh();
    const { sql, types } = portal.prepared;
    if (/execute/i.test(sql)) await this.#answers.windowsOver();
    const named = this.#statements.textsNamedIn(sql);
    const { found, statements } = this.#judge.read(sql, named);
    const isNaming = statements.some(({ kind }) => NAMING.has(kind));
    if (isNaming || hasPart(found, "copy-from")) {
      this.#refuseExecute(undefined, "send PREPARE, DEALLOCATE, DISCARD and COPY FROM as simple queries");
      return undefined;
    }
    const operation = { ...operationOf(portal, types), ...(named === undefined ? {} : { prepared: named }) };
    const judged = await this.#judge.judge({ operation });
    if (judged.decision.verdict !== "deny") return judged;
    this.#refuseExecute(judged);
    return undefined;
  }

  async #waitExecute(judged: Judged, name: string, portal: Portal): Promise<void> {
    // What only prepares goes to the server, and is answered by it.
    const kept = this.#kept;
    this.#kept = kept.filter(({ type, prepared }) => prepared !== undefined || type === T.close);
    const marks = this.#kept.length;
    for (const one of this.#kept) if (one.prepared !== undefined) one.prepared.isJudged = true;
    if (marks > 0) {
      this.#release();
      this.#send(message(T.flush));
      this.#flush();
      if (!(await this.#answers.marks(marks))) return this.#passOver();
    }
    this.#statements.unbind(name);
    const operation = operationOf(portal, portal.prepared.types);
    const { isAnswer, frames } = await this.#ports.wait({ judged, operation });
    if (this.#ports.client.destroyed) return;
    this.#isStale ||= isAnswer;
    if (!isAnswer) {
      this.#answers.say(frames);
      return this.#passOver();
    }
    const said = kept.filter(({ portal: own }) => own !== undefined).map(() => message(R.bindComplete));
    const isDescribed = kept.some(({ type, prepared }) => type === T.describe && prepared === undefined);
    this.#answers.say(...said, describedOnly(frames, isDescribed));
    if (endsInError(frames)) this.#passOver();
  }

  #passOver(): void {
    this.#isPassingOver = true;
    this.#kept = [];
  }

  #refuseExecute(judged: Judged | undefined, hint?: string): void {
    this.#poison(this.#refusal(judged, hint));
  }

  /** In the place of what was kept the server gets what it cannot parse, and passes over the rest. */
  #poison(error: Buffer): void {
    for (const { prepared } of this.#kept) if (prepared !== undefined) this.#statements.drop(prepared);
    this.#passOver();
    this.#answers.expect({ kind: "execute", instead: error });
    this.#send(message(T.parse, "", POISON, Buffer.of(0, 0)));
    this.#send(message(T.flush));
    this.#flush();
  }

  #fail(code: string, text: string): undefined {
    this.#poison(errorMessage({ code, message: text }));
    return undefined;
  }

  #unknown(code: string, what: string, name: string): undefined {
    return this.#fail(code, `${what} ${JSON.stringify(name)} does not exist`);
  }

  /** Sends what was kept. */
  #release(): void {
    for (const { frame, type, prepared } of this.#kept) {
      if (type === T.parse && prepared !== undefined) this.#statements.sent(prepared);
      this.#send(frame);
    }
    this.#kept = [];
  }

  /** Has what was kept judged where it is not yet, sends it, and goes on. */
  #settle(then: () => void): Promise<void> | undefined {
    if (!this.#kept.some(isOpen)) {
      this.#release();
      then();
      return undefined;
    }
    return this.#judgeKept().then(() => {
      if (!this.#isPassingOver) {
        this.#release();
        then();
      }
      this.#flush();
      return undefined;
    });
  }

  async #judgeKept(): Promise<void> {
    for (const { type, prepared, portal } of [...this.#kept]) {
      if (portal !== undefined && !portal.isJudged) await this.#judgePortal(portal);
      else if (type === T.parse && prepared !== undefined && !prepared.isJudged) {
        await this.#judgePrepared(prepared);
      }
      if (this.#isPassingOver) return;
    }
  }

  /** A bound portal can be run by a FETCH: it is judged as though it were. */
  async #judgePortal(portal: Portal): Promise<void> {
    if (!this.#isRepeated(portal.prepared)) {
      const judged = await this.#askPortal(portal);
      if (judged === undefined) return;
      if (judged.decision.verdict === "confirm") {
        return this.#refuseExecute(judged, "a person would decide over it: execute it with its Bind");
      }
      await this.#ports.session.outcome(judged, { bound: true });
      if (onlyReads(judged.action)) this.#ports.session.remember(portal.prepared.key, judged);
    }
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    return undefined;
  }

  async #judgePrepared(prepared: Prepared): Promise<void> {
    const key = `prepare ${prepared.key}`;
    await this.#refresh();
    if (!this.#ports.session.repeats(key)) {
      const { sql, types } = prepared;
      const named = this.#statements.textsNamedIn(sql);
      const judged = await this.#judge.judge({
        operation: { sql, types: [...types], isPrepared: true, ...(named === undefined ? {} : { prepared: named }) },
      });
      if (judged.decision.verdict !== "allow") return this.#refuseExecute(judged);
      await this.#ports.session.outcome(judged, { prepared: true });
      if (named === undefined) this.#ports.session.remember(key, judged);
    }
    prepared.isJudged = true;
    return undefined;
  }

  #sync(frame: Buffer): Promise<void> | undefined {
    if (this.#isPassingOver) this.#kept = [];
    return this.#settle(() => this.#synced(frame));
  }

  #synced(frame: Buffer): void {
    this.#isPassingOver = false;
    this.#hasExecuted = false;
    this.#answers.expect(AGAIN.sync);
    this.#send(frame);
  }

  // Order

  async #later(again: () => Promise<void> | undefined): Promise<void> {
    await this.#answers.windowsOver();
    await again();
  }

  async #settled(): Promise<void> {
    this.#flush();
    await this.#answers.settled();
  }

  /** Looks up again what a statement may have changed. */
  async #refresh(): Promise<void> {
    if (!this.#isStale || this.#hasExecuted) return;
    await this.#settled();
    if (this.#answers.status !== "I") return;
    await this.#ports.lookUp();
    this.#isStale = false;
  }
}

/** What is no operation at all, and ends the session. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly rule: string;

  constructor(rule: string, why: string) {
    super(why);
    this.rule = rule;
  }
}

const COPYING: ReadonlySet<number> = new Set([T.copyData, T.copyDone, T.copyFail, T.flush, T.terminate]);
/** Statements that give or take names of prepared ones. */
const NAMING: ReadonlySet<string> = new Set(["PrepareStmt", "DeallocateStmt", "DiscardStmt"]);

function isOpen({ type, prepared, portal }: Kept): boolean {
  if (portal !== undefined) return !portal.isJudged;
  return type === T.parse && prepared !== undefined && !prepared.isJudged;
}

function hasPart(found: postgres.Findings, verb: string): boolean {
  return [...found.parts.values()].some((part) => part.verb === verb);
}

const CHANGING: ReadonlySet<string> = new Set(
  "create alter drop do call create-code authorize server become".split(" "),
);

function changesCatalog(found: postgres.Findings): boolean {
  return [...found.parts.values()].some(({ verb }) => CHANGING.has(verb));
}

/** The operation of a portal: the text, and what its Bind gives. */
function operationOf({ prepared, bind }: Portal, types: readonly number[]): postgres.PostgresOperation {
  const body = new BodyReader(bind);
  body.text();
  body.text();
  const formats = body.list(() => body.int16());
  let at = 0;
  const parameters = body.list(() => {
    const format = formats.length === 1 ? formats[0] : formats[at];
    at += 1;
    const length = body.int32();
    if (length < 0) return null;
    const bytes = body.bytes(length);
    const text = bytes.toString("utf8");
    return (format ?? 0) === 0 && Buffer.from(text).equals(bytes)
      ? text
      : { base64: bytes.toString("base64") };
  });
  const results = body.list(() => body.int16());
  body.end();
  return {
    sql: prepared.sql,
    ...(types.some((one) => one !== 0) ? { types: [...types] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(results.some((one) => one !== 0) ? { results } : {}),
  };
}

/** Without the description of its rows, where nobody asked for one. */
function describedOnly(frames: Buffer, isDescribed: boolean): Buffer {
  const hasOne = frames[0] === R.rowDescription;
  if (!isDescribed) return hasOne ? frames.subarray(1 + frames.readUInt32BE(1)) : frames;
  return hasOne ? frames : Buffer.concat([message(R.noData), frames]);
}

function endsInError(frames: Buffer): boolean {
  for (let at = 0; at + HEADER_BYTES <= frames.length; at += 1 + frames.readUInt32BE(at + 1)) {
    if (frames[at] === R.error) return true;
  }
  return false;
}
