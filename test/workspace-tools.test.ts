/**
 * Real tools in a real run, over a workspace that they worked in before: what they rename, link, replace
 * and delete there comes from the host. Each row ends well in the run, and applied it is what the run saw.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { resolveTools, RUN_UID } from "../src/sandbox/index.ts";
import { hold, makePlace, runCommand } from "../src/sandbox/sandbox.fixture.ts";
import {
  createLayer,
  diffWorkspace,
  discardLayer,
  applyWorkspace,
} from "../src/workspace/index.ts";

const isRoot = process.geteuid?.() === 0;
const GIT = `export HOME=/tmp GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a
  export GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
  commit() { git add -A && git commit -qm "$1"; }
  gone() { if test -e "$1"; then exit 1; fi; }; refused() { if "$@" 2>/dev/null; then exit 1; fi; }`;
const REPO = `git init -qb main; mkdir -p src/deep docs; echo 1 > src/a; echo 2 > src/deep/b; echo 3 > docs/c
  commit one; git checkout -qb side; git rm -qr src/deep; echo 4 > src/a; echo x > new; commit side
  git checkout -q main; echo 5 > docs/c; commit two`;
const NPM = "npm install --offline --no-audit --no-fund --loglevel=error --cache=/tmp/npm";
const PACK = `mkdir -p dep/lib; echo '{"name":"dep","version":"1.0.0","bin":"cli.js"}' > dep/package.json
  printf '#!/usr/bin/env node\\nconsole.log(require("./lib/n"))\\n' > dep/cli.js; echo 'module.exports = 1' > dep/lib/n.js
  echo '{"name":"top","version":"1.0.0"}' > package.json; (cd dep; npm pack --silent --pack-destination ..)
  sed -i s/1.0.0/2.0.0/ dep/package.json; echo 'module.exports = 2' > dep/lib/n.js
  (cd dep; npm pack --silent --pack-destination ..)`;
const PIP = "/usr/bin/python3 -m pip --disable-pip-version-check -q --no-cache-dir";
const WHEEL = `wheel() { /usr/bin/python3 - "$1" <<'EOF'
import sys, zipfile
v = sys.argv[1]
with zipfile.ZipFile(f"dep-{v}-py3-none-any.whl", "w") as z:
    i = f"dep-{v}.dist-info/"
    z.writestr("dep/__init__.py", f"n = '{v}'\\n")
    z.writestr(f"dep/only_{v[0]}.py", "")
    z.writestr(i + "METADATA", f"Metadata-Version: 2.1\\nName: dep\\nVersion: {v}\\n")
    z.writestr(i + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr(i + "RECORD", f"dep/__init__.py,,\\ndep/only_{v[0]}.py,,\\n{i}METADATA,,\\n{i}WHEEL,,\\n{i}RECORD,,\\n")
EOF
}; wheel 1.0; wheel 2.0`;

// prettier-ignore
const CASES: readonly (readonly [why: string, onHost: string, inside: string])[] = [
  ["npm installs over what was installed: it renames the host's folders away",
    `${PACK}; ${NPM} ./dep-1.0.0.tgz`, `${NPM} ./dep-2.0.0.tgz; test "$(npx --offline dep)" = 2`],
  ["npm installs where nothing was, then takes it away", PACK,
    `${NPM} ./dep-1.0.0.tgz; test "$(npx --offline dep)" = 1; npm uninstall --offline --loglevel=error --cache=/tmp/npm dep; gone node_modules/dep`],
  ["npm ci deletes the host's node_modules and makes it anew",
    `${PACK}; ${NPM} ./dep-1.0.0.tgz`, "npm ci --offline --no-audit --no-fund --loglevel=error --cache=/tmp/npm; test \"$(npx --offline dep)\" = 1"],
  ["pip upgrades what is installed in a virtual environment of the host's",
    `${WHEEL}; /usr/bin/python3 -m venv --without-pip --system-site-packages env; env/bin/python -m pip -q --disable-pip-version-check install --no-index ./dep-1.0-*.whl`,
    "env/bin/python -m pip -q --disable-pip-version-check install --no-index ./dep-2.0-*.whl; test $(env/bin/python -c 'import dep; print(dep.n)') = 2.0; gone env/lib/python*/site-packages/dep/only_1.py"],
  ["pip uninstalls", `${WHEEL}; /usr/bin/python3 -m venv --without-pip --system-site-packages env; env/bin/python -m pip -q --disable-pip-version-check install --no-index ./dep-1.0-*.whl`,
    "env/bin/python -m pip -q --disable-pip-version-check uninstall -y dep; refused env/bin/python -c 'import dep'"],
  ["pip installs into a folder, twice", `${WHEEL}; ${PIP} install --no-index --target lib ./dep-1.0-*.whl`,
    `${PIP} install --no-index --upgrade --target lib ./dep-2.0-*.whl; grep -q 2.0 lib/dep/__init__.py`],
  ["git checkout, where a branch lacks the host's folder", REPO, "git checkout -q side; gone src/deep; git checkout -q main; test -e src/deep/b; git fsck --strict"],
  ["git merge", REPO, "git merge -q --no-edit side; gone src/deep; test \"$(cat src/a docs/c | tr -d '\\n')\" = 45"],
  ["git rebase", REPO, "git rebase -q main side; test \"$(git log --format=%s | tr '\\n' ' ')\" = 'side two one '"],
  ["git stash, with untracked files", REPO, "echo 9 > src/a; mkdir un; echo u > un/u; git stash -qu; gone un; git stash pop -q; test \"$(cat src/a un/u | tr -d '\\n')\" = 9u"],
  ["git worktree add and remove", REPO, "git worktree add -q ./wt side; test -e wt/new; git worktree remove wt; gone wt"],
  ["git gc, repack and prune", `${REPO}; git gc -q`, "echo 7 > f; commit f; git repack -qad; git gc -q --prune=now; git fsck --strict; git log --format=%s | grep -qx f"],
  ["git clean and reset", REPO, "rm -r src; mkdir junk; git reset -q --hard; git clean -qfdx; test -e src/deep/b; gone junk"],
  ["git mv of a file, within and between the host's folders", REPO, "git mv src/a docs/a; git mv docs/c docs/d; commit moved; test -e docs/a"],
  ["git mv of a folder: refused, and done with mv and git add", REPO,
    "refused git mv src lib; test -e src/deep/b; mv src lib; commit moved; test -e lib/deep/b; gone src; git log --summary -1 | grep -q 'rename {src => lib}'"],
  ["a file replaced by rename, as cargo, editors and databases do", "mkdir t; echo old > t/f; chmod 600 t/f",
    "echo new > t/.f.tmp; mv t/.f.tmp t/f; test $(cat t/f) = new; ln t/f t/g; mv t/f t/h; test $(cat t/g) = new"],
  ["a folder of the run's own put in place by rename", "mkdir -p t/empty t/full; echo 1 > t/full/1",
    `mkdir tmp.1; echo 1 > tmp.1/1; python3 -c 'import os; os.rename("tmp.1", "t/new"); os.rename("t/new", "t/empty")'; test -e t/empty/1; rm -r t/full; mkdir n; mv n t/full`],
  ["a lock file with O_EXCL, fcntl locks, mmap and fsync", "echo 1 > db",
    `python3 -c 'import os, fcntl, mmap; os.open("db.lock", os.O_EXCL | os.O_CREAT); f = open("db", "r+b"); fcntl.lockf(f, fcntl.LOCK_EX); m = mmap.mmap(f.fileno(), 2); m[0:1] = b"2"; m.flush(); os.fsync(f)'; test $(cat db) = 2`],
  ["sqlite, with its journal and its log", `python3 -c 'import sqlite3; c = sqlite3.connect("s.db"); c.execute("create table t (n)"); c.commit()'`,
    `python3 -c 'import sqlite3; c = sqlite3.connect("s.db"); c.execute("pragma journal_mode=wal"); c.execute("insert into t values (1)"); c.commit(); c.close(); c = sqlite3.connect("s.db"); c.execute("pragma journal_mode=delete"); assert c.execute("select n from t").fetchall() == [(1,)]'`],
  ["tar, cp -a and rm -rf over the host's trees", "mkdir -p a/b; echo 1 > a/b/c; ln -s b a/l; tar cf a.tar a",
    "tar xf a.tar; cp -a a d; rm -rf a; tar xf a.tar; diff -r a d; chmod -R go-rwx d; touch -d 2001-01-01 a/b/c"],
];

test("tools work over what the host has, and applied it is what they made", async (t) => {
  const place = await makePlace();
  try {
    const host = place.workspace;
    const request = { path: process.env["PATH"] ?? "", home: homedir(), workspace: host };
    const tools = await resolveTools({ ...request, commands: ["npm"] });
    for (const [n, [, script]] of CASES.entries()) {
      const cwd = join(host, `c${n}`);
      mkdirSync(cwd);
      const made = spawnSync("bash", ["-euc", `${GIT}\n${script}`], { cwd, encoding: "utf8" });
      assert.equal(made.status, 0, made.stderr);
    }
    const run = isRoot ? { run: { uid: RUN_UID, gid: RUN_UID } } : {};
    const layer = await createLayer(place.spec.layer, { host, ...run });
    // Bash, since `set -e` shall hold in each; what a row says goes to a file of its own.
    const each = CASES.map(
      ([, , script], n) => `(set -e; cd c${n}; ${script}\n) > /tmp/said 2>&1
        if test $? = 0; then echo "ok ${n}"; else echo "failed ${n}"; cat /tmp/said; fi`,
    );
    const all = join(place.root, "public/all.sh");
    writeFileSync(
      all,
      `umask 022; ${GIT}\n${each.join("\n")}\ntar cf - . | sha256sum > /dev/null\n`,
    );
    const held = await hold({ ...place.spec, tools });
    const { stdout, stderr } = await runCommand(held, ["/bin/bash", "/run/cofferdam/all.sh"], {
      cwd: host,
      environment: { ...tools.environment, PATH: tools.path },
    }).finally(() => held.end());
    for (const [n, [why]] of CASES.entries()) {
      await t.test(why, () => assert.match(stdout, new RegExp(`^ok ${n}$`, "m"), stdout + stderr));
    }
    const units = (await diffWorkspace(layer)).flatMap(({ confirm, unit }) =>
      confirm ? [unit] : [],
    );
    const done = await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set(units) });
    assert.deepEqual(done.conflicts, []);
    const left = (await diffWorkspace(layer)).filter(({ refused }) => refused === undefined);
    assert.deepEqual(
      left.map(({ path }) => path),
      [],
      "all that may come over did",
    );
  } finally {
    await discardLayer(place.spec.layer);
    await place.remove();
  }
});
