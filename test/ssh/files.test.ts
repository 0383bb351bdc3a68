/**
 * Files through the broker: sftp, scp, rsync and git of a real client, and what they may not do.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Json } from "../../src/action/index.ts";
import type { Lease } from "../../src/vault/index.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit, UNATTENDED, type KitOptions, type Ran } from "./session-kit.ts";

const sshd = new Sshd();
const root = mkdtempSync(join(tmpdir(), "cofferdam-files-"));
const site = join(root, "site");
const kits: BrokerKit[] = [];
before(() => sshd.start());
beforeEach(() => {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(site);
  writeFileSync(join(site, "a.txt"), "first\nsecond\nthird\n");
  writeFileSync(join(root, "outside.txt"), "outside");
});
after(async () => {
  for (const kit of kits) await kit.close();
  await sshd.close();
  rmSync(root, { recursive: true, force: true });
});

const MILD = [
  {
    verbs: ["sftp.*"],
    on: [`${site}/**`],
    doing: ["read", "read-private", "write"],
  },
] as readonly Record<string, Json>[];
const WAITS = [
  { verbs: ["sftp.list", "sftp.read"] },
  {
    verbs: ["sftp.write", "sftp.mkdir", "sftp.setstat", "sftp.rename", "sftp.link", "sftp.delete"],
    on: [`${site}/**`],
    effects: ["delete"],
  },
] as readonly Record<string, Json>[];
const FREE = [{ verbs: ["*"], unattended: UNATTENDED }] as readonly Record<string, Json>[];

async function kit(allow: readonly Record<string, Json>[], options: Partial<KitOptions> = {}) {
  const attach = { kind: "ssh-key", user: sshd.user, privateKey: sshd.userKey } as const;
  const lease: Lease = { credential: "c", attach, secrets: [sshd.userKey] };
  const made = new BrokerKit({ port: sshd.port, hostKey: sshd.hostKey, lease, allow, ...options });
  kits.push(await made.start());
  return made;
}

async function sftp(it: BrokerKit, ...lines: readonly string[]): Promise<Ran> {
  return await it.ssh(["-q", "-b", "-", "127.0.0.1"], {
    program: "sftp",
    input: `${lines.join("\n")}\n`,
  });
}

test("sftp and scp read, write, list, rename and make below what is granted", async () => {
  const it = await kit(MILD);
  writeFileSync(join(it.root, "new.html"), "<p>new");
  const { code, stdout, stderr } = await sftp(
    it,
    `get ${site}/a.txt got.txt`,
    `put new.html ${site}/new.html`,
    `mkdir ${site}/d`,
    `rename ${site}/new.html ${site}/d/moved.html`,
    `chmod 644 ${site}/d/moved.html`,
    `ln -s moved.html ${site}/d/link`,
    `ls -l ${site}/d`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /moved\.html/);
  assert.equal(readFileSync(join(it.root, "got.txt"), "utf8"), "first\nsecond\nthird\n");
  assert.equal(readFileSync(join(site, "d/link"), "utf8"), "<p>new");
  const copied = await it.ssh(["-q", `127.0.0.1:${site}/a.txt`, "copied.txt"], { program: "scp" });
  assert.equal(copied.code, 0, copied.stderr);
  assert.equal(readFileSync(join(it.root, "copied.txt"), "utf8"), "first\nsecond\nthird\n");
  const wrote = it.outcomes.find(([verb]) => verb === "sftp.write")?.[1];
  assert.equal(wrote?.["bytesWritten"], 6);
  assert.match(JSON.stringify(wrote?.["sha256"]), /^"[0-9a-f]{64}"$/);
});

const OUTSIDE: readonly (readonly [string, string])[] = [
  ["a file beside", "get ROOT/outside.txt x"],
  ["steps upwards", "get SITE/../outside.txt x"],
  ["a link to a file", "get SITE/out x"],
  ["a link to a folder", "get SITE/up/outside.txt x"],
  ["a link, and back up", "get SITE/up/./outside.txt x"],
  ["writing through a link", "put local SITE/out"],
  ["writing below a link", "put local SITE/up/new.txt"],
  ["renaming out", "rename SITE/a.txt ROOT/b.txt"],
  ["renaming in", "rename ROOT/outside.txt SITE/b.txt"],
  ["renaming below a link", "rename SITE/a.txt SITE/up/b.txt"],
  ["linking to what is outside", "ln -s ROOT/outside.txt SITE/l"],
  ["linking with steps upwards", "ln -s ../outside.txt SITE/l"],
  ["linking by a link", "ln -s up/outside.txt SITE/l"],
  ["a second name of what is outside", "ln ROOT/outside.txt SITE/l"],
  ["a second name by a link", "ln SITE/up/outside.txt SITE/l"],
  ["a folder outside", "mkdir SITE/up/d"],
  ["a look at what is outside", "cd SITE/up"],
  ["a mode outside", "chmod 600 SITE/out"],
  ["a deletion, which is not granted", "rm SITE/a.txt"],
  ["a program", "put local SITE/x.php"],
  ["a key file", "put local SITE/.ssh/authorized_keys"],
  ["a shell's start file", "put local SITE/.bashrc"],
  ["a hook", "put local SITE/.git/hooks/pre-commit"],
  ["a mode to be run", "chmod 755 SITE/a.txt"],
  ["an owner", "chown 12345 SITE/a.txt"],
];
for (const [what, line] of OUTSIDE) {
  test(`INV-106: is judged by where it leads, and refused: ${what}`, async () => {
    const it = await kit(MILD);
    symlinkSync(join(root, "outside.txt"), join(site, "out"));
    symlinkSync(root, join(site, "up"));
    mkdirSync(join(site, ".ssh"));
    mkdirSync(join(site, ".git/hooks"), { recursive: true });
    writeFileSync(join(it.root, "local"), "local");
    const before = snapshot();
    const { code, stdout, stderr } = await sftp(
      it,
      line.replaceAll("SITE", site).replaceAll("ROOT", root),
    );
    assert.notEqual(code, 0, `${line}: ${stdout}`);
    assert.match(stderr, /Cofferdam: sftp\./);
    assert.deepEqual(snapshot(), before);
    assert.ok(!existsSync(join(it.root, "x")));
  });
}

/** Every file below the root, with its content, mode and owner. */
function snapshot(): string {
  const shown = execFileSync("find", [root, "-printf", "%p %m %U %n %s %l\\n"], {
    encoding: "utf8",
  });
  return shown.split("\n").sort().join("\n");
}

test("a write that waits is kept whole, shown with its difference, and done after a yes", async () => {
  const it = await kit(WAITS);
  writeFileSync(join(it.root, "a.txt"), "first\nchanged\nthird\n");
  const { code, stderr } = await sftp(it, `put a.txt ${site}/a.txt`, `get ${site}/a.txt back.txt`);
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(site, "a.txt"), "utf8"), "first\nchanged\nthird\n");
  const isWriting = ({ action }: { action: { verb: string } }) => action.verb === "sftp.write";
  assert.equal(it.judged.filter(isWriting).length, 1, "INV-131: judged once, when it is opened");
  const held = it.held.findLast(isWriting);
  assert.ok(held !== undefined);
  const { content, preview, found } = held.action.fields as unknown as {
    content: { bytes: number };
    preview: string;
    found: { before: { sha256: string } };
  };
  assert.equal(content.bytes, 20);
  assert.match(found.before.sha256, /^[0-9a-f]{64}$/);
  assert.equal(preview, "  line 2:\n- second\n+ changed");
  const { mtimeMs, mode, uid, gid } = lstatSync(join(site, "a.txt"));
  assert.deepEqual(await it.look(held.asking), {
    before: {
      ...{ type: "file", bytes: 20, sha256: sumOf(join(site, "a.txt")), owner: `${uid}:${gid}` },
      mode: `0${(mode & 0o7777).toString(8)}`,
      changed: new Date(Math.floor(mtimeMs / 1000) * 1000).toISOString(),
    },
    preview: "  line 5:",
  });
});

function sumOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

test("scp, which empties a file last, is as whole; a file changed in place is not, and stays", async () => {
  const it = await kit(WAITS);
  writeFileSync(join(it.root, "short"), "short");
  const { code, stderr } = await it.ssh(["-q", "short", `127.0.0.1:${site}/a.txt`], {
    program: "scp",
  });
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(site, "a.txt"), "utf8"), "short");
  const held = it.held.findLast(({ action }) => action.verb === "sftp.write");
  assert.equal(held?.action.fields["mode"], "replace");
});

test("what else waits is done after a yes: modes, renames, links, folders, deletions", async () => {
  const it = await kit(WAITS);
  writeFileSync(join(site, "gone"), "x");
  mkdirSync(join(site, "empty"));
  const { code, stderr } = await sftp(
    it,
    `chmod 600 ${site}/a.txt`,
    `rename ${site}/a.txt ${site}/b.txt`,
    `ln -s b.txt ${site}/l`,
    `ln ${site}/b.txt ${site}/h`,
    `mkdir ${site}/d`,
    `rm ${site}/gone`,
    `rmdir ${site}/empty`,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(site).sort(), ["b.txt", "d", "h", "l"]);
  assert.equal(lstatSync(join(site, "b.txt")).mode & 0o777, 0o600);
});

const SWAPS: readonly (readonly [what: string, line: string, swap: () => void])[] = [
  ["the file is another", `rename ${site}/a.txt ${site}/b.txt`, () => rewrite("a.txt")],
  ["one came to be replaced", `rename ${site}/a.txt ${site}/b.txt`, () => rewrite("b.txt")],
  ["its folder leads elsewhere", `rm ${site}/d/x`, () => swapFolder()],
  ["a link lies there now", `chmod 600 ${site}/a.txt`, () => relink("a.txt", "/etc/hostname")],
  ["its mode is another", `rm ${site}/a.txt`, () => chmodSync(join(site, "a.txt"), 0o666)],
  ["what is linked is another", `ln ${site}/a.txt ${site}/h`, () => rewrite("a.txt")],
  ["what a link will say leads elsewhere", `ln -s d/x ${site}/l`, () => swapFolder()],
  ["a link points elsewhere", `rm ${site}/s`, () => relink("s", "b.txt")],
  ["the folder has come", `mkdir ${site}/new`, () => mkdirSync(join(site, "new"))],
  ["the folder was filled", `rmdir ${site}/e`, () => writeFileSync(join(site, "e/f"), "")],
  ["what is overwritten is another", `put a.txt ${site}/a.txt`, () => rewrite("a.txt")],
];
const rewrite = (name: string) => writeFileSync(join(site, name), "swapped");
function relink(name: string, to: string): void {
  rmSync(join(site, name));
  symlinkSync(to, join(site, name));
}
/** The very same file, in a folder elsewhere. */
function swapFolder(): void {
  cpSync(join(site, "d"), join(root, "elsewhere"), { recursive: true, preserveTimestamps: true });
  rmSync(join(site, "d"), { recursive: true });
  symlinkSync(join(root, "elsewhere"), join(site, "d"));
}
for (const [what, line, swap] of SWAPS) {
  test(`INV-132, fault ssh.changed: ${what} since it was shown: ${line.replaceAll(site, "")}`, async () => {
    writeFileSync(join(site, "a.txt"), "shown");
    for (const name of ["d", "e"]) mkdirSync(join(site, name));
    writeFileSync(join(site, "d/x"), "deep");
    symlinkSync("a.txt", join(site, "s"));
    utimesSync(join(site, "e"), 1, 1);
    let before = "";
    const it = await kit(WAITS, { whileHeld: () => (swap(), (before = snapshot())) });
    writeFileSync(join(it.root, "a.txt"), "put");
    const { code } = await sftp(it, line);
    assert.notEqual(code, 0);
    assert.deepEqual(it.failures, ["ssh.changed"]);
    assert.equal(snapshot(), before, "nothing was done");
    const found = it.held.at(-1)?.action.fields["found"];
    assert.ok(found !== undefined, "it was shown");
    rmSync(join(root, "elsewhere"), { recursive: true, force: true });
  });
}

test("INV-131: what waits is judged once, and what is allowed is not looked at", async () => {
  const it = await kit(WAITS);
  writeFileSync(join(site, "a.txt"), "shown");
  await sftp(it, `rename ${site}/a.txt ${site}/b.txt`, `rm ${site}/b.txt`);
  const verbs = it.judged.map(({ action }) => action.verb).filter((verb) => verb !== "sftp.list");
  assert.deepEqual(verbs, ["sftp.rename", "sftp.delete"]);
  const [renamed] = it.held;
  assert.ok(renamed !== undefined);
  const { found } = renamed.action.fields as { found: Record<string, Record<string, unknown>> };
  assert.equal(found["before"]?.["type"], "file");
  assert.equal(found["before"]?.["sha256"], createHash("sha256").update("shown").digest("hex"));
  assert.equal(found["there"], "nothing");
  const free = await kit(FREE);
  writeFileSync(join(site, "a.txt"), "shown");
  await sftp(free, `rename ${site}/a.txt ${site}/b.txt`);
  const allowed = free.judged.find(({ action }) => action.verb === "sftp.rename");
  assert.equal(allowed?.action.fields["found"], undefined);
});

test("a pipe in the place of a file is told as such, and holds nobody up", async () => {
  const it = await kit(WAITS);
  execFileSync("mkfifo", [join(site, "pipe")]);
  const { code, stderr } = await sftp(it, `rm ${site}/pipe`);
  assert.equal(code, 0, stderr);
  assert.match(JSON.stringify(it.held.at(-1)?.action.fields["found"]), /"type":"special"/);
});

test("a no leaves everything as it was, and is told", async () => {
  const it = await kit(WAITS, { decision: "denied" });
  writeFileSync(join(it.root, "a.txt"), "no");
  const before = snapshot();
  for (const line of [`put a.txt ${site}/a.txt`, `rm ${site}/a.txt`, `chmod 600 ${site}/a.txt`]) {
    const { code, stderr } = await sftp(it, line);
    assert.notEqual(code, 0);
    assert.match(stderr, /denied/);
  }
  assert.deepEqual(snapshot(), before);
});

test("a file that is too large to decide over is refused, and what is added to one is added", async () => {
  const it = await kit(WAITS, { limits: { spoolBytes: 1000 } });
  writeFileSync(join(it.root, "large"), "x".repeat(5000));
  assert.notEqual((await sftp(it, `put large ${site}/large`)).code, 0);
  assert.ok(!existsSync(join(site, "large")));
  writeFileSync(join(it.root, "whole"), "0123456789abcdef");
  writeFileSync(join(site, "part"), "0123456789");
  const { code, stderr } = await sftp(it, `reput whole ${site}/part`);
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(site, "part"), "utf8"), "0123456789abcdef");
});

test("a key that is read waits, and comes after a yes", async () => {
  const it = await kit([{ verbs: ["sftp.list", "sftp.read"] }]);
  mkdirSync(join(site, ".ssh"));
  writeFileSync(join(site, ".ssh/id_ed25519"), "not really");
  const { code, stderr } = await sftp(it, `get ${site}/.ssh/id_ed25519 key`);
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(it.root, "key"), "utf8"), "not really");
  assert.deepEqual(it.judged.at(-1)?.decision.verdict, "confirm");
});

test("names of every kind go through as they are", async () => {
  const it = await kit(MILD);
  const name = "ö 'quoted' \"x\" ;|&$(x) \u{1f600}";
  writeFileSync(join(site, name), "there");
  const { code, stderr } = await it.ssh(["-q", `127.0.0.1:${site}/${name}`, "got"], {
    program: "scp",
  });
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(it.root, "got"), "utf8"), "there");
});

test("rsync, scp of old, and git work where a rule lets their paths through", async () => {
  const rules = [
    { verbs: ["rsync.*", "scp.*", "repo.*"], on: [`${site}/**`], unattended: UNATTENDED },
    { verbs: ["push.create"], on: ["refs/heads/main"], unattended: UNATTENDED },
  ];
  const it = await kit(rules, { with: { repos: [`${site}/r.git`] } });
  const shell = [
    "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o HostKeyAlias=server.example",
    `-o UserKnownHostsFile=${it.root}/known_hosts -p ${it.port}`,
  ].join(" ");
  const run = async (program: string, ...args: readonly string[]) => {
    const env = {
      ...process.env,
      GIT_SSH_COMMAND: shell,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@b.example",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@b.example",
    };
    const child = spawn(program, args, {
      cwd: it.root,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 20_000,
    });
    let errors = "";
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0, `${program} ${args.join(" ")}: ${errors}`);
  };
  mkdirSync(join(it.root, "src/deep"), { recursive: true });
  writeFileSync(join(it.root, "src/deep/f"), "f".repeat(300_000));
  await run("rsync", "-a", "-e", shell, "src/", `127.0.0.1:${site}/synced/`);
  await run("rsync", "-a", "-e", shell, `127.0.0.1:${site}/synced/`, "back/");
  assert.equal(readFileSync(join(it.root, "back/deep/f"), "utf8").length, 300_000);
  await run(
    "scp",
    "-O",
    "-q",
    "-F",
    "none",
    "-o",
    `UserKnownHostsFile=${it.root}/known_hosts`,
    "-o",
    "HostKeyAlias=server.example",
    "-P",
    `${it.port}`,
    "src/deep/f",
    `127.0.0.1:${site}/old`,
  );
  assert.equal(readFileSync(join(site, "old"), "utf8").length, 300_000);
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", join(site, "r.git")]);
  await run("git", "init", "-q", "-b", "main", "work");
  writeFileSync(join(it.root, "work/f"), "f");
  await run("git", "-C", "work", "add", "f");
  await run("git", "-C", "work", "commit", "-qm", "one");
  await run("git", "-C", "work", "push", "-q", `ssh://127.0.0.1${site}/r.git`, "main");
  await run("git", "clone", "-q", `ssh://127.0.0.1${site}/r.git`, "clone");
  assert.equal(readFileSync(join(it.root, "clone/f"), "utf8"), "f");
  const verbs = it.judged.map(({ action }) => action.verb);
  assert.deepEqual(verbs, [
    "rsync.write",
    "rsync.read",
    "scp.write",
    ...["repo.read", "push.create", "repo.read"],
  ]);
});

test("Ansible works unchanged: each of its shell lines is a script, each of its files a write", async () => {
  const it = await kit(FREE);
  const options = `-F none -o UserKnownHostsFile=${it.root}/known_hosts -o HostKeyAlias=server.example`;
  const variables = {
    ansible_host: "127.0.0.1",
    ansible_port: it.port,
    ansible_remote_tmp: join(it.root, "remote"),
    ansible_python_interpreter: "/usr/bin/python3",
  };
  const child = spawn(
    "ansible",
    [
      ...["all", "-i", "server.example,", "-m", "copy", "-a", `content=hello dest=${site}/made`],
      ...["-e", JSON.stringify(variables), "--ssh-common-args", options],
    ],
    {
      env: {
        ...process.env,
        ANSIBLE_LOCAL_TEMP: join(it.root, "l"),
        ANSIBLE_HOME: join(it.root, "h"),
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let out = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0, out);
  assert.equal(readFileSync(join(site, "made"), "utf8"), "hello");
  const verbs = new Set(it.judged.map(({ action }) => action.verb));
  assert.deepEqual([...verbs].sort(), ["script", "sftp.list", "sftp.write"]);
});

test("a folder of many files is copied with one look at each", async () => {
  const it = await kit(MILD);
  mkdirSync(join(it.root, "many"));
  for (let at = 0; at < 20; at += 1) writeFileSync(join(it.root, `many/${at}.txt`), `${at}`);
  const { code, stderr } = await sftp(it, `put -r many ${site}/many`);
  assert.equal(code, 0, stderr);
  assert.equal(readdirSync(join(site, "many")).length, 20);
});
