import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { after, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { clientHello, tlsData } from "../../test/support/capture-kit.ts";
import { AGENT, authorityNamed, destroyAll, listening, openWorld, readAll } from "./test-kit.ts";
import type { World, WorldOptions } from "./test-kit.ts";

const STRATUM = '{"id":1,"method":"mining.subscribe","params":["x",null]}\n';
const SSH = "SSH-2.0-OpenSSH_9.2\r\n";
const servers: Server[] = [];
after(() => destroyAll(servers));

interface Context {
  after(fn: () => unknown): void;
}

/** Everything that upstreams of a test got, as text. */
interface Peer {
  readonly port: number;
  got: string;
  ended: boolean;
}

/** A server that says `greeting` first and answers each chunk with what `answer` makes of it. */
async function peerOf(greeting: string, answer: (text: string) => string): Promise<Peer> {
  const peer: Peer = { port: 0, got: "", ended: false };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    if (greeting !== "") socket.write(greeting);
    socket.on("data", (chunk: Buffer) => {
      peer.got += chunk.toString("latin1");
      socket.write(answer(chunk.toString("latin1")));
    });
    socket.on("end", () => {
      peer.ended = true;
      socket.end("the last word");
    });
  });
  servers.push(server);
  return Object.assign(peer, { port: await listening(server) });
}

const grantOf = (port: number, more: string) =>
  `  - { system: tcp, name: raw, hosts: [raw.test], ports: [5000], dial: "127.0.0.1:${port}", ${more} }\n`;

async function worldOf(
  t: Context,
  grants: string,
  more: Partial<WorldOptions> = {},
): Promise<World> {
  const it = await openWorld({ grants, limits: { firstBytesMs: 300, undecidedMs: 200 }, ...more });
  t.after(() => it.close());
  return it;
}

test("opaque: a server that speaks first is served, both ways, to the last word", async (t) => {
  const peer = await peerOf("220 ready\r\n", (text) => text.toUpperCase());
  const it = await worldOf(t, grantOf(peer.port, "opaque: true"));
  const socket = await it.dial("raw.test", 5000);
  assert.match(await readAll(socket, (text) => text.includes("ready")), /^220 ready/);
  const answer = readAll(socket);
  socket.end("hello");
  assert.equal(await answer, "HELLOthe last word", "a half-closed client hears the rest");
  assert.equal(peer.ended, true, "and its end has passed as an end");
  await it.flowsClosed(1);
  assert.deepEqual(
    it.events.map((event) => event.type),
    ["flow.open", "action", "flow.close"],
  );
  const [, action, close] = it.events;
  assert.deepEqual([action?.verdict, action?.rule, action?.synced], ["allow", "grants[0]", true]);
  assert.match(JSON.stringify(action?.data), /not inspected \(opaque\)/);
  const { bytesOut, bytesIn, upstreamOut, upstreamIn } = close?.data ?? {};
  assert.deepEqual([bytesOut, bytesIn, upstreamOut, upstreamIn], [5, 29, 5, 29]);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

const OFFENCES: readonly (readonly [string, string, string, string, string])[] = [
  // why, the server's first words, the client's, rule, finding
  ["a client's SSH", "", SSH, "protocol.ssh", "tunnel"],
  ["a server's SSH: somebody outside logs in to the run", SSH, "", "protocol.ssh", "tunnel"],
  ["SSH behind other lines", `hello\r\n${SSH}`, "", "protocol.ssh", "tunnel"],
  ["mining", "", STRATUM, "protocol.stratum", "mining"],
  ["mining behind empty lines", "", `\n\n${STRATUM}`, "protocol.stratum", "mining"],
  ["mining told by the server", `{"x":1}\n${STRATUM}`, "", "protocol.stratum", "mining"],
  ["SOCKS", "", "\x05\x01\x00", "protocol.socks", "tunnel"],
  [
    "TLS, which splice is for",
    "",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "protocol.tls",
    "protocol",
  ],
];
for (const [why, greeting, first, rule, finding] of OFFENCES) {
  for (const pieces of ["whole", "bytes"] as const) {
    test(`INV-33: opaque does not carry ${why}, sent in ${pieces}`, async (t) => {
      const peer = await peerOf(greeting, () => "");
      const it = await worldOf(t, grantOf(peer.port, "opaque: true"));
      const socket = await it.dial("raw.test", 5000);
      const closed = readAll(socket);
      const parts = pieces === "whole" ? [first] : first.split("");
      for (const part of parts) {
        if (socket.destroyed) break;
        socket.write(Buffer.from(part, "latin1"));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await closed;
      await it.flowsClosed(1);
      assert.deepEqual(
        [it.denials.map((one) => one.rule), it.findings.map((one) => one.kind)],
        [[rule], [finding]],
      );
      assert.match(it.denials[0]?.reason ?? "", /in an opaque connection/);
      const reached = peer.got.includes(first.trim());
      assert.ok(first === "" || !reached, "it never reached the other side whole");
    });
  }
}

test("INV-33, its twin: what the grant names passes, and nothing else by that", async (t) => {
  const peer = await peerOf("", (text) => text);
  const it = await worldOf(t, grantOf(peer.port, "opaque: true, protocols: [stratum]"));
  const socket = await it.dial("raw.test", 5000);
  socket.write(STRATUM);
  assert.equal(await readAll(socket, (text) => text.endsWith("\n")), STRATUM);
  socket.destroy();
  const other = await it.dial("raw.test", 5000);
  other.write(SSH);
  await readAll(other);
  assert.deepEqual(
    it.denials.map((one) => one.rule),
    ["protocol.ssh"],
  );
});

/** A real sshd for each connection, and a folder with its keys. */
function sshdOf(t: Context) {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-ssh-"));
  t.after(() => rmSync(folder, { recursive: true }));
  if (userInfo().uid === 0 && !existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });
  for (const name of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  execFileSync("cp", [join(folder, "user.pub"), join(folder, "authorized")]);
  const config = join(folder, "config");
  writeFileSync(
    config,
    `HostKey ${join(folder, "host")}\nAuthorizedKeysFile ${join(folder, "authorized")}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n`,
  );
  const serve = (socket: Duplex) => {
    const sshd = spawn("/usr/sbin/sshd", ["-i", "-f", config], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    socket.on("error", () => {});
    sshd.stdin.on("error", () => {});
    socket.pipe(sshd.stdin);
    sshd.stdout.pipe(socket);
  };
  return { folder, serve };
}

/** A real sshd behind a grant that names ssh, and a client in the run. */
async function sshOf(t: Context) {
  const { folder, serve } = sshdOf(t);
  const server = createServer(serve);
  servers.push(server);
  const grants = grantOf(await listening(server), "opaque: true, protocols: [ssh]");
  const it = await worldOf(t, grants);
  const port = await it.listenerFor("raw.test", 5000);
  const quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const options = ["-F", "none", ...quiet.flatMap((one) => ["-o", one])];
  const line = [...options, "-i", join(folder, "user"), "-p", String(port)];
  const ssh = (...args: readonly string[]) =>
    execFile("ssh", [
      ...line,
      ...args.slice(0, -1),
      `${userInfo().username}@127.0.0.1`,
      args.at(-1) ?? "",
    ]);
  return { it, ssh };
}

test("opaque: a real OpenSSH session passes where the grant names ssh", async (t) => {
  const { it, ssh } = await sshOf(t);
  const child = ssh("echo from $((6*7)); sleep 0.1; echo again");
  assert.equal(await textOf(child), "from 42\nagain\n");
  assert.deepEqual(it.findings, []);
});

test("INV-144: a forward through a granted SSH is noticed, by its sizes", async (t) => {
  const { it, ssh } = await sshOf(t);
  // Sizes are those of pieces as they come: on a busy machine two may come as one.
  for (let tries = 0; tries < 5 && it.findings.length === 0; tries += 1) {
    const child = ssh(
      "-R",
      "127.0.0.1:0:127.0.0.1:9",
      "for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.05; done",
    );
    assert.match(await textOf(child), /^1\n2\n/);
  }
  assert.deepEqual(
    it.findings.map(({ kind }) => kind),
    ["tunnel"],
  );
  assert.match(it.findings[0]?.detail ?? "", /^in an opaque connection to raw\.test:5000/);
});

test("INV-168: SSH inside a granted TLS is noticed, by its sizes, and other TLS is not", async (t) => {
  const { folder, serve } = sshdOf(t);
  const authority = await authorityNamed("upstream");
  const server = createTlsServer(
    { SNICallback: (name, done) => done(null, authority.contextFor(name)) },
    (socket) => {
      socket.on("error", () => {});
      socket.once("data", (first: Buffer) => {
        if (first.toString("latin1").startsWith("SSH-")) {
          socket.unshift(first);
          serve(socket);
        } else socket.end("x".repeat(6000));
      });
    },
  );
  servers.push(server);
  const it = await worldOf(t, grantOf(await listening(server), "opaque: true, protocols: [tls]"));
  const port = await it.listenerFor("raw.test", 5000);
  const way = `openssl s_client -quiet -verify_quiet -servername raw.test -connect 127.0.0.1:${port}`;
  const page = execFile("sh", ["-c", `(printf 'GET / HTTP/1.0\\r\\n%0600d'; sleep 0.5) | ${way}`]);
  assert.match(await textOf(page), /x{6000}/);
  assert.equal(it.findings.length, 0);
  const quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", `ProxyCommand=${way}`];
  const options = ["-F", "none", ...quiet.flatMap((one) => ["-o", one])];
  const user = `${userInfo().username}@raw.test`;
  const talk = "for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.05; done";
  const child = execFile("ssh", [...options, "-i", join(folder, "user"), user, talk]);
  assert.match(await textOf(child), /^1\n2\n/);
  assert.deepEqual(
    it.findings.map(({ kind }) => kind),
    ["tunnel"],
  );
  assert.match(it.findings[0]?.detail ?? "", /SSH's handshake inside TLS/);
});

test("INV-168: Tor is noticed though its TLS is granted", async (t) => {
  const peer = await peerOf("", () => "");
  const it = await worldOf(t, grantOf(peer.port, "opaque: true, protocols: [tls]"));
  const socket = await it.dial("raw.test", 5000);
  const pieces = [clientHello("www.kxqzj3vmdw.com"), ...[1, 2, 3, 4].map((n) => tlsData(531, n))];
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.destroy();
  await it.flowsClosed(1);
  assert.deepEqual(
    it.findings.map(({ kind, detail }) => [kind, /a random name/.test(detail)]),
    [["tunnel", true]],
  );
});

/** What a child printed until its end. */
async function textOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  return text;
}

/** A site with a certificate of its own authority, which the run does not know. */
async function siteOf(): Promise<{
  readonly port: number;
  readonly ca: string;
  readonly sockets: Set<Socket>;
}> {
  const authority = await authorityNamed("upstream");
  const sockets = new Set<Socket>();
  const server = createTlsServer(
    { SNICallback: (name, done) => done(null, authority.contextFor(name)), allowHalfOpen: true },
    (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => socket.write(`site: ${chunk.toString()}`));
      socket.on("end", () => socket.end());
    },
  );
  servers.push(server);
  return { port: await listening(server), ca: authority.certificatePem, sockets };
}
const splice = (port: number) => grantOf(port, "splice: true");

test("splice: a client that trusts only the site's own authority gets to it, unseen", async (t) => {
  const site = await siteOf();
  const it = await worldOf(t, splice(site.port));
  const socket = await it.secure("raw.test", 5000, { ca: site.ca });
  socket.write("hello");
  assert.equal(await readAll(socket, (text) => text.includes("hello")), "site: hello");
  socket.destroy();
  await it.flowsClosed(1);
  const { upstreamOut, upstreamIn } = it.event("flow.close")?.data ?? {};
  assert.ok(Number(upstreamOut) > 300 && Number(upstreamIn) > 300, "counted both ways");
  assert.equal(it.events.filter((event) => event.type === "action").length, 1);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

test("INV-33: a splice goes to the granted name only, said in the open", async (t) => {
  const site = await siteOf();
  const it = await worldOf(t, splice(site.port));
  const socket = connectTls({ socket: await it.dial("raw.test", 5000), servername: "evil.test" });
  const [error] = (await once(socket, "error")) as [Error];
  assert.match(error.message, /unrecognized.name/i);
  const hidden = await it.dial("raw.test", 5000);
  hidden.write(await helloWithEch("raw.test"));
  await readAll(hidden);
  assert.deepEqual(
    it.denials.map((one) => one.rule),
    ["tls.server_name", "tls.ech"],
  );
  assert.equal(site.sockets.size, 0, "neither was dialled");
});

/** A real ClientHello of OpenSSL's with an encrypted_client_hello extension added to it. */
async function helloWithEch(name: string): Promise<Buffer> {
  const server = createServer();
  const port = await listening(server);
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const client = connectTls({ port, host: "127.0.0.1", servername: name });
  client.on("error", () => {});
  const [socket] = await arrived;
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  const extension = Buffer.from([0xfe, 0x0d, 0, 4, 0, 0, 0, 0]);
  const session = hello[43] ?? 0;
  const ciphers = 44 + session;
  const compression = ciphers + 2 + hello.readUInt16BE(ciphers);
  const extensions = compression + 1 + (hello[compression] ?? 0);
  const longer = Buffer.concat([hello, extension]);
  longer.writeUInt16BE(hello.readUInt16BE(extensions) + extension.length, extensions);
  longer.writeUInt16BE(hello.readUInt16BE(3) + extension.length, 3);
  longer.writeUIntBE(hello.readUIntBE(6, 3) + extension.length, 6, 3);
  return longer;
}

for (const [what, bytes, rule] of [
  ["SSH", SSH, "protocol.ssh"],
  ["a request in the open", "GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n", "protocol.http"],
  ["mining", STRATUM, "protocol.stratum"],
] as const) {
  test(`INV-33: a splice that opens with ${what} is closed by name`, async (t) => {
    const site = await siteOf();
    const it = await worldOf(t, splice(site.port));
    const socket = await it.dial("raw.test", 5000);
    socket.write(bytes);
    await readAll(socket);
    assert.deepEqual(
      it.denials.map((one) => one.rule),
      [rule],
    );
  });
}

test("INV-33: a splice that stops being TLS after its greeting is closed, from either side", async (t) => {
  const peer = await peerOf("", () => "");
  const it = await worldOf(t, splice(peer.port));
  const socket = await it.dial("raw.test", 5000);
  socket.write((await helloWithEch("raw.test")).subarray(0, 0));
  const plain = await plainHello("raw.test");
  socket.write(plain);
  while (peer.got.length < plain.length) await new Promise((resolve) => setTimeout(resolve, 2));
  socket.write(SSH);
  await readAll(socket);
  const liar = await peerOf("", () => SSH);
  const other = await worldOf(t, splice(liar.port));
  const second = await other.dial("raw.test", 5000);
  second.write(plain);
  assert.equal(await readAll(second), "", "no byte of it comes back");
  for (const { denials } of [it, other]) {
    assert.deepEqual(
      denials.map((one) => one.rule),
      ["protocol.ssh"],
    );
  }
  assert.ok(!peer.got.includes("SSH"));
});

async function plainHello(name: string): Promise<Buffer> {
  const hello = await helloWithEch(name);
  const cut = Buffer.from(hello.subarray(0, hello.length - 8));
  const session = cut[43] ?? 0;
  const ciphers = 44 + session;
  const compression = ciphers + 2 + cut.readUInt16BE(ciphers);
  const extensions = compression + 1 + (cut[compression] ?? 0);
  cut.writeUInt16BE(cut.readUInt16BE(extensions) - 8, extensions);
  cut.writeUInt16BE(cut.readUInt16BE(3) - 8, 3);
  cut.writeUIntBE(cut.readUIntBE(6, 3) - 8, 6, 3);
  return cut;
}

test("INV-7: an opaque name is dialled where it was checked, and nowhere private", async (t) => {
  const grants = `  - { system: tcp, name: raw, hosts: [raw.test], ports: [5000], opaque: true }\n`;
  const it = await worldOf(t, grants, { resolve: () => Promise.resolve(["127.0.0.1"]) });
  const socket = await it.dial("raw.test", 5000);
  assert.equal(await readAll(socket), "");
  await it.flowsClosed(1);
  assert.deepEqual(it.said("code"), ['"gateway.address"']);
});

test("INV-9: a connection that cannot be recorded is not dialled", async (t) => {
  let dialled = false;
  const server = createServer(() => (dialled = true));
  servers.push(server);
  const it = await worldOf(t, grantOf(await listening(server), "opaque: true"), {
    record: ({ type }) =>
      type === "action" ? Promise.reject(new Error("no space")) : Promise.resolve(1),
  });
  assert.equal(await readAll(await it.dial("raw.test", 5000)), "");
  assert.equal(dialled, false);
});

test("a slow reader slows the sender, and nothing is lost", async (t) => {
  const total = 32 << 20;
  let sent = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const push = () => {
      while (sent < total) {
        sent += 1 << 16;
        if (!socket.write(Buffer.alloc(1 << 16))) {
          socket.once("drain", push);
          return;
        }
      }
      socket.end();
    };
    push();
  });
  servers.push(server);
  const it = await worldOf(t, grantOf(await listening(server), "opaque: true"));
  const socket = await it.dial("raw.test", 5000);
  socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const held = sent;
  assert.ok(held < total / 2, `${held} bytes were taken from a sender that nobody reads`);
  let got = 0;
  socket.on("data", (chunk: Buffer) => (got += chunk.length));
  socket.resume();
  await once(socket, "end");
  assert.equal(got, total);
});

test("INV-32: revoking cuts what is open at once, of every kind, and refuses what comes", async (t) => {
  const peer = await peerOf("hello\n", () => "");
  const site = await siteOf();
  const it = await worldOf(
    t,
    `${grantOf(peer.port, "opaque: true")}  - { system: tcp, name: tls, hosts: [tls.test], dial: "127.0.0.1:${site.port}", splice: true }\n`,
  );
  const raw = await it.dial("raw.test", 5000);
  await readAll(raw, (text) => text.includes("hello"));
  const secure = await it.secure("tls.test", 443, { ca: site.ca });
  assert.equal(it.revoke("raw"), 1, "only what was granted by it");
  assert.equal(await readAll(raw), "");
  secure.write("still");
  assert.match(await readAll(secure, (text) => text.includes("still")), /still/);
  assert.match(it.said("reason").at(-1) ?? "", /no longer granted: the grant raw was revoked/);
  const again = await it.dial("raw.test", 5000);
  assert.equal(await readAll(again), "");
  assert.deepEqual(
    it.denials.map((one) => [one.rule, one.process]),
    [["grants[0]", AGENT]],
  );
  secure.destroy();
});

test("INV-33: what is open when private data is read is cut, unless it is paired", async (t) => {
  const peer = await peerOf("hello\n", () => "");
  const crm = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  });
  servers.push(crm);
  const it = await worldOf(
    t,
    `  - { system: http, name: crm, hosts: [crm.test], ports: [80], dial: "127.0.0.1:${await listening(crm)}", allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }
${grantOf(peer.port, "opaque: true")}${grantOf(peer.port, "opaque: true, pairs: [crm]").replaceAll("raw", "friend")}`,
  );
  const [raw, friend] = [await it.dial("raw.test", 5000), await it.dial("friend.test", 5000)];
  await Promise.all([raw, friend].map((one) => readAll(one, (text) => text.includes("hello"))));
  const request = await it.dial("crm.test", 80);
  request.write("GET / HTTP/1.1\r\nHost: crm.test\r\n\r\n");
  await readAll(request, (text) => text.endsWith("ok"));
  it.recheck(); // What the run does by itself when its state says so.
  assert.equal(await readAll(raw), "");
  assert.equal(friend.destroyed, false);
  const after = await it.dial("raw.test", 5000);
  assert.equal(await readAll(after), "");
  assert.match(it.denials.at(-1)?.reason ?? "", /private data was read from crm/);
  friend.destroy();
});
