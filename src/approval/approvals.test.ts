import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../base/index.ts";
import { openApprovals, requestOf } from "./approvals.fixture.ts";
import { WAITING_MAX } from "./approvals.ts";
import { isOver } from "./machine.ts";

import { A, B, answer, folderOf, killed, linesOf, open } from "./test-kit.ts";

test("asked, approved, performed; the answer is given once", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  assert.equal(approvals.show(id).state, "requested");
  assert.equal(await approvals.consume(id), false, "nobody has approved it");
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  assert.deepEqual([await approvals.consume(id), await approvals.consume(id)], [true, false]);
  await approvals.performed(id, answer);
  assert.equal(Buffer.from(approvals.takeAnswer(id)?.body ?? []).toString(), "done");
  assert.equal(approvals.takeAnswer(id), undefined);
});

test("INV-58: a yes is to the bytes that were shown: another code is none", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "bbbbbb" }), {
    code: "approval.code",
  });
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "" }), { code: "approval.code" });
  assert.equal(approvals.show(id).state, "requested");
});

test("the very same request joins the one that waits, and is told its no", async (t) => {
  const { approvals } = open(t);
  const first = await approvals.request(requestOf("r-1", A));
  const again = await approvals.request(requestOf("r-1", A));
  assert.equal(again.id, first.id);
  assert.equal(approvals.list(false).length, 1);
  await approvals.deny({ id: first.id, by: "cli:1", reason: "no" });
  assert.equal((await approvals.request(requestOf("r-1", A))).state, "denied");
  const other = await approvals.request(requestOf("r-2", A));
  assert.notEqual(other.id, first.id, "another run asks for itself");
});

test("what was performed and whose answer nobody took is joined; once taken, it is asked for anew", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await approvals.consume(id);
  await approvals.performed(id, answer);
  assert.equal((await approvals.request(requestOf("r-1", A))).id, id);
  approvals.takeAnswer(id);
  assert.notEqual((await approvals.request(requestOf("r-1", A))).id, id);
});

test("INV-132: leave for a conversation is used once, within its time, and a restart forgets neither", async (t) => {
  const time = { wallMs: 1_000_000, monoMs: 0 };
  const [file, clock] = [join(folderOf(t), "approvals.db"), { now: () => ({ ...time }) }];
  const approvals = openApprovals(file, { clock });
  const request = requestOf("r-1", A);
  const asked = { ...request, limits: { ...request.limits, leaveMs: 60_000 } };
  const leave = async () => {
    const { id } = await approvals.request(asked);
    await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
    return id;
  };
  const used = await leave();
  assert.deepEqual([await approvals.consume(used), await approvals.consume(used)], [true, false]);
  await approvals.begun(used);
  assert.equal(approvals.show(used).state, "performed");
  const unused = await leave();
  assert.notEqual(unused, used, "each one needs a yes of its own");
  time.wallMs += 59_999;
  await approvals.sweep();
  assert.equal(approvals.show(unused).state, "approved");
  approvals.close();
  const again = openApprovals(file, { clock });
  t.after(() => again.close());
  await again.recover();
  time.wallMs += 1;
  assert.equal(await again.consume(unused), false, "a moment too late");
  await again.sweep();
  assert.equal(again.show(unused).state, "failed");
  assert.match(again.show(unused).reason, /nobody came back/);
});

test("a near-duplicate is told as a variant", async (t) => {
  const { approvals } = open(t);
  const first = await approvals.request(requestOf("r-1", A));
  assert.equal((await approvals.request(requestOf("r-1", B))).variantOf, first.id);
});

test("INV-59: no answer is a no, at the very moment", async (t) => {
  const { approvals, time } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  time.wallMs += 60_000;
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }), {
    code: "approval.state",
  });
  assert.equal(approvals.show(id).state, "expired");
});

test("INV-60: two persons are two, and the first twice is one", async (t) => {
  const { approvals } = open(t);
  const request = requestOf("r-1", A);
  const { id } = await approvals.request({
    ...request,
    limits: { ...request.limits, needsTwo: true },
  });
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  assert.equal(await approvals.consume(id), false);
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }), {
    code: "approval.same_person",
  });
  const both = await approvals.approve({ id, by: "telegram:7", code: "aaaaaa" });
  assert.deepEqual([both.state, both.by], ["approved", ["cli:1", "telegram:7"]]);
  assert.equal(await approvals.consume(id), true);
});

test("INV-58 INV-60: an edit takes back every yes that was said before it", async (t) => {
  const { approvals } = open(t);
  const request = requestOf("r-1", A);
  const { id } = await approvals.request({
    ...request,
    limits: { ...request.limits, needsTwo: true },
  });
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await approvals.edit(
    { id, by: "cli:2" },
    requestOf("r-1", B).action,
    Buffer.from("new"),
    "title",
  );
  const one = await approvals.approve({ id, by: "cli:2", code: "bbbbbb" });
  assert.deepEqual([one.state, one.by], ["shown", ["cli:2"]]);
  assert.equal(await approvals.consume(id), false);
});

test("INV-61: a no that comes while it is taken to be performed is told that it came too late", async (t) => {
  const slow = Promise.withResolvers<void>();
  const steps: string[] = [];
  const { approvals } = open(t, {
    record: async (_, { state }) => {
      if (state === "performing") await slow.promise;
      steps.push(state);
    },
  });
  const { id } = await approvals.request(requestOf("r-1", A));
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  const taken = approvals.consume(id);
  const denied = assert.rejects(approvals.deny({ id, by: "cli:1", reason: "no" }), {
    code: "approval.state",
  });
  slow.resolve();
  assert.equal(await taken, true);
  await denied;
  assert.deepEqual(steps, ["requested", "approved", "performing"]);
});

test("INV-59: what is being approved does not expire beside it", async (t) => {
  const slow = Promise.withResolvers<void>();
  const steps: string[] = [];
  const { approvals, time } = open(t, {
    record: async (_, { state }) => {
      if (state === "approved") await slow.promise;
      steps.push(state);
    },
  });
  const { id } = await approvals.request(requestOf("r-1", A));
  const approved = approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await new Promise((resolve) => setImmediate(resolve));
  time.wallMs += 60_000;
  const swept = approvals.sweep();
  slow.resolve();
  assert.equal((await approved).state, "approved");
  await swept;
  assert.deepEqual(steps, ["requested", "approved"]);
});

test("leave for more is given once the yes holds, and not where it does not", async (t) => {
  let isFull = false;
  const { approvals } = open(t, {
    record: async () => {
      if (isFull) throw new Fault("ledger.write", "the disk is full");
    },
  });
  const { id } = await approvals.request(requestOf("r-1", A));
  isFull = true;
  let given = 0;
  const also = async () => void (given += 1);
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }, also));
  assert.equal(given, 0);
  isFull = false;
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" }, also);
  assert.equal(given, 1);
});

test("what failed, and may have been performed, is named beside the next of its kind", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await approvals.consume(id);
  await approvals.failed(id, "it is not known whether it was performed");
  assert.equal((await approvals.request(requestOf("r-1", A))).variantOf, id);
});

test("two answers at once are one: the second finds it decided", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  const both = await Promise.allSettled([
    approvals.approve({ id, by: "cli:1", code: "aaaaaa" }),
    approvals.deny({ id, by: "cli:2", reason: "no" }),
    approvals.approve({ id, by: "cli:3", code: "aaaaaa" }),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  assert.equal(approvals.show(id).state, "cancelled", "the no took the yes back before its time");
});

test("what waits for its time is not performed before it, and can be taken back", async (t) => {
  const { approvals, time } = open(t);
  const request = requestOf("r-1", A);
  const { id } = await approvals.request({
    ...request,
    limits: { ...request.limits, undoMs: 1000 },
  });
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  assert.equal(await approvals.consume(id), false);
  time.wallMs += 1000;
  assert.equal(await approvals.consume(id), true);
  await assert.rejects(approvals.deny({ id, by: "cli:1", reason: "no" }), {
    code: "approval.state",
  });
});

test("an edit has another code, and may do nothing more", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  const wider = requestOf("r-1", B, { effects: ["publish", "send"] }).action;
  await assert.rejects(approvals.edit({ id, by: "cli:1" }, wider, Buffer.from("x"), "x"), {
    code: "approval.edit",
  });
  const elsewhere = requestOf("r-1", B, { target: "https://other.example/" }).action;
  await assert.rejects(approvals.edit({ id, by: "cli:1" }, elsewhere, Buffer.from("x"), "x"), {
    code: "approval.edit",
  });
  await approvals.edit(
    { id, by: "cli:1" },
    requestOf("r-1", B).action,
    Buffer.from("new"),
    "title",
  );
  await approvals.edit(
    { id, by: "cli:1" },
    requestOf("r-1", B).action,
    Buffer.from("new"),
    "title",
  );
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }), {
    code: "approval.code",
  });
  await approvals.approve({ id, by: "cli:1", code: "bbbbbb" });
  assert.equal(Buffer.from(approvals.spool(id).body ?? []).toString(), "new");
  assert.equal(approvals.show(id).note, "title");
  assert.deepEqual(approvals.show(id).asked, { title: A }, "what the agent asked for is kept");
});

test("INV-61: what cannot be put on record is not done", async (t) => {
  let isFull = false;
  const { approvals } = open(t, {
    record: async () => {
      if (isFull) throw new Fault("ledger.write", "the disk is full");
    },
  });
  const { id } = await approvals.request(requestOf("r-1", A));
  isFull = true;
  await assert.rejects(approvals.request(requestOf("r-1", B)), { code: "ledger.write" });
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }), {
    code: "ledger.write",
  });
  assert.deepEqual(
    approvals.list(true).map(({ state }) => state),
    ["requested"],
  );
  isFull = false;
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  isFull = true;
  await assert.rejects(approvals.consume(id), { code: "ledger.write" });
  assert.equal(approvals.show(id).state, "approved");
});

test("fault approval.too_many: one run cannot bury a person in requests", async (t) => {
  const { approvals } = open(t);
  for (let n = 0; n < WAITING_MAX; n += 1)
    await approvals.request(requestOf("r-1", `${n}`.padStart(12, "c")));
  await assert.rejects(approvals.request(requestOf("r-1", A)), { code: "approval.too_many" });
  await approvals.request(requestOf("r-2", A));
});

test("fault approval.none: an approval that is not there", (t) => {
  const { approvals } = open(t);
  assert.throws(() => approvals.show("p-1"), { code: "approval.none" });
});

test("fault approval.store: a file that is none of ours, of a later version, or held by another", (t) => {
  const folder = folderOf(t);
  const file = join(folder, "approvals.db");
  writeFileSync(file, "this is no database, and long enough to be looked at as one".repeat(20));
  assert.throws(() => openApprovals(file), { code: "approval.store" });
  const { file: held } = open(t);
  assert.throws(() => openApprovals(held), { code: "approval.store" });
  for (const end of ["", "-wal"]) assert.equal(statSync(`${held}${end}`).mode & 0o777, 0o600);
});

test("taking back a grant ends what waits of it, and nothing that is under way", async (t) => {
  const { approvals } = open(t);
  const one = await approvals.request(requestOf("r-1", A));
  const two = await approvals.request(requestOf("r-1", B));
  await approvals.approve({ id: two.id, by: "cli:1", code: "bbbbbb" });
  await approvals.consume(two.id);
  const other = await approvals.request(requestOf("r-2", A));
  await approvals.cancel("r-1", () => false, "nothing of it was taken back");
  assert.equal(approvals.show(one.id).state, "requested");
  await approvals.cancel("r-1", () => true, "revoked");
  assert.deepEqual(
    [one, two, other].map(({ id }) => approvals.show(id).state),
    ["cancelled", "performing", "requested"],
  );
});

test("INV-57: kill -9 anywhere performs nothing twice and forgets nothing", async (t) => {
  const folder = folderOf(t);
  const [file, sent] = [join(folder, "approvals.db"), join(folder, "sent")];
  // Killed at some point of its work, a different one in each round.
  for (let round = 0; round < 12; round += 1) await killed(file, sent, 200 + round * 37);
  const approvals = openApprovals(file);
  t.after(() => approvals.close());
  await approvals.recover();
  const of = linesOf(sent);
  const seen = of("sent");
  assert.equal(new Set(seen).size, seen.length, "nothing twice");
  const states = new Map(approvals.list(true).map(({ id, state }) => [id, state]));
  for (const id of of("asked")) assert.ok(states.has(id), "what was asked is there");
  for (const id of of("approved"))
    assert.ok(["approved", "performed", "failed"].includes(states.get(id) ?? ""));
  for (const id of seen)
    assert.ok(["performed", "failed"].includes(states.get(id) ?? ""), "what was sent is over");
  for (const id of of("performed")) assert.equal(states.get(id), "performed");
  for (const [id, state] of states) {
    if (state === "failed") assert.match(approvals.show(id).reason, /not known whether it was/);
  }
});

test("INV-67: where approvers are listed nobody else decides, by any way", async (t) => {
  const listed = new Map([["cli:1", "ada"]]);
  const deciders = () => ({ personOf: (identity: string) => listed.get(identity) });
  const { approvals } = open(t, { deciders });
  const { id, action } = await approvals.request(requestOf("r-1", A));
  const refused = { code: "approval.not_listed" };
  const by = "cli:2";
  await assert.rejects(approvals.approve({ id, by, code: "aaaaaa" }), refused);
  await assert.rejects(approvals.deny({ id, by, reason: "" }), refused);
  await assert.rejects(approvals.edit({ id, by }, action, Buffer.from("x"), "n"), refused);
  assert.equal(approvals.show(id).state, "requested");
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  assert.equal(approvals.show(id).state, "approved");
});

test("INV-67: two identities of one person are one of two, and who left the list counts no more", async (t) => {
  const listed = new Map([
    ["cli:1", "ada"],
    ["chat:1", "ada"],
    ["cli:2", "bob"],
    ["cli:3", "eve"],
  ]);
  const deciders = () => ({ personOf: (identity: string) => listed.get(identity) });
  const { approvals } = open(t, { deciders });
  const limits = { expiresMs: 60_000, undoMs: 0, needsTwo: true };
  const { id } = await approvals.request({ ...requestOf("r-1", A), limits });
  const yes = (by: string) => approvals.approve({ id, by, code: "aaaaaa" });
  await yes("cli:3");
  listed.delete("cli:3");
  assert.equal((await yes("cli:1")).state, "shown", "hers is the first that counts");
  await assert.rejects(yes("chat:1"), { code: "approval.same_person" });
  const done = await yes("cli:2");
  assert.deepEqual([done.state, done.by], ["approved", ["cli:1", "cli:2"]]);
});

test("INV-67: where nobody can tell who is listed nobody decides", async (t) => {
  const deciders = () => {
    throw new Error("broken list");
  };
  const { approvals } = open(t, { deciders });
  const { id } = await approvals.request(requestOf("r-1", A));
  await assert.rejects(approvals.approve({ id, by: "cli:1", code: "aaaaaa" }), /broken list/);
  await assert.rejects(approvals.deny({ id, by: "cli:1", reason: "" }), /broken list/);
  assert.equal(approvals.show(id).state, "requested");
});

test("lists of what waits have it as it stands on disk, after every step", async (t) => {
  const file = join(folderOf(t), "approvals.db");
  const approvals = openApprovals(file);
  const same = () => {
    const waits = approvals.list(true).filter(({ state }) => !isOver(state));
    assert.deepEqual(approvals.list(false), waits);
  };
  const one = await approvals.request(requestOf("r-1", A));
  await new Promise((resolve) => setTimeout(resolve, 2)); // One is before the other.
  const two = await approvals.request(requestOf("r-2", A));
  same();
  await approvals.request(requestOf("r-1", A));
  assert.equal(approvals.list(false)[0]?.joins, 1);
  same();
  await approvals.shown({ id: one.id, by: "cli:1" });
  same();
  await approvals.edit(
    { id: one.id, by: "cli:1" },
    requestOf("r-1", B).action,
    Buffer.from("new"),
    "title",
  );
  assert.equal(approvals.list(false)[0]?.head.digest, B);
  same();
  await approvals.approve({ id: one.id, by: "cli:1", code: "bbbbbb" });
  same();
  await approvals.consume(one.id);
  same();
  approvals.close();
  const after = openApprovals(file);
  t.after(() => after.close());
  assert.deepEqual(
    after.list(false).map(({ id, state }) => [id, state]),
    [
      [one.id, "performing"],
      [two.id, "requested"],
    ],
    "another daemon finds the same",
  );
  await after.performed(one.id, answer);
  await after.deny({ id: two.id, by: "cli:1", reason: "no" });
  assert.deepEqual(after.list(false), []);
});
