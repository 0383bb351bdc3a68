/** What runs left is removed by a daemon that is nobody's root, however deep it is and however it was closed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const NOBODY = 65_534;
const root = mkdtempSync(join(tmpdir(), "cofferdam-run-files-"));
after(() => {
  spawnSync("chmod", ["-R", "u+rwX", root]);
  spawnSync("rm", ["-rf", root]); // Which takes paths of any length.
});
chmodSync(root, 0o755);
if (process.geteuid?.() === 0) chownSync(root, NOBODY, NOBODY);

let count = 0;
const KIT = `
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { discardHome, filesOf, removeRunFiles, removeUnclaimed } from ${here("run-files.ts")};
if (process.geteuid() === 0) { process.setegid(${NOBODY}); process.seteuid(${NOBODY}); }
process.umask(0o022);
const [, runs] = process.argv;
mkdirSync(runs, { recursive: true });
const said = [];
const log = { info() {}, warn: (event, { run }) => said.push([event, run]) };
/** A folder that is closed, with one in it that is, too; and a path that no call takes whole. */
function close(folder) {
  mkdirSync(join(folder, "closed/in"), { recursive: true });
  writeFileSync(join(folder, "closed/in/file"), "");
  mkdirSync(join(folder, "deep"));
  process.chdir(join(folder, "deep"));
  for (let n = 0; n < 30; n += 1) { mkdirSync("d".repeat(200)); process.chdir("d".repeat(200)); }
  process.chdir("/");
  for (const one of ["closed/in", "closed"]) chmodSync(join(folder, one), 0);
}
/** What a run leaves. */
function leave(id) {
  const files = filesOf(runs, id);
  for (const one of [join(files.root, "home"), join(files.layer, "upper"), files.public]) {
    mkdirSync(one, { recursive: true });
  }
  writeFileSync(files.info, "{}");
  close(join(files.root, "home"));
  close(join(files.layer, "upper"));
  chmodSync(join(files.root, "home"), 0);
  return files;
}
const left = () => readdirSync(runs).sort();
const tell = (value) => console.log(JSON.stringify(value));
`;

function here(name: string): string {
  return JSON.stringify(join(import.meta.dirname, name));
}

/** What `script` tells, run as an ordinary user. */
function asUser(script: string): unknown {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", KIT + script, join(root, `${(count += 1)}`)],
    { encoding: "utf8" },
  );
  assert.match(stdout, /\n$/, stderr);
  return JSON.parse(stdout);
}

test("a run is forgotten with a HOME and a workspace that it closed; the others stay", () => {
  const told = asUser(`
    leave("r-1"); leave("r-2");
    const { Runs } = await import(${here("runs.ts")});
    await new Runs({ home: { runs } }).forget("r-1");
    const once = left();
    await removeUnclaimed(runs, log);
    tell([once, left(), said]);
    await removeRunFiles(filesOf(runs, "r-2"));
  `);
  assert.deepEqual(told, [["r-2"], ["r-2"], []]);
});

test("a HOME of which the removal was cut short goes with the next", () => {
  const told = asUser(`
    const { root } = leave("r-1");
    mkdirSync(join(root, "thrown"));
    chmodSync(join(root, "home"), 0o700);
    renameSync(join(root, "home"), join(root, "thrown/upper"));
    await discardHome(root);
    tell(readdirSync(root).sort());
    await removeRunFiles(filesOf(runs, "r-1"));
  `);
  assert.deepEqual(told, ["layer", "public", "run.json"]);
});

test("one that cannot be removed keeps the next daemon from nothing, and is told of", () => {
  const told = asUser(`
    for (const id of ["r-1", "r-2", "r-3"]) rmSync(leave(id).info);
    const stuck = join(filesOf(runs, "r-2").layer, "discarded");
    mkdirSync(stuck);
    writeFileSync(join(stuck, "1"), "");
    await removeUnclaimed(runs, log);
    const once = left();
    rmSync(join(stuck, "1"));
    await removeUnclaimed(runs, log);
    tell([once, left(), said]);
  `);
  assert.deepEqual(told, [["r-2"], [], [["run.unclaimed", "r-2"]]]);
});
