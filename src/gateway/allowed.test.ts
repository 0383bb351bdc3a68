/** What a session did is looked at again under a narrower policy, and nothing else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { taskSystems } from "../systems/index.ts";
import {
  compilePolicy,
  initialPolicyState,
  isStanding,
  parseTaskFile,
  type Policy,
} from "../policy/index.ts";
import { Allowed, ALLOWED_CHARS_MAX } from "./allowed.ts";

function policyOf(rules: string, other = "GET"): Policy {
  const source = `task: t
purpose: A test.
grants:
  - { system: redis, name: cache, hosts: [cache.test], allow: [${rules}] }
  - { system: http, name: other, hosts: [other.test], allow: [{ methods: [${other}], paths: ["/**"] }] }
`;
  return compilePolicy(parseTaskFile(source, "task.yaml", Date.now(), taskSystems()));
}

const APP = `{ verbs: ["*"], on: ["app:*"] }`;
const NEWS = `{ verbs: ["*"], on: [news] }`;

function reading(object: string): Action {
  return {
    ...{ id: "a-1", run: "r-1", at: new Date().toISOString(), monoMs: 1, system: "cache" },
    ...{ kind: "redis", verb: "get", effects: ["read"], target: "", summary: "", digest: "" },
    fields: { host: "cache.test", port: 6379 },
    parts: [{ verb: "get", effects: ["read"], object: [object] }],
    cause: UNKNOWN_PROCESS,
  };
}

const under = (policy: Policy) => ({
  policy,
  stands: (action: Action) => isStanding(policy, initialPolicyState, action),
});

test("INV-134: what was done stands only where all of it would be allowed", () => {
  const wide = policyOf(`${APP}, ${NEWS}`);
  const both = new Allowed();
  const one = new Allowed();
  for (const allowed of [both, one]) allowed.add(reading("app:1"), wide);
  both.add(reading("news"), wide);
  const narrow = policyOf(APP);
  assert.deepEqual([both.stands(under(wide)), one.stands(under(wide))], [true, true]);
  assert.deepEqual([both.stands(under(narrow)), one.stands(under(narrow))], [false, true]);
});

test("INV-134: what was too much to keep stands as long as its grant is the same", () => {
  const wide = policyOf(`${APP}, ${NEWS}`, "GET, HEAD");
  const allowed = new Allowed();
  const name = "x".repeat(1000);
  for (let at = 0; at < ALLOWED_CHARS_MAX / 1000 + 1; at += 1) {
    allowed.add(reading(`app:${name}${at}`), wide);
  }
  assert.equal(allowed.stands(under(wide)), true);
  assert.equal(
    allowed.stands(under(policyOf(`${APP}, ${NEWS}`))),
    true,
    "another grant's narrowing",
  );
  assert.equal(allowed.stands(under(policyOf(APP))), false);
});
