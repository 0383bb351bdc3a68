import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, RUN, snapshot, type Place } from "../../test/support/overlay.ts";
import { errorCode } from "../sys/index.ts";
import { applyWorkspace, diffWorkspace } from "./index.ts";

const FILES = 80;
const TRIES_MAX = 200_000;

/** Swaps the folder `d` for a link that leads out, and back, and so `f`, as fast as it can. */
const SWAP = `while (1) {
  rename "d", "d.was"; symlink "../outside", "d"; unlink "d"; rename "d.was", "d";
  rename "f", "f.was"; symlink "../outside/f", "f"; unlink "f"; rename "f.was", "f"; }`;

async function whileSwapping(place: Place, work: () => Promise<void>): Promise<void> {
  const options = { cwd: place.host, stdio: "ignore", uid: RUN.uid, gid: RUN.gid } as const;
  const racer = spawn("perl", ["-e", SWAP], options);
  const gone = once(racer, "exit");
  try {
    await work();
  } finally {
    racer.kill("SIGKILL");
    await gone;
  }
}

async function withRace(use: (place: Place, outside: string) => Promise<void>): Promise<void> {
  const place = createPlace(
    "mkdir -p d/e; echo 1 > f; mkdir gone; for i in $(seq 100); do echo 1 > gone/$i; done",
  );
  const outside = join(place.base, "outside");
  mkdirSync(outside);
  chownSync(outside, RUN.uid, RUN.gid);
  try {
    await use(place, outside);
  } finally {
    place.remove();
  }
}

test("the race is real: a path that is resolved twice is led outside", async () => {
  await withRace(async (place, outside) => {
    await whileSwapping(place, async () => {
      for (let tries = 0; tries < TRIES_MAX && readdirSync(outside).length === 0; tries += 1) {
        try {
          writeFileSync(join(place.host, "d/escaped"), "");
        } catch (error) {
          if (errorCode(error) === undefined) throw error;
        }
        await Promise.resolve();
      }
    });
    assert.deepEqual(readdirSync(outside), ["escaped"]);
  });
});

for (const as of ["root or self", "rootless"] as const) {
  test(`INV-16: nothing is written or deleted outside while folders turn into links, ${as}`, async () => {
    await withRace(async (place, outside) => {
      const layer = await place.start();
      place.inside(
        `echo 2 > f; for i in $(seq ${FILES}); do echo $i > d/e/$i; done; rm -r gone`,
        false,
      );
      // What a path through the link would find there.
      mkdirSync(join(outside, "e"));
      chownSync(join(outside, "e"), RUN.uid, RUN.gid);
      writeFileSync(join(outside, "1"), "outside");
      writeFileSync(join(outside, "f"), "outside");
      const before = snapshot(outside);
      const seen = { applied: 0, stopped: 0 };
      await whileSwapping(place, async () => {
        for (let tries = 0; tries < TRIES_MAX; tries += 1) {
          const apply = () =>
            applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set(), partial: true });
          const result = as === "rootless" ? await place.as(apply) : await apply();
          seen.applied += result.applied.length;
          seen.stopped += result.conflicts.length;
          const isRaced = seen.applied > 0 && seen.stopped > 0 && tries >= 3;
          if (isRaced || (await diffWorkspace(layer)).length === 0) break;
        }
      });
      assert.ok(seen.stopped > 0, "the race was met");
      assert.deepEqual(snapshot(outside), before);
    });
  });
}
