/** A yes that is taken back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf } from "./approvals.fixture.ts";
import { A, B, answer, open } from "./test-kit.ts";

const request = requestOf("r-1", A);
const asking = (limits: Partial<typeof request.limits>, of = request) => ({
  ...of,
  limits: { ...of.limits, ...limits },
});
const YES = { by: "cli:1", code: "aaaaaa" };

test("INV-190: a yes that is taken back in its time is never performed, however late one looks", async (t) => {
  const { approvals, time } = open(t);
  const { id } = await approvals.request(asking({ undoMs: 1000 }));
  await approvals.approve({ id, ...YES });
  time.wallMs += 999;
  const taken = await approvals.undo({ id, by: "cli:2" });
  assert.deepEqual(
    [taken.state, taken.by, taken.reason],
    ["cancelled", ["cli:2"], "its yes was taken back"],
  );
  time.wallMs += 10_000;
  assert.equal(await approvals.consume(id), false);
  const again = await approvals.request(asking({ undoMs: 1000 }));
  assert.notEqual(again.id, id, "the agent may ask once more: nobody said no");
});

test("INV-190: nothing is taken back of what is under way or over, and twice is not more than once", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(request);
  await approvals.approve({ id, ...YES });
  assert.equal(await approvals.consume(id), true);
  await assert.rejects(approvals.undo({ id, by: "cli:1" }), { code: "approval.state" });
  await approvals.performed(id, answer);
  await assert.rejects(approvals.undo({ id, by: "cli:1" }), { code: "approval.state" });
  assert.equal(approvals.show(id).state, "performed");
});

test("INV-190: to take back what nobody said yes to is no way to say no", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(request);
  await assert.rejects(approvals.undo({ id, by: "cli:1" }), { code: "approval.no_yes" });
  assert.equal(approvals.show(id).state, "requested");
});

test("INV-190: of two yes each takes back their own, and it still needs two then", async (t) => {
  const steps: string[] = [];
  const { approvals } = open(t, {
    record: async (_, { state, by = "", reason = "" }) =>
      void steps.push(`${state} ${by} ${reason}`),
  });
  const { id } = await approvals.request(asking({ needsTwo: true }));
  await approvals.approve({ id, ...YES });
  await assert.rejects(approvals.undo({ id, by: "cli:2" }), { code: "approval.no_yes" });
  const left = await approvals.undo({ id, by: "cli:1" });
  assert.deepEqual([left.state, left.by, left.reason], ["shown", [], ""]);
  const one = await approvals.approve({ id, by: "cli:2", code: "aaaaaa" });
  assert.equal(one.state, "shown", "the yes that was taken back does not count");
  assert.deepEqual(steps.slice(-2), ["shown cli:1 took their yes back", "shown cli:2 "]);
});

test("INV-190: what cannot be written down is not taken back", async (t) => {
  let isFull = false;
  const record = async () => {
    if (isFull) throw new Error("disk full");
  };
  const { approvals } = open(t, { record });
  const { id } = await approvals.request(asking({ undoMs: 1000 }));
  await approvals.approve({ id, ...YES });
  isFull = true;
  await assert.rejects(approvals.undo({ id, by: "cli:1" }), /disk full/);
  assert.equal(approvals.show(id).state, "approved");
});

test("a recipient is a stranger until something that was performed has reached them", async (t) => {
  const { approvals } = open(t);
  const to = (...recipients: string[]) => ({ impact: { reversible: false, recipients } });
  const known = await approvals.request(requestOf("r-1", A, to("ann@x.example")));
  await approvals.request(requestOf("r-1", B, to("bob@x.example")));
  const people = ["ann@x.example", "bob@x.example"];
  assert.deepEqual(approvals.strangers("wordpress", people), people);
  await approvals.approve({ id: known.id, ...YES });
  await approvals.consume(known.id);
  await approvals.performed(known.id, answer);
  assert.deepEqual(approvals.strangers("wordpress", people), ["bob@x.example"]);
  assert.deepEqual(approvals.strangers("smtp", people), people, "another kind of system");
});
