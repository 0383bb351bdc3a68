import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, RecordQuery } from "../../api/index.ts";
import type { Record } from "../record/index.ts";
import { PastTasks } from "./past-tasks.ts";

const at = "2026-11-27T10:00:00.000Z";
const started = (seq: number, run: string, task: string): readonly Entry[] => [
  { seq, type: "policy", at, monoMs: 0, run, data: { source: `task: ${task}`, file: "/w/x.yaml" } },
  { seq: seq + 1, type: "run.start", at, monoMs: 0, run, data: { task } },
];

/** An index that has come as far as it is told to; `asked` are the queries that reached it. */
function indexOf(entries: readonly Entry[]) {
  const asked: RecordQuery[] = [];
  let indexed = entries.length;
  let listener = (_indexed: number) => {};
  const record: Pick<Record, "status" | "onGrowth" | "entries"> = {
    status: () => ({ indexed, size: entries.length }),
    onGrowth: (on) => {
      listener = on;
      return () => {};
    },
    async *entries(query) {
      asked.push(query);
      const { type, from = 0, run } = query;
      yield entries.filter(
        (one) =>
          one.seq >= from &&
          one.seq < indexed &&
          (type?.includes(one.type) ?? true) &&
          (run?.includes(one.run ?? "") ?? true),
      );
    },
  };
  const grow = (to: number) => {
    indexed = to;
    listener(to);
  };
  return { record: record as Record, asked, grow };
}

const daemonWith = (entries: number) => ({
  call: async () => ({ entries }) as never,
});

test("texts are read once, and on from there", async () => {
  const entries = [...started(0, "r-1", "a"), ...started(2, "r-2", "b")];
  const { record, asked } = indexOf(entries);
  const past = new PastTasks(record, daemonWith(4));
  assert.deepEqual(
    (await past.texts()).map(({ run, task, source }) => [run, task, source]),
    [
      ["r-1", "a", "task: a"],
      ["r-2", "b", "task: b"],
    ],
  );
  await past.texts();
  assert.deepEqual(
    asked.map(({ from }) => from),
    [0, 4],
  );
});

test("what runs did is told once the index has come to all that is on record, and refused where it does not", async () => {
  const entries = [...started(0, "r-1", "a"), ...started(2, "r-2", "a")];
  const { record, grow } = indexOf(entries);
  grow(2);
  const past = new PastTasks(record, daemonWith(4));
  const whole = past.historyOf("a", new AbortController().signal);
  setTimeout(() => grow(4), 20);
  assert.equal((await whole).runs.length, 2, "of both runs, not of the one that was found first");
  grow(2);
  const gone = new AbortController();
  const behind = past.historyOf("a", gone.signal);
  setTimeout(() => gone.abort(), 20);
  await assert.rejects(behind, { code: "console.record_behind" });
});
