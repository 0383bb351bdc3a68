/** Logging in at real servers in every way that they ask, and at hostile ones. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { connect as connectTls, createSecureContext } from "node:tls";
import { after, test } from "node:test";
import fc from "fast-check";
import pg from "pg";
import {
  authorityName,
  createAuthorityCertificate,
  createKey,
  createLeaf,
} from "../../src/gateway/tls/certificate.ts";
import { cstring, int32, message, R } from "../../src/gateway/brokers/postgres/frames.ts";
import { ScramLogin } from "../../src/gateway/brokers/postgres/scram.ts";
import { Brokered, type BrokeredOptions } from "./brokered.ts";
import { Cluster } from "./cluster.ts";
import { errorsIn, q, Raw, rowsIn, startup } from "./raw.ts";

const key = createKey();
const ca = createAuthorityCertificate(key, Date.now());
const issuer = { key, name: authorityName(key), untilMs: Date.now() + 86_400_000 };
const pemOf = (host: string) => {
  const leaf = createLeaf(issuer, host, Date.now());
  const text = leaf.key.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate: leaf.certificatePem, key: text };
};
const server = pemOf("db.example");
const cluster = await Cluster.start([], server);
const odd = "p\u00e4ss w\u00f6rd\u00a0\u2122";
const newer = "p\u00e4ss\u00a0\ud83d\udd11";
cluster.sql(
  `create database shop; create role agent login password 'pass-word-1';
   create role strange login password '${odd}'; create role newer login password '${newer}'; create role plainuser login password 'plain-word-1';
   create role trusted login; set password_encryption = 'md5'; create role md5user login password 'old-word-1'`,
);
const open: { stop(): void }[] = [cluster];
after(() => {
  for (const one of open) one.stop();
});

const allow = [{ verbs: ["select"], on: ["public.*"] }];
async function brokered(options: Partial<BrokeredOptions>): Promise<Brokered> {
  const broker = await new Brokered({ port: cluster.port, allow, ...options }).start();
  open.push(broker);
  return broker;
}

/** What a session says to `select current_user`, or how it ended. */
async function whoAmI(options: Partial<BrokeredOptions>): Promise<string> {
  const { port } = await brokered(options);
  const raw = await Raw.open(port);
  raw.socket.write(startup({ user: "me", database: "shop" }));
  await raw.until((frames) => frames.some(({ type }) => type === "Z"));
  if (raw.isOver) return errorsIn(raw.frames)[0] ?? "closed";
  const rows = rowsIn(await raw.ask(q("select current_user")));
  raw.end();
  return rows.join();
}

const LOGINS: readonly (readonly [string, Partial<BrokeredOptions>, RegExp])[] = [
  ["SCRAM", { login: { user: "agent", password: "pass-word-1" } }, /^agent$/],
  [
    "SCRAM over TLS",
    { login: { user: "agent", password: "pass-word-1" }, tls: true, ca },
    /^agent$/,
  ],
  [
    "SCRAM with a password that has to be prepared",
    { login: { user: "strange", password: odd } },
    /^strange$/,
  ],
  [
    "SCRAM with a password that cannot be prepared",
    { login: { user: "newer", password: newer } },
    /^newer$/,
  ],
  ["a wrong password", { login: { user: "agent", password: "wrong" } }, /28P01/],
  ["MD5", { login: { user: "md5user", password: "old-word-1" } }, /^md5user$/],
  [
    "the plain password over TLS",
    { login: { user: "plainuser", password: "plain-word-1" }, tls: true, ca },
    /^plainuser$/,
  ],
  ["trust, without a credential", { with: { user: "trusted" } }, /^trusted$/],
  [
    "a server that wants a password, without a credential",
    { with: { user: "agent" } },
    /no credential/,
  ],
  ["neither credential nor user", {}, /names no user/],
  [
    "a server of another authority",
    {
      login: { user: "agent", password: "pass-word-1" },
      tls: true,
      ca: createAuthorityCertificate(createKey(), Date.now()),
    },
    /certificate/,
  ],
];
for (const [what, options, expected] of LOGINS) {
  test(`log in with ${what}`, async () => assert.match(await whoAmI(options), expected));
}

test("the agent's own side: TLS with the granted name, in both ways to ask for it, and any login", async () => {
  const { certificate, key: text } = pemOf("db.example");
  const leaf = createSecureContext({ cert: certificate, key: text });
  const login = { user: "agent", password: "pass-word-1" };
  const { port } = await brokered({ login, leaf, tls: true, ca });
  for (const password of ["", "anything"]) {
    const client = new pg.Client({
      ...{ host: "127.0.0.1", port, user: "x", password, database: "shop" },
      ssl: { ca, servername: "db.example" },
    });
    await client.connect();
    const { rows } = await client.query("select current_user as me");
    assert.deepEqual(rows, [{ me: "agent" }]);
    await client.end();
  }
});

test("where the grant has no TLS the agent is not spoken to in it either, as at the server itself", async () => {
  const { certificate, key: text } = pemOf("db.example");
  const leaf = createSecureContext({ cert: certificate, key: text });
  const login = { user: "agent", password: "pass-word-1" };
  const { port, noted } = await brokered({ login, leaf });
  const raw = await Raw.open(port);
  raw.socket.write(Buffer.concat([int32(8), int32(80_877_103)]));
  const [answer] = (await once(raw.socket, "data")) as [Buffer];
  assert.equal(answer.toString(), "N");
  raw.end();
  const at = { host: "127.0.0.1", port, user: "x", password: "", database: "shop" };
  const wanting = new pg.Client({ ...at, ssl: { ca, servername: "db.example" } });
  await assert.rejects(wanting.connect(), /does not support SSL/, "a client that insists is told");
  const direct = connectTls({ host: "127.0.0.1", port, ca, servername: "db.example" });
  await assert.rejects(once(direct, "secureConnect"));
  assert.equal(noted.filter(({ kind }) => kind === "connect").length, 0);
  const client = new pg.Client(at);
  await client.connect();
  assert.deepEqual((await client.query("select current_user as me")).rows, [{ me: "agent" }]);
  await client.end();
});

test("SCRAM: the exchange of RFC 7677", () => {
  // The RFC's example has a user name in it, which PostgreSQL leaves out: the server's proof is checked below.
  const login = new ScramLogin("pencil", "rOprNGfwEbeRWgbNEkqO");
  assert.equal(login.first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  for (const first of [
    "r=other,s=QSXCR+Q6sek8bf92,i=4096",
    "r=rOprNGfwEbeRWgbNEkqO,s=QSXCR+Q6sek8bf92,i=4096",
    "r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=99999999",
    "r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=0",
    "m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=1",
    "",
  ]) {
    assert.throws(() => login.final(first), { code: "gateway.login" }, first);
  }
  const other = new ScramLogin("pencil", "a");
  other.final("r=ab,s=QSXCR+Q6sek8bf92,i=4096");
  assert.throws(() => other.verify("v=AAAA"), { code: "gateway.login" });
});

/** A server that says `script` to whoever connects: what it answers to each thing that it is told. */
async function hostile(script: (socket: Socket, turn: number) => void): Promise<string> {
  const fake = createServer((socket) => {
    let turn = 0;
    socket.on("error", () => {});
    socket.on("data", () => script(socket, (turn += 1)));
  }).listen(0, "127.0.0.1");
  open.push({ stop: () => fake.close() });
  await new Promise((resolve) => fake.once("listening", resolve));
  const { port } = fake.address() as AddressInfo;
  const login = { user: "agent", password: "pass-word-1" };
  const broker = await brokered({ port, login, limits: { exchangeIdleMs: 2000 } });
  const raw = await Raw.open(broker.port);
  raw.socket.write(startup({ user: "me", database: "shop" }));
  await raw.until((frames) => frames.some(({ type }) => type === "Z"));
  if (!raw.isOver) {
    raw.frames.length = 0;
    raw.socket.write(q("select 1"));
    await raw.until((frames) => frames.some(({ type }) => type === "Z"));
  }
  const said = raw.isOver
    ? `over ${errorsIn(raw.frames).join()}`
    : JSON.stringify(raw.frames.map(String));
  const text = Buffer.concat(raw.frames.map(({ body }) => body)).toString();
  raw.end();
  return `${said} ${text}`;
}

const auth = (kind: number, ...rest: readonly Buffer[]) =>
  message(R.authentication, int32(kind), ...rest);
const status = (name: string, value: string) => message(R.parameterStatus, name, value);
const ready = message(R.ready, Buffer.from("I"));
const begun = [
  auth(0),
  status("client_encoding", "UTF8"),
  status("standard_conforming_strings", "on"),
  message(R.backendKey, int32(1), int32(2)),
  ready,
];
const cell = (text: string) => [int32(Buffer.byteLength(text)), Buffer.from(text)];
const pins = [
  message(R.dataRow, Buffer.of(0, 2), ...cell('"public"'), ...cell("safe_encoding")),
  message(R.commandComplete, "SELECT 1"),
  ready,
];
const nothing = [message(R.commandComplete, "SELECT 0"), ready];
/** Lets a session begin, answers what we look up, and then says `last`. */
const normal = (last: readonly Buffer[]) => (socket: Socket, turn: number) => {
  // Start-up; what is held; two looks of ours, each with its end of a transaction; the agent's.
  const said = turn === 1 ? begun : turn === 2 ? pins : turn < 7 ? nothing : last;
  socket.write(Buffer.concat([...said]));
};

const HOSTILE: readonly (readonly [string, (socket: Socket, turn: number) => void, RegExp])[] = [
  ["asks for the password in the open", (socket) => socket.write(auth(3)), /in the open/],
  ["asks for what is not known", (socket) => socket.write(auth(7)), /kind 7/],
  ["asks again and again", (socket) => socket.write(auth(5, Buffer.alloc(4))), /again and again/],
  [
    "lets us in without its proof",
    (socket, turn) =>
      socket.write(turn === 1 ? auth(10, cstring("SCRAM-SHA-256"), Buffer.of(0)) : auth(0)),
    /without its proof/,
  ],
  [
    "offers other mechanisms only",
    (socket) => socket.write(auth(10, cstring("PLAIN"), Buffer.of(0))),
    /offers PLAIN/,
  ],
  [
    "says nothing that is known",
    (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
    /over/,
  ],
  ["says too much", (socket) => socket.write(Buffer.from([0x52, 0x7f, 0, 0, 0])), /over/],
  [
    "does not take the encoding",
    (socket) => socket.write(Buffer.concat([auth(0), status("client_encoding", "SJIS"), ready])),
    /client_encoding/,
  ],
  ["answers normally", normal([message(R.commandComplete, "SELECT 1"), ready]), /SELECT 1/],
  ["wants data that nobody offered", normal([message(R.copyIn, Buffer.of(0, 0, 0))]), /^over/],
  ["begins a copy in both directions", normal([message(R.copyBoth, Buffer.of(0, 0, 0))]), /^over/],
  ["changes the encoding later", normal([status("client_encoding", "SJIS"), ...nothing]), /^over/],
  [
    "changes how texts are read later",
    normal([status("standard_conforming_strings", "off"), ...nothing]),
    /^over/,
  ],
  ["is ready too often", normal([...nothing, ready, ready]), /SELECT 0|^over/],
  ["says a message that there is none of", normal([message(0x7a, "x")]), /^over/],
  ["says an error that is too long", normal([message(R.error, Buffer.alloc(2 << 20))]), /^over/],
  ["asks for a password later", normal([auth(3)]), /^over/],
  [
    "brings the password back",
    normal([message(R.commandComplete, "your pass-word-1"), ready]),
    /your (?!pass-word-1)/,
  ],
];
for (const [what, script, expected] of HOSTILE) {
  test(`INV-102: a server that ${what}`, async () => {
    const said = await hostile(script);
    assert.match(said, expected);
    assert.ok(!said.includes("pass-word-1"));
  });
}

test("fuzz: whatever a server says after the login, the session answers or ends", async () => {
  const frame = fc
    .tuple(
      fc.constantFrom(...Buffer.from("RKZECDTGHWSNA1237tnsIdcz")),
      fc.uint8Array({ maxLength: 30 }),
    )
    .map(([type, body]) => message(type, Buffer.from(body)));
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
      const said = await hostile((socket, turn) => {
        normal(frames)(socket, turn);
        if (turn > 6) socket.end();
      });
      assert.ok(!said.includes("pass-word-1"));
    }),
    { numRuns: 25, seed: 20_261_126 },
  );
});
