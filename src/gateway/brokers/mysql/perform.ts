/**
 * Performs a stored operation on a connection of its own: a statement, a prepared one with its parameters, or the
 * statements that make or drop a user for one run. What the server answered is kept as it came.
 *
 * @module
 */
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { readMysqlLogin, readMysqlOperation, readMysqlOptions } from "../../../protocols/index.ts";
import type { Asked } from "../../collected-client.ts";
import type { Errand } from "../broker.ts";
import { openUpstream, type MysqlReply, type MysqlUpstream } from "./upstream.ts";

interface Done {
  readonly reply: MysqlReply;
  readonly body: Buffer;
  readonly isCut: boolean;
}

export async function performMysql(errand: Errand): Promise<Asked> {
  const { held, way, options, limits } = errand;
  const counted = () => ({ bytesOut: way.socket.bytesWritten, bytesIn: way.socket.bytesRead });
  try {
    const given = readMysqlOptions(options) ?? {};
    const login = readMysqlLogin(held.operation);
    const operation = readMysqlOperation(held.operation);
    if (login !== undefined) {
      const upstream = await openUpstream(errand, way, {});
      const done = await makeLogin(upstream, login.statements);
      return answered(done, counted());
    }
    if (operation === undefined)
      throw new Fault("mysql.operation", "the stored operation is none of MySQL");
    const { database: _, ...pinned } = given;
    const chosen = operation.database === null ? {} : { database: operation.database };
    const upstream = await openUpstream(errand, way, { ...pinned, ...chosen });
    upstream.socket.setTimeout(limits.exchangeIdleMs, () => upstream.socket.destroy());
    const done =
      operation.prepared === true
        ? await execute(
            upstream,
            operation.sql,
            held.body ?? Buffer.alloc(0),
            limits.keptAnswerBytes,
          )
        : await collected(
            upstream,
            Buffer.concat([Buffer.from([3]), Buffer.from(operation.sql)]),
            limits.keptAnswerBytes,
          );
    return answered(done, counted());
  } catch (error) {
    const code = isFault(error) ? error.code : "internal";
    return {
      outcome: { ...counted(), failure: { code, detail: describeError(error) } },
      answer: undefined,
    };
  }
}

function answered(
  { reply, body, isCut }: Done,
  outcome: { bytesOut: number; bytesIn: number },
): Asked {
  return { outcome, answer: { status: reply.isError ? 500 : 200, headers: [], body, isCut } };
}

async function collected(
  upstream: MysqlUpstream,
  payload: Buffer,
  bytesMax: number,
): Promise<Done> {
  const kept: Buffer[] = [];
  let left = bytesMax;
  const reply = await upstream.command(payload, "query", {
    write: (bytes) => {
      if (left > 0) kept.push(bytes.subarray(0, left));
      left -= bytes.length;
    },
  });
  return { reply, body: Buffer.concat(kept), isCut: left < 0 };
}

async function execute(
  upstream: MysqlUpstream,
  sql: string,
  block: Buffer,
  bytesMax: number,
): Promise<Done> {
  const kept: Buffer[] = [];
  const payload = Buffer.concat([Buffer.from([0x16]), Buffer.from(sql)]);
  const reply = await upstream.command(payload, "prepare", { write: (bytes) => kept.push(bytes) });
  if (reply.isError) return { reply, body: Buffer.concat(kept), isCut: false };
  const head = Buffer.alloc(10);
  head[0] = 0x17;
  head.writeUInt32LE(upstream.scanner.statement, 1);
  head.writeUInt32LE(1, 6);
  return await collected(upstream, Buffer.concat([head, block]), bytesMax);
}

/** All of them, or the first that failed; its text has no password in it. */
async function makeLogin(upstream: MysqlUpstream, statements: readonly string[]): Promise<Done> {
  let last: Done | undefined;
  for (const sql of statements) {
    const { reply } = await upstream.ask(sql);
    const text = reply.isError
      ? `the server refused it: ${reply.error.replace(/IDENTIFIED BY.*$/i, "...")}`
      : "";
    last = { reply, body: Buffer.from(text), isCut: false };
    if (reply.isError) {
      // Nothing half made stays: a user without all of its rights is dropped again.
      const user = /'([\w.-]+)'@'%'/.exec(sql)?.[1];
      const isNew = !/^CREATE USER/i.test(sql) && user !== undefined;
      if (isNew) await upstream.ask(`DROP USER IF EXISTS '${user}'@'%'`);
      return last;
    }
  }
  if (last === undefined) throw new Fault("mysql.operation", "there is nothing to do");
  return last;
}
