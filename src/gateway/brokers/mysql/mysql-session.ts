/**
 * One client's connection: its commands one after the other, each judged before it is sent. Statements are judged by their
 * text; a prepared one is judged when it is prepared (its tables are looked up then), and each time it is executed.
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import {
  readMysqlOptions,
  readParameters,
  readStatement,
  tokensOf,
  writeParameters,
  type MysqlOptions,
} from "../../../protocols/index.ts";
import {
  MYSQL_CAN,
  MYSQL_STATUS,
  mysqlError,
  mysqlOk,
  type MysqlReplyKind,
} from "../../../wire/index.ts";
import type { Asking, Judged, Session } from "../broker.ts";
import { welcome, type MysqlClient, type MysqlWelcomed } from "./client-side.ts";
import { previewOf } from "./preview.ts";
import {
  COMMAND,
  DENIED,
  KILLED,
  FAILED,
  isOneReply,
  outcomeOf,
  quoted,
  REFUSED,
  textOf,
  UNKNOWN_COMMAND,
  WAITS,
  whyUnknown,
} from "./commands.ts";
import { hasRoom } from "../redis/has-room.ts";
import { repeatKey } from "./repeat-key.ts";
import { openUpstream, type MysqlReply, type MysqlUpstream } from "./upstream.ts";

const PIECE_BYTES = 100; // What a piece of a long value costs beside its bytes, about.
const STATEMENTS_MAX = 2000; // Prepared ones of a connection.
/** Faults of what the client said. */
const CLIENTS_OWN: ReadonlySet<string> = new Set(["mysql.packet", "mysql.client"]);

interface Prepared {
  readonly sql: string;
  /** The one that was current when it was prepared. */
  readonly database: string | null;
  readonly count: number;
  types?: readonly number[];
  /** Values that came ahead, piece by piece. */
  readonly long: Map<number, Buffer[]>;
  longBytes: number;
}

interface Command {
  readonly asking: Asking;
  readonly payload: Buffer;
  readonly kind: MysqlReplyKind;
  /** Stands for everything that the judgement depends on. */
  readonly key?: string;
  /** What it changes once the server has done it. */
  done?(): void;
}

export class MysqlSession {
  readonly #session: Session;
  readonly #options: MysqlOptions;
  #client: MysqlClient | undefined;
  #upstream: MysqlUpstream | undefined;
  #database: string | null;
  readonly #statements = new Map<number, Prepared>();
  #isOver = false;

  constructor(session: Session) {
    this.#session = session;
    this.#options = readMysqlOptions(session.options) ?? {};
    this.#database = this.#options.database ?? null;
  }

  /** Serves it until it is over. */
  async serve(): Promise<void> {
    const session = this.#session;
    session.client.once("close", () => this.#end());
    session.lastWord = (text) => {
      const { socket } = this.#client ?? {};
      if (this.#isAnswering || socket?.writable !== true) return false;
      // The answer to whatever the client asks next, or is waiting for.
      this.#error(1, KILLED, `Cofferdam: ${text}`);
      socket.end();
      this.#end();
      return true;
    };
    try {
      if (!(await this.#opened())) return;
      for (;;) {
        const packet = await this.#client?.next();
        if (packet === undefined || this.#isOver) return;
        const { payload, sequence } = packet;
        if (sequence !== 0 || payload.length === 0) {
          this.#error(1, FAILED, "a command out of order");
          return;
        }
        if (payload[0] === COMMAND.quit) return;
        await this.#command(payload);
        await hasRoom(this.#client?.socket);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      (this.#client?.socket ?? session.client).end();
      this.#end();
    }
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    if (!isFault(error)) throw error;
    this.#session.because(error.code);
    if (CLIENTS_OWN.has(error.code)) {
      const title = "These bytes are not the MySQL protocol";
      this.#session.refuse({ rule: error.code, title, reason: error.message });
    }
    if (!this.#isAnswering) this.#error(1, FAILED, `Cofferdam: ${describeError(error)}`);
  }

  /** A reply is on its way to the client, and cannot become another. */
  #isAnswering = false;

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#upstream?.socket.destroy();
  }

  async #opened(): Promise<boolean> {
    const session = this.#session;
    let welcomed: MysqlWelcomed | undefined;
    let upstream: MysqlUpstream;
    try {
      upstream = await openUpstream(
        session,
        await session.connect(),
        this.#options,
        async (version) => {
          welcomed = await welcome(session, version);
          this.#client = welcomed.client;
          return (welcomed.answer.capabilities & MYSQL_CAN.foundRows) !== 0;
        },
      );
    } catch (error) {
      if (!isFault(error) || session.client.destroyed || CLIENTS_OWN.has(error.code)) throw error;
      session.because(error.code);
      // In the greeting's place, and in that of the last OK, a client takes an error.
      this.#error(welcomed?.sequence ?? 0, FAILED, `Cofferdam: ${describeError(error)}`);
      return false;
    }
    this.#upstream = upstream;
    if (welcomed === undefined) return false;
    upstream.socket.once("close", () => {
      if (!this.#isOver) session.because("the server hung up");
      this.#client?.socket.end();
    });
    const { answer, sequence } = welcomed;
    if (answer.database !== undefined && answer.database !== this.#database) {
      const command = this.#useCommand(answer.database);
      const judged = await session.judge(command.asking);
      if (judged.decision.verdict !== "allow") {
        this.#error(sequence, DENIED, session.deny(judged).text);
        return false;
      }
      const { reply } = await upstream.ask(`USE ${quoted(answer.database)}`);
      await session.outcome(judged, outcomeOf(reply));
      if (reply.isError) {
        this.#error(sequence, [1049, "42000"], reply.error);
        return false;
      }
      this.#database = answer.database;
    }
    this.#write(mysqlOk(sequence, MYSQL_STATUS.autocommit));
    return true;
  }

  #write(bytes: Buffer): void {
    const socket = this.#client?.socket ?? this.#session.client;
    if (!socket.writable || socket.write(bytes)) return;
    const from = this.#upstream?.socket;
    if (from === undefined) return;
    from.pause();
    socket.once("drain", () => from.resume());
  }

  #error(sequence: number, [code, state]: readonly [number, string], text: string): void {
    this.#write(mysqlError(sequence, code, state, text));
  }

  #command(payload: Buffer): Promise<void> | void {
    const [kind = 0] = payload;
    switch (kind) {
      case COMMAND.ping:
        return this.#forward({ payload, kind: "one" });
      case COMMAND.query:
        return this.#query(payload);
      case COMMAND.useDatabase: {
        const name = textOf(payload.subarray(1));
        if (name === undefined) return this.#notText();
        return this.#judged(this.#useCommand(name));
      }
      case COMMAND.fieldList:
        return this.#fieldList(payload);
      case COMMAND.prepare:
        return this.#prepare(payload);
      case COMMAND.execute:
        return this.#execute(payload);
      case COMMAND.longData:
        return this.#longData(payload);
      case COMMAND.closeStatement:
        if (payload.length === 5 && this.#statements.delete(payload.readUInt32LE(1))) {
          this.#upstream?.tell(payload);
        }
        return;
      case COMMAND.resetStatement: {
        const statement =
          payload.length === 5 ? this.#statements.get(payload.readUInt32LE(1)) : undefined;
        if (statement === undefined)
          return this.#error(1, [1243, "HY000"], "unknown prepared statement");
        forget(statement);
        return this.#forward({ payload, kind: "one" });
      }
      case COMMAND.setOption:
        // Off it is, and off it stays.
        if (payload.length === 3 && payload.readUInt16LE(1) === 1) {
          this.#write(Buffer.from([5, 0, 0, 1, 0xfe, 0, 0, 2, 0]));
          return;
        }
        return this.#refuse("SET_OPTION");
      default:
        return this.#refuse(REFUSED[kind] ?? `0x${kind.toString(16)}`);
    }
  }

  #refuse(name: string): void {
    const { text } = this.#session.refuse({
      rule: "mysql.command",
      title: "This command is never passed on",
      reason: `COM_${name}`,
    });
    this.#error(1, UNKNOWN_COMMAND, text);
  }

  #notText(): void {
    this.#error(1, DENIED, "Cofferdam: a statement is text in UTF-8, and this is not");
  }

  #query(payload: Buffer): Promise<void> | void {
    const sql = textOf(payload.subarray(1));
    if (sql === undefined) return this.#notText();
    const key = repeatKey(sql, this.#database);
    if (key !== undefined && this.#session.repeats(key))
      return this.#forward({ payload, kind: "query" });
    const asking = { operation: { sql, database: this.#database } };
    return this.#judged({
      ...{ asking, payload, kind: "query" as const },
      ...(key === undefined ? {} : { key }),
      done: () => {
        const meaning = readStatement(sql, { database: undefined, hidden: [] });
        if (!("reason" in meaning) && meaning.uses !== undefined) this.#database = meaning.uses;
      },
    });
  }

  #useCommand(name: string): Command {
    return {
      asking: { operation: { sql: `USE ${quoted(name)}`, database: this.#database } },
      payload: Buffer.concat([Buffer.from([COMMAND.useDatabase]), Buffer.from(name)]),
      kind: "one",
      done: () => {
        this.#database = name;
      },
    };
  }

  /** Columns of one table, as an old client asks for them. */
  #fieldList(payload: Buffer): Promise<void> | void {
    const end = payload.indexOf(0);
    const table = end < 0 ? undefined : textOf(payload.subarray(1, end));
    if (table === undefined) return this.#notText();
    const operation = { sql: `SHOW COLUMNS FROM ${quoted(table)}`, database: this.#database };
    return this.#judged({ asking: { operation }, payload, kind: "list" });
  }

  async #prepare(payload: Buffer): Promise<void> {
    const sql = textOf(payload.subarray(1));
    if (sql === undefined) return this.#notText();
    if (this.#statements.size >= STATEMENTS_MAX) {
      return this.#error(1, [1461, "42000"], "too many prepared statements");
    }
    const meaning = readStatement(sql, { database: undefined, hidden: [] });
    if (!("reason" in meaning) && meaning.uses !== undefined) {
      // It would change by what later ones are judged, whenever it is executed.
      return this.#error(1, [1295, "HY000"], "USE is not prepared here");
    }
    const database = this.#database;
    const key = `prepare ${JSON.stringify([database, sql])}`;
    const done = () => {
      const { statement, parameters: count } = this.#upstream?.scanner ?? {
        statement: 0,
        parameters: 0,
      };
      this.#statements.set(statement, { sql, database, count, long: new Map(), longBytes: 0 });
    };
    if (this.#session.repeats(key)) {
      const reply = await this.#forwarded({ payload, kind: "prepare" });
      if (!reply.isError) done();
      return;
    }
    const asking = { operation: { sql, database, prepare: true } };
    await this.#judged({ asking, payload, kind: "prepare", key, done });
  }

  #longData(payload: Buffer): void {
    // COM_STMT_SEND_LONG_DATA: statement (4), parameter (2), bytes. It has no answer, not even a refusal.
    if (payload.length < 7) return;
    const statement = this.#statements.get(payload.readUInt32LE(1));
    const index = payload.readUInt16LE(5);
    if (statement === undefined || index >= statement.count) return;
    statement.longBytes += payload.length + PIECE_BYTES;
    if (statement.longBytes > this.#session.limits.spoolBytes) {
      this.#session.cut("a parameter is longer than what is kept");
      return;
    }
    const pieces = statement.long.get(index) ?? [];
    pieces.push(Buffer.from(payload.subarray(7)));
    statement.long.set(index, pieces);
  }

  #execute(payload: Buffer): Promise<void> | void {
    // COM_STMT_EXECUTE: statement (4), flags (1), iterations (4), parameters.
    const id = payload.length < 10 ? 0 : payload.readUInt32LE(1);
    const statement = this.#statements.get(id);
    if (statement === undefined)
      return this.#error(1, [1243, "HY000"], "unknown prepared statement");
    const { sql, database, count, types } = statement;
    const long = new Map([...statement.long].map(([at, pieces]) => [at, Buffer.concat(pieces)]));
    const parameters = readParameters(payload.subarray(10), count, types, long);
    forget(statement);
    if (parameters === undefined) {
      return this.#error(1, [1210, "HY000"], "Cofferdam: these parameters are not understood");
    }
    statement.types = parameters.types;
    const body = writeParameters(parameters);
    const head = Buffer.alloc(10); // No flags: all rows come at once, and no cursor stays.
    head[0] = COMMAND.execute;
    head.writeUInt32LE(id, 1);
    head.writeUInt32LE(1, 5 + 1);
    const sent = { payload: Buffer.concat([head, body]), kind: "query" as const };
    const key = `execute ${JSON.stringify([database, sql])}`;
    if (this.#session.repeats(key)) return this.#forward(sent);
    const operation = { sql, database, prepared: true };
    return this.#judged({ asking: { operation, body }, ...sent, key });
  }

  /** Judges what was asked, and does with it what was decided. */
  async #judged(command: Command): Promise<void> {
    let judged = await this.#session.judge(command.asking);
    if (judged.decision.verdict === "confirm") {
      const bound = this.#whyBound(judged);
      if (bound !== undefined) {
        const title = "This depends on the connection, and cannot wait for a person";
        const { text } = this.#session.refuse({ rule: "mysql.connection", title, reason: bound });
        return this.#error(1, DENIED, text);
      }
      const preview = await previewOf(this.#session, command.asking, this.#options);
      if (preview !== undefined) {
        judged = await this.#session.complete(judged, { ...command.asking, facts: { preview } });
      }
    }
    if (judged.decision.verdict === "confirm") return await this.#hold(judged);
    if (judged.decision.verdict !== "allow") {
      return this.#error(1, DENIED, `${this.#session.deny(judged).text}${whyUnknown(judged)}`);
    }
    if (command.key !== undefined) this.#session.remember(command.key, judged);
    let data: Readonly<Record<string, Json>> = { failure: "the connection ended" };
    try {
      const reply = await this.#forwarded(command);
      data = outcomeOf(reply);
      if (!reply.isError) command.done?.();
    } finally {
      await this.#session.outcome(judged, data);
    }
  }

  async #forward(command: Pick<Command, "payload" | "kind">): Promise<void> {
    await this.#forwarded(command);
  }

  async #forwarded({ payload, kind }: Pick<Command, "payload" | "kind">): Promise<MysqlReply> {
    const upstream = this.#upstream;
    if (upstream === undefined) throw new Error("there is a server");
    const { rows } = this.#options;
    const reply = await upstream.command(payload, kind, {
      write: (bytes) => {
        this.#isAnswering = true;
        this.#write(bytes);
      },
      ...(rows === undefined ? {} : { rowsMax: rows }),
      cut: (sequence) =>
        this.#error(
          sequence,
          FAILED,
          `Cofferdam: an answer has at most ${rows} rows here; ask for fewer (LIMIT)`,
        ),
    });
    this.#isAnswering = false;
    return reply;
  }

  async #hold(judged: Judged): Promise<void> {
    const session = this.#session;
    const resolution = await session.hold(judged);
    if (resolution.kind !== "answered") {
      const isPending = resolution.kind === "pending";
      const text = session.deny(judged, resolution).text;
      return this.#error(
        1,
        isPending ? WAITS : DENIED,
        isPending ? `${text} (${resolution.approval})` : text,
      );
    }
    const { body, isCut } = resolution.answer;
    if (isCut || !isOneReply(body)) {
      this.#error(
        1,
        FAILED,
        "Cofferdam: a person allowed it and it was done; its answer was not kept",
      );
    } else this.#write(body);
  }

  /** Why it cannot be done on another connection. */
  #whyBound({ asking, action }: Judged): string | undefined {
    const { operation } = asking;
    const sql =
      typeof operation === "object" && operation !== null && "sql" in operation
        ? operation["sql"]
        : "";
    if (typeof sql !== "string") return "it is no statement";
    if (action.parts?.every(({ effects }) => effects.every((one) => one === "read")) === true) {
      return "what only reads is granted, or it is not";
    }
    if (((this.#upstream?.scanner.status ?? 0) & MYSQL_STATUS.inTransaction) !== 0) {
      return "a transaction is open; commit it, and send the statement by itself";
    }
    return tokensOf(sql).some(({ kind, text }) => kind === "variable" && !text.startsWith("@@"))
      ? "it uses variables of this connection; write their values"
      : undefined;
  }
}

function forget(statement: Prepared): void {
  statement.long.clear();
  statement.longBytes = 0;
}
