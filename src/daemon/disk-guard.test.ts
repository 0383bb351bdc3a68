import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskGuard, ROOM_BYTES, roomOf, type Space, type Writer } from "./disk-guard.ts";

const GIB = 2 ** 30;
const LARGE: Space = { bytes: 1000 * GIB, bytesFree: 500 * GIB, files: 1e6, filesFree: 9e5 };
const SILENT = { info: () => {}, warn: () => {} };

/** A guard over a disk whose space the test sets, and runs of which it tells what became of them. */
function scene(sizes: Readonly<Record<string, number>>, pauses = true) {
  const told: string[] = [];
  const paused = new Set<string>();
  let space = LARGE;
  let late = 0;
  const writers = (): readonly Writer[] =>
    Object.entries(sizes)
      .filter(([id]) => !paused.has(id))
      .map(([id, bytes]) => ({
        id,
        written: async () => bytes,
        pause: async () => {
          if (!pauses) throw new Error("it goes on");
          paused.add(id);
          space = { ...space, bytesFree: space.bytesFree - late };
          told.push(`pause ${id}`);
        },
        stop: (reason) => void told.push(`stop ${id} ${reason}`),
      }));
  const guard = new DiskGuard(async () => space, writers, SILENT);
  const at = async (change: Partial<Space>) => {
    space = { ...LARGE, ...change };
    await guard.check();
    return told.splice(0);
  };
  const writesWhilePaused = (bytes: number) => (late = bytes);
  return { at, writesWhilePaused, resume: (id: string) => paused.delete(id) };
}

for (const [change, isEnough, why] of [
  [{}, true, "a large disk that is half empty"],
  [{ bytesFree: ROOM_BYTES }, true, "just as much as is kept"],
  [{ bytesFree: ROOM_BYTES - 1 }, false, "less than is kept"],
  [{ filesFree: 1000 }, false, "no more files can be made, whatever their size"],
  [{ files: 0, filesFree: 0 }, true, "a file system without such a limit"],
  [{ bytes: GIB, bytesFree: GIB / 10 }, true, "of a small disk a share is kept"],
] as const) {
  test(`INV-91: ${why}: ${isEnough ? "enough" : "not enough"}`, () =>
    assert.equal(roomOf({ ...LARGE, ...change }) >= 1, isEnough));
}

test("INV-91: the run that wrote most is paused, and a further one only as the rest shrinks", async () => {
  const { at } = scene({ quiet: 0, most: 900 * GIB, some: 5 * GIB });
  assert.deepEqual(await at({}), [], "while there is room, nobody");
  assert.deepEqual(await at({ bytesFree: GIB }), ["pause most"]);
  assert.deepEqual(await at({ bytesFree: GIB }), [], "it was the one: the room stays");
  assert.deepEqual(await at({ bytesFree: GIB / 2 }), ["pause some"], "it was not the only one");
  assert.deepEqual(
    await at({ bytesFree: GIB / 8 }),
    [],
    "who wrote nothing is not held for others",
  );
});

test("INV-91: a resumed run is left alone while there is room, and paused again when there is none", async () => {
  const { at, resume } = scene({ most: 900 * GIB });
  assert.deepEqual(await at({ bytesFree: GIB }), ["pause most"]);
  resume("most");
  assert.deepEqual(await at({}), []);
  assert.deepEqual(await at({ bytesFree: GIB }), ["pause most"]);
});

test("INV-91: what a run writes until it stands still is nobody else's doing", async () => {
  const { at, writesWhilePaused } = scene({ most: 900 * GIB, some: 5 * GIB });
  writesWhilePaused(GIB / 2);
  assert.deepEqual(await at({ bytesFree: GIB }), ["pause most"]);
  assert.deepEqual(await at({ bytesFree: GIB / 2 }), []);
});

test("INV-91: a run that cannot be paused is ended", async () => {
  const { at } = scene({ most: 900 * GIB }, false);
  assert.deepEqual(await at({ bytesFree: GIB }), ["stop most limit"]);
});
