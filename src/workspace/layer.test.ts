import assert from "node:assert/strict";
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { chownSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, isRoot, RUN, type Place } from "../../test/support/overlay.ts";
import { applyWorkspace, createLayer, diffWorkspace, discardLayer } from "./index.ts";
import { measureLayer, openLayer } from "./index.ts";
import { changedAfterNs, markStart, waitForTick } from "./start-mark.ts";

async function withPlace(script: string, use: (place: Place) => Promise<void>): Promise<void> {
  const place = createPlace(script);
  try {
    await use(place);
  } finally {
    place.remove();
  }
}

test("a layer is laid out for the run and found again as it was made", async () => {
  await withPlace("chmod 750 .", async (place) => {
    const made = await place.start();
    assert.deepEqual(await openLayer(made.folder), made);
    const { uid, mode } = lstatSync(made.upper);
    assert.deepEqual([uid, mode & 0o7777], [RUN.uid, 0o750], "the merged view has the host's mode");
    assert.equal(lstatSync(join(made.folder, "layer.json")).mode & 0o777, 0o600);
    assert.ok(!readdirSync(place.host).length, "nothing is left on the host");
  });
});

test("fault workspace.host: the workspace must be a folder", async () => {
  await withPlace("echo 1 > file", async ({ base, host }) => {
    for (const path of ["file", "absent", "file/x"]) {
      const made = createLayer(join(base, "other"), { host: join(host, path) });
      await assert.rejects(made, { code: "workspace.host" });
    }
  });
});

test("fault workspace.layer: a folder without a manifest, or with a damaged one, is no layer", async () => {
  await withPlace("true", async (place) => {
    const layer = await place.start();
    await assert.rejects(openLayer(place.host), { code: "workspace.layer", hint: /never made/ });
    writeFileSync(join(layer.folder, "applied"), "1 x\n");
    await assert.rejects(diffWorkspace(layer), { code: "workspace.layer" });
    writeFileSync(join(layer.folder, "layer.json"), '{"version":2}');
    await assert.rejects(openLayer(layer.folder), { code: "workspace.layer", hint: /damaged/ });
  });
});

test("whatever changes after the mark is later than it, in any order of files", async () => {
  await withPlace("for i in $(seq 40); do echo 1 > $i; done", async ({ host, base }) => {
    for (let n = 1; n <= 40; n += 1) {
      const file = join(host, String(n));
      appendFileSync(file, "just before");
      const mark = await markStart(host, base);
      assert.ok(lstatSync(file, { bigint: true }).ctimeNs <= changedAfterNs(mark), "before");
      appendFileSync(file, "just after");
      utimesSync(file, 1, 1); // Neither hides it: a ctime is not set.
      assert.ok(lstatSync(file, { bigint: true }).ctimeNs > changedAfterNs(mark), "after");
    }
  });
});

test("a wall clock that is set back hides no change; one that is set ahead makes none", async () => {
  const mark = { instantNs: "5000000000000", boot: "b", offsetMs: 10_000 };
  const CASES = [
    [{ boot: "b", offsetMs: 10_000 }, 5_000_000_000_000n, "untouched"],
    [{ boot: "b", offsetMs: 9_980 }, 5_000_000_000_000n, "measuring error"],
    [{ boot: "b", offsetMs: 7_000 }, 4_997_000_000_000n, "three seconds back"],
    [{ boot: "b", offsetMs: 99_000 }, 5_000_000_000_000n, "ahead"],
    [{ boot: "c", offsetMs: 7_000 }, 5_000_000_000_000n, "after a reboot the two do not compare"],
  ] as const;
  for (const [now, expected, why] of CASES) assert.equal(changedAfterNs(mark, now), expected, why);
});

test("fault workspace.clock: file times that stand still", async () => {
  await assert.rejects(
    waitForTick(() => 1n, 5),
    { code: "workspace.clock" },
  );
});

const LEFTOVERS = `mkdir -p a/b; echo 1 > a/b/1; ln a/b/1 a/2; ln -s /etc e; ln -s .. up; mkfifo p
  echo 1 > "$(printf '\\377\\n')"; mkdir shut; echo 1 > shut/x; mkdir shut/in; chmod 000 shut/in shut
  perl -e 'for (1 .. 40) { mkdir("d" x 250) or die; chdir("d" x 250) or die; }'`;
for (const as of ["root or self", "rootless"]) {
  test(`discard leaves nothing, and touches nothing else, ${as}`, async () => {
    await withPlace("mkdir d; echo 1 > d/1", async (place) => {
      const layer = await place.start();
      place.inside(`${LEFTOVERS}\nrm -r ../merged/d`, false);
      const discard = (): Promise<void> => discardLayer(layer.folder);
      // Halfway through an earlier try: the folder of trash is there.
      mkdirSync(join(layer.folder, "discarded/7/deep"), { recursive: true });
      if (isRoot) {
        for (const part of ["", "/7", "/7/deep"]) {
          chownSync(join(layer.folder, `discarded${part}`), RUN.uid, RUN.gid);
        }
      }
      if (as !== "rootless" || !isRoot) {
        await discard();
        assert.ok(!readdirSync(place.base).includes("layer"));
      } else {
        // Only the folder's own name stays: the one above is not the run's.
        await assert.rejects(place.as(discard), { code: "workspace.discard" });
        assert.deepEqual(readdirSync(layer.folder), []);
      }
      assert.equal(readFileSync(join(place.host, "d/1"), "utf8"), "1\n");
      await discardLayer(layer.folder);
    });
  });
}

test("fault workspace.discard: a layer that holds a mount or another's file is not called gone", async () => {
  await withPlace("true", async (place) => {
    const layer = await place.start();
    mkdirSync(join(layer.folder, "merged/inside"), { recursive: true });
    await assert.rejects(discardLayer(layer.folder), { code: "workspace.discard" });
  });
});

test("discard does not follow a link in the place of a tree", async () => {
  await withPlace("echo 1 > 1", async (place) => {
    const layer = await place.start();
    await discardLayer(layer.folder);
    mkdirSync(layer.folder);
    symlinkSync(place.host, layer.upper);
    await discardLayer(layer.folder);
    assert.deepEqual(readdirSync(place.host), ["1"]);
  });
});

test("a measure counts what is on disk, each file once, and says what it cannot see", async () => {
  await withPlace("true", async (place) => {
    const layer = await place.start();
    const empty = await measureLayer(layer);
    place.inside(
      `seq 200000 > big; ln big same; truncate -s 1G hole; mkdir d; echo 1 > d/1
      mkdir shut; seq 200000 > shut/x; chmod 000 shut`,
      false,
    );
    const full = await measureLayer(layer);
    const grown = full.bytes - empty.bytes;
    const expected = isRoot ? 2_577_000 : 1_288_000;
    assert.ok(grown > expected && grown < expected + 300_000, String(grown));
    assert.equal((await place.as(() => measureLayer(layer))).unreadable, 1);
  });
});

test("a layer without changes applies to nothing", async () => {
  await withPlace("echo 1 > x", async (place) => {
    const layer = await place.start();
    const none = { applied: [], held: [], conflicts: [], refused: [], notes: [], commits: [] };
    assert.deepEqual(
      await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() }),
      none,
    );
  });
});
