/**
 * Commands of MySQL clients by their numbers, and what is told of each.
 *
 * @module
 */
import { UNKNOWN_VERB, type Json } from "../../../action/index.ts";
import { MysqlReplyScanner } from "../../../wire/index.ts";
import type { Judged } from "../broker.ts";
import type { MysqlReply } from "./upstream.ts";

/** Numbers and states of errors that clients know. */
export const DENIED = [1142, "42000"] as const;
export const WAITS = [1644, "45000"] as const;
/** ER_CONNECTION_KILLED of MariaDB. */
export const KILLED = [1927, "70100"] as const;
export const UNKNOWN_COMMAND = [1047, "08S01"] as const;
export const FAILED = [1105, "HY000"] as const;

export const COMMAND = {
  quit: 0x01,
  useDatabase: 0x02,
  query: 0x03,
  fieldList: 0x04,
  ping: 0x0e,
  prepare: 0x16,
  execute: 0x17,
  longData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  setOption: 0x1b,
} as const;
/** What is never passed on, by its name. */
export const REFUSED: Readonly<Record<number, string>> = {
  0x05: "CREATE_DB",
  0x06: "DROP_DB",
  0x07: "REFRESH",
  0x08: "SHUTDOWN",
  0x09: "STATISTICS",
  0x0a: "PROCESS_INFO",
  0x0c: "PROCESS_KILL",
  0x0d: "DEBUG",
  0x11: "CHANGE_USER",
  0x12: "BINLOG_DUMP",
  0x13: "TABLE_DUMP",
  0x14: "CONNECT_OUT",
  0x15: "REGISTER_SLAVE",
  0x1c: "STMT_FETCH",
  0x1d: "DAEMON",
  0x1e: "BINLOG_DUMP_GTID",
  0x1f: "RESET_CONNECTION",
  0x20: "CLONE",
  0xfa: "STMT_BULK_EXECUTE",
  0xfe: "MULTI",
};

/** What the record says of a reply. */
export function outcomeOf({
  isError,
  error,
  rows,
  affected,
  isCut,
}: MysqlReply): Readonly<Record<string, Json>> {
  if (isError) return { answer: "error", error: error.slice(0, 200) };
  return { answer: "ok", rows, affected, ...(isCut ? { cut: true } : {}) };
}

/** `bytes` as text; `undefined` where they are not UTF-8: a server would read them by another character set. */
export function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** `name` as a statement has it. */
export const quoted = (name: string) => `\`${name.replaceAll("`", "``")}\``;

/** What was not understood, where that is why it was denied. */
export function whyUnknown({ action: { verb, fields } }: Judged): string {
  return verb === UNKNOWN_VERB && typeof fields["reason"] === "string"
    ? `: ${fields["reason"]}`
    : "";
}

/** Whether `bytes` are one whole reply to a statement, as it comes after a command. */
export function isOneReply(bytes: Buffer): boolean {
  try {
    const scanner = new MysqlReplyScanner();
    scanner.begin("query");
    const { end, isWhole } = scanner.scan(bytes, 0);
    return isWhole && end === bytes.length && bytes[3] === 1;
  } catch {
    return false;
  }
}
