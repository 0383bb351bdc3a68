/**
 * The agent's side of a MySQL connection: greeted as the server would, let in whatever it says, and read packet by
 * packet.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Fault } from "../../../base/index.ts";
import {
  MYSQL_CAN,
  mysqlPacket,
  MysqlPacketReader,
  readMysqlAnswer,
  writeMysqlGreeting,
  type MysqlAnswer,
  type MysqlPacket,
} from "../../../wire/index.ts";
import { acceptTls } from "../../tls-front.ts";
import type { Session } from "../broker.ts";

const HELLO_BYTES_MAX = 65_536;
/** What clients are offered. Not: several statements, files of theirs, compression, attributes. */
const OFFERED =
  MYSQL_CAN.longPassword |
  MYSQL_CAN.foundRows |
  MYSQL_CAN.longFlag |
  MYSQL_CAN.withDatabase |
  MYSQL_CAN.protocol41 |
  MYSQL_CAN.transactions |
  MYSQL_CAN.secureConnection |
  MYSQL_CAN.multiResults |
  MYSQL_CAN.preparedMultiResults |
  MYSQL_CAN.pluginAuth;

/** Packets of one client, in their order. */
export class MysqlClient {
  readonly socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #reader: MysqlPacketReader;

  constructor(socket: Socket, bytesMax: number) {
    this.socket = socket;
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    this.#reader = new MysqlPacketReader(bytesMax);
  }

  /** The next packet, or `undefined` at the end. @throws {Fault} `mysql.packet` */
  async next(): Promise<MysqlPacket | undefined> {
    for (;;) {
      const packet = this.#reader.next();
      if (packet !== undefined) return packet;
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#reader.push(value);
    }
  }

  /** Whether something came that was not read. */
  get hasMore(): boolean {
    return this.#reader.waiting > 0;
  }

  /** Gives the socket back to whoever reads it next, with what came and was not read. */
  async leave(): Promise<void> {
    await this.#chunks.return?.();
    const rest = this.#reader.rest();
    if (rest.length > 0) this.socket.unshift(rest);
  }
}

export interface MysqlWelcomed {
  readonly client: MysqlClient;
  readonly answer: MysqlAnswer;
  /** Of the packet that says whether it is let in. */
  readonly sequence: number;
}

/**
 * Greets the client, and hears it out; what it is told then is the caller's.
 *
 * @throws {Fault} `mysql.packet`, `mysql.client`
 */
export async function welcome(session: Session, version: string): Promise<MysqlWelcomed> {
  const { grant, limits } = session;
  const capabilities = (OFFERED | (grant.tls ? MYSQL_CAN.tls : 0)) >>> 0;
  const scramble = Buffer.from(randomBytes(20).map((byte) => (byte % 94) + 33)); // No NUL in it.
  session.client.write(writeMysqlGreeting({ version, thread: 1, scramble, capabilities }));
  let client = new MysqlClient(session.client, HELLO_BYTES_MAX);
  const timer = setTimeout(
    () => session.cut("the client did not answer the greeting"),
    limits.handshakeMs,
  );
  try {
    let packet = await client.next();
    let sequence = 1;
    if (packet === undefined) throw new Fault("mysql.client", "the client left");
    let answer = readMysqlAnswer(packet.payload);
    if (answer.asksForTls) {
      if (!grant.tls) throw new Fault("mysql.client", "there is no TLS here");
      // The question has no answer, so TLS may begin in the same piece; whatever else came there is no TLS, and ends it.
      await client.leave();
      const secure = await acceptTls(session.client, await session.leaf(), limits.handshakeMs, []);
      client = new MysqlClient(secure, limits.spoolBytes);
      packet = await client.next();
      sequence = 2;
      if (packet === undefined) throw new Fault("mysql.client", "the client left");
      answer = readMysqlAnswer(packet.payload);
      if (answer.asksForTls) throw new Fault("mysql.client", "TLS within TLS");
    } else {
      if (client.hasMore) throw new Fault("mysql.client", "the client spoke out of turn");
      await client.leave();
      client = new MysqlClient(session.client, limits.spoolBytes);
    }
    if (packet.sequence !== sequence) throw new Fault("mysql.client", "a packet out of order");
    // Whatever it says: it is not what the server is told.
    if (answer.plugin === "caching_sha2_password" && answer.proof.length > 0) {
      sequence += 1;
      client.socket.write(mysqlPacket(sequence, Buffer.from([1, 3])));
    }
    return { client, answer, sequence: sequence + 1 };
  } finally {
    clearTimeout(timer);
  }
}
