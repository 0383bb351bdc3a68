import assert from "node:assert/strict";
import { test } from "node:test";
import { writtenLedger } from "../../../test/support/ledger.ts";
import type { Asker, ConsoleDesk } from "../desk.ts";
import { proofHandlers } from "./proof.ts";

test("fault console.busy: the record is verified for one at a time, and again once that one is gone", async (t) => {
  assert.ok("after" in t);
  const { root } = await writtenLedger(t, 300);
  const { signal: closing } = new AbortController();
  // Of the desk it takes the home and the end alone, of the caller whether it is still there.
  const desk = { home: { root }, closing } as ConsoleDesk;
  const asker = { signal: new AbortController().signal } as Asker;
  const { "ledger.verify": verify } = proofHandlers(desk);
  const first = verify({}, asker)[Symbol.asyncIterator]();
  assert.deepEqual((await first.next()).value, { event: "progress", hashed: 0, size: 300 });
  const second = verify({}, asker)[Symbol.asyncIterator]();
  await assert.rejects(second.next(), { code: "console.busy" });
  await first.return?.();
  const third = verify({}, asker)[Symbol.asyncIterator]();
  assert.equal((await third.next()).value.event, "progress");
  await third.return?.();
});
