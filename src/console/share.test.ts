import assert from "node:assert/strict";
import { test } from "node:test";
import { oneByOne, shared } from "./share.ts";

test("what is shared is done once for all who ask meanwhile, and anew for who asks later", async () => {
  let count = 0;
  const ask = shared(async () => {
    await Promise.resolve();
    count += 1;
    if (count === 2) throw new Error("it failed");
    return count;
  });
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [1, 1, 1]);
  const both = await Promise.allSettled([ask(), ask()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(await ask(), 3, "a failure is nobody's answer for ever");
});

test("one by one: never two at once, in the order of asking, and a failure stops nobody", async () => {
  const turn = oneByOne();
  const { signal } = new AbortController();
  const said: string[] = [];
  const work = (name: string, fails = false) =>
    turn(signal, async () => {
      said.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(
    said,
    ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test("one by one: what nobody waits for any more is not begun", async () => {
  const turn = oneByOne();
  const gone = new AbortController();
  const first = Promise.withResolvers<void>();
  const long = turn(new AbortController().signal, () => first.promise);
  let isBegun = false;
  const late = turn(gone.signal, async () => {
    isBegun = true;
  });
  gone.abort();
  first.resolve();
  await long;
  await assert.rejects(late, { name: "AbortError" });
  assert.ok(!isBegun);
});
