/**
 * The broker of PostgreSQL.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Json } from "../../../action/index.ts";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { matchesObject, matchesVerb, type Grant } from "../../../policy/index.ts";
import { postgres } from "../../../protocols/index.ts";
import type { Judged, Session, SessionBroker } from "../broker.ts";
import { Answers } from "./answers.ts";
import { errorMessage, int32 } from "./frames.ts";
import { closeGently, readOpening, welcome } from "./greeting.ts";
import { denialError, Judge } from "./judging.ts";
import { logIn, ServerError, startTls, type Upstream } from "./login.ts";
import { factsOf, look, lookUp, onErrand, perform } from "./performing.ts";
import type { Waited, Waiting } from "./line.ts";
import { Refused, Relay } from "./relay.ts";

const CANCEL_REQUEST = 80_877_102;
/** Of what a role can do beyond its grant, this many are told. */
const TOLD_MAX = 50;

/** What a cancellation names, and what it stands for at the server. */
interface Living {
  readonly place: string;
  readonly key: number;
}

/** Loads the grammar first: once a process is sealed it cannot. */
export async function createPostgresBroker(): Promise<SessionBroker> {
  await postgres.loadGrammar();
  /** Sessions of this process, by the key that their agents were given: none but these can be cancelled. */
  const living = new Map<string, Living>();
  return {
    system: "postgres",
    look,
    perform,
    async serve(session) {
      const options = postgres.optionsOf(session.options);
      const opening = await readOpening(session, options);
      if (opening.kind === "cancel")
        return cancel(session, living.get(nameOf(opening)), opening.processId);
      const { client } = opening;
      client.on("error", () => {}); // Ends in its close.
      if (opening.kind === "refused") {
        const { rule, why } = opening;
        return refuse(session, client, new Refused(rule, why));
      }
      try {
        await serveStarted(session, { ...opening, options, living });
      } catch (error) {
        if (error instanceof Refused) refuse(session, client, error);
        else fail(client, session, error);
      }
      return undefined;
    },
  };
}

function nameOf({ processId, key }: { readonly processId: number; readonly key: number }): string {
  return `${processId} ${key}`;
}

const placeOf = ({ host, port }: Session) => `${host}:${port}`;

/** Passes a cancellation on, if the session that it names is one of ours; nobody is answered. */
async function cancel(
  session: Session,
  known: Living | undefined,
  processId: number,
): Promise<void> {
  if (known === undefined || known.place !== placeOf(session)) {
    session.because("a cancellation of no session here");
    session.client.destroy();
    return;
  }
  await sendCancel(session, processId, known.key);
  session.client.end();
}

async function sendCancel(session: Session, processId: number, key: number): Promise<void> {
  const { socket } = await session.connect();
  // In the open where the server takes it so: it holds no secret but the key of this one session.
  const way = session.grant.tls ? await startTls(session, socket) : socket;
  way.end(Buffer.concat([int32(16), int32(CANCEL_REQUEST), int32(processId), int32(key)]));
  await new Promise<void>((resolve) => {
    way.once("close", () => resolve());
    way.resume();
    setTimeout(() => resolve(), session.limits.connectMs).unref();
  });
}

/** Ends the session with what no statement can be. */
function refuse(session: Session, client: Duplex, { rule, message }: Refused): void {
  const told = session.refuse({ rule, title: "This is never granted", reason: message });
  const error = errorMessage({ severity: "FATAL", code: "0A000", message: told.text });
  closeGently(client, error, session.client);
}

function fail(client: Duplex, session: Session, error: unknown): void {
  const isOurs = error instanceof Fault;
  const text = isOurs ? error.message : "something went wrong";
  const said = isFault(error, "gateway.denied") ? text : `Cofferdam: ${text}`;
  session.because(isOurs ? error.code : "internal");
  session.log.info("gateway.postgres", { code: isOurs ? error.code : "internal" });
  const code = isFault(error, "gateway.denied") ? "28000" : "08006";
  closeGently(client, errorMessage({ severity: "FATAL", code, message: said }), session.client);
}

interface Started {
  readonly client: Duplex;
  readonly parameters: Readonly<Record<string, string>>;
  readonly before: Buffer;
  readonly options: postgres.PostgresOptions;
  readonly living: Map<string, Living>;
}

async function serveStarted(session: Session, started: Started): Promise<void> {
  const { client, options, living, parameters } = started;
  const way = await session.connect();
  const login = await session.judge({ operation: { sql: "", isLogin: true } });
  if (login.decision.verdict !== "allow") {
    const { text } = session.deny(login);
    return closeGently(client, denialError(text, undefined), session.client);
  }
  const upstream = await loggedIn(session, login, () => logIn(session, way, options, parameters));
  const judge = new Judge(session, options);
  judge.catalog = await lookUp(upstream.link, options);
  await session.outcome(login, await roleOf(upstream, session.grant));
  const key = randomInt(-0x80_00_00_00, 0x7f_ff_ff_ff);
  const name = nameOf({ processId: upstream.processId, key });
  living.set(name, { place: placeOf(session), key: upstream.secretKey });
  try {
    upstream.link.release();
    client.write(
      Buffer.concat([started.before, welcome(upstream.parameters, upstream.processId, key)]),
    );
    await relayed(session, { client, options, upstream, judge, secrets: way.lease?.secrets ?? [] });
  } finally {
    living.delete(name);
  }
}

async function loggedIn(
  session: Session,
  login: Judged,
  act: () => Promise<Upstream>,
): Promise<Upstream> {
  try {
    return await act();
  } catch (error) {
    await session.outcome(login, { code: isFault(error) ? error.code : "internal" });
    throw error;
  }
}

/** What the role can really do, beyond what was granted: the role is what contains. */
async function roleOf({ link }: Upstream, grant: Grant): Promise<Readonly<Record<string, Json>>> {
  const { rows } = await link.ask(
    `begin; set local search_path = pg_catalog; ${postgres.roleQuery()}`,
  );
  await link.ask("commit");
  const covers = (verb: string, object: readonly string[]) =>
    grant.rules.some(
      ({ verbs = [], on }) =>
        verbs.some((pattern) => matchesVerb(pattern, verb)) &&
        (on === undefined || on.some((glob) => matchesObject(glob, object))),
    );
  const { powers, members, tables } = postgres.differencesOf(
    rows.map((row) => row.map((value) => value ?? "")),
    covers,
  );
  const isBeyond = powers.length + members.length + tables.length > 0;
  return {
    loggedIn: true,
    ...(isBeyond
      ? {
          beyondGrant: {
            powers,
            members,
            tables: tables.slice(0, TOLD_MAX),
            tableCount: tables.length,
          },
        }
      : {}),
  };
}

/** As a server that is told to end a session has it: 57P01, admin_shutdown. */
function terminated(text: string): Buffer {
  return errorMessage({ severity: "FATAL", code: "57P01", message: `Cofferdam: ${text}` });
}

interface Parts {
  readonly client: Duplex;
  readonly options: postgres.PostgresOptions;
  readonly upstream: Upstream;
  readonly judge: Judge;
  readonly secrets: readonly string[];
}

function relayed(session: Session, parts: Parts): Promise<void> {
  const { client, options, upstream, judge, secrets } = parts;
  const { socket: server, link } = upstream;
  return new Promise<void>((resolve, reject) => {
    const answers = new Answers({
      client,
      server,
      secrets,
      rows: options.rows,
      isHiding: options.hide.length > 0,
      cancel: () => sendCancel(session, upstream.processId, upstream.secretKey).catch(() => {}),
      outcome: (judged, data) => {
        session.outcome(judged, data).catch((error: unknown) => over(error));
      },
      broken: (error) => over(error),
    });
    const relay = new Relay({
      ...{ session, client, server, answers, judge },
      lookUp: async () => {
        server.removeListener("data", heard);
        judge.catalog = await link.borrow(() => lookUp(link, options));
        server.on("data", heard);
      },
      wait: (waiting) => waitFor(session, waiting, options),
    });
    session.lastWord = (text) => {
      if (!answers.isBetween) return false;
      closeGently(client, terminated(text), session.client);
      return true;
    };
    let isOver = false;
    const over = (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      answers.close();
      server.destroy();
      if (error === undefined) {
        client.end();
        resolve();
      } else reject(error instanceof Error ? error : new Error("broken"));
    };
    const heard = (chunk: Buffer) => answers.take(chunk);
    server.on("data", heard);
    server.once("close", () => over());
    server.on("error", () => over());
    client.on("data", (chunk: Buffer) => relay.take(chunk));
    client.once("close", () => over());
    relay.onBroken = over;
    server.resume();
    client.resume();
  });
}

/** Shows a person what it would do, and has them decide. */
async function waitFor(
  session: Session,
  { judged: first, operation, body }: Waiting,
  options: postgres.PostgresOptions,
): Promise<Waited> {
  const facts = await lookAhead(session, options, operation);
  if (typeof facts === "string") return { isAnswer: false, frames: denialError(facts, undefined) };
  const judged = await session.complete(first, {
    operation,
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
    ...(body === undefined ? {} : { body }),
  });
  if (judged.decision.verdict !== "confirm") {
    if (judged.decision.verdict === "allow") await session.outcome(judged, { code: "changed" });
    return { isAnswer: false, frames: denialError(session.deny(judged).text, judged.action) };
  }
  const resolution = await session.hold(judged);
  if (resolution.kind === "answered") return { isAnswer: true, frames: resolution.answer.body };
  const hint =
    resolution.kind === "pending"
      ? `this is approval ${resolution.approval}; send the very same statement again later, and you get its answer`
      : undefined;
  return {
    isAnswer: false,
    frames: denialError(session.deny(judged, resolution).text, undefined, hint),
  };
}

/** What it would do; or why that cannot be told, and then nobody decides over it. */
async function lookAhead(
  session: Session,
  options: postgres.PostgresOptions,
  operation: postgres.PostgresOperation,
): Promise<Readonly<Record<string, Json>> | string> {
  try {
    return await onErrand(session, await session.connect(), ({ link }) =>
      factsOf(link, options, operation),
    );
  } catch (error) {
    if (!isFault(error) && !(error instanceof ServerError)) throw error;
    const title = "What waits for a person has to be looked at before";
    const reason = `and that failed: ${describeError(error)}`;
    return session.refuse({ rule: "postgres.look", title, reason }).text;
  }
}
