import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf } from "./approvals.fixture.ts";
import { A, B, open } from "./test-kit.ts";

test("INV-209: where a proof is needed no step of a person's is taken without one", async (t) => {
  const people = new Map([
    ["cli:1", "ada"],
    ["passkey:ada", "ada"],
  ]);
  const required = { now: false };
  const { approvals } = open(t, {
    deciders: () => ({
      needsProof: required.now,
      personOf: (one) => (required.now && one.startsWith("cli:") ? undefined : people.get(one)),
    }),
  });
  const request = requestOf("r-1", A);
  const limits = { ...request.limits, undoMs: 60_000 };
  const { id } = await approvals.request({ ...request, limits });
  required.now = true;
  const code = "approval.proof";
  const by = "cli:1";
  await assert.rejects(approvals.approve({ id, by, code: "aaaaaa" }), { code });
  await assert.rejects(approvals.deny({ id, by, reason: "" }), { code });
  await assert.rejects(approvals.undo({ id, by }), { code });
  const { action } = requestOf("r-1", B);
  await assert.rejects(approvals.edit({ id, by }, action, Buffer.from("new"), "title"), { code });
  const yes = await approvals.approve({ id, by: "passkey:ada", code: "aaaaaa" });
  assert.deepEqual([yes.state, yes.by], ["approved", ["passkey:ada"]]);
});

test("INV-208: a signature for another action with the same code says no yes", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  const [by, code] = ["passkey:ada", "aaaaaa"];
  await assert.rejects(approvals.approve({ id, by, code, digest: "aaaaaa000002" }), {
    code: "approval.code",
  });
  assert.equal((await approvals.approve({ id, by, code, digest: A })).state, "approved");
});

test("INV-271: a yes is to the whole digest that was shown; another with the same code is none", async (t) => {
  const { approvals } = open(t);
  const { id, action } = await approvals.request(requestOf("r-1", A));
  const [by, code] = ["passkey:ada", "aaaaaa"];
  const other = { ...action, digest: "aaaaaa000002" };
  await approvals.edit({ id, by }, other, Buffer.from("new"), "title");
  await assert.rejects(approvals.approve({ id, by, code, digest: action.digest }), {
    code: "approval.code",
  });
  assert.equal((await approvals.approve({ id, by, code, digest: other.digest })).state, "approved");
});

test("INV-272: where leave cannot be given with a yes, nothing is performed", async (t) => {
  const { approvals } = open(t);
  const { id } = await approvals.request(requestOf("r-1", A));
  const told: string[] = [];
  approvals.follow(({ state }) => told.push(state));
  const fails = async () => {
    throw new Error("the run has ended");
  };
  const yes = { id, by: "passkey:ada", code: "aaaaaa" };
  await assert.rejects(approvals.approve(yes, fails), /the run has ended/);
  assert.equal(approvals.show(id).state, "cancelled");
  assert.equal(told.includes("approved"), false);
  assert.equal(await approvals.consume(id), false);
});
