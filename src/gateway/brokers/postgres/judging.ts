/**
 * Having statements judged: what they are, what has to be looked up for them, what is said of a refusal.
 *
 * @module
 */
import type { Action, Json } from "../../../action/index.ts";
import { postgres } from "../../../protocols/index.ts";
import type { Asking, Judged, Session } from "../broker.ts";
import { errorMessage } from "./frames.ts";

const READS_MAX = 200;
const READ_CHARS_MAX = 20_000; // Longer texts are not kept.

/** One statement, or several in one message, as a broker asks about it. */
export interface Question {
  readonly operation: postgres.PostgresOperation;
  readonly body?: Buffer;
  readonly facts?: Readonly<Record<string, Json>>;
}

export class Judge {
  readonly #session: Session;
  readonly #options: postgres.PostgresOptions;
  #catalog: postgres.Catalog = postgres.NO_CATALOG;
  #version = 0;
  readonly #reads = new Map<string, postgres.Read>();

  constructor(session: Session, options: postgres.PostgresOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** What was looked up is another now. */
  set catalog(catalog: postgres.Catalog) {
    this.#catalog = catalog;
    this.#version += 1;
  }

  /** Stands for all that the judgement of `sql` depends on. */
  keyOf(sql: string, kind: "query" | "prepared", types: readonly number[] = []): string {
    const skeleton = kind === "query" ? postgres.skeletonOf(sql) : sql;
    return `${this.#version} ${kind} ${types.join(",")} ${skeleton}`;
  }

  /** What `sql` is made of. */
  read(sql: string, prepared?: Readonly<Record<string, string>>): postgres.Read {
    if (prepared !== undefined) return postgres.readSql(sql, this.#options, prepared);
    const known = this.#reads.get(sql);
    if (known !== undefined) return known;
    const read = postgres.readSql(sql, this.#options);
    if (sql.length <= READ_CHARS_MAX) {
      const [oldest] = this.#reads.keys();
      if (this.#reads.size >= READS_MAX && oldest !== undefined) this.#reads.delete(oldest);
      this.#reads.set(sql, read);
    }
    return read;
  }

  /** Has it judged, with what was looked up for it. */
  judge({ operation, body, facts }: Question): Promise<Judged> {
    const { found } = this.read(operation.sql, operation.prepared);
    const looked = postgres.factsFor(found, this.#catalog);
    const all = { ...looked, ...facts };
    const asking: Asking = {
      operation: operation,
      ...(body === undefined ? {} : { body }),
      ...(Object.keys(all).length === 0 ? {} : { facts: all }),
    };
    return this.#session.judge(asking);
  }
}

/** Whether nothing but reading was described: a rule of a task file may call more than that reading. */
export function onlyReads({ effects }: Action): boolean {
  return effects.every((one) => one === "read" || one === "read-private");
}

/** The error that an agent gets for what was refused: insufficient_privilege. */
export function denialError(text: string, action: Action | undefined, hint?: string): Buffer {
  const problem = action?.fields["problem"];
  const why = typeof problem === "string" ? `the statement ${problem}` : undefined;
  const said = hint ?? why;
  return errorMessage({
    code: "42501",
    message: text,
    ...(said === undefined ? {} : { hint: said }),
  });
}
