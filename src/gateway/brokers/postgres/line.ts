/**
 * What both ways of asking (simple queries, the extended protocol) share: the way to the server, the state of the
 * session, and how a refusal is said.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { postgres } from "../../../protocols/index.ts";
import type { Judged, Session } from "../broker.ts";
import type { Answers } from "./answers.ts";
import { denialError, type Judge } from "./judging.ts";
import { Statements } from "./statements.ts";

/** The server cannot parse it, in any state of a session. */
export const POISON = "cofferdam refused this";

export interface LinePorts {
  readonly session: Session;
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

export class Line {
  readonly ports: LinePorts;
  readonly answers: Answers;
  readonly judge: Judge;
  readonly statements = new Statements();
  /** After an error nothing is looked at up to the Sync. */
  isPassingOver = false;
  /** An Execute went in this window. */
  hasExecuted = false;
  /** What was looked up may have changed. */
  isStale = false;
  #out: Buffer[] = [];

  constructor(ports: LinePorts) {
    this.ports = ports;
    this.answers = ports.answers;
    this.judge = ports.judge;
    this.answers.onError = () => this.statements.failed(this.answers.acked);
    this.answers.onParsed = () => this.statements.parsed();
    this.answers.onReady = () => {
      if (this.answers.status === "I") this.statements.ended(this.answers.acked);
    };
  }

  send(frame: Buffer): void {
    const last = this.#out.at(-1);
    const isNext =
      last !== undefined &&
      last.buffer === frame.buffer &&
      last.byteOffset + last.length === frame.byteOffset;
    if (!isNext) this.#out.push(frame);
    else {
      const length = last.length + frame.length;
      this.#out[this.#out.length - 1] = Buffer.from(
        frame.buffer as ArrayBuffer,
        last.byteOffset,
        length,
      );
    }
  }

  flush(): void {
    const out = this.#out;
    const [first] = out;
    if (first === undefined) return;
    this.#out = [];
    const { server, client } = this.ports;
    if (server.write(out.length === 1 ? first : Buffer.concat(out)) || client.isPaused()) return;
    client.pause();
    server.once("drain", () => client.resume());
  }

  refusal(judged: Judged | undefined, hint?: string): Buffer {
    const { session } = this.ports;
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
  whyNotHeld(found: postgres.Findings, isNamed = false): string | undefined {
    if (isNamed) return "a person would decide over it: send the statement itself, not EXECUTE";
    if (this.answers.status !== "I" || found.isTransaction || this.hasExecuted) {
      return "a person would decide over it, which cannot be within a transaction: send it alone";
    }
    if (
      found.isOfSession ||
      [...found.parts.values()].some(({ object }) => object[0] === "pg_temp")
    ) {
      return "a person would decide over it, and it would mean nothing outside of this session";
    }
    return undefined;
  }

  async settled(): Promise<void> {
    this.flush();
    await this.answers.settled();
  }

  /** Looks up again what a statement may have changed. */
  async refresh(): Promise<void> {
    if (!this.isStale || this.hasExecuted) return;
    await this.settled();
    if (this.answers.status !== "I") return;
    await this.ports.lookUp();
    this.isStale = false;
  }
}

/** Statements that give or take names of prepared ones. */
export const NAMING: ReadonlySet<string> = new Set([
  "PrepareStmt",
  "DeallocateStmt",
  "DiscardStmt",
]);

export function hasPart(found: postgres.Findings, verb: string): boolean {
  return [...found.parts.values()].some((part) => part.verb === verb);
}

const CHANGING: ReadonlySet<string> = new Set(
  "create alter drop do call create-code authorize server become".split(" "),
);

export function changesCatalog(found: postgres.Findings): boolean {
  return [...found.parts.values()].some(({ verb }) => CHANGING.has(verb));
}
