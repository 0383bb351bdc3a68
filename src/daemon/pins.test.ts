import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { heldOf, isSameAction, requestHeldIn, spoolOf, withFacts } from "./pins.ts";

const PLACE = { host: "db.test", port: 5432 };

test("what is stored of an operation is all of it but its facts", () => {
  const held = { ...PLACE, operation: { sql: "x" }, body: Buffer.from("b"), facts: { rows: 3 } };
  assert.deepEqual(heldOf(spoolOf(held)), { ...held, facts: {} });
});

test("fault daemon.no_request: an operation is never sent as a request", () => {
  const spool = spoolOf({ ...PLACE, operation: 1, facts: {} });
  assert.throws(() => requestHeldIn(spool), { code: "daemon.no_request" });
});

const ACTION: Action = {
  ...{ id: "a-1", run: "r-1", at: "", monoMs: 0, system: "db", kind: "postgres", verb: "update" },
  ...{ effects: ["write"], target: "", summary: "", digest: "d", cause: UNKNOWN_PROCESS },
  fields: { ...PLACE, found: { rows: 3 }, preview: { after: 1 } },
};

test("what was found is compared before it is performed, what is only shown is not", () => {
  const with_ = (fields: Action["fields"]) => ({ ...ACTION, id: "a-2", fields });
  assert.ok(isSameAction(ACTION, with_({ ...ACTION.fields, preview: { after: 2 } })));
  assert.ok(!isSameAction(ACTION, with_({ ...ACTION.fields, found: { rows: 4 } })));
  assert.ok(!isSameAction(ACTION, { ...ACTION, effects: ["delete"] }));
});

test("INV-103: whoever performs an operation is told what was found of it just now", () => {
  const held = { ...PLACE, operation: 1, facts: { preview: { way: "http" } } };
  const found = { rows: 3, preview: { before: ["a"] } };
  assert.deepEqual(withFacts(held, found), {
    ...held,
    facts: { rows: 3, preview: { way: "http", before: ["a"] } },
  });
  const http = { ...PLACE, scheme: "https", method: "POST", target: "/", headers: [], facts: {} };
  assert.equal(withFacts(http as never, found), http as never, "a request is sent as it is");
});
