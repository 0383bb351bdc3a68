/**
 * How a MySQL connection begins (https://mariadb.com/kb/en/connection/): the server's greeting, and the client's answer.
 *
 *     greeting: 10, version, NUL, thread id (4), scramble (8), 0, capabilities (2), charset (1), status (2),
 *               capabilities (2), length of the scramble (1), 10 reserved, scramble (12), NUL, plugin, NUL
 *     answer:   capabilities (4), largest packet (4), charset (1), 23 reserved; then, unless it asks for TLS first:
 *               user, NUL, what proves it, [database, NUL], [plugin, NUL], [attributes]
 *
 * @module
 */
import { MysqlValues, mysqlPacket, mysqlRefused } from "./packets.ts";

/** Capabilities that are known here. */
export const MYSQL_CAN = {
  longPassword: 0x1,
  foundRows: 0x2,
  longFlag: 0x4,
  withDatabase: 0x8,
  protocol41: 0x200,
  tls: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  multiResults: 0x2_0000,
  preparedMultiResults: 0x4_0000,
  pluginAuth: 0x8_0000,
  lengthEncodedAuth: 0x20_0000,
} as const;

/** utf8mb4_general_ci, which every version knows. */
export const MYSQL_UTF8MB4 = 45;

const PACKET_BYTES_MAX = 0x0100_0000;
const SCRAMBLE_BYTES = 20;

export interface MysqlGreeting {
  readonly version: string;
  readonly scramble: Buffer;
  readonly capabilities: number;
  readonly plugin: string;
}

/** @throws {Fault} `mysql.packet` */
export function readMysqlGreeting(payload: Buffer): MysqlGreeting {
  const values = new MysqlValues(payload);
  if (values.number(1) !== 10) throw mysqlRefused("a greeting of another version");
  const version = values.text().toString("latin1");
  values.bytes(4);
  const first = values.bytes(8);
  values.bytes(1);
  const low = values.number(2);
  values.bytes(3);
  const capabilities = low + values.number(2) * 0x1_0000;
  values.bytes(11);
  const second = values.bytes(SCRAMBLE_BYTES - 8);
  const scramble = Buffer.concat([first, second]);
  if (values.left > 0) values.bytes(1);
  const plugin =
    values.left > 0
      ? values
          .rest()
          .toString("latin1")
          .replace(/\0[^]*$/, "")
      : "mysql_native_password";
  return { version, scramble, capabilities: capabilities >>> 0, plugin };
}

export interface MysqlGreets {
  readonly version: string;
  readonly thread: number;
  readonly scramble: Buffer;
  readonly capabilities: number;
}

export function writeMysqlGreeting({
  version,
  thread,
  scramble,
  capabilities,
}: MysqlGreets): Buffer {
  const fixed = Buffer.alloc(4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10);
  fixed.writeUInt32LE(thread, 0);
  scramble.copy(fixed, 4, 0, 8);
  fixed.writeUInt16LE(capabilities & 0xffff, 13);
  fixed[15] = MYSQL_UTF8MB4;
  fixed.writeUInt16LE(2, 16); // autocommit
  fixed.writeUInt16LE(capabilities >>> 16, 18);
  fixed[20] = SCRAMBLE_BYTES + 1;
  return mysqlPacket(
    0,
    Buffer.concat([
      Buffer.from(`\x0a${version.replaceAll(/[^ -~]/g, "?").slice(0, 100)}\0`, "latin1"),
      fixed,
      scramble.subarray(8),
      Buffer.from("\0mysql_native_password\0", "latin1"),
    ]),
  );
}

export interface MysqlAnswer {
  readonly capabilities: number;
  /** It stops after its first part: TLS comes before the rest. */
  readonly asksForTls: boolean;
  readonly proof: Buffer;
  readonly database: string | undefined;
  readonly plugin: string;
}

/** @throws {Fault} `mysql.packet` */
export function readMysqlAnswer(payload: Buffer): MysqlAnswer {
  const values = new MysqlValues(payload);
  const capabilities = values.number(4);
  if ((capabilities & MYSQL_CAN.protocol41) === 0) throw mysqlRefused("a client of before 4.1");
  values.bytes(28);
  const none = { proof: Buffer.alloc(0), database: undefined, plugin: "" };
  if (values.left === 0) {
    if ((capabilities & MYSQL_CAN.tls) === 0) throw mysqlRefused("an answer without a user");
    return { capabilities, asksForTls: true, ...none };
  }
  values.text(); // The user, who is whoever the grant says.
  const has = (capability: number) => (capabilities & capability) !== 0;
  const proof = has(MYSQL_CAN.lengthEncodedAuth)
    ? values.bytes(values.length())
    : has(MYSQL_CAN.secureConnection)
      ? values.bytes(values.number(1))
      : values.text();
  const database =
    has(MYSQL_CAN.withDatabase) && values.left > 0 ? values.text().toString("utf8") : undefined;
  const plugin = has(MYSQL_CAN.pluginAuth) && values.left > 0 ? textOf(values) : "";
  return {
    capabilities,
    asksForTls: false,
    proof,
    database: database === "" ? undefined : database,
    plugin,
  };
}

/** A text that may lack its NUL at the end of a packet. */
function textOf(values: MysqlValues): string {
  return values
    .rest()
    .toString("latin1")
    .replace(/\0[^]*$/, "");
}

export interface MysqlAnswers {
  readonly sequence: number;
  readonly capabilities: number;
  /** Absent: only the part that asks for TLS. */
  readonly login?: { readonly user: string; readonly proof: Buffer; readonly plugin: string };
}

export function writeMysqlAnswer({ sequence, capabilities, login }: MysqlAnswers): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(capabilities >>> 0, 0);
  fixed.writeUInt32LE(PACKET_BYTES_MAX, 4);
  fixed[8] = MYSQL_UTF8MB4;
  if (login === undefined) return mysqlPacket(sequence, fixed);
  const { user, proof, plugin } = login;
  return mysqlPacket(
    sequence,
    Buffer.concat([
      ...[fixed, Buffer.from(`${user}\0`), Buffer.from([proof.length]), proof],
      Buffer.from(`${plugin}\0`, "latin1"),
    ]),
  );
}
