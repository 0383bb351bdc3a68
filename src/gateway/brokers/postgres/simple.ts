/**
 * Simple queries: one message with one statement or several, and COPY's data after it.
 *
 * @module
 */
import type { postgres } from "../../../protocols/index.ts";
import type { Judged } from "../broker.ts";
import { AGAIN } from "./answers.ts";
import type { Extended } from "./extended.ts";
import { BodyReader, HEADER_BYTES, malformed, message, R, T } from "./frames.ts";
import { onlyReads } from "./judging.ts";
import { changesCatalog, hasPart, NAMING, POISON, type Line } from "./line.ts";

/** Has the messages that follow looked at while a query is not over. */
export interface Pump {
  resume(): void;
  pause(): void;
}

export class SimpleQueries {
  readonly #line: Line;
  readonly #extended: Extended;
  readonly #pump: Pump;
  /** COPY FROM STDIN that waits for a person: its data is taken here. */
  #spool:
    | { readonly chunks: Buffer[]; bytes: number; done(end: "done" | "fail"): void }
    | undefined;

  constructor(line: Line, extended: Extended, pump: Pump) {
    this.#line = line;
    this.#extended = extended;
    this.#pump = pump;
  }

  get isSpooling(): boolean {
    return this.#spool !== undefined;
  }

  query(frame: Buffer): Promise<void> | undefined {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const sql = body.text();
    body.end();
    const key = this.#line.judge.keyOf(sql, "query");
    if (this.#extended.isEmpty && !this.#line.isStale && this.#line.ports.session.repeats(key)) {
      this.#line.answers.expect(AGAIN.query);
      this.#line.send(frame);
      return undefined;
    }
    return this.#askQuery(frame, sql, key);
  }

  async #askQuery(frame: Buffer, sql: string, key: string): Promise<void> {
    if (!this.#extended.isEmpty) await this.#extended.settle(() => {});
    if (this.#line.isPassingOver) return;
    await this.#line.refresh();
    const first = this.#line.judge.read(sql);
    const changes = first.statements.some(({ kind }) => NAMING.has(kind));
    if (changes || /execute/i.test(sql)) await this.#line.settled();
    const prepared = this.#line.statements.textsNamedIn(sql);
    const { found, statements } = this.#line.judge.read(sql, prepared);
    const operation = { sql, ...(prepared === undefined ? {} : { prepared }) };
    const isCopy = hasPart(found, "copy-from");
    const alone = statements.length > 1 && (changes || isCopy);
    if (alone)
      return this.#refuseQuery(undefined, "send PREPARE, DEALLOCATE, DISCARD and COPY alone");
    const judged = await this.#line.judge.judge({ operation });
    const { verdict } = judged.decision;
    if (verdict === "deny") return this.#refuseQuery(judged);
    if (verdict === "confirm") {
      await this.#line.settled();
      const why = this.#line.whyNotHeld(found, prepared !== undefined);
      if (why !== undefined) return this.#refuseQuery(judged, why);
      return this.#waitQuery(judged, operation, isCopy);
    }
    if (prepared === undefined && onlyReads(judged.action))
      this.#line.ports.session.remember(key, judged);
    if (isCopy) await this.#line.settled();
    this.#line.answers.isCopying = isCopy;
    const done = (isWell: boolean) => {
      if (isWell && changes) this.#renamed(statements, sql);
    };
    this.#line.answers.expect({ kind: "query", judged, done });
    this.#line.send(frame);
    this.#line.flush();
    if (changesCatalog(found)) this.#line.isStale = true;
    if (changes) await this.#line.settled();
  }

  /** Refuses a query, or the Execute of what was kept. */
  #refuseQuery(judged: Judged | undefined, hint?: string): void {
    const error = this.#line.refusal(judged, hint);
    if (this.#line.answers.isIdle && this.#line.answers.status === "I") {
      return this.#line.answers.say(error, message(R.ready, Buffer.from("I")));
    }
    this.#line.answers.expect({ kind: "query", instead: error });
    this.#line.send(message(T.query, POISON));
    return this.#line.flush();
  }

  async #waitQuery(
    judged: Judged,
    operation: postgres.PostgresOperation,
    isCopy: boolean,
  ): Promise<void> {
    const spooled = isCopy ? await this.#spoolCopy(judged) : {};
    if (spooled === undefined) return;
    const { isAnswer, frames } = await this.#line.ports.wait({ judged, operation, ...spooled });
    if (this.#line.ports.client.destroyed) return;
    this.#line.isStale ||= isAnswer;
    this.#line.answers.say(frames, message(R.ready, Buffer.from("I")));
  }

  /** Takes COPY's data, as the server would; `undefined` where there is none in the end. */
  async #spoolCopy(judged: Judged): Promise<{ readonly body: Buffer } | undefined> {
    const chunks: Buffer[] = [];
    const end = await new Promise<"done" | "fail">((resolve) => {
      this.#spool = { chunks, bytes: 0, done: resolve };
      this.#line.answers.say(message(R.copyIn, Buffer.of(0, 0, 0)));
      this.#pump.resume();
    });
    this.#spool = undefined;
    if (end === "done") return { body: Buffer.concat(chunks) };
    this.#refuseQuery(judged, "its data ended early, or is more than a person can be shown");
    return undefined;
  }

  /** Takes what comes within COPY. */
  spooled(type: number, frame: Buffer): undefined {
    const spool = this.#spool;
    if (spool === undefined) return undefined;
    if (type === T.copyData) {
      spool.bytes += frame.length - HEADER_BYTES;
      if (spool.bytes <= this.#line.ports.session.limits.spoolBytes) {
        spool.chunks.push(Buffer.from(frame.subarray(HEADER_BYTES)));
      }
    } else if (type === T.copyDone) {
      spool.done(spool.bytes <= this.#line.ports.session.limits.spoolBytes ? "done" : "fail");
      this.#spool = undefined;
      this.#pump.pause();
    } else if (type === T.copyFail) {
      spool.done("fail");
      this.#spool = undefined;
      this.#pump.pause();
    } else if (type !== T.flush && type !== T.sync) throw malformed("another message within COPY");
    return undefined;
  }

  /** PREPARE, DEALLOCATE, DISCARD went well. */
  #renamed(statements: readonly postgres.Statement[], sql: string): void {
    for (const { kind, node } of statements) {
      const name = typeof node["name"] === "string" ? node["name"] : undefined;
      if (kind === "PrepareStmt" && name !== undefined) {
        const key = this.#line.judge.keyOf(sql, "prepared");
        this.#line.statements.prepare(name, {
          ...{
            sql,
            types: [],
            key,
            window: -1,
            isJudged: true,
            isKnown: true,
            isFromSql: true as const,
          },
        });
      } else if (name !== undefined) this.#line.statements.forget(name);
      else this.#line.statements.clear();
    }
  }
}
