import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { sampleEvent, writtenLedger, type LedgerHome } from "../../test/support/ledger.ts";
import { verifyLedger } from "../ledger/index.ts";
import { makeBackup, restoreBackup, tarEnd, tarHead, tarPadding } from "./index.ts";
import { MANIFEST_FILE, type Manifest } from "./manifest.ts";

const PASSPHRASE = "correct horse battery";
const open = () => Promise.resolve(PASSPHRASE);

interface Kit {
  readonly home: LedgerHome;
  readonly archive: string;
  readonly to: string;
}

/** A home of its own, and where its backup goes. */
async function kitOf(t: TestContext): Promise<Kit> {
  const home = await writtenLedger(t, 600);
  const put = (path: string, text: string) => {
    mkdirSync(join(home.root, path, ".."), { recursive: true });
    writeFileSync(join(home.root, path), text);
  };
  put("approvers.yaml", "approvers: []\n");
  put("bot-token", "123:secret");
  put("runs/r-1/run.json", "{}");
  put("runs/r-1/layer/upper/big", "workspace");
  put("homes/x/.bashrc", "agent's");
  put("daemon.log", "log");
  put("service", "");
  put("alive", "");
  put("approvals.db-wal", "of the moment");
  const elsewhere = await writtenLedger(t, 0);
  return {
    home,
    archive: join(elsewhere.root, "backup.tar"),
    to: join(elsewhere.root, "restored"),
  };
}

async function make({ home, archive }: Kit, { hasKeys = true } = {}) {
  const passphrase = hasKeys ? PASSPHRASE : undefined;
  const pieces: Buffer[] = [];
  const made = await makeBackup({
    ...{ root: home.root, copies: { folder: home.root, files: [] }, passphrase },
    ...{ version: "1.0.0", at: "2026-11-27T12:00:00.000Z" },
    write: async (bytes) => void pieces.push(Buffer.from(bytes)),
  });
  writeFileSync(archive, Buffer.concat(pieces));
  return made;
}

test("a home comes back as it was, less what is of the moment; tar(1) reads the backup as well", async (t) => {
  const kit = await kitOf(t);
  symlinkSync("/etc/passwd", join(kit.home.root, "runs/r-1/link"));
  const made = await make(kit);
  assert.deepEqual([made.entries, made.hasKeys], [600, true]);
  const names = execFileSync("tar", ["-tf", kit.archive], { encoding: "utf8" }).split("\n");
  for (const name of names)
    assert.doesNotMatch(name, /layer|homes|daemon\.log|-wal|keys|token|link/);
  assert.ok(!readFileSync(kit.archive).includes("123:secret"), "what may be a secret is sealed");
  const restored = await restoreBackup({ file: kit.archive, to: kit.to, passphrase: open });
  assert.deepEqual([restored.entries, restored.hasKeys], [600, true]);
  for (const name of ["approvers.yaml", "bot-token", "runs/r-1/run.json", "keys/ledger.key"]) {
    assert.deepEqual(
      readFileSync(join(kit.to, name)),
      readFileSync(join(kit.home.root, name)),
      name,
    );
    assert.equal(statSync(join(kit.to, name)).mode & 0o777, 0o600);
  }
  assert.equal(statSync(kit.to).mode & 0o777, 0o700);
  assert.ok(!existsSync(join(kit.to, "daemon.log")));
  assert.ok(!existsSync(join(kit.to, "service")), "whoever restores it has no service of it yet");
  assert.ok(!existsSync(join(kit.to, "alive")));
  assert.equal((await verifyLedger(join(kit.to, "ledger"))).ok, true);
});

test("without keys nothing of them is in it, and what is missing is named", async (t) => {
  const kit = await kitOf(t);
  const { hasKeys, left } = await make(kit, { hasKeys: false });
  assert.ok(!hasKeys && left.includes("keys/ledger.key") && left.includes("bot-token"));
  const never = () => Promise.reject(new Error("asked for a passphrase"));
  await restoreBackup({ file: kit.archive, to: kit.to, passphrase: never });
  assert.ok(!existsSync(join(kit.to, "keys")) && !existsSync(join(kit.to, "bot-token")));
});

test("INV-233: a record that went on shows a restored one as cut off, and a fork as another", async (t) => {
  const kit = await kitOf(t);
  await make(kit);
  const ledger = await kit.home.open();
  for (let n = 600; n < 700; n += 1) await ledger.append(sampleEvent(n));
  const later = await ledger.checkpoint();
  await ledger.close();
  await restoreBackup({ file: kit.archive, to: kit.to, passphrase: open });
  const dir = join(kit.to, "ledger");
  const cut = await verifyLedger(dir, { since: later });
  assert.match(cut.problems[0]?.what ?? "", /had 700 entries and now has 600: it was cut off/);
  const { openLedger } = await import("../ledger/index.ts");
  const again = await openLedger({ ...kit.home.options, dir, keys: join(kit.to, "keys") });
  for (let n = 0; n < 200; n += 1) await again.append(sampleEvent(n, { run: "r-other" }));
  await again.close();
  const fork = await verifyLedger(dir, { since: later });
  assert.match(fork.problems[0]?.what ?? "", /does not continue it/);
});

test("fault backup.home: nothing is written over, whatever is there", async (t) => {
  const kit = await kitOf(t);
  await make(kit);
  const restore = (to: string) => restoreBackup({ file: kit.archive, to, passphrase: open });
  mkdirSync(kit.to);
  writeFileSync(join(kit.to, ".hidden"), "");
  await assert.rejects(restore(kit.to), { code: "backup.home", message: /not empty/ });
  await assert.rejects(restore(join(kit.to, ".hidden")), { code: "backup.home" });
  rmSync(join(kit.to, ".hidden"));
  await restore(kit.to);
});

/** The files of an archive, by name. */
function unpack(archive: string): Map<string, Buffer> {
  const bytes = readFileSync(archive);
  const files = new Map<string, Buffer>();
  for (let at = 0; bytes[at] !== 0;) {
    const end = (from: number, length: number) =>
      bytes.toString("utf8", from, from + length).replace(/\0.*/s, "");
    const prefix = end(at + 345, 155);
    const path = prefix === "" ? end(at, 100) : `${prefix}/${end(at, 100)}`;
    const size = Number.parseInt(end(at + 124, 12), 8);
    files.set(path, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + size + tarPadding(size).length;
  }
  return files;
}

function packed(
  path: string,
  content: Buffer | string,
  head = tarHead(path, content.length),
): Buffer {
  return Buffer.concat([head, Buffer.from(content), tarPadding(content.length)]);
}

function pack(files: ReadonlyMap<string, Buffer>, more: readonly Buffer[] = []): Buffer {
  const parts = [...files].map(([path, content]) => packed(path, content));
  return Buffer.concat([...more, ...parts, tarEnd()]);
}

/** A head with another field, and a sum that fits. */
function headWith(path: string, size: number, change: (head: Buffer) => void): Buffer {
  const head = tarHead(path, size);
  change(head);
  head.write(" ".repeat(8), 148);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return head;
}

const named = (name: string) =>
  packed(
    "x",
    "evil",
    headWith("x", 4, (head) => head.fill(0, 0, 100).write(name, 0)),
  );
const typed = (type: string, link = "") =>
  packed(
    "x",
    "",
    headWith("x", 0, (head) => (head.write(type, 156), head.write(link, 157))),
  );

/** What a hostile archive tries: the bytes before everything else of a good one, or the good one changed. */
const HOSTILE: readonly (readonly [string, (files: Map<string, Buffer>) => Buffer])[] = [
  ["a path that leads out", (files) => pack(files, [named("../../evil")])],
  ["a path from the root", (files) => pack(files, [named("/etc/evil")])],
  ["a path through ..", (files) => pack(files, [named("runs/../../evil")])],
  ["a path with a dot", (files) => pack(files, [named("./evil")])],
  ["a folder", (files) => pack(files, [typed("5")])],
  ["a symbolic link", (files) => pack(files, [typed("2", "/etc/passwd")])],
  ["a hard link", (files) => pack(files, [typed("1", "/etc/passwd")])],
  ["a character device", (files) => pack(files, [typed("3")])],
  ["a fifo", (files) => pack(files, [typed("6")])],
  ["a pax extension", (files) => pack(files, [typed("x")])],
  ["a long name of GNU", (files) => pack(files, [typed("L")])],
  ["a sparse file of GNU", (files) => pack(files, [typed("S")])],
  ["a file that its manifest does not list", (files) => pack(files, [packed("evil", "evil")])],
  ["a file twice", (files) => pack(files, [packed("approvers.yaml", "approvers: []\n")])],
  [
    "a set-user-ID mode",
    (files) =>
      pack(files, [
        packed(
          "x",
          "",
          headWith("x", 0, (head) => head.write("0004755", 100)),
        ),
      ]),
  ],
  [
    "a size in another spelling",
    (files) =>
      pack(files, [
        packed(
          "x",
          "",
          headWith("x", 0, (head) => head.write("          0", 124)),
        ),
      ]),
  ],
  ["a size beyond its end", (files) => pack(files, [tarHead("x", 8 ** 11 - 1)])],
  [
    "a size in base 256",
    (files) =>
      pack(files, [
        packed(
          "x",
          "",
          headWith("x", 0, (head) => head.fill(0xff, 124, 136)),
        ),
      ]),
  ],
  [
    "something in its padding",
    (files) =>
      pack(files, [Buffer.concat([tarHead("x", 1), Buffer.from("a"), Buffer.alloc(511, 1)])]),
  ],
  ["something behind its end", (files) => Buffer.concat([pack(files), Buffer.from("more")])],
  ["cut short", (files) => pack(files).subarray(0, -700)],
  ["empty", () => Buffer.alloc(0)],
  ["no archive", () => Buffer.from("hello".repeat(1000))],
  ["a file changed", (files) => pack(files.set("approvers.yaml", Buffer.from("approvers: [x\n")))],
  ["a file missing", (files) => (files.delete("approvers.yaml"), pack(files))],
  ["no manifest", (files) => (files.delete(MANIFEST_FILE), pack(files))],
  ["a file in place of a folder", (files) => retold(files, (m) => add(files, m, "runs", "x"))],
];

function add(files: Map<string, Buffer>, manifest: Manifest, path: string, text: string): void {
  files.set(path, Buffer.from(text));
  // The digest of "x".
  const sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
  manifest.files.push({ path, bytes: text.length, sha256 });
}

/** The archive with another manifest, last in it. */
function retold(files: Map<string, Buffer>, change: (manifest: Manifest) => void): Buffer {
  const manifest = JSON.parse(String(files.get(MANIFEST_FILE))) as Manifest;
  files.delete(MANIFEST_FILE);
  change(manifest);
  files.set(MANIFEST_FILE, Buffer.from(JSON.stringify(manifest)));
  return pack(files);
}

test("INV-233: fault backup.archive: a hostile archive is refused, and nothing of it stays", async (t) => {
  const kit = await kitOf(t);
  await make(kit);
  const restore = () => {
    // Without the passphrase: what the seal would notice has to be noticed as well.
    return restoreBackup({
      file: kit.archive,
      to: kit.to,
      passphrase: () => Promise.resolve(undefined),
    });
  };
  const good = readFileSync(kit.archive);
  const files = unpack(kit.archive);
  assert.deepEqual(pack(files), good, "what is changed below is otherwise a good one");
  const above = readdirSync(join(kit.to, ".."));
  for (const [why, spoil] of HOSTILE) {
    writeFileSync(kit.archive, spoil(new Map(files)));
    await assert.rejects(restore(), { code: "backup.archive" }, why);
    assert.deepEqual(readdirSync(join(kit.to, "..")), above, why);
  }
  writeFileSync(kit.archive, good);
  await restore();
});

test("INV-233: a manifest that was changed together with its files does not open the keys", async (t) => {
  const kit = await kitOf(t);
  await make(kit);
  const files = unpack(kit.archive);
  writeFileSync(
    kit.archive,
    retold(files, (m) => add(files, m, "rules/x.rules", "x")),
  );
  const restore = (passphrase: string) =>
    restoreBackup({ file: kit.archive, to: kit.to, passphrase: () => Promise.resolve(passphrase) });
  await assert.rejects(restore(PASSPHRASE), { code: "vault.wrong_key" });
  await make(kit);
  await assert.rejects(restore("another one"), { code: "vault.wrong_key" });
  await restore(PASSPHRASE);
});

test("fault backup.record: a record that does not verify is not put in place", async (t) => {
  const kit = await kitOf(t);
  const bundle = join(kit.home.dir, "tile/entries/000");
  const bytes = readFileSync(bundle);
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);
  await make(kit);
  const restore = (key?: string) =>
    restoreBackup({
      file: kit.archive,
      to: kit.to,
      passphrase: open,
      ...(key === undefined ? {} : { key }),
    });
  await assert.rejects(restore(), {
    code: "backup.record",
    message: /not the entry that was signed/,
  });
  assert.ok(!existsSync(kit.to));
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);
  await make(kit);
  const other = await writtenLedger(t, 1);
  await assert.rejects(restore(readFileSync(join(other.dir, "vkey"), "utf8")), {
    code: "backup.record",
  });
  await restore(readFileSync(join(kit.home.dir, "vkey"), "utf8"));
});

test("fault base.format: a backup of a newer format says both numbers", async (t) => {
  const kit = await kitOf(t);
  await make(kit);
  const newer = retold(unpack(kit.archive), (m) => Object.assign(m, { format: 2 }));
  writeFileSync(kit.archive, newer);
  await assert.rejects(restoreBackup({ file: kit.archive, to: kit.to, passphrase: open }), {
    code: "base.format",
    message: "the backup is of format 2; this Cofferdam reads format 1",
  });
});

test("fault backup.changed: a file that becomes shorter while it is read ends the backup", async (t) => {
  const kit = await kitOf(t);
  const run = join(kit.home.root, "runs/r-1/run.json");
  writeFileSync(run, "x".repeat(3 << 20));
  const making = makeBackup({
    ...{ root: kit.home.root, copies: { folder: kit.home.root, files: [] }, passphrase: undefined },
    ...{ version: "1.0.0", at: "2026-11-27T12:00:00.000Z" },
    write: async (bytes) => {
      if (bytes.length === 1 << 20) writeFileSync(run, "short");
    },
  });
  await assert.rejects(making, { code: "backup.changed" });
});

test("INV-276: of a run's folder only what is Cofferdam's own is read, whatever the run makes of its HOME", async (t) => {
  const kit = await kitOf(t);
  const run = join(kit.home.root, "runs/r-1");
  for (const own of ["public", "recordings", "evidence"]) {
    mkdirSync(join(run, own));
    writeFileSync(join(run, own, "own"), own);
  }
  // A long name would end the backup; a link would lead it to the keys, and a pipe would hold it up for good.
  mkdirSync(join(run, "home", "c".repeat(124)), { recursive: true });
  writeFileSync(join(run, "home", "c".repeat(124), "n".repeat(200)), "");
  symlinkSync(join(kit.home.root, "keys"), join(run, "home", "d"));
  execFileSync("mkfifo", [join(run, "home", "pipe")]);
  await make(kit);
  const names = execFileSync("tar", ["-tf", kit.archive], { encoding: "utf8" }).split("\n");
  const found = names.filter((name) => name.startsWith("runs/")).toSorted();
  const own = ["evidence/own", "public/own", "recordings/own", "run.json"];
  assert.deepEqual(
    found,
    own.map((name) => `runs/r-1/${name}`),
  );
});

test("fault backup.path: what the form cannot name is said, not left out", async (t) => {
  const kit = await kitOf(t);
  writeFileSync(join(kit.home.root, "runs/r-1", "n".repeat(200)), "");
  await assert.rejects(make(kit), { code: "backup.path" });
  for (const path of ["a//b", "../a", "a/./b", "", "a\0b"]) {
    assert.throws(() => tarHead(path, 0), { code: "backup.path" }, path);
  }
  const long = `${"d".repeat(60)}/${"e".repeat(60)}/f`;
  const head = tarHead(long, 5);
  writeFileSync(kit.archive, Buffer.concat([head, Buffer.alloc(512), tarEnd()]));
  assert.equal(execFileSync("tar", ["-tf", kit.archive], { encoding: "utf8" }), `${long}\n`);
});
