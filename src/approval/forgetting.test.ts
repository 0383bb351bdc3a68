/** What is over loses its content in time, and nothing else does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openApprovals, requestOf } from "./approvals.fixture.ts";
import { KEPT_MS } from "./store.ts";

import { A, B, answer, folderOf, killed, linesOf, open } from "./test-kit.ts";

test("fault approval.gone: what is over loses its content in time, and keeps what was decided", async (t) => {
  const { approvals, time, file } = open(t);
  const secret = "the body of a mail";
  const request = requestOf("r-1", A, { fields: { body: { text: secret } } });
  const { id } = await approvals.request({
    ...request,
    spool: { ...request.spool, body: Buffer.from(secret) },
  });
  const isKept = () =>
    [file, `${file}-wal`].some((path) => readFileSync(path).includes(secret)) ||
    readFileSync(file).includes("an answer's body");
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await approvals.consume(id);
  await approvals.performed(id, { ...answer, body: Buffer.from("an answer's body") });
  time.wallMs += KEPT_MS - 1;
  await approvals.sweep();
  assert.equal(Buffer.from(approvals.spool(id).body ?? []).toString(), secret, "not before");
  assert.ok(isKept());
  time.wallMs += 1;
  await approvals.sweep();
  assert.throws(() => approvals.spool(id), { code: "approval.gone" });
  assert.equal(approvals.takeAnswer(id), undefined);
  const { state, by, head, action, createdMs } = approvals.show(id);
  assert.deepEqual(
    [state, by, head.digest, action.digest, head.verb, action.fields, createdMs],
    ["performed", ["cli:1"], A, A, "post.publish", {}, 1_000_000],
  );
  assert.ok(!isKept(), "nor does it stand in the file any more");
});

test("what takes effect later keeps its content for a week after that", async (t) => {
  const { approvals, time } = open(t);
  const effectMs = time.wallMs + 5 * KEPT_MS;
  const impact = { reversible: false, takesEffectAt: new Date(effectMs).toISOString() };
  const { id } = await approvals.request(requestOf("r-1", A, { impact }));
  await approvals.approve({ id, by: "cli:1", code: "aaaaaa" });
  await approvals.consume(id);
  await approvals.performed(id, answer);
  time.wallMs = effectMs + KEPT_MS - 1;
  await approvals.sweep();
  assert.ok(approvals.spool(id).body);
  time.wallMs += 1;
  await approvals.sweep();
  assert.throws(() => approvals.spool(id), { code: "approval.gone" });
});

test("INV-57: what waits keeps its content however long it waits, and a no stays a no without its", async (t) => {
  const { approvals, time } = open(t);
  const limits = { expiresMs: 100 * KEPT_MS, undoMs: 50 * KEPT_MS, needsTwo: false };
  const ask = async (run: string) => (await approvals.request({ ...requestOf(run, A), limits })).id;
  const [waits, undo, sends, no] = [
    await ask("r-1"),
    await ask("r-2"),
    await approvals.request(requestOf("r-3", A)).then(({ id }) => id),
    await ask("r-4"),
  ];
  await approvals.shown({ id: waits, by: "cli:1" });
  await approvals.approve({ id: undo, by: "cli:1", code: "aaaaaa" });
  await approvals.approve({ id: sends, by: "cli:1", code: "aaaaaa" });
  await approvals.consume(sends);
  await approvals.deny({ id: no, by: "cli:1", reason: "no" });
  time.wallMs += 20 * KEPT_MS;
  await approvals.sweep();
  for (const id of [waits, undo, sends]) {
    assert.equal(Buffer.from(approvals.spool(id).body ?? []).toString(), A);
    assert.deepEqual(approvals.show(id).action.fields, { body: { title: A } });
  }
  assert.throws(() => approvals.spool(no), { code: "approval.gone" });
  assert.equal(await ask("r-4"), no, "the same run is told it again");
});

test("INV-57: what waits keeps its content even where a time to remove it is set", async (t) => {
  const file = join(folderOf(t), "approvals.db");
  const approvals = openApprovals(file);
  const waits = await approvals.request(requestOf("r-1", A));
  const over = await approvals.request(requestOf("r-1", B));
  await approvals.deny({ id: over.id, by: "cli:1", reason: "no" });
  approvals.close();
  const db = new DatabaseSync(file);
  db.exec("UPDATE approvals SET forget_at = 1");
  db.close();
  const after = openApprovals(file);
  t.after(() => after.close());
  await after.sweep();
  assert.ok(after.spool(waits.id).body);
  assert.throws(() => after.spool(over.id), { code: "approval.gone" });
});

test("INV-57: kill -9 while content is removed leaves it whole or gone, and what waits as it was", async (t) => {
  const folder = folderOf(t);
  const [file, sent] = [join(folder, "approvals.db"), join(folder, "sent")];
  for (let round = 0; round < 8; round += 1) await killed(file, sent, 150 + round * 41, "forget");
  const approvals = openApprovals(file, { clock: { now: () => ({ wallMs: 0, monoMs: 0 }) } });
  t.after(() => approvals.close());
  const of = linesOf(sent);
  assert.ok(of("waits").length > 10);
  for (const id of of("waits")) {
    const { action, state } = approvals.show(id);
    assert.equal(state, "requested");
    assert.deepEqual(action.fields, { body: { title: action.digest } });
    assert.equal(Buffer.from(approvals.spool(id).body ?? []).toString(), action.digest);
  }
  let gone = 0;
  for (const id of of("denied")) {
    const isGone = Object.keys(approvals.show(id).action.fields).length === 0;
    gone += isGone ? 1 : 0;
    if (isGone) assert.throws(() => approvals.spool(id), { code: "approval.gone" });
    else assert.ok(approvals.spool(id).body);
    assert.equal(approvals.show(id).reason, "no");
  }
  assert.ok(gone > 0, "some went");
});

test("a file of version 1 goes on: what was over in it loses its content a week after its last moment", async (t) => {
  const file = join(folderOf(t), "approvals.db");
  const time = { wallMs: 1_000_000, monoMs: 0 };
  const clock = { now: () => ({ ...time }) };
  const approvals = openApprovals(file, { clock });
  const waits = await approvals.request(requestOf("r-1", A));
  time.wallMs += 1;
  const over = await approvals.request(requestOf("r-1", B));
  await approvals.deny({ id: over.id, by: "cli:1", reason: "no" });
  approvals.close();
  const db = new DatabaseSync(file);
  db.exec(
    "DROP INDEX approvals_by_forget_at; ALTER TABLE approvals DROP COLUMN forget_at; PRAGMA user_version = 1",
  );
  db.close();
  const after = openApprovals(file, { clock });
  t.after(() => after.close());
  assert.deepEqual(
    after.list(true).map(({ id, state }) => [id, state]),
    [
      [waits.id, "requested"],
      [over.id, "denied"],
    ],
  );
  time.wallMs = over.expiresMs + KEPT_MS - 1;
  await after.sweep();
  assert.ok(after.spool(over.id).body);
  time.wallMs += 1;
  await after.sweep();
  assert.throws(() => after.spool(over.id), { code: "approval.gone" });
});
