/**
 * Logging in at the server, with what was leased; and the few queries that Cofferdam asks for itself.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { Fault } from "../../../base/index.ts";
import { postgres } from "../../../protocols/index.ts";
import type { Place, Way } from "../broker.ts";
import {
  BodyReader,
  cstring,
  FrameReader,
  int32,
  malformed,
  message,
  R,
  readFields,
  T,
} from "./frames.ts";
import { failed, SCRAM, ScramLogin } from "./scram.ts";

const PROTOCOL = 3 << 16;
const SSL_REQUEST = 80_877_103;
/** A message of the login, or of an answer to us. */
const LOGIN_BYTES_MAX = 1 << 16;
const ANSWER_BYTES_MAX = 16 << 20;

/** A session at the server that nobody used yet. */
export interface Upstream {
  readonly socket: Duplex;
  /** What the server says of itself: `server_version`, ... */
  readonly parameters: ReadonlyMap<string, string>;
  readonly processId: number;
  readonly secretKey: number;
  readonly link: Link;
}

/** Logs in. @throws {Fault} `gateway.login`, `gateway.protocol`, those of TLS. */
export async function logIn(
  place: Place,
  { socket: raw, lease }: Way,
  options: postgres.PostgresOptions,
  extra: Readonly<Record<string, string>> = {},
): Promise<Upstream> {
  const socket = place.grant.tls ? await startTls(place, raw) : raw;
  const attach = lease?.attach;
  const isLogin = attach?.kind === "login";
  if (attach !== undefined && !isLogin) throw failed("its credential is no login");
  const user = isLogin ? attach.user : options.user;
  if (user === undefined) throw failed("there is no credential, and the grant names no user");
  const pins = postgres.pinsOf({ path: options.path, timeoutMs: postgres.statementMs(options) });
  const parameters = { ...extra, ...pins, user, database: options.database };
  const link = new Link(socket, place.limits.exchangeIdleMs);
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [
    cstring(name),
    cstring(value),
  ]);
  const body = Buffer.concat([int32(PROTOCOL), ...pairs, Buffer.of(0)]);
  link.write(Buffer.concat([int32(body.length + 4), body]));
  const secrets = { user, password: isLogin ? attach.password : undefined };
  await authenticate(link, { ...secrets, isTls: place.grant.tls });
  return finish(link, socket);
}

export async function startTls(place: Place, raw: Way["socket"]): Promise<Duplex> {
  raw.write(Buffer.concat([int32(8), int32(SSL_REQUEST)]));
  const answer = await new Promise<number | undefined>((resolve) => {
    const timer = setTimeout(() => settle(undefined), place.limits.upstreamHandshakeMs);
    const settle = (byte: number | undefined) => {
      clearTimeout(timer);
      raw.removeListener("close", closed);
      raw.removeListener("readable", readable);
      resolve(byte);
    };
    const closed = () => settle(undefined);
    // More than the one byte would be spoken in the open, in TLS's place (CVE-2021-23222).
    const readable = () => {
      const chunk = raw.read() as Buffer | null;
      if (chunk !== null) settle(chunk.length === 1 ? chunk[0] : undefined);
    };
    raw.once("close", closed);
    raw.on("readable", readable);
  });
  if (answer !== 0x53) {
    throw new Fault("gateway.upstream_tls", "the database server does not speak TLS", {
      hint: "`tls: false` in the grant lets the login go in the open",
    });
  }
  return place.secure(raw);
}

interface Secrets {
  readonly user: string;
  readonly password: string | undefined;
  readonly isTls: boolean;
}

async function authenticate(link: Link, secrets: Secrets): Promise<void> {
  let scram: ScramLogin | undefined;
  let isProved = true;
  for (let steps = 0; steps < 8; steps += 1) {
    const frame = await link.next(LOGIN_BYTES_MAX);
    if (frame[0] === R.error) throw failed(errorOf(frame));
    if (frame[0] !== R.authentication) throw malformed("no answer to the login");
    const body = new BodyReader(frame.subarray(5));
    const kind = body.int32();
    const { password, user, isTls } = secrets;
    if (kind === 0) {
      if (!isProved) throw failed("the server let us in without its proof");
      return;
    }
    if (password === undefined)
      throw failed("the server wants a password, and there is no credential");
    if (kind === 10) {
      const offered = body.bytes(body.left).toString("latin1").split("\0");
      if (!offered.includes(SCRAM)) throw failed(`the server offers ${offered.join(" ")}`);
      scram = new ScramLogin(password);
      isProved = false;
      const first = Buffer.from(scram.first());
      link.write(message(T.password, SCRAM, int32(first.length), first));
    } else if (kind === 11 && scram !== undefined) {
      const final = scram.final(body.bytes(body.left).toString("latin1"));
      link.write(message(T.password, Buffer.from(final)));
    } else if (kind === 12 && scram !== undefined) {
      scram.verify(body.bytes(body.left).toString("latin1"));
      isProved = true;
    } else if (kind === 5) {
      const inner = md5(Buffer.from(password + user));
      link.write(
        message(T.password, `md5${md5(Buffer.concat([Buffer.from(inner), body.bytes(4)]))}`),
      );
    } else if (kind === 3) {
      if (!isTls) throw failed("the server wants the password in the open, without TLS");
      link.write(message(T.password, password));
    } else throw failed(`the server wants a login of kind ${kind}, which is not known`);
  }
  throw failed("the server asks again and again");
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** `message` of an ErrorResponse, without control characters. */
export function errorOf(frame: Buffer): string {
  const fields = readFields(frame.subarray(5));
  return `${fields["M"] ?? "an error"} (${fields["C"] ?? "?"})`
    .replaceAll(/\p{Cc}+/gu, " ")
    .slice(0, 300);
}

async function finish(link: Link, socket: Duplex): Promise<Upstream> {
  const parameters = new Map<string, string>();
  let processId = 0;
  let secretKey = 0;
  for (;;) {
    const frame = await link.next(LOGIN_BYTES_MAX);
    const body = new BodyReader(frame.subarray(5));
    if (frame[0] === R.error) throw failed(errorOf(frame));
    if (frame[0] === R.parameterStatus) {
      if (parameters.size < 100) parameters.set(body.text(), body.text());
    } else if (frame[0] === R.backendKey) {
      processId = body.int32();
      secretKey = body.int32();
    } else if (frame[0] === R.ready) break;
    else if (frame[0] !== R.notice) throw malformed("something else within the login");
  }
  for (const [name, value] of [
    ["client_encoding", "UTF8"],
    ["standard_conforming_strings", "on"],
  ] as const) {
    if (parameters.get(name) !== value) throw failed(`the server does not take ${name} = ${value}`);
  }
  return { socket, parameters, processId, secretKey, link };
}

/** An answer to a simple query of ours: rows of texts. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** `UPDATE 3`. */
  readonly tag: string;
}

/** Values of a DataRow, as texts. */
export function readRow(body: BodyReader): readonly (string | null)[] {
  return body.list(() => {
    const length = body.int32();
    return length < 0 ? null : body.bytes(length).toString("utf8");
  });
}

/** Rows of a kept answer; none where it is an error. @throws {Fault} `gateway.protocol` */
export function readRows(bytes: Buffer): readonly (readonly (string | null)[])[] {
  const reader = new FrameReader(() => bytes.length);
  reader.push(bytes);
  const rows: (readonly (string | null)[])[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    if (frame[0] === R.error) return [];
    if (frame[0] === R.dataRow) rows.push(readRow(new BodyReader(frame.subarray(5))));
  }
  return rows;
}

/** What the server says to a query of ours that it does not perform. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly frame: Buffer;

  constructor(frame: Buffer) {
    super(errorOf(frame));
    this.frame = frame;
  }
}

/** Messages of a server, one after the other, for as long as nobody else reads them. */
export class Link {
  readonly #socket: Duplex;
  readonly #idleMs: number;
  #limit = LOGIN_BYTES_MAX;
  readonly #reader = new FrameReader(() => this.#limit);
  #wake: (() => void) | undefined;
  #isOver = false;
  readonly #take = (chunk: Buffer) => {
    this.#reader.push(chunk);
    this.#wake?.();
  };
  readonly #end = () => {
    this.#isOver = true;
    this.#wake?.();
  };

  constructor(socket: Duplex, idleMs: number) {
    this.#socket = socket;
    this.#idleMs = idleMs;
    socket.on("data", this.#take);
    socket.on("close", this.#end);
    socket.on("error", this.#end);
    socket.resume();
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Reads again for as long as `act` goes on, while the one who reads otherwise does not. */
  async borrow<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#socket.on("data", this.#take);
    this.#socket.on("close", this.#end);
    this.#socket.resume();
    try {
      return await act();
    } finally {
      this.#socket.removeListener("data", this.#take);
      this.#socket.removeListener("close", this.#end);
    }
  }

  /** Stops reading; whoever reads next gets what comes then. */
  release(): void {
    if (this.#reader.waiting > 0) throw malformed("something that nobody asked for");
    this.#socket.pause();
    this.#socket.removeListener("data", this.#take);
    this.#socket.removeListener("close", this.#end);
  }

  /** The next message. @throws {Fault} `gateway.protocol` where there is none, or it is too long. */
  async next(limit = ANSWER_BYTES_MAX): Promise<Buffer> {
    this.#limit = limit;
    for (;;) {
      const frame = this.#reader.next();
      if (frame !== undefined) return frame;
      if (this.#isOver) throw malformed("the server closed the connection");
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(malformed("the server is silent")), this.#idleMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Asks `sql`, one statement or several; gives the last answer. @throws {ServerError} */
  async ask(sql: string): Promise<Answer> {
    this.write(message(T.query, sql));
    return this.collect();
  }

  /** Everything up to the server being ready. @throws {ServerError} */
  async collect(seen: (frame: Buffer) => void = () => {}): Promise<Answer> {
    let columns: string[] = [];
    let rows: (readonly (string | null)[])[] = [];
    let tag = "";
    let error: Buffer | undefined;
    let bytes = 0;
    for (;;) {
      const frame = await this.next();
      if (frame[0] === R.ready) break;
      bytes += frame.length;
      if (bytes > ANSWER_BYTES_MAX) throw malformed("an answer that is too long");
      seen(frame);
      const body = new BodyReader(frame.subarray(5));
      if (frame[0] === R.error) error = frame;
      else if (frame[0] === R.rowDescription) {
        rows = [];
        columns = body.list(() => {
          const name = body.text();
          body.bytes(18);
          return name;
        });
      } else if (frame[0] === R.dataRow) rows.push(readRow(body));
      else if (frame[0] === R.commandComplete) tag = body.text();
      else if (frame[0] === R.copyIn) this.write(message(T.copyFail, "there is nothing to copy"));
    }
    if (error !== undefined) throw new ServerError(error);
    return { columns, rows, tag };
  }
}
