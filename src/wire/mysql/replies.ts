/**
 * Answers of a MySQL server to commands: where each ends, without holding it (https://mariadb.com/kb/en/result-set-packets/).
 * EOF packets end lists here: CLIENT_DEPRECATE_EOF is never asked for.
 *
 *     query:   OK | ERR | count of columns, that many columns, EOF, rows, EOF | ERR; again where the status says so
 *     prepare: ERR | OK with counts, parameters, EOF, columns, EOF
 *     list:    columns, EOF | ERR
 *     one:     OK | ERR
 *
 * @module
 */
import { MYSQL_HEADER_BYTES, MysqlValues, mysqlRefused } from "./packets.ts";

export type MysqlReplyKind = "query" | "prepare" | "list" | "one";

export const MYSQL_STATUS = { inTransaction: 0x1, autocommit: 0x2, moreResults: 0x8 } as const;

const HEAD_BYTES = 128; // Of a payload, what may have to be looked at.
const SPLIT_BYTES = 0xffffff;
const [OK, LOCAL, EOF, ERR] = [0x00, 0xfb, 0xfe, 0xff];

/** What a reply came to. */
export interface MysqlReplied {
  /** Bytes of it that were looked at. */
  readonly end: number;
  readonly isWhole: boolean;
  /** The bytes begin a row beyond the limit at `end`; nothing from there on is for the client. */
  readonly isOverLimit: boolean;
}

type State =
  | "first"
  | "columns"
  | "columns-end"
  | "rows"
  | "parameters"
  | "parameters-end"
  | "whole";

/** Follows one reply. */
export class MysqlReplyScanner {
  /** What the server says of its session, as last heard. */
  status: number = MYSQL_STATUS.autocommit;
  isError = false;
  /** Of an error: its number and text. */
  error = "";
  rows = 0;
  affected = 0;
  /** Of a prepared statement. */
  statement = 0;
  parameters = 0;
  /** Sequence of the packet before. */
  sequence = 0;
  #state: State = "whole";
  #kind: MysqlReplyKind = "one";
  #rowsMax = Number.POSITIVE_INFINITY;
  #columns = 0;
  #left = 0;
  /** Bytes of a packet that are to come, and need not be looked at. */
  #skips = 0;
  #isContinued = false;

  /** A command was sent. */
  begin(kind: MysqlReplyKind, rowsMax = Number.POSITIVE_INFINITY): void {
    this.#kind = kind;
    this.#rowsMax = rowsMax;
    this.#state = kind === "list" ? "columns" : "first";
    this.#left = Number.POSITIVE_INFINITY;
    this.isError = false;
    this.error = "";
    this.rows = 0;
    this.affected = 0;
  }

  /**
   * Reads `bytes` from `from` to the end of the reply, or to their own.
   *
   * @throws {Fault} `mysql.packet`: no reply, or one that asks for a file.
   */
  scan(bytes: Buffer, from: number): MysqlReplied {
    let at = from;
    while (at < bytes.length) {
      if (this.#skips > 0) {
        const step = Math.min(this.#skips, bytes.length - at);
        this.#skips -= step;
        at += step;
        if (this.#skips === 0 && this.#isOver) break;
        continue;
      }
      if (this.#isOver) throw mysqlRefused("the server answered what nobody asked");
      const has = bytes.length - at - MYSQL_HEADER_BYTES;
      const length = has < 0 ? 0 : bytes.readUIntLE(at, 3);
      const looked = Math.min(length, HEAD_BYTES);
      // What is not looked at yet is not the client's yet.
      if (has < looked) return { end: at, isWhole: false, isOverLimit: false };
      const head = bytes.subarray(at + MYSQL_HEADER_BYTES, at + MYSQL_HEADER_BYTES + looked);
      this.sequence = bytes[at + 3] ?? 0;
      if (!this.#isContinued) {
        const [first = -1] = head;
        const isRow = this.#state === "rows" && first !== ERR && !isEnd(first, length);
        if (isRow && this.rows >= this.#rowsMax) {
          return { end: at, isWhole: false, isOverLimit: true };
        }
        this.#packet(head, length);
      }
      this.#isContinued = length === SPLIT_BYTES;
      const end = at + MYSQL_HEADER_BYTES + length;
      this.#skips = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
      if (this.#skips === 0 && this.#isOver) break;
    }
    return { end: at, isWhole: this.#skips === 0 && this.#isOver, isOverLimit: false };
  }

  /** There may be more rows, but none for the client. */
  lift(): void {
    this.#rowsMax = Number.POSITIVE_INFINITY;
  }

  get #isOver(): boolean {
    return this.#state === "whole" && !this.#isContinued;
  }

  #packet(head: Buffer, length: number): void {
    const [first = -1] = head;
    if (length === 0) throw mysqlRefused("an answer with nothing in it");
    const isError = first === ERR;
    switch (this.#state) {
      case "first":
        if (isError) this.#failed(head);
        else if (this.#kind === "prepare") this.#prepared(head);
        else if (first === OK) this.#ok(head);
        else if (this.#kind === "one" || first === EOF)
          throw mysqlRefused("an answer of another form");
        else if (first === LOCAL) throw mysqlRefused("the server asks for a file of the client");
        else {
          this.#columns = new MysqlValues(head).length();
          if (this.#columns === 0 || this.#columns > 0xffff)
            throw mysqlRefused("a count of columns that is none");
          this.#left = this.#columns;
          this.#state = "columns";
        }
        return;
      case "columns":
        if (this.#kind === "list") {
          if (isError) this.#failed(head);
          else if (isEnd(first, length)) this.#ends(head);
          return;
        }
        if (isError) {
          this.#failed(head);
          return;
        }
        this.#left -= 1;
        if (this.#left === 0) this.#state = "columns-end";
        return;
      case "columns-end":
        if (!isEnd(first, length)) throw mysqlRefused("columns without an end");
        this.status = head.length >= 5 ? head.readUInt16LE(3) : this.status;
        this.#state = this.#kind === "prepare" ? "whole" : "rows";
        return;
      case "rows":
        if (isError) this.#failed(head);
        else if (isEnd(first, length)) this.#ends(head);
        else this.rows += 1;
        return;
      case "parameters":
        this.#left -= 1;
        if (this.#left === 0) this.#state = "parameters-end";
        return;
      case "parameters-end":
        if (!isEnd(first, length)) throw mysqlRefused("parameters without an end");
        this.#toColumns();
        return;
      default:
        throw mysqlRefused("the server answered what nobody asked");
    }
  }

  #failed(head: Buffer): void {
    this.isError = true;
    this.#state = "whole";
    if (head.length < 3) throw mysqlRefused("an error without a number");
    this.error = `${head.readUInt16LE(1)} ${head.toString("utf8", head[3] === 0x23 ? 9 : 3)}`;
  }

  #ok(head: Buffer): void {
    const values = new MysqlValues(head, 1);
    this.affected += values.length();
    values.length();
    this.status = values.number(2);
    this.#state =
      this.#kind === "query" && (this.status & MYSQL_STATUS.moreResults) !== 0 ? "first" : "whole";
  }

  #ends(head: Buffer): void {
    this.status = head.length >= 5 ? head.readUInt16LE(3) : this.status;
    const hasMore = this.#kind === "query" && (this.status & MYSQL_STATUS.moreResults) !== 0;
    this.#state = hasMore ? "first" : "whole";
  }

  #prepared(head: Buffer): void {
    const values = new MysqlValues(head);
    if (values.number(1) !== OK) throw mysqlRefused("an answer of another form");
    this.statement = values.number(4);
    this.#columns = values.number(2);
    this.parameters = values.number(2);
    this.#left = this.parameters;
    if (this.parameters > 0) this.#state = "parameters";
    else this.#toColumns();
  }

  #toColumns(): void {
    this.#left = this.#columns;
    this.#state = this.#columns > 0 ? "columns" : "whole";
  }
}

const isEnd = (first: number, length: number) => first === EOF && length < 9;
