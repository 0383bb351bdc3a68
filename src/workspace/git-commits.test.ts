import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, RUN, snapshot, type Place } from "../../test/support/overlay.ts";
import {
  applyWorkspace,
  diffCommits,
  diffWorkspace,
  type ApplyResult,
  type Commits,
  type Layer,
} from "./index.ts";

/** An apply of nothing but what Git folders hold. */
async function fetchOnly(layer: Layer, only = [".git"]): Promise<ApplyResult> {
  return applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set(), only });
}
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

/** Everything of the host's Git folder that Git reads and that no fetch writes. */
function gitFiles(place: Place): readonly string[] {
  const own = /^(?:objects|refs\/cofferdam|logs)[/ ]|^index /;
  return snapshot(join(place.host, ".git")).filter((line) => !own.test(line));
}

function names({ commits }: { readonly commits: readonly Commits[] }): readonly string[] {
  return commits.flatMap(({ repository, refs }) => refs.map(({ name }) => `${repository} ${name}`));
}

test("commits come over as refs of their own; the repository is otherwise as it was", async () => {
  await withPlace(`${REPO}; git branch old; git tag v0`, async (place, layer) => {
    const config = readFileSync(join(place.host, ".git/config"), "utf8");
    place.inside(
      `${GIT}; commit two; git checkout -qb side; commit three; git tag v1; git branch -D old -q
      git tag -a v2 -m v2; git checkout -q --detach; commit four`,
      false,
    );
    const listed = await diffCommits(layer, "r-1", await diffWorkspace(layer));
    assert.equal(git(place, "for-each-ref", "refs/cofferdam"), "", "diff writes nothing");
    const fetched = await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() });
    assert.deepEqual(fetched.commits, listed, "diff shows what apply brings");
    assert.deepEqual(fetched.refused, [], "nothing of .git is missing");
    assert.deepEqual(
      fetched.notes.map(({ path }) => path),
      [".git"],
    );
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
    const again = await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() });
    assert.deepEqual(
      [again.commits, again.applied, again.refused],
      [[], [], []],
      "nothing is left",
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
    const fetched = await fetchOnly(layer, [".git", "nested/.git"]);
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
    const code = `import { applyWorkspace, openLayer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
      const layer = await openLayer(${JSON.stringify(layer.folder)});
      const options = { run: "r-1", frozen: true, confirm: new Set(), only: [".git"] };
      console.log(JSON.stringify(await applyWorkspace(layer, options)));`;
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
      const stolen = await fetchOnly(layer);
      assert.match(stolen.refused[0]?.why ?? "", /^git refused/);
      assert.equal(git(place, "for-each-ref", "refs/cofferdam"), "");
      assert.ok(!existsSync(canary));
      place.inside("rm .git/refs/heads/stolen", false);
      const fetched = await fetchOnly(layer);
      assert.deepEqual(names(fetched), [". refs/cofferdam/r-1/heads/main"]);
      assert.match(
        fetched.refused.map(({ path, why }) => `${path} ${why}`).join(),
        /^\.git .*\.git\/config, \.git\/hooks\/post-checkout/,
        "what else was changed there is named",
      );
      const skipped = fetched.commits[0]?.skipped.map(({ path }) =>
        path.replace("refs/heads/", ""),
      );
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
  [
    `f=$(python3 -c 'import zlib, hashlib, sys
b = b"tree 5000000000\\0" + bytes(50); h = hashlib.sha1(b).hexdigest()
import os; os.makedirs(f".git/objects/{h[:2]}", exist_ok=True)
open(f".git/objects/{h[:2]}/{h[2:]}", "wb").write(zlib.compress(b)); print(h)')
      git rev-parse main > /dev/null
      printf 'tree %s\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nm\n' $f > c
      git hash-object -t commit -w --literally c > .git/refs/heads/big`,
    "a tree that claims five gigabytes",
  ],
  [
    `mk() { git mktree --missing; }
      hook=$(printf '100755 blob %s\\tpost-checkout\\n' $(git rev-parse main:one) | mk)
      dot=$(printf '040000 tree %s\\thooks\\n' $hook | mk)
      (printf '40000 .git\\0'; echo $dot | perl -ne 'chomp; print pack "H*", $_') > t
      git commit-tree -m bad $(git hash-object -t tree -w --literally t) > .git/refs/heads/bad`,
    "a tree with an entry called `.git`",
  ],
  [
    `url=$(printf '[submodule "x"]\\n\\tpath = x\\n\\turl = -u./run\\n' | git hash-object -w --stdin)
      tree=$(printf '100644 blob %s\\t.gitmodules\\n' $url | git mktree)
      git commit-tree -m bad $tree > .git/refs/heads/bad`,
    "a submodule whose URL is an option",
  ],
];
for (const [script, why] of DAMAGE) {
  test(`fault workspace.fetch: ${why}`, async () => {
    await withPlace(REPO, async (place, layer) => {
      place.inside(`${GIT}; commit two; ${script}`, false);
      const { refused, commits } = await fetchOnly(layer);
      assert.match(refused.map(({ path, why }) => `${path} ${why}`).join(), /^\.git git refused/);
      assert.deepEqual(
        commits.flatMap(({ refs }) => refs),
        [],
      );
      assert.equal(git(place, "for-each-ref", "refs/cofferdam"), "");
      git(place, "fsck");
    });
  });
}

test("the stash comes over, the older ones too", async () => {
  await withPlace(REPO, async (place, layer) => {
    place.inside(
      `${GIT}; for n in 1 2 3; do echo $n > one; git stash push -qm stash$n; done`,
      false,
    );
    const fetched = await fetchOnly(layer);
    const expected = ["stash", "stash-1", "stash-2"].map((one) => `. refs/cofferdam/r-1/${one}`);
    assert.deepEqual(names(fetched), expected);
    assert.equal(git(place, "show", "refs/cofferdam/r-1/stash-2:one"), "1");
    place.onHost(`${GIT}; git stash apply -q refs/cofferdam/r-1/stash-1; grep -qx 2 one`);
  });
});

test("a submodule's commits come into its own repository", async () => {
  const host = `${REPO}; git init -qb main ../host/lib.src; (cd lib.src; commit lib)
    git -c protocol.file.allow=always submodule --quiet add ./lib.src vendor/lib; git commit -qm sub`;
  await withPlace(host, async (place, layer) => {
    place.inside(`${GIT}; cd vendor/lib; commit two`, false);
    const fetched = await fetchOnly(layer);
    assert.deepEqual(names(fetched), [".git/modules/vendor/lib refs/cofferdam/r-1/heads/main"]);
    const log = git(
      place,
      "-C",
      "vendor/lib",
      "log",
      "--format=%s",
      "refs/cofferdam/r-1/heads/main",
    );
    assert.equal(log, "two\nlib");
    git(place, "-C", "vendor/lib", "fsck", "--strict");
  });
});

/** What a run may leave where its repository was; each together with a commit that is worth having. */
const ODD: readonly (readonly [script: string, names: readonly string[], why: string])[] = [
  [
    "git update-ref refs/replace/$(git rev-parse main~) main",
    ["heads/main"],
    "replace refs stay behind",
  ],
  [
    "git notes add -m n; git update-ref refs/bisect/bad main",
    ["heads/main"],
    "so do refs that are neither heads nor tags",
  ],
  [
    "mv .git ../x 2>/dev/null || { cp -r .git real; rm -rf .git; }; echo 'gitdir: real' > .git",
    [],
    "a .git that became a file",
  ],
  ["cp -r .git real; rm -rf .git; ln -s real .git", [], "a .git that became a link"],
  [
    "git worktree add -q ../w -b wt; cd ../w; commit three; cd -; cp -r ../w here; rm -rf ../w",
    ["heads/main", "heads/wt"],
    "a linked worktree",
  ],
  [
    "echo '* filter=x diff=x' > .gitattributes; git config filter.x.clean 'touch RAN'; git config filter.x.smudge 'touch RAN'; cp .gitattributes .git/info/attributes",
    ["heads/main"],
    "attributes with filters",
  ],
  [
    "git config core.worktree /; git config core.fsmonitor 'touch RAN'; git config remote.origin.uploadpack 'touch RAN'",
    ["heads/main"],
    "configuration",
  ],
  [
    "printf '%s refs/heads/-x\\n%s refs/heads/a..b\\n%s refs/heads/../../hooks/x\\n' $(git rev-parse main main main) >> .git/packed-refs",
    ["heads/-x", "heads/main"],
    "odd names of refs",
  ],
  [
    "mkdir -p .git/refs/heads/d; git rev-parse main > .git/refs/heads/d/e; mkfifo .git/refs/heads/pipe; ln .git/HEAD .git/refs/tags/hard",
    ["heads/d/e", "heads/main"],
    "pipes among the refs",
  ],
  ["echo $(git rev-parse main) > .git/shallow", ["heads/main"], "a shallow mark of the run's"],
  ["cp -r .git .GIT; echo x > .GIT/hooks/post-checkout", ["heads/main"], "a .git in another case"],
];
test("INV-25: only commits come over, whatever the run made of its repository", async (t) => {
  for (const [script, expected, why] of ODD) {
    await t.test(why, async () => {
      await withPlace(REPO, async (place, layer) => {
        place.inside(
          `${GIT}; commit two; RAN=${place.base}/copy/ran; ${script.replaceAll("RAN", `${place.base}/copy/ran`)}`,
          false,
        );
        const before = gitFiles(place);
        const fetched = await applyWorkspace(layer, {
          run: "r-1",
          frozen: true,
          confirm: new Set(),
          partial: true,
        });
        assert.deepEqual(
          names(fetched).toSorted(),
          expected.map((one) => `. refs/cofferdam/r-1/${one}`),
        );
        assert.ok(!existsSync(join(place.base, "copy/ran")), "nothing of the run's was executed");
        assert.deepEqual(
          gitFiles(place),
          before,
          "the host's hooks and configuration are as they were",
        );
        git(place, "fsck");
        git(place, "status", "--short");
        assert.ok(!existsSync(join(place.base, "copy/ran")));
      });
    });
  }
});

test("fault workspace.running: only of a run that stands still, under its own name", async () => {
  await withPlace(REPO, async (_, layer) => {
    const options = { run: "r-1", frozen: false, confirm: new Set<string>() };
    await assert.rejects(applyWorkspace(layer, options), { code: "workspace.running" });
    for (const run of ["", "../heads/main", "a b", "x/y"]) {
      await assert.rejects(applyWorkspace(layer, { ...options, run, frozen: true }), {
        name: "InvariantError",
      });
    }
    assert.deepEqual((await fetchOnly(layer)).commits, []);
  });
});
