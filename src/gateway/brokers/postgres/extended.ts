/**
 * The extended protocol: statements that are parsed, bound and executed by messages of their own. What only
 * prepares is kept until it is known what it is for, and goes with its Execute, or with the Sync.
 *
 * @module
 */
import type { Judged } from "../broker.ts";
import { AGAIN, type Expected } from "./answers.ts";
import { BodyReader, errorMessage, HEADER_BYTES, malformed, message, R, T } from "./frames.ts";
import { onlyReads } from "./judging.ts";
import { changesCatalog, hasPart, NAMING, POISON, type Line } from "./line.ts";
import { describedOnly, endsInError, operationOf } from "./portal.ts";
import type { Portal, Prepared } from "./statements.ts";

/** What an agent may send ahead of an Execute, a Flush or a Sync. */
const KEPT_MAX = 10_000;
const KEPT_BYTES_MAX = 32 << 20;

/** A message that goes with the next Execute or Sync. */
/** Statements that may run one that was prepared: EXECUTE, EXPLAIN EXECUTE, CREATE TABLE AS EXECUTE. */
const BY_NAME: ReadonlySet<string> = new Set(["ExecuteStmt", "ExplainStmt", "CreateTableAsStmt"]);

interface Kept {
  readonly frame: Buffer;
  readonly type: number;
  readonly prepared?: Prepared;
  readonly portal?: Portal;
}

export class Extended {
  readonly #line: Line;
  #kept: Kept[] = [];
  #keptBytes = 0;

  constructor(line: Line) {
    this.#line = line;
  }

  #keep(kept: Kept): void {
    this.#keptBytes += kept.frame.length;
    if (this.#kept.length >= KEPT_MAX || this.#keptBytes > KEPT_BYTES_MAX) {
      throw malformed("too much before a Sync");
    }
    this.#kept.push(kept);
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  parse(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const sql = body.text();
    const types = body.list(() => body.int32() >>> 0);
    body.end();
    const key = this.#line.judge.keyOf(sql, "prepared", types);
    const window = this.#line.answers.sent;
    const prepared = { sql, types, key, window, isJudged: false, isKnown: false };
    if (!this.#line.statements.prepare(name, prepared))
      return this.#fail("53400", "too many prepared statements");
    this.#keep({ frame, type: T.parse, prepared });
    return undefined;
  }

  bind(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const statement = body.text();
    const prepared = this.#line.statements.prepared(statement);
    if (prepared === undefined) return this.#unknown("26000", "prepared statement", statement);
    const isSure = prepared.isKnown || prepared.window === this.#line.answers.sent;
    if (!isSure) return this.#later(() => this.bind(frame));
    const window = this.#line.answers.sent;
    const portal = { prepared, bind: frame.subarray(HEADER_BYTES), window, isJudged: false };
    if (!this.#line.statements.bind(name, portal)) return this.#fail("53400", "too many portals");
    this.#keep({ frame, type: T.bind, portal });
    return undefined;
  }

  describe(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const isPortal = body.byte() === 0x50;
    const name = body.text();
    body.end();
    if (isPortal && this.#line.statements.portal(name) === undefined) {
      return this.#unknown("34000", "portal", name);
    }
    const prepared = isPortal ? undefined : this.#line.statements.prepared(name);
    if (!isPortal && prepared === undefined)
      return this.#unknown("26000", "prepared statement", name);
    this.#keep({ frame, type: T.describe, ...(prepared === undefined ? {} : { prepared }) });
    return undefined;
  }

  close(frame: Buffer): undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const isPortal = body.byte() === 0x50;
    const name = body.text();
    body.end();
    if (isPortal) this.#line.statements.unbind(name);
    else this.#line.statements.forget(name);
    this.#keep({ frame, type: T.close });
    return undefined;
  }

  execute(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const name = body.text();
    const portal = this.#line.statements.portal(name);
    if (portal === undefined) return this.#unknown("34000", "portal", name);
    if (portal.window !== this.#line.answers.sent && portal.window >= this.#line.answers.acked) {
      return this.#later(() => this.execute(frame));
    }
    const isAgain = portal.isJudged || this.#isRepeated(portal.prepared);
    if (!isAgain) return this.#askExecute(frame, name, portal);
    // What else was kept is judged too.
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    if (this.#kept.some(isOpen)) return this.settle(() => this.#executes(frame, AGAIN.execute));
    this.#executes(frame, AGAIN.execute);
    return undefined;
  }

  #isRepeated(prepared: Prepared): boolean {
    return !this.#line.isStale && this.#line.ports.session.repeats(prepared.key);
  }

  #executes(frame: Buffer, expected: Expected): void {
    this.#release();
    this.#line.answers.expect(expected);
    this.#line.hasExecuted = true;
    this.#line.send(frame);
  }

  async #askExecute(frame: Buffer, name: string, portal: Portal): Promise<void> {
    const judged = await this.#askPortal(portal);
    if (judged === undefined) return;
    if (judged.decision.verdict === "confirm") {
      await this.#line.answers.windowsOver();
      const { found } = this.#line.judge.read(portal.prepared.sql);
      const why = this.#line.whyNotHeld(found);
      if (why !== undefined) return this.#refuseExecute(judged, why);
      return this.#waitExecute(judged, name, portal);
    }
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    if (onlyReads(judged.action)) this.#line.ports.session.remember(portal.prepared.key, judged);
    if (changesCatalog(this.#line.judge.read(portal.prepared.sql).found)) this.#line.isStale = true;
    await this.settle(() => this.#executes(frame, { kind: "execute", judged }));
    this.#line.flush();
  }

  /** Has a portal judged; `undefined` where it was refused. */
  async #askPortal(portal: Portal): Promise<Judged | undefined> {
    await this.#line.refresh();
    const { sql, types } = portal.prepared;
    if (/execute/i.test(sql)) await this.#line.answers.windowsOver();
    const named = this.#line.statements.textsNamedIn(sql);
    const { found, statements } = this.#line.judge.read(sql, named);
    const isNaming =
      portal.prepared.isFromSql !== true && statements.some(({ kind }) => NAMING.has(kind));
    if (isNaming || hasPart(found, "copy-from") || this.#isByName(statements, named)) {
      this.#refuseExecute(
        undefined,
        "send PREPARE, EXECUTE, DEALLOCATE, DISCARD and COPY FROM as simple queries",
      );
      return undefined;
    }
    const operation = {
      ...operationOf(portal, types),
      ...(named === undefined ? {} : { prepared: named }),
    };
    const judged = await this.#line.judge.judge({ operation });
    if (judged.decision.verdict !== "deny") return judged;
    this.#refuseExecute(judged);
    return undefined;
  }

  /**
   * Whether it runs what stands under another name: by the time that it runs, something else may stand there, and
   * a portal or a text that was judged would then be another statement.
   */
  #isByName(
    statements: readonly { readonly kind: string }[],
    named: Readonly<Record<string, string>> | undefined,
  ): boolean {
    return named !== undefined && statements.some(({ kind }) => BY_NAME.has(kind));
  }

  async #waitExecute(judged: Judged, name: string, portal: Portal): Promise<void> {
    // What only prepares goes to the server, and is answered by it.
    const kept = this.#kept;
    this.#kept = kept.filter(({ type, prepared }) => prepared !== undefined || type === T.close);
    const marks = this.#kept.length;
    for (const one of this.#kept) if (one.prepared !== undefined) one.prepared.isJudged = true;
    if (marks > 0) {
      this.#release();
      this.#line.send(message(T.flush));
      this.#line.flush();
      if (!(await this.#line.answers.marks(marks))) return this.#passOver();
    }
    this.#line.statements.unbind(name);
    const operation = operationOf(portal, portal.prepared.types);
    const { isAnswer, frames } = await this.#line.ports.wait({ judged, operation });
    if (this.#line.ports.client.destroyed) return;
    this.#line.isStale ||= isAnswer;
    if (!isAnswer) {
      this.#line.answers.say(frames);
      return this.#passOver();
    }
    const said = kept
      .filter(({ portal: own }) => own !== undefined)
      .map(() => message(R.bindComplete));
    const isDescribed = kept.some(
      ({ type, prepared }) => type === T.describe && prepared === undefined,
    );
    this.#line.answers.say(...said, describedOnly(frames, isDescribed));
    if (endsInError(frames)) this.#passOver();
  }

  #passOver(): void {
    this.#line.isPassingOver = true;
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #refuseExecute(judged: Judged | undefined, hint?: string): void {
    this.#poison(this.#line.refusal(judged, hint));
  }

  /** In the place of what was kept the server gets what it cannot parse, and passes over the rest. */
  #poison(error: Buffer): void {
    for (const { prepared } of this.#kept)
      if (prepared !== undefined) this.#line.statements.drop(prepared);
    this.#passOver();
    this.#line.answers.expect({ kind: "execute", instead: error });
    this.#line.send(message(T.parse, "", POISON, Buffer.of(0, 0)));
    this.#line.send(message(T.flush));
    this.#line.flush();
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
      if (type === T.parse && prepared !== undefined) this.#line.statements.sent(prepared);
      this.#line.send(frame);
    }
    this.#kept = [];
    this.#keptBytes = 0;
  }

  /** Has what was kept judged where it is not yet, sends it, and goes on. */
  settle(then: () => void): Promise<void> | undefined {
    if (!this.#kept.some(isOpen)) {
      this.#release();
      then();
      return undefined;
    }
    return this.#judgeKept().then(() => {
      if (!this.#line.isPassingOver) {
        this.#release();
        then();
      }
      this.#line.flush();
      return undefined;
    });
  }

  async #judgeKept(): Promise<void> {
    for (const { type, prepared, portal } of [...this.#kept]) {
      if (portal !== undefined && !portal.isJudged) await this.#judgePortal(portal);
      else if (type === T.parse && prepared !== undefined && !prepared.isJudged) {
        await this.#judgePrepared(prepared);
      }
      if (this.#line.isPassingOver) return;
    }
  }

  /** A bound portal can be run by a FETCH: it is judged as though it were. */
  async #judgePortal(portal: Portal): Promise<void> {
    if (!this.#isRepeated(portal.prepared)) {
      const judged = await this.#askPortal(portal);
      if (judged === undefined) return;
      if (judged.decision.verdict === "confirm") {
        return this.#refuseExecute(
          judged,
          "a person would decide over it: execute it with its Bind",
        );
      }
      await this.#line.ports.session.outcome(judged, { bound: true });
      if (onlyReads(judged.action)) this.#line.ports.session.remember(portal.prepared.key, judged);
    }
    portal.isJudged = true;
    portal.prepared.isJudged = true;
    return undefined;
  }

  async #judgePrepared(prepared: Prepared): Promise<void> {
    const key = `prepare ${prepared.key}`;
    await this.#line.refresh();
    if (!this.#line.ports.session.repeats(key)) {
      const { sql, types } = prepared;
      const named = this.#line.statements.textsNamedIn(sql);
      if (this.#isByName(this.#line.judge.read(sql, named).statements, named)) {
        return this.#refuseExecute(undefined, "send EXECUTE as a simple query");
      }
      const judged = await this.#line.judge.judge({
        operation: {
          sql,
          types: [...types],
          isPrepared: true,
          ...(named === undefined ? {} : { prepared: named }),
        },
      });
      if (judged.decision.verdict !== "allow") return this.#refuseExecute(judged);
      await this.#line.ports.session.outcome(judged, { prepared: true });
      if (named === undefined) this.#line.ports.session.remember(key, judged);
    }
    prepared.isJudged = true;
    return undefined;
  }

  sync(frame: Buffer): Promise<void> | undefined {
    if (this.#line.isPassingOver) this.#kept = [];
    if (!this.#kept.some(isOpen)) return this.#synced(frame);
    // Whatever was refused, the Sync goes: with it the server stops passing over.
    return this.#judgeKept().then(() => {
      this.#synced(frame);
      this.#line.flush();
      return undefined;
    });
  }

  #synced(frame: Buffer): undefined {
    this.#release();
    this.#line.isPassingOver = false;
    this.#line.hasExecuted = false;
    this.#line.answers.expect(AGAIN.sync);
    this.#line.send(frame);
  }

  async #later(again: () => Promise<void> | undefined): Promise<void> {
    await this.#line.answers.windowsOver();
    await again();
  }
}

function isOpen({ type, prepared, portal }: Kept): boolean {
  if (portal !== undefined) return !portal.isJudged;
  return type === T.parse && prepared !== undefined && !prepared.isJudged;
}
