/**
 * Servers that do not keep to the protocol, and clients that ask for anything: what is bounded stays bounded, and
 * what is not granted stays as it is.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import ssh2 from "ssh2";
import type { Lease } from "../../src/vault/index.ts";
import {
  initPacket,
  sftpPacket,
  sftpRequestPacket,
  statusPacket,
  stringField,
  uint32Field,
  versionPacket,
  type SftpAsk,
} from "../../src/wire/index.ts";
import { FLUSH, packet } from "../../src/git/index.ts";
import { Repository } from "../git/kit.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit, type KitOptions } from "./session-kit.ts";

const attach = { kind: "login", user: "anybody", password: "the password 4711" } as const;
const lease: Lease = { credential: "c", attach, secrets: [attach.password] };

/** By ssh-keygen: of every few hundred keys that ssh2 makes it cannot read one itself. */
const hostKey = (() => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-host-key-"));
  try {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    return {
      key: readFileSync(join(folder, "key")),
      line: readFileSync(join(folder, "key.pub"), "utf8").trim(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
})();

/** A server of one's own. `act` gets each session. */
async function serverOf(
  act: (session: ssh2.Session, connection: ssh2.Connection) => void,
): Promise<{ port: number; hostKey: string; close(): void }> {
  const server = new ssh2.Server({ hostKeys: [hostKey.key] }, (connection) => {
    connection.on("error", () => {});
    connection.on("authentication", (context) => context.accept());
    connection.on("session", (accept) => act(accept(), connection));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, hostKey: hostKey.line, close: () => server.close() };
}

async function against(
  act: (session: ssh2.Session, connection: ssh2.Connection) => void,
  use: (kit: BrokerKit) => Promise<void>,
  more: Partial<KitOptions> = {},
): Promise<void> {
  const server = await serverOf(act);
  const { port, hostKey: key } = server;
  const kit = await new BrokerKit({ port, hostKey: key, lease, ...more }).start();
  try {
    await use(kit);
  } finally {
    server.close();
    await kit.close();
  }
}

interface Raw {
  readonly _protocol: { channelData(id: number, data: Buffer): void };
}

test("INV-109: a server that sends beyond its window loses its connection (ssh.upstream)", async () => {
  await against(
    (session, connection) =>
      session.on("exec", (accept) => {
        const channel = accept() as unknown as { outgoing: { id: number } };
        const { _protocol: protocol } = connection as unknown as Raw;
        for (let at = 0; at < 1000; at += 1) {
          protocol.channelData(channel.outgoing.id, Buffer.alloc(32_000));
        }
      }),
    async (kit) => {
      // An agent that reads nothing: then nothing is let through to it.
      const client = new ssh2.Client();
      client.on("error", () => {});
      client.connect({
        port: kit.port,
        host: "127.0.0.1",
        username: "x",
        authHandler: ["none"] as never,
      });
      await once(client, "ready");
      client.exec("ls", (_error, channel) => channel?.pause());
      await new Promise((resolve) => client.once("close", () => resolve(undefined)));
      assert.equal(kit.outcomes[0]?.[1]["exit"], undefined);
    },
  );
});

test("a password that a server echoes does not reach the agent", async () => {
  await against(
    (session) =>
      session.on("exec", (accept) => {
        const channel = accept();
        channel.write("it is the pass");
        setTimeout(() => channel.write("word 4711.\n"), 50);
        setTimeout(() => {
          channel.exit(0);
          channel.end();
        }, 100);
      }),
    async (kit) => {
      const { stdout } = await kit.run("ls");
      assert.match(stdout, /^it is \[redacted\]/);
      assert.doesNotMatch(stdout, /4711/);
      assert.deepEqual(kit.found, [["credential", "a command's output held the credential"]]);
    },
  );
});

test("INV-126: of what an agent sends to a push nothing but the push goes on, and nothing before it is whole", async () => {
  const it = new Repository();
  const tip = it.commit({ a: "1" });
  const body = it.pushBody([{ ref: "refs/heads/x", new: tip }]);
  it.remove();
  const came: Buffer[] = [];
  const refs = packet(`${"0".repeat(40)} capabilities^{}\0report-status agent=the-password-4711\n`);
  const told = Promise.withResolvers<void>();
  let judged = (): readonly string[] => [];
  await against(
    (session) =>
      session.on("exec", (accept, _reject, { command }) => {
        const channel = accept();
        if (!command.startsWith("git-receive-pack")) {
          channel.exit(1);
          channel.end();
          return;
        }
        channel.write(Buffer.concat([refs, Buffer.from("0000")]));
        channel.on("data", (chunk: Buffer) => {
          if (came.push(chunk) === 1) assert.deepEqual(judged(), ["repo.read", "push.create"]);
          if (Buffer.concat(came).length >= body.length) {
            channel.write(
              Buffer.concat([packet("unpack ok\n"), packet("ok refs/heads/x\n"), FLUSH]),
            );
            told.resolve();
          }
        });
        channel.on("end", () => {
          channel.exit(0);
          channel.end();
        });
      }),
    async (kit) => {
      judged = () => kit.judged.map(({ action }) => action.verb);
      const ssh = spawn("ssh", [...kit.sshOptions, "127.0.0.1", "git-receive-pack 'x'"]);
      const out: Buffer[] = [];
      ssh.stdout.on("data", (chunk: Buffer) => out.push(chunk));
      await once(ssh.stdout, "data");
      ssh.stdin.on("error", () => {});
      const half = body.length >> 1;
      ssh.stdin.write(body.subarray(0, half));
      ssh.stdin.write(body.subarray(half));
      await told.promise;
      ssh.stdin.end("and more of it");
      await once(ssh, "close");
      assert.deepEqual(Buffer.concat(came), body, "the very bytes, and nothing after them");
      const said = Buffer.concat(out).toString("latin1");
      assert.match(said, /no-thin\n0000.*unpack ok/s, "it could be asked for nothing");
      assert.doesNotMatch(said, /the-password-4711/);
    },
    { with: { repos: ["x"] }, lease: { ...lease, secrets: ["the-password-4711"] } },
  );
});

test("a server that refuses a command, or ends without a word, is told", async () => {
  await against(
    (session) => session.on("exec", (_accept, reject) => reject()),
    async (kit) => {
      const { code, stderr } = await kit.run("ls");
      assert.equal(code, 255);
      assert.match(stderr, /Cofferdam: the server refuses/);
    },
  );
  await against(
    (session, connection) => session.on("exec", () => connection.end()),
    async (kit) => assert.equal((await kit.run("ls")).code, 255),
  );
});

type Answer = (request: Buffer) => readonly Buffer[];

const SFTP_SERVERS: readonly (readonly [string, Buffer, Answer])[] = [
  ["another version", sftpPacket(2, uint32Field(6)), () => []],
  ["no version", statusPacket(1, 0, ""), () => []],
  ["an answer to nothing", versionPacket([]), () => [statusPacket(0xffff, 0, "")]],
  ["a packet of a gigabyte", versionPacket([]), () => [uint32Field(1 << 30)]],
  ["what is no answer", versionPacket([]), (request) => [sftpPacket(77, request.subarray(5, 9))]],
  ["a path that is none", versionPacket([]), (request) => [nameOf(request, "not/absolute")]],
  ["a path with steps upwards", versionPacket([]), (request) => [nameOf(request, "/srv/../etc")]],
];

function nameOf(request: Buffer, path: string): Buffer {
  const one = [stringField(path), stringField(path), uint32Field(0)];
  return sftpPacket(104, request.subarray(5, 9), uint32Field(1), ...one);
}

for (const [what, hello, answer] of SFTP_SERVERS) {
  test(`a file server that says ${what} is not believed (ssh.sftp, ssh.path)`, async () => {
    await against(
      (session) =>
        (
          session as unknown as {
            on(event: string, act: (accept: () => ssh2.ServerChannel) => void): void;
          }
        ).on("subsystem", (accept) => {
          const channel = accept();
          let isOpen = false;
          channel.on("error", () => {});
          channel.on("data", (chunk: Buffer) => {
            for (const packet of isOpen ? answer(chunk) : [hello]) channel.write(packet);
            isOpen = true;
          });
        }),
      async (kit) => {
        const { code, stdout } = await kit.ssh(["-q", "-b", "-", "127.0.0.1"], {
          program: "sftp",
          input: "cd /srv/www\nget x\n",
        });
        assert.notEqual(code, 0);
        assert.doesNotMatch(stdout, /Fetching/);
      },
    );
  });
}

const sshd = new Sshd();
const root = mkdtempSync(join(tmpdir(), "cofferdam-any-"));
before(() => sshd.start());
after(async () => {
  await sshd.close();
  rmSync(root, { recursive: true, force: true });
});

test("whatever a client asks of files, nothing outside of what is granted is read or changed", async () => {
  const site = join(root, "site");
  const outside = join(root, "outside");
  for (const folder of [site, outside, join(site, "d")]) mkdirSync(folder);
  writeFileSync(join(outside, "secret"), "must not be read");
  symlinkSync(outside, join(site, "up"));
  symlinkSync(join(outside, "secret"), join(site, "link"));
  const key = { kind: "ssh-key", user: sshd.user, privateKey: sshd.userKey } as const;
  const allow = [
    { verbs: ["sftp.*"], on: [`${site}/**`], doing: ["read", "read-private", "write"] },
  ];
  const kit = await new BrokerKit({
    ...{ port: sshd.port, hostKey: sshd.hostKey, allow },
    lease: { credential: "c", attach: key, secrets: [] },
  }).start();
  const before = stateOf(outside);
  const name = fc.constantFrom(
    "a",
    "d",
    "up",
    "link",
    "secret",
    "..",
    ".",
    "",
    "d/..",
    "up/secret",
    "x",
  );
  const path = fc.oneof(
    fc.array(name, { maxLength: 4 }).map((parts) => [site, ...parts].join("/")),
    fc.array(name, { maxLength: 3 }).map((parts) => [root, "outside", ...parts].join("/")),
    fc.array(name, { maxLength: 3 }).map((parts) => parts.join("/")),
  );
  const attributes = fc.record(
    { size: fc.constantFrom(0, 3), mode: fc.constantFrom(0o600, 0o644) },
    { requiredKeys: [], noNullPrototype: true },
  );
  const handle = fc.constantFrom("\0\0\0\0", "\0\0\0\x01", "\0\0\0\x02", "cofferdam held file 1");
  const asks = fc.oneof(
    fc.record({
      kind: fc.constant("open" as const),
      path,
      flags: fc.integer({ min: 0, max: 63 }),
      attributes,
    }),
    fc.record({
      kind: fc.constantFrom(
        "remove",
        "rmdir",
        "opendir",
        "stat",
        "lstat",
        "readlink",
        "realpath",
        "expand-path",
      ),
      path,
    }),
    fc.record({ kind: fc.constantFrom("mkdir", "setstat", "lsetstat"), path, attributes }),
    fc.record({ kind: fc.constant("rename" as const), path, to: path, isReplacing: fc.boolean() }),
    fc.record({ kind: fc.constantFrom("symlink", "hardlink"), path, to: path }),
    fc.record({
      kind: fc.constant("read" as const),
      handle,
      offset: fc.constant(0n),
      length: fc.constant(100),
    }),
    fc.record({
      kind: fc.constant("write" as const),
      handle,
      offset: fc.constant(0n),
      data: fc.constant(Buffer.from("changed")),
    }),
    fc.record({ kind: fc.constantFrom("close", "fstat", "readdir", "fsync"), handle }),
    fc.record({ kind: fc.constant("fsetstat" as const), handle, attributes }),
  ) as fc.Arbitrary<SftpAsk>;
  const list = fc.sample(asks, { seed: 42, numRuns: 800 });
  const answers = await ask(kit, list);
  assert.ok(answers.length > 0);
  assert.ok(!answers.includes("must not be read"), "the file was read");
  assert.equal(stateOf(outside), before);
  await kit.close();
});

function stateOf(folder: string): string {
  const shown = execFileSync("find", [folder, "-printf", "%p %m %s %n %T@\n"], {
    encoding: "utf8",
  });
  return shown + execFileSync("cat", [join(folder, "secret")], { encoding: "utf8" });
}

/** Sends everything on one file session, and gives back all that came. */
async function ask(kit: BrokerKit, list: readonly SftpAsk[]): Promise<string> {
  const client = new ssh2.Client();
  client.on("error", () => {});
  client.connect({
    port: kit.port,
    host: "127.0.0.1",
    username: "x",
    authHandler: ["none"] as never,
  });
  await once(client, "ready");
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    client.subsys("sftp", (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    ),
  );
  const chunks: Buffer[] = [];
  let answered = 0;
  const done = new Promise<void>((resolve) => {
    let left = Buffer.alloc(0);
    channel.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      left = Buffer.concat([left, chunk]);
      while (left.length >= 4 && left.length >= 4 + left.readUInt32BE(0)) {
        left = left.subarray(4 + left.readUInt32BE(0));
        answered += 1;
      }
      if (answered === list.length + 1) resolve();
    });
    channel.stderr.resume();
    channel.once("close", () => resolve());
  });
  channel.write(initPacket());
  list.forEach((one, id) => channel.write(sftpRequestPacket(id, one)));
  await done;
  client.end();
  assert.equal(answered, list.length + 1, "each is answered once");
  return Buffer.concat(chunks).toString("latin1");
}
