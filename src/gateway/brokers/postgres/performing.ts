/**
 * Performing a stored statement on a connection of its own, and finding what it would do before anybody says yes.
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { describeError, isFault } from "../../../base/index.ts";
import { postgres } from "../../../protocols/index.ts";
import { createRedactor } from "../../../vault/index.ts";
import type { Asked } from "../../collected-client.ts";
import type { Errand, Place, Way } from "../broker.ts";
import { cstring, errorMessage, int16, int32, message, R, T } from "./frames.ts";
import { failed } from "./scram.ts";
import { logIn, ServerError, type Answer, type Link } from "./login.ts";
import { previewOf } from "./preview.ts";

const KEPT: ReadonlySet<number> = new Set([
  ...[R.rowDescription, R.dataRow, R.commandComplete, R.emptyQuery, R.error],
  ...[R.copyOut, R.copyData, R.copyDone],
]);
const COPY_CHUNK = 1 << 16;

/** What one message asks for, over the extended protocol where it has parameters or formats. */
export function messagesOf(sql: string, operation: postgres.PostgresOperation): Buffer {
  const { parameters = [], types = [], results = [] } = operation;
  if (parameters.length === 0 && types.length === 0 && results.length === 0) {
    return message(T.query, sql);
  }
  const values = parameters.map((value) => {
    if (value === null) return int32(-1);
    const bytes =
      typeof value === "string" ? Buffer.from(value) : Buffer.from(value.base64, "base64");
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  const formats = parameters.map((value) =>
    int16(value === null || typeof value === "string" ? 0 : 1),
  );
  const oids = types.map((type) => int32(type | 0));
  return Buffer.concat([
    message(T.parse, "", sql, int16(types.length), ...oids),
    message(
      T.bind,
      "",
      "",
      ...[int16(formats.length), ...formats],
      ...[int16(values.length), ...values],
      ...[int16(results.length), ...results.map(int16)],
    ),
    message(T.describe, Buffer.of(0x50), cstring("")),
    message(T.execute, "", int32(0)),
    message(T.sync),
  ]);
}

/** Runs `sql` with what `operation` gives, and collects its answer. @throws {ServerError} */
export function ask(
  link: Link,
  sql: string,
  operation: postgres.PostgresOperation,
): Promise<Answer> {
  link.write(messagesOf(sql, { ...operation, results: [] }));
  return link.collect();
}

/** Logs in for an errand, looks the catalog up, does `act`, and leaves. */
export async function onErrand<Result>(
  place: Place,
  way: Way,
  act: (at: { readonly link: Link; readonly options: postgres.PostgresOptions }) => Promise<Result>,
): Promise<Result> {
  const options = postgres.optionsOf(place.options);
  const { link, socket } = await logIn(place, way, options, { application_name: "cofferdam" });
  try {
    return await act({ link, options });
  } finally {
    link.write(message(T.terminate));
    socket.end();
  }
}

/** What the database holds that the meaning of statements depends on. */
export async function lookUp(
  link: Link,
  options: postgres.PostgresOptions,
): Promise<postgres.Catalog> {
  const { rows: held } = await link.ask(
    "select pg_catalog.current_setting('search_path'), pg_catalog.current_setting('backslash_quote')",
  );
  const { search_path: path, backslash_quote: quote } = postgres.pinsOf({
    ...options,
    timeoutMs: 1,
  });
  if (held[0]?.[0] !== path || held[0]?.[1] !== quote) {
    throw failed("the server does not hold what a session begins with, as through a pooler");
  }
  // Held at the server's own schema: nothing of a user's is called by it.
  const sql = `begin; set local search_path = pg_catalog; ${postgres.catalogQuery(options)}`;
  const { rows } = await link.ask(sql);
  await link.ask("commit");
  return postgres.catalogOf(
    rows.map((row) => row.map((value) => value ?? "")),
    options,
  );
}

/** Everything that was looked up for a held operation, and what it would do. */
export async function factsOf(
  link: Link,
  options: postgres.PostgresOptions,
  operation: postgres.PostgresOperation,
): Promise<Readonly<Record<string, Json>>> {
  const catalog = await lookUp(link, options);
  const read = postgres.readSql(operation.sql, options, operation.prepared);
  const looked = postgres.factsFor(read.found, catalog) ?? {};
  return { ...looked, ...(await previewOf({ link, options, operation, read, looked })) };
}

/** Reads the facts of a stored operation again. */
export async function look(errand: Errand): Promise<Readonly<Record<string, Json>>> {
  const operation = postgres.readOperation(errand.held.operation);
  if (operation === undefined) return {};
  return onErrand(errand, errand.way, ({ link, options }) => factsOf(link, options, operation));
}

/** Performs a stored operation. Never rejects. */
export async function perform(errand: Errand): Promise<Asked> {
  const operation = postgres.readOperation(errand.held.operation);
  if (operation === undefined) return failure("gateway.protocol", "no operation of PostgreSQL");
  try {
    return await onErrand(errand, errand.way, ({ link }) => performed(errand, link, operation));
  } catch (error) {
    return failure(isFault(error) ? error.code : "internal", describeError(error));
  }
}

async function performed(
  errand: Errand,
  link: Link,
  operation: postgres.PostgresOperation,
): Promise<Asked> {
  const rows = rowsOf(errand.held.facts);
  const collector = new Collector(errand.limits.keptAnswerBytes);
  const request = messagesOf(operation.sql, operation);
  let isDone = true;
  try {
    // What was shown is one statement: it takes effect only where it is as it was shown.
    if (rows !== undefined) await link.ask("begin");
    link.write(request);
    const { body } = errand.held;
    const { tag } = await link.collect((frame) => {
      if (frame[0] === R.copyIn && body !== undefined) copyTo(link, body);
      collector.take(frame);
    });
    if (rows !== undefined) {
      const now = Number(/(\d+)$/.exec(tag)?.[1]);
      if (now === rows) await link.ask("commit");
      else {
        isDone = false;
        await link.ask("rollback");
        collector.replace(
          errorMessage({
            code: "40001",
            message: `Cofferdam: it was approved for ${rows} rows, and would now be ${now}: nothing was done`,
            hint: "ask again, and what it does now is shown",
          }),
        );
      }
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    isDone = false;
  }
  // What the server says may not bring back what we logged in with.
  const redactor = createRedactor(errand.way.lease?.secrets ?? []);
  const body = Buffer.concat([redactor.push(collector.bytes()), redactor.end()]);
  const status = isDone ? 200 : 500;
  const bytesOut = request.length + (errand.held.body?.length ?? 0);
  const redacted = redactor.found === 0 ? {} : { redacted: redactor.found };
  return {
    outcome: { status, bytesOut, bytesIn: body.length, ...redacted },
    answer: { status, headers: [], body, isCut: collector.isCut },
  };
}

function failure(code: string, detail: string): Asked {
  return { outcome: { bytesOut: 0, bytesIn: 0, failure: { code, detail } }, answer: undefined };
}

function copyTo(link: Link, body: Buffer): void {
  for (let at = 0; at < body.length; at += COPY_CHUNK) {
    link.write(message(T.copyData, body.subarray(at, at + COPY_CHUNK)));
  }
  link.write(message(T.copyDone));
}

/** Rows that were shown. */
function rowsOf(facts: Readonly<Record<string, Json>>): number | undefined {
  const { current } = facts;
  if (typeof current !== "object" || current === null || !("rows" in current)) return undefined;
  return typeof current["rows"] === "number" ? current["rows"] : undefined;
}

/** Keeps an answer's messages up to a size; rows beyond it are left out, and that is said. */
class Collector {
  readonly #max: number;
  #frames: Buffer[] = [];
  #size = 0;
  #left = 0;

  constructor(max: number) {
    this.#max = max;
  }

  take(frame: Buffer): void {
    const type = frame[0] ?? 0;
    if (!KEPT.has(type)) return;
    const isRow = type === R.dataRow || type === R.copyData;
    if (isRow && this.#size + frame.length > this.#max) {
      this.#left += 1;
      return;
    }
    this.#size += frame.length;
    this.#frames.push(Buffer.from(frame));
  }

  replace(frame: Buffer): void {
    this.#frames = [frame];
    this.#left = 0;
  }

  get isCut(): boolean {
    return this.#left > 0;
  }

  bytes(): Buffer {
    if (this.#left === 0) return Buffer.concat(this.#frames);
    const text = `Cofferdam: it was done; ${this.#left} rows of its answer were not kept`;
    const notice = message(R.notice, "SWARNING", "VWARNING", "C01000", `M${text}`, 0);
    return Buffer.concat([notice, ...this.#frames]);
  }
}
