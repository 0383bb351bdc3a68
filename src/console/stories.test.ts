import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../api/index.ts";
import { Stories } from "./stories.ts";

const entry = (seq: number, run = "r-1"): Entry => ({
  ...{ seq, run, type: "dns", at: "2026-11-27T09:00:00.000Z", monoMs: seq * 60_000 },
  target: `${seq}.example`,
});

/** A record that tells what is read of it. */
function recordOf(entries: Entry[], { slow }: { slow?: Promise<void> } = {}) {
  const reads: number[] = [];
  return {
    reads,
    size: () => entries.length,
    async *read(run: string, from: number) {
      reads.push(from);
      yield entries.slice(from, from + 1).filter((one) => one.run === run);
      await slow;
      yield entries.slice(from + 1).filter((one) => one.run === run);
    },
  };
}

test("a run that lives costs its new entries only, and one that ended nothing", async () => {
  const entries = [entry(0), entry(1), entry(2, "r-2")];
  const record = recordOf(entries);
  const stories = new Stories(record);
  assert.equal((await stories.whole("r-1")).items.length, 2);
  await stories.whole("r-1");
  assert.deepEqual(record.reads, [0], "nothing is new");
  entries.push(entry(3));
  const { story, isWhole } = await stories.of("r-1");
  assert.deepEqual([story.items.length, story.through, isWhole], [3, 3, true]);
  assert.deepEqual(record.reads, [0, 3]);
});

test("who asks at once is answered by one reading; of a long one by what is told so far", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const record = recordOf([entry(0), entry(1)], { slow: promise });
  const stories = new Stories(record);
  const [one, other] = await Promise.all([stories.of("r-1"), stories.of("r-1")]);
  assert.deepEqual([one.isWhole, one.story.items.length], [false, 1]);
  assert.equal(other.story, one.story);
  resolve();
  assert.equal((await stories.whole("r-1")).items.length, 2);
  assert.deepEqual(record.reads, [0]);
  assert.equal((await stories.of("r-1")).isWhole, true);
});

test("a record that is another now is told anew", async () => {
  const entries = [entry(0), entry(1), entry(2)];
  const stories = new Stories(recordOf(entries));
  await stories.whole("r-1");
  entries.splice(0, 3, entry(0));
  const story = await stories.whole("r-1");
  assert.deepEqual([story.through, story.items.length], [0, 1]);
});

test("what cannot be read is said to who waits, and read anew by who asks next", async () => {
  const record = recordOf([entry(0)]);
  let isBroken = true;
  const stories = new Stories({
    ...record,
    // eslint-disable-next-line require-yield -- it fails first.
    async *read(run: string, from: number) {
      if (isBroken) throw new Error("gone");
      yield* record.read(run, from);
    },
  });
  await assert.rejects(stories.of("r-1"), /gone/);
  isBroken = false;
  assert.equal((await stories.whole("r-1")).items.length, 1);
});

test("the last dozen of runs are kept, and no more", async () => {
  const entries = Array.from({ length: 40 }, (_, at) => entry(at, `r-${at}`));
  const record = recordOf(entries);
  const stories = new Stories(record);
  for (let n = 0; n < 40; n += 1) await stories.whole(`r-${n}`);
  record.reads.length = 0;
  await stories.whole("r-39");
  assert.deepEqual(record.reads, [], "kept");
  await stories.whole("r-0");
  assert.deepEqual(record.reads, [0], "forgotten, and told again");
});
