import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, snapshot, type Place } from "../../test/support/overlay.ts";
import { applyWorkspace, diffWorkspace, type Layer } from "./index.ts";
import { unplacedNames } from "./unplaced.ts";

const now = { run: "r-1", frozen: true, confirm: new Set<string>() };
const TRIES_MAX = 20;

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

function leftIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes("cofferdam-unplaced"),
  );
}

test("an apply that was killed at any moment is finished by the next, and nothing of ours stays", async () => {
  const host = "mkdir d e; for i in $(seq 300); do echo $i > d/$i; echo $i > e/$i; done";
  await withPlace(host, async (place, layer) => {
    place.inside("for i in $(seq 300); do echo new $i > d/$i; echo $i > n$i; done; rm -r e");
    const code = `import { applyWorkspace, openLayer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
      const layer = await openLayer(${JSON.stringify(layer.folder)});
      console.log("ready");
      await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() });`;
    const argv = ["--input-type=module-typescript", "-e", code];
    let left = 0;
    for (let tries = 0; tries < TRIES_MAX && left === 0; tries += 1) {
      const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      const isUnderWay = (): boolean =>
        leftIn(place.host).length > tries || child.exitCode !== null;
      while (!isUnderWay()) await new Promise((resolve) => setImmediate(resolve));
      child.kill("SIGKILL");
      await once(child, "close");
      left = leftIn(place.host).length;
    }
    assert.ok(left > 0, "it was killed while files of ours stood there");
    const { conflicts, notes } = await applyWorkspace(layer, { ...now, partial: true });
    assert.deepEqual([conflicts, notes.filter(({ why }) => !why.startsWith("left by"))], [[], []]);
    const told = notes.map(({ path }) => path).toSorted();
    assert.deepEqual(leftIn(place.host).toSorted(), told, "what stays was cut off, and is told");
    place.onHost("find . -name '.cofferdam-unplaced-*' -delete");
    assert.deepEqual(snapshot(place.host), snapshot(place.copy));
  });
});

test("a leftover is deleted only where nothing is lost by it", async () => {
  await withPlace("echo old > a; echo old > b; echo 1 > gone", async (place, layer) => {
    place.inside("echo run > a; echo run > b; echo run > c; rm gone", false);
    const names = unplacedNames(layer);
    const put = (at: string, text: string): string => {
      writeFileSync(join(place.host, at), text);
      return at;
    };
    const staged = put(names.make("c"), "run\n");
    const cut = put(names.make("a"), "ru");
    const old = put(names.make("b"), "old\n");
    utimesSync(join(place.host, old), 1, 1);
    const newer = put(names.make("b"), "host wrote this meanwhile\n");
    const foreign = put(`.cofferdam-unplaced-${"0".repeat(32)}`, "run\n");
    renameSync(join(place.host, "gone"), join(place.host, names.make("gone")));
    const shown = (await diffWorkspace(layer)).map(({ path }) => path);
    assert.deepEqual(shown, ["a", "b", "c"], "they are no changes of the run's");
    const { notes, conflicts } = await applyWorkspace(layer, now);
    assert.deepEqual(conflicts, []);
    assert.deepEqual(notes.map(({ path }) => path).toSorted(), [cut, newer].toSorted());
    assert.deepEqual(leftIn(place.host).toSorted(), [cut, newer, foreign].toSorted());
    assert.ok(![staged, old].some((name) => leftIn(place.host).includes(name)));
    assert.equal(readFileSync(join(place.host, newer), "utf8"), "host wrote this meanwhile\n");
  });
});
