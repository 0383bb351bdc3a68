/**
 * Commands through the broker: a real OpenSSH client on the one side, a real sshd on the other.
 */
import assert from "node:assert/strict";
import { randomBytes, createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Lease } from "../../src/vault/index.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit, INNER, UNATTENDED, type KitOptions } from "./session-kit.ts";

const sshd = new Sshd();
const scratch = mkdtempSync(join(tmpdir(), "cofferdam-ssh-"));
const kits: BrokerKit[] = [];
before(() => sshd.start());
after(async () => {
  for (const kit of kits) await kit.close();
  await sshd.close();
  rmSync(scratch, { recursive: true, force: true });
});

const WAITS = [{ verbs: ["*"] }];

async function kit(options: Partial<KitOptions> = {}): Promise<BrokerKit> {
  const attach = { kind: "ssh-key", user: sshd.user, privateKey: sshd.userKey } as const;
  const lease: Lease = { credential: "c", attach, secrets: [sshd.userKey] };
  const made = await new BrokerKit({
    port: sshd.port,
    hostKey: sshd.hostKey,
    lease,
    ...options,
  }).start();
  kits.push(made);
  return made;
}

test("output, errors, statuses and signals come as the server gives them", async () => {
  const it = await kit();
  assert.deepEqual(await it.run("echo out; echo err >&2; exit 7"), {
    code: 7,
    stdout: "out\n",
    stderr: "err\n",
  });
  assert.equal((await it.run("kill -TERM $$")).code, 255, "ssh has 255 for a signal");
  assert.deepEqual(await it.run("cat", "in"), { code: 0, stdout: "in", stderr: "" });
  assert.deepEqual(
    it.outcomes.map(([verb, { exit, signal }]) => [verb, exit, signal]),
    [
      ["script", 7, undefined],
      ["script", undefined, "SIGTERM"],
      ["exec", 0, undefined],
    ],
  );
});

test("much goes through both ways, also where both streams wait at once, and with fresh keys on the way", async () => {
  const it = await kit();
  const bytes = randomBytes(12_000_000);
  const both = await it.run("tee /dev/stderr | cat", bytes);
  assert.equal(both.stdout.length, bytes.length);
  const sum = createHash("sha256").update(Buffer.from(both.stdout, "latin1")).digest("hex");
  assert.equal(sum, createHash("sha256").update(bytes).digest("hex"));
  const rekeyed = await it.ssh(["-o", "RekeyLimit=1M", "127.0.0.1", "head -c 6000000 /dev/zero"]);
  assert.equal(rekeyed.stdout.length, 6_000_000, rekeyed.stderr);
});

test("INV-105: what runs is the spelling that was judged: no alias, no quote of another shell", async () => {
  const it = await kit({ allow: [{ verbs: ["exec"], doing: ["read", "read-private"] }] });
  const { stdout } = await it.run(`printf '%s|' "a b" 'it'"'"'s' c\\ d '$HOME' '*'`);
  assert.equal(stdout, "a b|it's|c d|$HOME|*|");
});

test("what is not granted is told where errors come, and never starts", async () => {
  const it = await kit({ allow: [{ verbs: ["exec"], doing: ["read"] }] });
  const logins = () => sshd.log.match(/Accepted publickey/g)?.length;
  const before = logins();
  const { code, stdout, stderr } = await it.run(`touch ${scratch}/denied`);
  assert.deepEqual([code, stdout], [126, ""]);
  assert.match(stderr, /^Cofferdam: exec: server grants no exec on touch/);
  assert.ok(!existsSync(join(scratch, "denied")));
  assert.equal(logins(), before, "the server heard nothing");
});

test("a command that waits is performed with all of its input after a yes, and its answer comes back", async () => {
  const it = await kit({ allow: WAITS });
  const file = join(scratch, "approved");
  const { code, stdout, stderr } = await it.run(`tee ${file}; echo no >&2; exit 3`, "the input");
  assert.deepEqual([code, stdout, stderr], [3, "the input", "no\n"]);
  assert.equal(readFileSync(file, "utf8"), "the input");
  assert.equal(it.judged.length, 1, "INV-131: judged once, with its input after that");
  const [held] = it.held;
  const fields = JSON.stringify(held?.action.fields);
  assert.match(fields, /"input":\{"bytes":9,"sha256":"[0-9a-f]{64}","text":"the input"\}/);
  assert.match(fields, /"preview":"not made: it acts on what is there when it is performed/);
});

test("a no, and a wait that is not over, are told with their status, and nothing runs", async () => {
  for (const [decision, code] of [
    ["denied", 126],
    ["pending", 75],
  ] as const) {
    const it = await kit({ allow: WAITS, decision });
    const file = join(scratch, decision);
    const ran = await it.run(`touch ${file}`);
    assert.equal(ran.code, code);
    assert.match(ran.stderr, new RegExp(`Cofferdam: exec: ${decision}`));
    assert.ok(!existsSync(file));
  }
});

test("input that is larger, or does not end, is told so, and nothing runs", async () => {
  const it = await kit({ allow: WAITS, limits: { spoolBytes: 1000, wholeBodyMs: 3000 } });
  const large = await it.run(`tee ${scratch}/large`, "x".repeat(2000));
  assert.equal(large.code, 126);
  assert.match(large.stderr, /1000 bytes of input at most/);
  const endless = await it.agent((client, done) =>
    client.exec(`tee ${scratch}/endless`, (error, channel) => {
      if (error !== undefined) throw error;
      let told = "";
      channel.stderr.on("data", (data: Buffer) => (told += data.toString()));
      channel.on("close", () => done(told)).resume();
      channel.write("it begins");
    }),
  );
  assert.match(endless, /did not end within 3 s/);
  assert.ok(!existsSync(join(scratch, "large")) && !existsSync(join(scratch, "endless")));
});

const CONVERSATIONS = [
  ["scp -t /tmp/x", /without -O scp uses sftp.*\[scp\.write\].*`unattended`/],
  ["rsync --server -e.L . /tmp/x", /verbs: \[rsync\.write\], on: that path and `unattended`/],
] as const;

test("a conversation is not waited for: it is told how it may begin, and what would grant it", async () => {
  for (const [decision, code] of [
    ["pending", 75],
    ["denied", 126],
  ] as const) {
    const it = await kit({ allow: WAITS, decision });
    for (const [command, instead] of CONVERSATIONS) {
      const ran = await it.run(command);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, instead);
      assert.match(it.refused.at(-1) ?? "", instead, "and in the denials file");
    }
    assert.equal(it.held.length, CONVERSATIONS.length);
    assert.match(
      JSON.stringify(it.held[0]?.action.fields["conversation"]),
      /nobody sees what it then transfers/,
    );
  }
  const none = await kit({ allow: [{ verbs: ["exec"] }] });
  for (const [command, instead] of CONVERSATIONS) {
    const { code, stderr } = await none.run(command);
    assert.equal(code, 126);
    assert.match(stderr, instead, "also where nothing of it is granted");
  }
});

test("on a terminal nobody is asked, whatever a person would say", async () => {
  const it = await kit({ allow: WAITS });
  const file = join(scratch, "typed");
  for (const args of [
    ["-tt", "127.0.0.1", `touch ${file}`],
    ["-tt", "127.0.0.1"],
  ]) {
    const { code, stdout, stderr } = await it.ssh(args, { input: `touch ${file}\n` });
    assert.equal(code, 126, stdout + stderr);
    assert.match(stdout + stderr, /`unattended`/);
  }
  assert.deepEqual(it.held, []);
  assert.ok(!existsSync(file));
});

test("what was stored and is nothing to perform is not performed (ssh.perform)", async () => {
  const it = await kit();
  for (const operation of [
    { op: "shell" },
    { op: "exec", command: "id", pty: true },
    { op: "x" },
  ]) {
    await it.perform({ operation });
  }
  assert.deepEqual(it.failures, ["ssh.perform", "ssh.perform", "ssh.perform"]);
});

test("a shell is no part of a grant of commands", async () => {
  const it = await kit({ allow: [{ verbs: ["exec", "script"], unattended: UNATTENDED }] });
  assert.equal((await it.ssh(["-tt", "127.0.0.1"], { input: "exit\n" })).code, 126);
});

const FORWARDS: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "a port of the server's to here",
    ["-R", "0:127.0.0.1:1", "-N", "-o", "ExitOnForwardFailure=yes"],
    /tcpip-forward/,
  ],
  [
    "a socket of the server's to here",
    ["-R", "/tmp/cofferdam-x:127.0.0.1:1", "-N", "-o", "ExitOnForwardFailure=yes"],
    /streamlocal-forward/,
  ],
  ["a connection through the server", ["-W", "127.0.0.1:22"], /direct-tcpip/],
  ["an agent's keys", ["-o", "ForwardAgent=yes"], /agent/],
];
for (const [what, args, pattern] of FORWARDS) {
  test(`INV-108: no connection is carried past the gateway: ${what}`, async () => {
    const it = await kit();
    const isAgent = args.includes("ForwardAgent=yes");
    if (isAgent) {
      await it.agent((client, done) =>
        client.exec("true", { agentForward: true } as never, (error) => done(String(error))),
      );
    } else {
      const { code } = await it.ssh([...args, "127.0.0.1"]);
      assert.notEqual(code, 0);
    }
    assert.match(it.refused.join(), pattern);
    assert.deepEqual(
      it.found.map(([kind]) => kind),
      ["tunnel"],
    );
    assert.match(it.found[0]?.[1] ?? "", pattern);
  });
}

test("INV-108: a tunnel device, a socket of the server's and X11 are refused and named too", async () => {
  const it = await kit();
  await it.agent((client, done) => {
    client.exec("true", { x11: true }, (error) => {
      // What ssh2 has no word for (PROTOCOL, sections 2.3 and 2.4).
      const { _protocol: protocol } = client as unknown as { _protocol: RawProtocol };
      openRaw(protocol, "direct-streamlocal@openssh.com");
      openRaw(protocol, "tun@openssh.com");
      setTimeout(() => done(String(error)), 300);
    });
  });
  assert.deepEqual(
    it.found.map(([kind]) => kind),
    ["tunnel", "tunnel", "tunnel"],
  );
  for (const word of ["direct-streamlocal", "x11", "tun"])
    assert.match(it.refused.join(), new RegExp(word));
});

test("a granted server is reached through another one, and is judged as it is without", async () => {
  const it = await kit({ allow: [{ verbs: ["exec"], doing: ["read"] }] });
  const jump = [
    ...["ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o HostKeyAlias=server.example"],
    ...[`-o UserKnownHostsFile=${it.root}/known_hosts -p ${it.port} -W ${INNER}:22 127.0.0.1`],
  ].join(" ");
  const through = (command: string) => it.ssh(["-o", `ProxyCommand=${jump}`, INNER, command]);
  assert.deepEqual(await through("echo in"), { code: 0, stdout: "in\n", stderr: "" });
  const denied = await through("touch /tmp/x");
  assert.equal(denied.code, 126);
  assert.match(denied.stderr, /grants no exec on touch/);
  const forwarded = await it.ssh(["-W", "other.example:22", "127.0.0.1"]);
  assert.notEqual(forwarded.code, 0);
  assert.deepEqual(it.found, [["tunnel", "SSH direct-tcpip to other.example:22"]]);
});

test("another subsystem is refused", async () => {
  const it = await kit();
  const { code } = await it.ssh(["-s", "127.0.0.1", "netconf"]);
  assert.notEqual(code, 0);
  assert.match(it.refused.join(), /ssh\.subsystem: the subsystem "netconf"/);
});

test("variables are passed on where they tell a language, and no other way", async () => {
  const it = await kit();
  const environment = {
    LC_ALL: "C.UTF-8",
    LD_PRELOAD: "/tmp/x.so",
    LC_TIME: "/tmp/x",
    PATH: "/tmp",
  };
  const out = await it.agent((client, done) =>
    client.exec("env", { env: environment }, (error, channel) => {
      if (error !== undefined) throw error;
      let text = "";
      channel.on("data", (data: Buffer) => (text += data.toString()));
      channel.on("close", () => done(text));
    }),
  );
  assert.match(out, /^LC_ALL=C\.UTF-8$/m);
  assert.doesNotMatch(out, /LD_PRELOAD|LC_TIME|^PATH=\/tmp$/m);
});

test("INV-109: a client that sends beyond its window is cut", async () => {
  const it = await kit();
  await it.agent((client, done) => {
    client.on("close", () => done("closed"));
    client.exec("sleep 5", (error, channel) => {
      if (error !== undefined) throw error;
      const { outgoing } = channel as unknown as { outgoing: { id: number; window: number } };
      const { _protocol: protocol } = client as unknown as { _protocol: RawProtocol };
      for (let at = 0; at < 100; at += 1) protocol.channelData(outgoing.id, Buffer.alloc(32_000));
    });
  });
  assert.match(it.cuts.join(), /more than its window/);
});

test("a client that never logs in is cut", async () => {
  const it = await kit({ limits: { handshakeMs: 300 } });
  const socket = connect(it.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("close", resolve).resume());
  assert.match(it.cuts.join(), /did not get as far/);
});

test("a server that is gone is told, and so is one that is none", async () => {
  const it = await kit({ port: it_isNoPort });
  const { code } = await it.run("ls");
  assert.equal(code, 255);
});
const it_isNoPort = 1;

interface RawProtocol {
  channelData(id: number, data: Buffer): void;
  readonly _packetRW: {
    write: { allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
}

function openRaw({ _packetRW: { write }, _cipher: cipher }: RawProtocol, type: string): void {
  const name = Buffer.from(type);
  const payload = Buffer.alloc(1 + 4 + name.length + 12 + 8);
  payload[0] = 90;
  payload.writeUInt32BE(name.length, 1);
  name.copy(payload, 5);
  payload.writeUInt32BE(77, 5 + name.length);
  const packet = write.alloc(payload.length);
  payload.copy(packet, write.allocStart);
  cipher.encrypt(write.finalize(packet));
}
