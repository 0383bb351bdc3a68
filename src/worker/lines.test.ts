import assert from "node:assert/strict";
import { PassThrough, Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { Calls } from "./calls.ts";
import { CLOSED, Lines } from "./lines.ts";

/** Lines over a stream whose other side is written to by hand. */
function over(lineBytesMax = 1000) {
  const [there, here] = [new PassThrough(), new PassThrough()];
  const stream = Duplex.from({ readable: there, writable: here });
  const heard: unknown[] = [];
  const ends: string[] = [];
  const lines = new Lines(stream, {
    lineBytesMax,
    hear: (line) => void heard.push(line),
    ended: (why) => void ends.push(why),
  });
  return { lines, there, here, heard, ends };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

test("messages of one turn are one line, also those that promises of it bring", async () => {
  const { lines, here } = over();
  lines.send({ a: 1 });
  void Promise.resolve().then(() => lines.send({ b: 2 }));
  await soon();
  lines.send({ c: 3 });
  await soon();
  assert.equal(String(here.read()), '[{"a":1},{"b":2}]\n[{"c":3}]\n');
});

test("lines arrive whole, however they are cut", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.jsonValue(), { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 1, max: 40 }),
    async (values, size) => {
      const { there, heard, ends } = over(100_000);
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
      for (let at = 0; at < bytes.length; at += size) there.write(bytes.subarray(at, at + size));
      await soon();
      assert.deepEqual(heard, JSON.parse(JSON.stringify(values)));
      assert.deepEqual(ends, []);
    },
  );
  await fc.assert(property, { numRuns: 30 });
});

const BAD = [
  ["x".repeat(1001), "said a line without end"],
  [`${"x".repeat(600)}\n{`.repeat(1), "said what it never says"],
  ["{\n", "said what it never says"],
  [`${"[".repeat(999)}\n`, "said what it never says"],
] as const;
for (const [bytes, why] of BAD) {
  test(`${why}: ${bytes.slice(0, 10)}... of ${bytes.length} bytes ends it, once, and nothing after is heard`, async () => {
    const { there, heard, ends } = over();
    there.write(bytes);
    await soon();
    there.write('{"after":1}\n');
    await soon();
    assert.equal(ends.length, 1);
    assert.ok(ends[0]?.startsWith(why), ends[0]);
    assert.deepEqual(heard, []);
  });
}

test("the other side's end is told as such", async () => {
  const { there, ends } = over();
  there.end();
  await soon();
  assert.deepEqual(ends, [CLOSED]);
});

test("fault worker.order: an answer to no question, and a socket that did not come, end a worker", async () => {
  const calls = new Calls(over().lines, -1);
  assert.throws(() => calls.answered({ order: "answer", n: 3, value: 0 }), {
    code: "worker.order",
  });
  const asked = calls.ask("name", { run: "r", host: "h" });
  calls.answered({ order: "refusal", n: 0, code: "worker.answer", message: "no", hint: "wait" });
  await assert.rejects(asked, { code: "worker.answer", message: "no", hint: "wait" });
});

test("INV-140: what is said now is out before anything else of the turn", () => {
  const [there, here] = [new PassThrough(), new PassThrough()];
  const written: string[] = [];
  const stream = Duplex.from({ readable: there, writable: here });
  stream.write = (chunk: unknown) => written.push(String(chunk)) > 0;
  const lines = new Lines(stream, { lineBytesMax: 1000, hear() {}, ended() {} });
  const calls = new Calls(lines, -1);
  const event = { type: "dns", target: "x" } as const;
  calls.note({ say: "record", run: "r", event });
  assert.deepEqual(written, []);
  calls.noteNow({ say: "stopped", run: "r" });
  assert.deepEqual(written, [
    '[{"say":"record","run":"r","event":{"type":"dns","target":"x"}},{"say":"stopped","run":"r"}]\n',
  ]);
});
