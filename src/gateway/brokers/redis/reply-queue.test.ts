/** The order of answers: ours in their place among the server's, whatever comes in which pieces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReplyQueue } from "./reply-queue.ts";

type Step =
  | { readonly kind: "ours"; readonly text: string }
  | { readonly kind: "one"; readonly text: string }
  | { readonly kind: "transaction"; readonly texts: readonly string[]; readonly text: string }
  | { readonly kind: "hidden"; readonly text: string }
  | { readonly kind: "push"; readonly text: string };

const reply = fc.constantFrom(
  "+OK\r\n",
  "$3\r\nabc\r\n",
  "*2\r\n:1\r\n*0\r\n",
  "-ERR x\r\n",
  "%1\r\n+a\r\n_\r\n",
  "$-1\r\n",
);
const step: fc.Arbitrary<Step> = fc.oneof(
  reply.map((text) => ({ kind: "ours" as const, text })),
  reply.map((text) => ({ kind: "one" as const, text })),
  fc
    .tuple(
      fc.array(fc.constantFrom("+OK\r\n", "+QUEUED\r\n"), { minLength: 1, maxLength: 3 }),
      reply,
    )
    .map(([texts, text]) => ({ kind: "transaction" as const, texts, text })),
  reply.map((text) => ({ kind: "hidden" as const, text })),
  fc.constant({ kind: "push" as const, text: ">2\r\n$7\r\nmessage\r\n+x\r\n" }),
);

test("INV-110: every question has its own answer, in the order of questions", () => {
  const property = fc.property(
    fc.array(step, { maxLength: 12 }),
    fc.integer({ min: 1, max: 30 }),
    (steps, size) => {
      let seen = "";
      const queue = new ReplyQueue((bytes) => (seen += bytes.toString("latin1")));
      queue.resp = 3;
      let server = "";
      let expected = "";
      let errors = 0;
      let failed = 0;
      // What the server says before the first question is only what it pushes; keep to questions first.
      const settled = (isError: boolean) => (failed += isError ? 1 : 0);
      for (const one of steps) {
        if (one.kind === "ours") queue.answer(Buffer.from(one.text));
        else if (one.kind === "one") queue.expect({ replies: 1, settled });
        else if (one.kind === "hidden") queue.expect({ replies: 1, isOurs: true, settled });
        else if (one.kind === "transaction")
          queue.expect({ replies: one.texts.length + 1, isTransaction: true, settled });
        if (one.kind === "transaction") server += one.texts.join("");
        if (one.kind !== "ours") server += one.text;
        if (one.kind !== "ours" && one.kind !== "push" && one.text.startsWith("-")) errors += 1;
        if (one.kind !== "hidden" && one.kind !== "push") expected += one.text;
      }
      const bytes = Buffer.from(server, "latin1");
      for (let at = 0; at < bytes.length; at += size) queue.take(bytes.subarray(at, at + size));
      // Messages stand between answers, wherever; never within one.
      assert.equal(seen.replaceAll(">2\r\n$7\r\nmessage\r\n+x\r\n", ""), expected);
      assert.equal(failed, errors);
      assert.ok(queue.isEmpty);
    },
  );
  fc.assert(property, { seed: 110, numRuns: 1500 });
});

test("what nobody asked for ends the connection", () => {
  for (const bytes of ["+OK\r\n", "*3\r\n$7\r\nmessage\r\n+a\r\n+b\r\n"]) {
    const queue = new ReplyQueue(() => {});
    assert.throws(() => queue.take(Buffer.from(bytes)), { code: "redis.reply" });
  }
  const queue = new ReplyQueue(() => {});
  queue.expect({ replies: 1 });
  assert.throws(() => queue.take(Buffer.from("+OK\r\n+OK\r\n")), { code: "redis.reply" });
});

test("to a client of RESP2 messages come only while it listens", () => {
  let seen = "";
  const queue = new ReplyQueue((bytes) => (seen += bytes.toString()));
  const message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n";
  queue.expect({ replies: 1, channels: "some" });
  queue.take(Buffer.from("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"));
  queue.take(Buffer.from(message));
  queue.expect({ replies: 1, channels: "none" });
  queue.take(Buffer.from(`${message}*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n`));
  assert.ok(queue.isEmpty);
  // From here on a list that begins with "message" is an answer like any other.
  queue.expect({ replies: 1 });
  queue.answer(Buffer.from("-NOPERM\r\n"));
  queue.take(Buffer.from(message));
  assert.ok(queue.isEmpty);
  assert.ok(seen.endsWith(`${message}-NOPERM\r\n`));
});
