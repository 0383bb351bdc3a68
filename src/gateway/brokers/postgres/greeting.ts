/**
 * How an agent's connection begins: TLS or not, a cancellation, or a start-up message. Whoever it says it is, it
 * holds nothing: any login is accepted.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { postgres } from "../../../protocols/index.ts";
import { acceptTls } from "../../tls-front.ts";
import type { Session } from "../broker.ts";
import { BodyReader, malformed, message, R } from "./frames.ts";

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const STARTUP_BYTES_MAX = 10_000; // As the server has it (MAX_STARTUP_PACKET_LENGTH).
const TLS_HANDSHAKE = 0x16;
/** Asks for protocol extensions that there are none of. */
const EXTENSION = /^_pq_\./;

export type Opening =
  | { readonly kind: "cancel"; readonly processId: number; readonly key: number }
  | {
      readonly kind: "start";
      readonly client: Duplex;
      /** What it wants set, of what is harmless. */
      readonly parameters: Readonly<Record<string, string>>;
      /** Messages that go before AuthenticationOk. */
      readonly before: Buffer;
    }
  | {
      readonly kind: "refused";
      readonly client: Duplex;
      readonly rule: string;
      readonly why: string;
    };

/**
 * Reads how the connection begins. TLS is spoken where the grant has it, as at the server itself: where that is in the
 * open, TLS up to here would keep nothing from anybody, and costs more than all the rest (decision 0305).
 *
 * @throws {Fault} `gateway.protocol`, `gateway.handshake`
 */
export async function readOpening(
  session: Session,
  options: postgres.PostgresOptions,
): Promise<Opening> {
  let client: Duplex = session.client;
  let canSecure = session.grant.tls;
  for (let steps = 0; steps < 4; steps += 1) {
    const first = await readPart(client, session.limits.firstBytesMs, canSecure);
    if (first === "tls") {
      client = await secure(session, ["postgresql"]);
      canSecure = false;
      continue;
    }
    const reader = new BodyReader(first);
    const code = reader.int32();
    if (code === SSL_REQUEST && canSecure) {
      session.client.write("S");
      client = await secure(session, []);
      canSecure = false;
    } else if (code === SSL_REQUEST || code === GSS_REQUEST) {
      client.write("N");
    } else if (code === CANCEL_REQUEST) {
      const [processId, key] = [reader.int32(), reader.int32()];
      reader.end();
      return { kind: "cancel", processId, key };
    } else return startOf(client, code, reader, options);
  }
  throw malformed("it asks how to speak again and again");
}

/** Whatever is read from the plain socket must have been asked for: nothing may stand before the handshake. */
async function secure(session: Session, alpn: readonly string[]): Promise<Duplex> {
  const { client, limits } = session;
  return acceptTls(client, await session.leaf(), limits.handshakeMs, alpn);
}

/** The first message, without its length; or, where it may be, that it is TLS from the first byte. */
function readPart(client: Duplex, timeoutMs: number, canSecure: boolean): Promise<Buffer | "tls"> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      client.removeListener("data", take);
      client.removeListener("close", gone);
      client.pause();
      act();
    };
    const gone = () => settle(() => reject(malformed("the client left before it began")));
    const timer = setTimeout(
      () => settle(() => reject(malformed(`no start-up message in ${timeoutMs} ms`))),
      timeoutMs,
    );
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes[0] === TLS_HANDSHAKE && canSecure) {
        return settle(() => {
          client.unshift(bytes);
          resolve("tls");
        });
      }
      if (bytes.length < 8) return undefined;
      const length = bytes.readUInt32BE(0);
      if (length < 8 || length > STARTUP_BYTES_MAX) {
        return settle(() => reject(malformed("the first message is none of PostgreSQL's")));
      }
      if (bytes.length < length) return undefined;
      // The server speaks next: more than one message is an injection, or no PostgreSQL.
      if (bytes.length > length) {
        return settle(() => reject(malformed("something follows the first message at once")));
      }
      return settle(() => resolve(bytes.subarray(4)));
    };
    client.on("data", take);
    client.once("close", gone);
    client.resume();
  });
}

function startOf(
  client: Duplex,
  code: number,
  reader: BodyReader,
  options: postgres.PostgresOptions,
): Opening {
  const refused = (rule: string, why: string): Opening => ({ kind: "refused", client, rule, why });
  if (code >>> 16 !== 3)
    return refused("postgres.version", `protocol ${code >>> 16} is not spoken`);
  const given: [string, string][] = [];
  for (let name = reader.text(); name !== ""; name = reader.text()) {
    given.push([name, reader.text()]);
    if (given.length > 100) return refused("postgres.startup", "too many parameters");
  }
  reader.end();
  const parameters: Record<string, string> = {};
  const extensions: string[] = [];
  const isTimed = postgres.statementMs(options) !== undefined;
  const take = (name: string, value: string): Opening | undefined => {
    const key = name.toLowerCase();
    if (key === "client_encoding") return undefined; // Held at UTF8, and the agent is told so.
    const kind = postgres.settingKind(key, value, { path: options.path, isTimed });
    if (kind !== "comfort") {
      return refused("postgres.setting", `the setting ${name} cannot be asked for at the start`);
    }
    parameters[key] = value;
    return undefined;
  };
  for (const [name, value] of given) {
    if (EXTENSION.test(name)) extensions.push(name);
    else if (name === "user") continue;
    else if (name === "database") {
      if (value !== options.database && value !== "") {
        const why = `the database ${JSON.stringify(value)} is not granted; connect to ${options.database}`;
        return refused("postgres.database", why);
      }
    } else if (name === "replication") {
      if (!/^(false|off|no|0)$/i.test(value)) {
        return refused("postgres.replication", "replication is not judged, and never granted");
      }
    } else if (name === "options") {
      const settings = optionsIn(value);
      if (settings === undefined)
        return refused("postgres.options", "its options are not understood");
      for (const [key, wanted] of settings) {
        const bad = take(key, wanted);
        if (bad !== undefined) return bad;
      }
    } else {
      const bad = take(name, value);
      if (bad !== undefined) return bad;
    }
  }
  return { kind: "start", client, parameters, before: negotiation(code, extensions) };
}

/** `-c name=value` and `--name=value`, and nothing else. */
function optionsIn(text: string): readonly (readonly [string, string])[] | undefined {
  if (text.includes("\\")) return undefined;
  const settings: (readonly [string, string])[] = [];
  const rest = text.replaceAll(
    /(?:^|\s)(?:-c\s*|--)([A-Za-z_.-]+)=(\S*)(?=\s|$)/g,
    (_, name, value) => {
      settings.push([String(name).replaceAll("-", "_"), String(value)]);
      return "";
    },
  );
  return rest.trim() === "" ? settings : undefined;
}

/** NegotiateProtocolVersion: 3.0, and none of the extensions. */
function negotiation(code: number, extensions: readonly string[]): Buffer {
  if ((code & 0xff_ff) === 0 && extensions.length === 0) return Buffer.alloc(0);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(3 << 16, 0);
  numbers.writeUInt32BE(extensions.length, 4);
  return message(0x76, numbers, ...extensions);
}

/** What a session is told when it may begin. */
export function welcome(
  parameters: ReadonlyMap<string, string>,
  processId: number,
  key: number,
): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeInt32BE(processId, 0);
  numbers.writeInt32BE(key, 4);
  return Buffer.concat([
    message(R.authentication, Buffer.alloc(4)),
    ...[...parameters].map(([name, value]) => message(R.parameterStatus, name, value)),
    message(R.backendKey, numbers),
    message(R.ready, Buffer.from("I")),
  ]);
}

/** Ends TLS and sockets alike. */
export function closeGently(client: Duplex, last: Buffer, socket: Socket): void {
  client.end(last);
  setTimeout(() => socket.destroy(), 1000).unref();
}
