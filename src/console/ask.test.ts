import assert from "node:assert/strict";
import { test } from "node:test";
import { CONSOLE_API } from "../api/index.ts";
import { ask } from "./ask.ts";
import type { Asker, ConsoleDesk, ConsoleHandlers } from "./desk.ts";

/** Asks as an operator; what reaches the daemon is told. */
async function asOperator(name: string, takes: unknown) {
  const passed: string[] = [];
  const client = { call: async (to: string) => passed.push(to) };
  const parts = { desk: { client } as unknown as ConsoleDesk, handlers: {} as ConsoleHandlers };
  const asker: Asker = {
    ...{ person: "olga", identity: "passkey:olga", roles: ["viewer", "operator"], session: "s" },
    signal: new AbortController().signal,
  };
  await ask(parts, name, async () => takes, asker);
  return passed;
}

test("INV-219: an operator tests a credential where it is bound to, and sends it nowhere else", async () => {
  const takes = { name: "blog", method: "GET", path: "/" };
  assert.deepEqual(await asOperator("credential.test", takes), ["credential.test"]);
  const elsewhere = { ...takes, dial: "203.0.113.9:80" };
  await assert.rejects(asOperator("credential.test", elsewhere), { code: "console.role" });
});

test("INV-219: no text of an operator's own says where credentials are sent, nor is one revealed", async () => {
  const task = { source: "task: x", fileName: "/x.yaml" };
  await assert.rejects(asOperator("probe.task", { task }), { code: "console.role" });
  const reveal = { name: "blog", confirm: "blog" };
  await assert.rejects(asOperator("credential.reveal", reveal), { code: "console.role" });
  // Those that take a task's text and are not the owner's take it to weigh it, or to make a run's access less.
  const taking = Object.entries(CONSOLE_API).filter(
    ([, { needs, takes }]) =>
      needs !== "owner" &&
      "task" in takes.shape &&
      takes.shape.task !== undefined &&
      "shape" in takes.shape.task,
  );
  assert.deepEqual(
    taking.map(([name]) => name),
    ["run.narrow"],
  );
});
