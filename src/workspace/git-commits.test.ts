import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, RUN, type Place } from "../../test/support/overlay.ts";
import { applyWorkspace, fetchCommits, type FetchedCommits, type Layer } from "./index.ts";

const frozen = { frozen: true };
const GIT = `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a
  export GIT_COMMITTER_EMAIL=a@example.com GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
  commit() { echo "$1" > "$1"; git add "$1"; git commit -qm "$1"; }`;
const REPO = `${GIT}; git init -qb main; commit one`;

async function withPlace(
  script: string,
  use: (place: Place, layer: Layer) => Promise<void>,
): Promise<void> {
  const place = createPlace(script);
  try {
    await use(place, await place.start());
  } finally {
    place.remove();
  }
}

function git(place: Place, ...args: readonly string[]): string {
  const safe = ["-c", "safe.directory=*", "-C", place.host];
  return execFileSync("git", [...safe, ...args], {
    encoding: "utf8",
    uid: RUN.uid,
    gid: RUN.gid,
    env: { PATH: process.env["PATH"] },
  }).trim();
}

function names(fetched: readonly FetchedCommits[]): readonly string[] {
  return fetched.flatMap(({ repository, refs }) => refs.map(({ name }) => `${repository} ${name}`));
}

test("commits come over as refs of their own; the repository is otherwise as it was", async () => {
  await withPlace(`${REPO}; git branch old; git tag v0`, async (place, layer) => {
    const config = readFileSync(join(place.host, ".git/config"), "utf8");
    place.inside(
      `${GIT}; commit two; git checkout -qb side; commit three; git tag v1; git branch -D old -q
      git tag -a v2 -m v2; git checkout -q --detach; commit four`,
      false,
    );
    const fetched = await fetchCommits(layer, "r-1", frozen);
    const expected = ["HEAD", "heads/main", "heads/side", "tags/v1", "tags/v2"];
    assert.deepEqual(
      names(fetched).toSorted(),
      expected.map((one) => `. refs/cofferdam/r-1/${one}`),
    );
    const log = (ref: string): string =>
      git(place, "log", "--format=%s", `refs/cofferdam/r-1/${ref}`);
    assert.equal(log("heads/main"), "two\none");
    assert.equal(log("HEAD"), "four\nthree\ntwo\none");
    assert.equal(git(place, "show-ref", "--heads").split("\n").length, 2, "its own heads stay");
    assert.equal(git(place, "log", "--format=%s", "main"), "one");
    assert.equal(readFileSync(join(place.host, ".git/config"), "utf8"), config);
    git(place, "fsck", "--strict");
    assert.deepEqual(
      readdirSync(layer.folder).filter((name) => name.includes("donor")),
      [],
    );
    assert.ok(!readdirSync(tmpdir()).some((name) => name.startsWith("cofferdam-donor-")));
    const { refused } = await applyWorkspace(layer, { frozen: true, confirm: new Set() });
    assert.deepEqual(
      refused.map(({ path }) => path),
      [".git"],
    );
  });
});

test("they come out of packs too, from a packed host, a nested repository and a shallow clone", async () => {
  const host = `${REPO}; commit two; git gc -q; git clone -q --depth 1 file://$PWD nested`;
  await withPlace(host, async (place, layer) => {
    place.inside(
      `${GIT}; commit three; git gc -q --prune=now; cd nested; commit four; git pack-refs --all`,
      false,
    );
    const fetched = await fetchCommits(layer, "r-1", frozen);
    assert.deepEqual(names(fetched), [
      ". refs/cofferdam/r-1/heads/main",
      "nested refs/cofferdam/r-1/heads/main",
    ]);
    assert.equal(
      git(place, "log", "--format=%s", "refs/cofferdam/r-1/heads/main"),
      "three\ntwo\none",
    );
    const nested = git(
      place,
      "-C",
      "nested",
      "log",
      "--format=%s",
      "refs/cofferdam/r-1/heads/main",
    );
    assert.equal(nested, "four\ntwo");
  });
});

test("as an ordinary user as well", async () => {
  await withPlace(REPO, async (place, layer) => {
    place.inside(`${GIT}; commit two`, false);
    chownSync(layer.folder, RUN.uid, RUN.gid);
    chownSync(join(layer.folder, "layer.json"), RUN.uid, RUN.gid);
    const code = `import { fetchCommits, openLayer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
      const layer = await openLayer(${JSON.stringify(layer.folder)});
      console.log(JSON.stringify(await fetchCommits(layer, "r-1", { frozen: true })));`;
    const argv = ["--input-type=module-typescript", "-e", code];
    const said = execFileSync(process.execPath, argv, {
      encoding: "utf8",
      uid: RUN.uid,
      gid: RUN.gid,
    });
    assert.match(said, /"name":"refs\/cofferdam\/r-1\/heads\/main"/);
    assert.equal(git(place, "log", "--format=%s", "refs/cofferdam/r-1/heads/main"), "two\none");
  });
});

test("INV-16: nothing that the run put into .git runs, is read, or is waited for", async () => {
  await withPlace(
    `${REPO}; mkdir ../host/secret; cd secret; git init -qb main; commit private`,
    async (place, layer) => {
      const canary = join(place.base, "copy", "ran");
      const run = `touch ${canary}`;
      place.inside(
        `${GIT}; commit two
      printf '[core]\n\tfsmonitor = "${run}"\n\tsshCommand = "${run}"\n\talternateRefsCommand = "${run}"\n\thooksPath = hooks\n[uploadpack]\n\tpackObjectsHook = "${run}"\n[include]\n\tpath = /dev/zero\n' >> .git/config
      for hook in post-checkout reference-transaction post-index-change pre-auto-gc; do
        printf '#!/bin/sh\n${run}\n' > .git/hooks/$hook; chmod 755 .git/hooks/$hook; done
      mkdir -p .git/objects/aa .git/objects/info; mkfifo .git/objects/aa/$(printf 'b%.0s' $(seq 38))
      echo ../../secret/.git/objects > .git/objects/info/alternates
      git --git-dir=secret/.git rev-parse main > .git/refs/heads/stolen
      ln -s /etc .git/objects/bb; ln -s /etc/passwd .git/refs/heads/link
      mkdir -p .git/refs/heads/x; cp .git/refs/heads/main .git/refs/heads/x/y.lock
      echo 'ref: refs/heads/main' > .git/refs/heads/symbolic; echo hello > .git/refs/heads/text`,
        false,
      );
      // A commit that only the run's alternates would supply.
      await assert.rejects(fetchCommits(layer, "r-1", frozen), { code: "workspace.fetch" });
      assert.ok(!existsSync(canary));
      place.inside("rm .git/refs/heads/stolen", false);
      const fetched = await fetchCommits(layer, "r-1", frozen);
      assert.deepEqual(names(fetched), [". refs/cofferdam/r-1/heads/main"]);
      const skipped = fetched[0]?.skipped.map(({ path }) => path.replace("refs/heads/", ""));
      assert.deepEqual(skipped?.toSorted(), ["symbolic", "text", "x/y.lock"]);
      assert.ok(!existsSync(canary));
    },
  );
});

const DAMAGE: readonly (readonly [string, string])[] = [
  [
    "f=$(git rev-parse main | sed 's|^..|&/|'); chmod 644 .git/objects/$f; echo x > .git/objects/$f",
    "an object that is none",
  ],
  [
    "git gc -q; f=$(echo .git/objects/pack/*.pack); chmod 644 $f; printf x | dd of=$f bs=1 seek=40 conv=notrunc status=none",
    "a damaged pack",
  ],
  [
    `(printf '100644 ..\\0'; git rev-parse main:one | perl -ne 'chomp; print pack "H*", $_') > t
      tree=$(git hash-object -t tree -w --literally t)
      git commit-tree -m bad $tree > .git/refs/heads/bad`,
    "a tree with an entry called `..`",
  ],
];
for (const [script, why] of DAMAGE) {
  test(`fault workspace.fetch: ${why}`, async () => {
    await withPlace(REPO, async (place, layer) => {
      place.inside(`${GIT}; commit two; ${script}`, false);
      await assert.rejects(fetchCommits(layer, "r-1", frozen), { code: "workspace.fetch" });
      assert.equal(git(place, "for-each-ref", "refs/cofferdam"), "");
      git(place, "fsck");
    });
  });
}

test("fault workspace.running, workspace.fetch: only of a run that stands still, under its own name", async () => {
  await withPlace(REPO, async (_, layer) => {
    await assert.rejects(fetchCommits(layer, "r-1", { frozen: false }), {
      code: "workspace.running",
    });
    for (const name of ["", "../heads/main", "a b", "x/y"]) {
      await assert.rejects(fetchCommits(layer, name, frozen), { code: "workspace.fetch" });
    }
    assert.deepEqual(await fetchCommits(layer, "r-1", frozen), []);
  });
});
