/** Clients that are none, or say more than their turn, and stored operations that are none. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { createSecureContext } from "node:tls";
import { MYSQL_CAN, mysqlPacket, writeMysqlAnswer } from "../../../wire/index.ts";
import type { Errand, Session } from "../broker.ts";
import { performRedis } from "../redis/perform.ts";
import { welcome } from "./client-side.ts";
import { performMysql } from "./perform.ts";
import { MysqlUpstream } from "./upstream.ts";

async function pair(): Promise<{ ours: Socket; theirs: Socket; end(): void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const theirs = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  for (const socket of [ours, theirs]) socket.on("error", () => {});
  return {
    ours,
    theirs,
    end() {
      ours.destroy();
      theirs.destroy();
      server.close();
    },
  };
}

const CAN = MYSQL_CAN.protocol41 | MYSQL_CAN.pluginAuth | MYSQL_CAN.secureConnection;
const LOGIN = { user: "x", proof: Buffer.alloc(0), plugin: "" };
const HELLO = writeMysqlAnswer({ sequence: 1, capabilities: CAN, login: LOGIN });
const ASKS_TLS = writeMysqlAnswer({ sequence: 1, capabilities: CAN | MYSQL_CAN.tls });

const STRANGERS: readonly (readonly [why: string, bytes: Buffer, tls: boolean, code: string])[] = [
  [
    "a command ahead of the answer to its login",
    Buffer.concat([HELLO, mysqlPacket(0, Buffer.from("\x03SELECT 1"))]),
    false,
    "mysql.client",
  ],
  ["TLS where there is none", ASKS_TLS, false, "mysql.client"],
  [
    "a packet out of order",
    writeMysqlAnswer({ sequence: 7, capabilities: CAN, login: LOGIN }),
    false,
    "mysql.client",
  ],
  ["a client of before 4.1", mysqlPacket(1, Buffer.alloc(40)), false, "mysql.packet"],
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: db.test\r\n\r\n"), false, "mysql.packet"],
  ["a packet that is too long", Buffer.from([0xff, 0xff, 0xff, 1]), false, "mysql.packet"],
];
for (const [why, bytes, tls, code] of STRANGERS) {
  test(`the greeting is not answered so: ${why}`, async () => {
    const { ours, theirs, end } = await pair();
    const limits = { handshakeMs: 2000, spoolBytes: 65_536 };
    const session = { client: ours, grant: { tls }, limits, cut() {} } as unknown as Session;
    theirs.once("data", () => theirs.write(bytes));
    await assert.rejects(welcome(session, "10.11"), { code });
    end();
  });
}

test("a stored operation that is none is not performed", async () => {
  const { ours, end } = await pair();
  const errand = {
    held: { operation: { drop: 1 } },
    way: { socket: ours },
    options: {},
    limits: {},
  };
  for (const [perform, code] of [
    [performMysql, "mysql.operation"],
    [performRedis, "redis.operation"],
  ] as const) {
    const { outcome, answer } = await perform(errand as unknown as Errand);
    assert.equal(outcome.failure?.code, code);
    assert.equal(answer, undefined);
  }
  end();
});

test("a server that hangs up within an answer is told as that", async () => {
  const { ours, theirs, end } = await pair();
  const upstream = new MysqlUpstream(ours, "10.11", []);
  theirs.once("data", () => theirs.end(Buffer.from([1, 0, 0])));
  await assert.rejects(upstream.ask("SELECT 1"), { code: "mysql.upstream" });
  await assert.rejects(upstream.ask("SELECT 1"), { code: "mysql.upstream" });
  end();
});

test("what is said in the open behind the question for TLS is taken for TLS, and is none", async () => {
  const { ours, theirs, end } = await pair();
  const limits = { handshakeMs: 2000, spoolBytes: 65_536 };
  const leaf = () => Promise.resolve(createSecureContext());
  const session = { client: ours, grant: { tls: true }, limits, leaf, cut() {} };
  theirs.once("data", () => theirs.write(Buffer.concat([ASKS_TLS, HELLO])));
  await assert.rejects(
    welcome(session as unknown as Session, "10.11"),
    /ssl|tls|handshake|version/i,
  );
  end();
});
