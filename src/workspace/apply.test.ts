import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  mkdirSync,
  renameSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  createPlace,
  isRoot,
  RUN,
  snapshot,
  type Kind,
  type Place,
} from "../../test/support/overlay.ts";
import { tryLock } from "../sys/index.ts";
import {
  applyWorkspace,
  diffWorkspace,
  type ApplyOptions,
  type Change,
  type Layer,
} from "./index.ts";

const now: ApplyOptions = { run: "r-1", frozen: true, confirm: new Set() };

async function withPlace(
  script: string,
  use: (place: Place) => Promise<void>,
  kind: Kind = "overlay",
): Promise<void> {
  const place = createPlace(script, kind);
  try {
    await use(place);
  } finally {
    place.remove();
  }
}

/** Everything that can be confirmed. */
function unitsOf(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(changes.filter(({ confirm }) => confirm !== undefined).map((one) => one.unit));
}

async function applyAll(layer: Layer): ReturnType<typeof applyWorkspace> {
  return applyWorkspace(layer, {
    run: "r-1",
    frozen: true,
    confirm: unitsOf(await diffWorkspace(layer)),
  });
}

const HOST = `
  mkdir -p d/sub e keep; echo a > d/a; echo b > d/b; echo q > d/sub/q
  echo x > x; echo y > y; ln x x2; ln -s x link; echo m > mode; echo r > ren; mkdir rd; echo z > rd/z
  mkdir ro; echo 1 > ro/1; chmod 555 ro; truncate -s 4M sparse`;

const EQUAL: readonly (readonly [string, string])[] = [
  ["echo X > x; echo more >> d/sub/q", "changed content"],
  ["echo 1 > n; mkdir -p p/q/r; echo 2 > p/q/r/s; mkdir empty", "new files and folders"],
  ["rm x y; rm -r d", "deletions, whole trees"],
  ["rm -r d; mkdir d; echo new > d/new; mkdir d/sub; echo 3 > d/sub/3", "a folder made anew"],
  ["mv ren ren2; mv rd rd2", "renames"],
  ["rm -r d; echo file > d", "a folder becomes a file"],
  ["rm x; mkdir x; echo in > x/in", "a file becomes a folder"],
  ["rm -r d; ln -s e d", "a folder becomes a link"],
  ["rm link; mkdir link; echo t > link/t", "a link becomes a folder"],
  ["rm y; ln -s x y; rm link; echo f > link", "file and link change places"],
  ["ln -sfn y link; ln -s d/sub/q l2", "links"],
  ["chmod 600 mode; chmod 750 d; chmod 700 e; echo 1 > e/1", "modes"],
  ["chmod 755 ro; echo 2 > ro/2", "and one that was opened"],
  ["mkdir shut; echo 1 > shut/1; chmod 555 shut", "a new folder closed to writing"],
  ["echo 1 > h1; ln h1 h2; mkdir hd; ln h1 hd/h3", "names of one file"],
  ["echo X > x; echo X2 > x2.new; mv x2.new x2", "the host's two names of one file, each changed"],
  [
    "printf D | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none; truncate -s 9M sparse2",
    "holes",
  ],
  [
    "echo 1 > ./-rf; echo 2 > \"$(printf 'a\\nb\\377')\"; echo 3 > $(printf 'n%.0s' $(seq 255))",
    "odd names",
  ],
  ["seq 300000 > big; seq 200000 > d/a", "more than one read"],
];
const WAYS = [
  ["root or self", "overlay"],
  ["rootless", "overlay"],
  ["in a copy", "copy"],
] as const;
test("what is applied is what the run saw", async (t) => {
  for (const [as, kind] of WAYS) {
    const folders = EQUAL.map((_, n) => `(mkdir c${n}; cd c${n}; ${HOST})`).join("\n");
    await withPlace(
      folders,
      async (place) => {
        const layer = await place.start();
        place.inside(EQUAL.map(([script], n) => `(cd c${n}; ${script})`).join("\n"));
        const apply = (): ReturnType<typeof applyAll> => applyAll(layer);
        const result = as === "rootless" ? await place.as(apply) : await apply();
        assert.deepEqual(
          [result.held, result.conflicts, result.refused, result.notes],
          [[], [], [], []],
        );
        for (const [n, [, why]] of EQUAL.entries()) {
          const [host, seen] = [place.host, place.copy].map((root) =>
            snapshot(join(root, `c${n}`)),
          );
          await t.test(`${why}, ${as}`, () => assert.deepEqual(host, seen));
        }
        assert.deepEqual(await diffWorkspace(layer), [], "nothing is left to apply");
        const { ino, nlink, blocks } = statSync(join(place.host, "c14/h1"));
        assert.deepEqual(
          [statSync(join(place.host, "c14/hd/h3")).ino, nlink],
          [ino, 3],
          "one file still",
        );
        assert.ok(
          blocks < 64 && statSync(join(place.host, "c16/sparse2")).blocks < 64,
          "holes are holes",
        );
        assert.equal(lstatSync(join(place.host, "c1/p/q/r/s")).uid, RUN.uid, "the owner's");
      },
      kind,
    );
  }
});

test("nothing is written where a host file changed meanwhile, unless the rest is asked for", async (t) => {
  const CASES: readonly (readonly [string, string, readonly string[], string])[] = [
    // in the run, on the host, conflicts, why
    ["echo run > x", "echo host > x", ["x"], "both wrote"],
    ["echo run > x", "touch x", ["x"], "a new time stamp may be a new content"],
    ["echo run > x", "echo x > t; mv t x; rm -f t", ["x"], "replaced by a rename"],
    ["echo run > x", "mv y x", ["x"], "even by an older file"],
    ["echo run > x", "chmod 600 x", ["x"], "its mode is the host's decision"],
    ["echo run > new", "echo host > new", ["new"], "both made one"],
    ["mkdir new; echo 1 > new/1", "echo host > new", ["new"], "a folder and a file"],
    ["rm x", "echo host > x", ["x"], "deleted here, written there"],
    ["rm -r d", "echo host > d/late", ["d", "d/late"], "deleted with something new in it"],
    [
      "rm -r d; mkdir d; echo 1 > d/1",
      "echo host > d/late",
      ["d/late"],
      "made anew with something new in it",
    ],
    [
      "rm -r d; echo 1 > d",
      "echo host > d/sub/q",
      ["d/sub/q"],
      "replaced with something changed deep in it",
    ],
    ["echo run >> y", "rm y", ["y"], "changed here, deleted there"],
    ["echo run > d/sub/n", "rm -r d", ["d"], "its folder is gone"],
    ["echo run > d/sub/n", "rm -r d; echo f > d", ["d"], "its folder is a file now"],
    ["echo run > d/sub/n", "mv d d9; ln -s /tmp d", ["d"], "its folder is a link now"],
    ["rm link; ln -s y link", "ln -sfn e link", ["link"], "a link that points elsewhere"],
    ["chmod 640 x", "echo host >> x", ["x"], "only the mode here"],
    ["echo run > n; mv n x", "rm x", ["x"], "replaced by a rename here, deleted there"],
    ["echo run > d/n; mv d/n d/sub/q", "rm d/sub/q", ["d/sub/q"], "the same, deeper"],
    ["echo run > d/a", "mv d d1; mv rd d; cp -p d1/a d/a; mv d1/a d/a", ["d/a"], "another folder"],
    [
      "rm d/sub/q",
      "cp -a d e/d; mv d d1; mv e/d d; touch d/late",
      ["d/sub/q"],
      "moved in, and touched",
    ],
    ["rm -r d", "mv d d1; mv rd d", ["d", "d/z"], "deleted here, another folder there"],
  ];
  for (const kind of ["overlay", "copy"] as const) {
    const each = (text: (n: number) => string): string =>
      CASES.map((_, n) => `(cd c${n}; ${text(n)})`).join("\n");
    const folders = CASES.map((_, n) => `(mkdir c${n}; cd c${n}; ${HOST})`).join("\n");
    await withPlace(
      folders,
      async (place) => {
        const layer = await place.start();
        place.inside(
          each((n) => `${CASES[n]?.[0] ?? ""}; echo free > free`),
          false,
        );
        place.onHost(each((n) => CASES[n]?.[1] ?? ""));
        for (const [n, [, , expected, why]] of CASES.entries()) {
          await t.test(`${why}, ${kind}`, async () => {
            const here = join(place.host, `c${n}`);
            const before = snapshot(here);
            const only = [`c${n}`];
            const confirm = unitsOf(await diffWorkspace(layer));
            const whole = await applyWorkspace(layer, { run: "r-1", frozen: true, confirm, only });
            const paths = whole.conflicts.map(({ path }) => path.slice(`c${n}/`.length));
            for (const path of expected)
              assert.ok(paths.includes(path), `${path} of ${paths.join()}`);
            assert.deepEqual(whole.applied, []);
            assert.deepEqual(snapshot(here), before, "untouched");
            const rest = await applyWorkspace(layer, {
              run: "r-1",
              frozen: true,
              confirm,
              only,
              partial: true,
            });
            assert.ok(rest.applied.includes(`c${n}/free`));
            const after = snapshot(here);
            const isKept = (line: string): boolean =>
              expected.some((path) => line.startsWith(`${path} `));
            assert.deepEqual(after.filter(isKept), before.filter(isKept));
            assert.ok(expected.every((path) => !rest.applied.includes(`c${n}/${path}`)));
          });
        }
      },
      kind,
    );
  }
});

test("a folder that was moved in is noticed by its times where the start did not list it", async () => {
  await withPlace(`${HOST}; cp -a d other`, async (place) => {
    const layer = await place.start();
    rmSync(join(layer.folder, "names"));
    place.inside("echo run > d/a; echo run > e/n; rm -r d/sub");
    place.onHost("mv d away; mv other d");
    const { conflicts, applied } = await applyWorkspace(layer, { ...now, partial: true });
    assert.deepEqual(conflicts.map(({ path }) => path).toSorted(), ["d/a", "d/sub", "d/sub/q"]);
    assert.deepEqual(applied, ["e/n"]);
    assert.ok(readdirSync(join(place.host, "d/sub")).includes("q"));
  });
});

for (const kind of ["overlay", "copy"] as const)
  test(`a host that changed elsewhere, or back to the same, is no conflict, ${kind}`, async () => {
    await withPlace(
      HOST,
      async (place) => {
        place.onHost("echo just before > x");
        const layer = await place.start();
        place.inside("echo run > x; echo new > d/n; rm y; rm -r rd");
        place.onHost("echo host > d/a; echo host > elsewhere; rm y");
        const { applied, conflicts } = await applyWorkspace(layer, now);
        assert.deepEqual([applied, conflicts], [["d/n", "x", "rd/z", "rd"], []]);
        assert.equal(readFileSync(join(place.host, "d/a"), "utf8"), "host\n");
      },
      kind,
    );
  });

for (const kind of ["overlay", "copy"] as const)
  test(`a run that goes on after an apply has no conflict with it, ${kind}`, async () => {
    await withPlace(
      HOST,
      async (place) => {
        const layer = await place.start();
        place.inside("echo 1 > x; mkdir n; echo 1 > n/1; ln n/1 n/2; rm ren; echo 9 > d/9");
        await applyAll(layer);
        place.inside("echo 2 > x; rm -r n; echo back > ren; rm -r d");
        const result = await applyAll(layer);
        assert.deepEqual(result.conflicts, []);
        assert.deepEqual(snapshot(place.host), snapshot(place.copy));
        place.inside("echo 3 > x");
        place.onHost("echo host > x");
        assert.deepEqual(
          (await applyAll(layer)).conflicts.map(({ path }) => path),
          ["x"],
          "the control",
        );
      },
      kind,
    );
  });

test("INV-16: what others execute is held until it is named, alone", async () => {
  await withPlace("mkdir -p a/b/c/d/e/f .git/hooks; echo '{}' > package.json", async (place) => {
    const layer = await place.start();
    place.inside(`echo '{"scripts":{}}' > package.json; echo all: > Makefile; echo ok > src.ts
      printf '#!/bin/sh\\n' > tool; chmod 755 tool; mkdir -p node_modules/x; echo 1 > node_modules/x/index.js
      mkdir -p a/b/c/d/e/f/.git/hooks; echo evil > a/b/c/d/e/f/.git/hooks/pre-commit
      echo evil > .git/hooks/post-checkout; mkdir .GIT; echo evil > .GIT/config; echo 'gitdir: /tmp' > a/.git
      mkdir -p bare/objects bare/refs; echo 'ref: refs/heads/x' > bare/HEAD; echo '[core]' > bare/config
      ln -s /etc/passwd out; ln -s ../../x up; ln -s src.ts in; ln -s .git/hooks hooks; ln -s src .vscode`);
    const held = [
      ".vscode",
      "Makefile",
      "bare",
      "hooks",
      "node_modules",
      "out",
      "package.json",
      "tool",
      "up",
    ];
    const never = [".GIT", ".git", "a/.git", "a/b/c/d/e/f/.git"];
    const first = await applyWorkspace(layer, now);
    assert.deepEqual(first.applied.toSorted(), ["bare", "in", "src.ts"]);
    assert.deepEqual(
      first.held.map(({ path }) => path),
      held,
    );
    assert.deepEqual(
      first.refused.map(({ path }) => path),
      never,
    );
    const confirm = new Set(["package.json", "node_modules", ...never]);
    const named = await applyWorkspace(layer, { ...now, confirm });
    const units = ["node_modules", "node_modules/x", "node_modules/x/index.js", "package.json"];
    assert.deepEqual(named.applied.toSorted(), units);
    assert.deepEqual(
      named.refused.map(({ path }) => path),
      never,
      "not even when named",
    );
    assert.deepEqual(readdirSync(join(place.host, ".git/hooks")), []);
    assert.ok(!readdirSync(join(place.host, "a/b/c/d/e/f")).includes(".git"));
  });
});

test("devices, pipes, sockets and lent rights stay behind, and are told", async () => {
  await withPlace("echo 1 > f; mkdir d; chmod 2775 d; echo w > w; chmod 666 w", async (place) => {
    const layer = await place.start();
    place.inside(`mkfifo pipe; echo s > suid; chmod 4755 suid; echo o > open; chmod 666 open; echo 2 >> w
      mkdir t; chmod 1777 t; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>"s",Listen=>1) or die'`);
    const result = await applyAll(layer);
    assert.deepEqual(
      result.refused.map(({ path }) => path),
      ["pipe", "s"],
    );
    assert.deepEqual(result.notes.map(({ path }) => path).toSorted(), ["open", "suid", "t"]);
    const mode = (name: string): number => lstatSync(join(place.host, name)).mode & 0o7777;
    assert.deepEqual(
      ["suid", "open", "t", "w", "d"].map(mode),
      [0o755, 0o664, 0o775, 0o666, 0o2775],
    );
  });
});

test("`only` takes a path with what is below it and the new folders on its way", async () => {
  await withPlace(HOST, async (place) => {
    const layer = await place.start();
    place.inside("mkdir -p n/m; echo 1 > n/m/1; echo 2 > n/2; echo 3 > d/3; rm x; rm -r e");
    const result = await applyWorkspace(layer, { ...now, only: ["n/m", "x", "none"] });
    assert.deepEqual(result.applied.toSorted(), ["n", "n/m", "n/m/1", "x"]);
    assert.deepEqual(
      result.notes.map(({ path }) => path),
      ["none"],
    );
  });
});

const FAULTS: readonly (readonly [string, Partial<ApplyOptions>, string])[] = [
  ["workspace.running", { run: "r-1", frozen: false }, "a run that can still write is not applied"],
  ["workspace.path", { only: ["../x"] }, "a name that is none"],
  ["workspace.path", { confirm: new Set(["/etc/passwd"]) }, "nor to be confirmed"],
];
for (const [code, options, why] of FAULTS) {
  test(`fault ${code}: ${why}`, async () => {
    await withPlace("true", async (place) => {
      const layer = await place.start();
      await assert.rejects(applyWorkspace(layer, { ...now, ...options }), { code });
    });
  });
}

test("fault workspace.busy: one apply at a time", async () => {
  await withPlace("true", async (place) => {
    const layer = await place.start();
    const other = openSync(place.host, "r");
    assert.ok(tryLock(other));
    await assert.rejects(applyWorkspace(layer, now), { code: "workspace.busy" });
    closeSync(other);
    await applyWorkspace(layer, now);
  });
});

test("fault workspace.apply_failed: what would stop every file stops apply; again, it goes on", async () => {
  await withPlace("echo 1 > x; mkdir d; echo 1 > d/1", async (place) => {
    const layer = await place.start();
    place.inside("echo 2 > a; seq 400000 > b; echo 3 > x; rm -r d");
    const before = snapshot(place.host);
    const code = `import { applyWorkspace, openLayer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
      process.on("SIGXFSZ", () => {});
      const layer = await openLayer(${JSON.stringify(layer.folder)});
      const done = applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() });
      await done.catch((error) => console.log(error.code, error.cause.code));`;
    // The largest file that a process may write: as good as a full disk, and takes no disk.
    const argv = ["-c", 'ulimit -f 2000; exec "$@"', "sh", process.execPath];
    const script = ["--input-type=module-typescript", "-e", code];
    const said = execFileSync("sh", [...argv, ...script], { encoding: "utf8" });
    assert.equal(said, "workspace.apply_failed EFBIG\n");
    assert.deepEqual(snapshot(place.host), before, "nothing half, and no file of ours left");
    const { applied, conflicts } = await applyWorkspace(layer, now);
    assert.deepEqual([applied, conflicts], [["a", "b", "x", "d/1", "d"], []]);
    assert.deepEqual(snapshot(place.host), snapshot(place.copy));
  });
});

test("fault workspace.moved: another folder at the host's path", async () => {
  await withPlace("true", async (place) => {
    const layer = await place.start();
    renameSync(place.host, `${place.host}-was`);
    await assert.rejects(applyWorkspace(layer, now), { code: "workspace.moved" });
    mkdirSync(place.host);
    await assert.rejects(applyWorkspace(layer, now), { code: "workspace.moved" });
    symlinkSync(`${place.host}-was`, `${place.host}-link`);
    renameSync(place.host, `${place.host}-empty`);
    renameSync(`${place.host}-link`, place.host);
    await assert.rejects(
      applyWorkspace(layer, now),
      { code: "workspace.moved" },
      "nor a link to it",
    );
  });
});

test("a host folder that is closed to its owner stays so", { skip: !isRoot }, async () => {
  await withPlace("mkdir ro; chmod 555 ro", async (place) => {
    const layer = await place.start();
    place.inside("chmod 755 ro; echo 2 > ro/2; chmod 555 ro");
    const { refused } = await place.as(() => applyWorkspace(layer, now));
    assert.deepEqual(refused, [{ path: "ro/2", why: "the host does not allow it" }]);
  });
});

test("any tree of operations, applied, is the view that the run had", async () => {
  // Who is not root cannot compare what is closed to everybody.
  const modes = isRoot ? ["600", "700", "744", "555"] : ["700", "744", "755"];
  const name = fc.constantFrom("a", "b", "c", "d");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const make = fc.oneof(
    fc.tuple(path, fc.integer({ min: 0, max: 99 })).map(([at, n]) => `echo ${n} > ${at}`),
    path.map((at) => `mkdir -p ${at}`),
    fc.tuple(path, path).map(([at, to]) => `ln -sfn ${to} ${at}`),
    fc.tuple(path, path).map(([at, to]) => `ln -f ${to} ${at}`),
    fc.tuple(path, fc.constantFrom(...modes)).map(([at, m]) => `chmod ${m} ${at}`),
  );
  const change = fc.oneof(
    make,
    path.map((at) => `rm -rf ${at}`),
    fc.tuple(path, path).map(([at, to]) => `mv ${at} ${to}`),
  );
  const script = (steps: readonly string[]): string =>
    [":", ...steps.map((step) => `${step} 2>/dev/null || true`)].join("\n");
  const pair = fc.tuple(fc.array(make, { maxLength: 20 }), fc.array(change, { maxLength: 20 }));
  const property = fc.asyncProperty(
    fc.array(pair, { minLength: 20, maxLength: 30 }),
    async (pairs) => {
      // Many trees in one overlay: mounting costs more than they do.
      const folders = pairs.map(([before], n) => `(mkdir c${n}; cd c${n}; ${script(before)})`);
      await withPlace(folders.join("\n"), async (place) => {
        const layer = await place.start();
        place.inside(pairs.map(([, after], n) => `(cd c${n}; ${script(after)})`).join("\n"));
        const result = await applyAll(layer);
        assert.deepEqual([result.held, result.conflicts, result.refused], [[], [], []]);
        assert.deepEqual(snapshot(place.host), snapshot(place.copy));
      });
    },
  );
  await fc.assert(property, { numRuns: 3 });
});
