/**
 * A connection to the real MariaDB or MySQL: logged in with the leased credential, and pinned, so that a text means
 * there what it means to us.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Fault } from "../../../base/index.ts";
import type { MysqlOptions } from "../../../protocols/index.ts";
import {
  createRedaction,
  type Lease,
  type Redaction,
  type Redactor,
} from "../../../vault/index.ts";
import {
  MYSQL_CAN,
  mysqlPacket,
  MysqlPacketReader,
  MysqlReplyScanner,
  nativeProof,
  readMysqlGreeting,
  sealedPassword,
  sha2Proof,
  writeMysqlAnswer,
  type MysqlGreeting,
  type MysqlReplyKind,
} from "../../../wire/index.ts";
import type { Place, Way } from "../broker.ts";

const LOGIN_BYTES_MAX = 65_536;
const LOGIN_STEPS_MAX = 8;
/** What a session is pinned to: strings and comments are read as sql-lexer.ts reads them. */
const MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";
const WANTED =
  MYSQL_CAN.longPassword |
  MYSQL_CAN.longFlag |
  MYSQL_CAN.protocol41 |
  MYSQL_CAN.transactions |
  MYSQL_CAN.secureConnection |
  MYSQL_CAN.multiResults |
  MYSQL_CAN.preparedMultiResults |
  MYSQL_CAN.pluginAuth;

/** What became of one command. */
export interface MysqlReply {
  readonly isError: boolean;
  readonly error: string;
  readonly rows: number;
  readonly affected: number;
  /** There were more rows than may be. */
  readonly isCut: boolean;
}

/** Where the bytes of a reply go. */
export interface MysqlSink {
  write(bytes: Buffer): void;
  /** Rows of one answer that are passed on. */
  readonly rowsMax?: number;
  /** What the client is told where there are more; `sequence` is the next packet's. */
  cut?(sequence: number): void;
}

interface Exchange {
  readonly sink: MysqlSink;
  resolve(reply: MysqlReply): void;
  reject(error: Error): void;
}

export class MysqlUpstream {
  readonly socket: Socket;
  readonly version: string;
  readonly scanner = new MysqlReplyScanner();
  readonly #redactor: Redactor;
  readonly #redaction: Redaction;
  #exchange: Exchange | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #isCut = false;
  #failure: Error | undefined;

  constructor(socket: Socket, version: string, secrets: readonly string[]) {
    this.socket = socket;
    this.version = version;
    this.#redaction = createRedaction(secrets);
    this.#redactor = this.#redaction.stream();
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {}); // Ends in its close.
    socket.once("close", () => this.#fail(new Fault("mysql.upstream", "the server hung up")));
    socket.resume();
  }

  /** Sends a command that has no answer. */
  tell(payload: Buffer): void {
    this.socket.write(mysqlPacket(0, payload));
  }

  /**
   * Sends a command, and passes on its reply.
   *
   * @throws {Fault} `mysql.upstream`, `mysql.packet`
   */
  command(payload: Buffer, kind: MysqlReplyKind, sink: MysqlSink): Promise<MysqlReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.scanner.begin(kind, sink.rowsMax);
      this.#isCut = false;
      this.#exchange = { sink, resolve, reject };
      this.socket.write(mysqlPacket(0, payload));
    });
  }

  /** Sends a query of ours, and keeps at most `bytesMax` of the reply. @throws {Fault} */
  async ask(
    sql: string,
    bytesMax = LOGIN_BYTES_MAX,
  ): Promise<{ reply: MysqlReply; bytes: Buffer }> {
    const kept: Buffer[] = [];
    let left = bytesMax;
    const write = (bytes: Buffer) => {
      if (left > 0) kept.push(bytes.subarray(0, left));
      left -= bytes.length;
    };
    const payload = Buffer.concat([Buffer.from([0x03]), Buffer.from(sql)]);
    const reply = await this.command(payload, "query", { write });
    if (left < 0) throw new Fault("mysql.upstream", "the server answered more than is kept");
    return { reply, bytes: Buffer.concat(kept) };
  }

  #take(chunk: Buffer): void {
    try {
      this.#read(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Fault("mysql.upstream", "no reply"));
    }
  }

  #read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const { end, isWhole, isOverLimit } = this.scanner.scan(bytes, at);
      const sink = this.#exchange?.sink;
      if (!this.#isCut) {
        const seen = this.#redactor.push(bytes.subarray(at, end));
        if (seen.length > 0) sink?.write(seen);
      }
      at = end;
      if (isWhole) {
        this.#ended();
        continue;
      }
      if (!isOverLimit) break;
      this.#flush(sink);
      this.#isCut = true;
      sink?.cut?.(this.scanner.sequence);
      this.scanner.lift();
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** A text may have ended with what could begin a secret. */
  #flush(sink: MysqlSink | undefined): void {
    const held = this.#redactor.end();
    if (held.length > 0) sink?.write(held);
  }

  #ended(): void {
    const exchange = this.#exchange;
    if (!this.#isCut) this.#flush(exchange?.sink);
    this.#exchange = undefined;
    const { isError, rows, affected } = this.scanner;
    const error = this.#redaction.text(this.scanner.error);
    exchange?.resolve({ isError, error, rows, affected, isCut: this.#isCut });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.socket.destroy();
    this.#exchange?.reject(error);
    this.#exchange = undefined;
  }
}

/**
 * Speaks TLS where the grant says so, logs in and pins the session.
 *
 * @throws {Fault} `mysql.login`, `mysql.tls`, `mysql.packet`, and those of `secure`
 */
export async function openUpstream(
  place: Place,
  way: Way,
  options: MysqlOptions,
  /** Hears the client out once the server has told its version; whether matched rows are counted, not changed ones. */
  meet: (version: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<MysqlUpstream> {
  const { lease } = way;
  const login = loginOf(lease);
  const dialogue = new Dialogue(way.socket, place.limits.connectMs);
  const greeting = await greetingOf(dialogue);
  const capabilities = (WANTED | ((await meet(greeting.version)) ? MYSQL_CAN.foundRows : 0)) >>> 0;
  let sequence = 1;
  let talk = dialogue;
  if (place.grant.tls) {
    if ((greeting.capabilities & MYSQL_CAN.tls) === 0) {
      throw new Fault("mysql.tls", "the server speaks no TLS", {
        hint: "say tls: false in the grant",
      });
    }
    dialogue.send(writeMysqlAnswer({ sequence, capabilities: capabilities | MYSQL_CAN.tls }));
    sequence += 1;
    dialogue.leave();
    talk = new Dialogue(await place.secure(way.socket), place.limits.connectMs);
  }
  const { user, password } = login;
  const plugin =
    greeting.plugin === "caching_sha2_password" ? greeting.plugin : "mysql_native_password";
  const proof = proofOf(plugin, password, greeting.scramble);
  talk.send(
    writeMysqlAnswer({
      sequence,
      capabilities: place.grant.tls ? capabilities | MYSQL_CAN.tls : capabilities,
      login: { user, proof, plugin },
    }),
  );
  await proved(talk, {
    greeting,
    plugin,
    password,
    isTls: place.grant.tls,
    key: options.server_key,
  });
  talk.leave();
  const upstream = new MysqlUpstream(talk.socket, greeting.version, lease?.secrets ?? []);
  await pin(upstream, options);
  return upstream;
}

async function greetingOf(dialogue: Dialogue): Promise<MysqlGreeting> {
  const { payload } = await dialogue.read();
  if (payload[0] === 0xff) {
    throw new Fault("mysql.login", "the server took no connection", {
      hint: payload
        .toString("latin1", 3)
        .replaceAll(/[^ -~]/g, " ")
        .slice(0, 200),
    });
  }
  return readMysqlGreeting(payload);
}

function loginOf(lease: Lease | undefined): { readonly user: string; readonly password: string } {
  if (lease?.attach.kind !== "login") {
    throw new Fault("mysql.login", "the grant has no login for the server", {
      hint: "add one to the vault (--kind login --scheme mysql), and name it as the grant's credential",
    });
  }
  const { user, password } = lease.attach;
  if (user.includes("\0") || password.includes("\0"))
    throw new Fault("mysql.login", "the login has a NUL in it");
  return { user, password };
}

function proofOf(plugin: string, password: string, scramble: Buffer): Buffer {
  if (plugin === "mysql_native_password") return nativeProof(password, scramble);
  if (plugin === "caching_sha2_password") return sha2Proof(password, scramble);
  // mysql_clear_password and dialog would hand the password over as it is.
  throw new Fault(
    "mysql.login",
    `the server wants the password by ${plugin.replaceAll(/[^\w]/g, "?")}`,
    {
      hint: "give the user mysql_native_password or caching_sha2_password",
    },
  );
}

interface Proving {
  readonly greeting: MysqlGreeting;
  readonly plugin: string;
  readonly password: string;
  readonly isTls: boolean;
  readonly key: string | undefined;
}

/** Answers what the server asks until it has let us in. */
async function proved(talk: Dialogue, proving: Proving): Promise<void> {
  const { password, isTls, key } = proving;
  let { plugin } = proving;
  let scramble = proving.greeting.scramble;
  for (let step = 0; step < LOGIN_STEPS_MAX; step += 1) {
    const { payload, sequence } = await talk.read();
    const [first] = payload;
    if (first === 0x00) return;
    if (first === 0xff) {
      throw new Fault("mysql.login", "the server did not take the credential", {
        hint: "see whether the vault's login is right, and may log in from here",
      });
    }
    if (first === 0xfe) {
      const [name = "", ...rest] = payload.toString("latin1", 1).split("\0");
      plugin = name;
      scramble = Buffer.from(rest.join("\0"), "latin1").subarray(0, 20);
      talk.sendPacket(sequence + 1, proofOf(plugin, password, scramble));
      continue;
    }
    if (first !== 0x01 || plugin !== "caching_sha2_password") break;
    if (payload[1] === 3) continue; // It knew the password; OK follows.
    if (payload[1] !== 4) break;
    // Over TLS to a server that proved who it is; else sealed for its key, if that is known.
    if (isTls) talk.sendPacket(sequence + 1, Buffer.from(`${password}\0`));
    else if (key !== undefined)
      talk.sendPacket(sequence + 1, sealedPassword(password, scramble, key));
    else {
      throw new Fault(
        "mysql.login",
        "the server wants the whole password, which goes over TLS only",
        {
          hint: "say tls: true in the grant, or with: { server_key: PEM of the server's RSA key }",
        },
      );
    }
  }
  throw new Fault("mysql.login", "the server asks for what is not understood");
}

/** @throws {Fault} `mysql.login` where the server does not take it: then texts could mean something else there. */
async function pin(upstream: MysqlUpstream, options: MysqlOptions): Promise<void> {
  const isMaria = /mariadb/i.test(upstream.version);
  const { seconds, rows, database } = options;
  const statements = [
    `SET NAMES utf8mb4`,
    `SET SESSION sql_mode = '${MODE}'`,
    ...(seconds === undefined
      ? []
      : [
          isMaria
            ? `SET SESSION max_statement_time = ${seconds}`
            : `SET SESSION max_execution_time = ${Math.round(seconds * 1000)}`,
        ]),
    ...(rows === undefined ? [] : [`SET SESSION sql_select_limit = ${rows + 1}`]),
    ...(database === undefined ? [] : [`USE \`${database.replaceAll("`", "``")}\``]),
  ];
  for (const sql of statements) {
    const { reply } = await upstream.ask(sql);
    if (reply.isError) {
      throw new Fault("mysql.login", `the server did not take: ${sql}`, {
        hint: reply.error.slice(0, 200),
      });
    }
  }
}

/** Packets in turns, before there are commands. */
class Dialogue {
  readonly socket: Socket;
  readonly #reader = new MysqlPacketReader(LOGIN_BYTES_MAX);
  readonly #timer: NodeJS.Timeout;
  #waiting: { resolve(): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;
  readonly #onData = (chunk: Buffer) => {
    this.#reader.push(chunk);
    this.#waiting?.resolve();
  };
  readonly #onClose = () => this.#fail("the server hung up");

  constructor(socket: Socket, timeoutMs: number) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.#timer = setTimeout(() => this.#fail("no answer in time"), timeoutMs);
    socket.on("data", this.#onData).on("close", this.#onClose).on("error", this.#onClose);
    socket.resume();
  }

  #fail(reason: string): void {
    this.#failure ??= new Fault("mysql.login", `logging in failed: ${reason}`);
    this.#waiting?.reject(this.#failure);
  }

  async read(): Promise<{ payload: Buffer; sequence: number }> {
    for (;;) {
      const packet = this.#reader.next();
      if (packet !== undefined && packet.payload.length > 0) return packet;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    }
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  sendPacket(sequence: number, payload: Buffer): void {
    this.send(mysqlPacket(sequence, payload));
  }

  /** Nothing more is read; what was said ahead would be somebody else's. @throws {Fault} `mysql.login` */
  leave(): void {
    clearTimeout(this.#timer);
    this.socket.pause();
    this.socket.off("data", this.#onData).off("close", this.#onClose).off("error", this.#onClose);
    if (this.#reader.waiting > 0) throw new Fault("mysql.login", "the server spoke out of turn");
  }
}
