/**
 * Logging in to servers that are not what they should be: ours to write, since no real one does this.
 */
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import {
  MYSQL_CAN,
  mysqlError,
  mysqlOk,
  mysqlPacket,
  MysqlPacketReader,
  sha2Proof,
  writeMysqlGreeting,
} from "../../../wire/index.ts";
import type { Place } from "../broker.ts";
import { openUpstream, type MysqlUpstream } from "./upstream.ts";

const PASSWORD = "Sh0p-Secret-0123456789";
const SCRAMBLE = Buffer.from("abcdefghijklmnopqrst");
const LEASE = {
  credential: "shop",
  attach: { kind: "login", user: "shop", password: PASSWORD },
  secrets: [PASSWORD],
} as const;

/** What a fake server has of one connection. */
interface Peer {
  readonly socket: Socket;
  /** The next packet's payload. */
  read(): Promise<Buffer>;
  /** Everything that it was sent. */
  heard(): string;
}

/** Logs in to a server that behaves as `script`; what comes of it, and all that the server heard. */
async function meeting(
  script: (peer: Peer) => Promise<void>,
  options: {
    readonly tls?: boolean;
    readonly key?: string;
    use?(upstream: MysqlUpstream): Promise<void>;
  } = {},
): Promise<{ error: unknown; heard: string }> {
  let heard = "";
  const server = createServer((socket) => {
    const reader = new MysqlPacketReader(65_536);
    let wake = () => {};
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      reader.push(chunk);
      wake();
    });
    socket.on("error", () => {});
    const read = async () => {
      for (;;) {
        const packet = reader.next();
        if (packet !== undefined) return packet.payload;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    void script({ socket, read, heard: () => heard });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const place = {
    grant: { tls: options.tls === true },
    limits: { connectMs: 2000 },
    secure: () => Promise.reject(new Error("never reached")),
  } as unknown as Place;
  let error: unknown;
  try {
    const key = options.key === undefined ? {} : { server_key: options.key };
    const upstream = await openUpstream(place, { socket, lease: LEASE }, key);
    await options.use?.(upstream);
  } catch (caught) {
    error = caught;
  }
  socket.destroy();
  server.close();
  return { error, heard };
}

const ALL = MYSQL_CAN.protocol41 | MYSQL_CAN.pluginAuth | MYSQL_CAN.secureConnection;

function greet({ socket }: Peer, plugin: string): void {
  const greeting = writeMysqlGreeting({
    version: "8.4.0",
    thread: 1,
    scramble: SCRAMBLE,
    capabilities: ALL,
  });
  const payload = Buffer.from(
    greeting.subarray(4).toString("latin1").replace("mysql_native_password", plugin),
    "latin1",
  );
  socket.write(mysqlPacket(0, payload));
}

/** Answers what pins the session, and then `then`. */
async function pins(peer: Peer, count = 2): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await peer.read();
    peer.socket.write(mysqlOk(1, 2));
  }
}

test("caching_sha2_password goes by its short way, and the password is never on the line", async () => {
  const { error, heard } = await meeting(async (peer) => {
    greet(peer, "caching_sha2_password");
    const answer = await peer.read();
    assert.ok(answer.includes(sha2Proof(PASSWORD, SCRAMBLE)));
    peer.socket.write(Buffer.concat([mysqlPacket(2, Buffer.from([1, 3])), mysqlOk(3, 2)]));
    await pins(peer);
  });
  assert.equal(error, undefined);
  assert.ok(!heard.includes(PASSWORD));
});

test("a server that wants the whole password without TLS does not get it", async () => {
  const { error, heard } = await meeting(async (peer) => {
    greet(peer, "caching_sha2_password");
    await peer.read();
    peer.socket.write(mysqlPacket(2, Buffer.from([1, 4])));
  });
  assert.equal((error as { code?: string }).code, "mysql.login");
  assert.ok(!heard.includes(PASSWORD));
});

test("a server that offers a key of its own for it does not get it either, but one whose key is pinned", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let opened = "";
  const { error, heard } = await meeting(
    async (peer) => {
      greet(peer, "caching_sha2_password");
      await peer.read();
      peer.socket.write(mysqlPacket(2, Buffer.from([1, 4])));
      const sealed = await peer.read();
      const mixed = privateDecrypt(
        { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
        sealed,
      );
      opened = Buffer.from(mixed.map((byte, at) => byte ^ (SCRAMBLE[at % 20] ?? 0))).toString();
      peer.socket.write(mysqlOk(4, 2));
      await pins(peer);
    },
    { key: publicKey.export({ type: "spki", format: "pem" }).toString() },
  );
  assert.equal(error, undefined);
  assert.equal(opened, `${PASSWORD}\0`);
  assert.ok(!heard.includes(PASSWORD));
});

for (const plugin of [
  "mysql_clear_password",
  "dialog",
  "authentication_pam",
  "mysql_old_password",
]) {
  test(`a server that turns to ${plugin} is left`, async () => {
    const { error, heard } = await meeting(async (peer) => {
      greet(peer, "mysql_native_password");
      await peer.read();
      peer.socket.write(mysqlPacket(2, Buffer.from(`\xfe${plugin}\0`, "latin1")));
    });
    assert.equal((error as { code?: string }).code, "mysql.login");
    assert.ok(!heard.includes(PASSWORD));
  });
}

test("a server without TLS is left where the grant says TLS, before a user is named", async () => {
  const { error, heard } = await meeting(
    (peer) => {
      greet(peer, "mysql_native_password");
      return Promise.resolve();
    },
    { tls: true },
  );
  assert.equal((error as { code?: string }).code, "mysql.tls");
  assert.equal(heard, "");
});

test("a server that asks for a file gets none, and nobody hears of it", async () => {
  let told = 0;
  const { error, heard } = await meeting(
    async (peer) => {
      greet(peer, "mysql_native_password");
      await peer.read();
      peer.socket.write(mysqlOk(2, 2));
      await pins(peer);
      await peer.read();
      peer.socket.write(mysqlPacket(1, Buffer.from("\xfb/etc/passwd", "latin1")));
    },
    {
      async use(upstream) {
        const write = ({ length }: Buffer) => (told += length);
        await upstream.command(Buffer.from("\x03SELECT 1"), "query", { write });
      },
    },
  );
  assert.equal((error as { code?: string }).code, "mysql.packet");
  assert.equal(told, 0);
  assert.ok(!heard.includes("root:"));
});

test("a password that a server echoes is covered, also where it comes last and in pieces", async () => {
  let told = "";
  const { error } = await meeting(
    async (peer) => {
      greet(peer, "mysql_native_password");
      await peer.read();
      peer.socket.write(mysqlOk(2, 2));
      await pins(peer);
      await peer.read();
      const bytes = mysqlError(
        1,
        1045,
        "28000",
        `denied for ${PASSWORD} and ${PASSWORD.slice(0, 4)}`,
      );
      peer.socket.write(bytes.subarray(0, 30));
      await new Promise((resolve) => setTimeout(resolve, 50));
      peer.socket.write(bytes.subarray(30));
    },
    {
      async use(upstream) {
        const write = (bytes: Buffer) => (told += bytes.toString("latin1"));
        const reply = await upstream.command(Buffer.from("\x03SELECT 1"), "query", { write });
        assert.ok(reply.isError);
      },
    },
  );
  assert.equal(error, undefined);
  assert.ok(!told.includes(PASSWORD));
  assert.ok(told.endsWith(` and ${PASSWORD.slice(0, 4)}`), told);
});

test("what a server says out of turn ends the connection", async () => {
  const { error } = await meeting(async (peer) => {
    greet(peer, "mysql_native_password");
    await peer.read();
    peer.socket.write(Buffer.concat([mysqlOk(2, 2), mysqlOk(1, 2)]));
  });
  assert.match(String((error as { code?: string }).code), /mysql\.(login|packet)/);
});
