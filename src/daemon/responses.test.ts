/** What findings lead to: in which order, once, and what happens where a response fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FINDING_KINDS, type FindingKind } from "../action/index.ts";
import type { Response } from "../policy/index.ts";
import type { RunEvent } from "./recorder.ts";
import { Responder, type Means } from "./responses.ts";

interface Kit {
  readonly responder: Responder;
  readonly did: string[];
  readonly events: RunEvent[];
  /** Resolves when all that was begun is on record. */
  settled(): Promise<void>;
}

function kit(responses: readonly Response[], change: Partial<Means> = {}): Kit {
  const did: string[] = [];
  const events: RunEvent[] = [];
  const does = async (what: string) => void did.push(what);
  const means: Means = {
    responses: Object.fromEntries(FINDING_KINDS.map((kind) => [kind, responses])) as Record<
      FindingKind,
      readonly Response[]
    >,
    record: async (event) => events.push(event),
    causeOf: () => undefined,
    notice: () => {},
    alert: () => void did.push("alert"),
    confirmAll: () => does("confirm-all"),
    cut: async () => (did.push("cut"), 2),
    revoke: async () => (did.push("revoke"), ["shop"]),
    pause: () => does("pause"),
    pauseLineage: () => does("pause-lineage"),
    evidence: async () => ({ evidence: "001.json", evidenceSha256: "00" }),
    stop: (why) => void did.push(`stop: ${why}`),
    failed: (error) => void did.push(`failed: ${String(error)}`),
    ...change,
  };
  const responder = new Responder(means, { now: () => ({ wallMs: 0, monoMs: 0 }) });
  const settled = async () => {
    for (let last = -1; last !== events.length;) {
      last = events.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { responder, did, events, settled };
}

const finding = { kind: "tunnel", detail: "ssh", of: {} } as const;

test("everything that is asked for is done, what stops it first, and it is on record", async () => {
  const { responder, did, events, settled } = kit([
    "alert",
    "confirm-all",
    "cut",
    "revoke",
    "pause",
  ]);
  responder.found(finding);
  await settled();
  assert.deepEqual(did, ["pause", "cut", "revoke", "confirm-all", "alert"]);
  const [found, response, evidence] = events;
  assert.deepEqual([found?.type, found?.rule], ["finding", "finding.tunnel"]);
  assert.deepEqual(response, {
    type: "response",
    data: {
      finding: 1,
      kind: "tunnel",
      responses: ["pause", "cut", "revoke", "confirm-all", "alert"],
      cut: 2,
      revoked: "shop",
      withinMs: 0,
    },
  });
  assert.deepEqual(evidence?.data, {
    finding: 1,
    kind: "tunnel",
    evidence: "001.json",
    evidenceSha256: "00",
  });
});

test("a finding that is only recorded leads to nothing", async () => {
  const { responder, did, events, settled } = kit([]);
  responder.found(finding);
  await settled();
  assert.deepEqual([did, events.map(({ type }) => type)], [[], ["finding"]]);
});

test("a flood of findings does once what holds, and cuts again what was opened since", async () => {
  const { responder, did, settled } = kit(["cut", "pause"]);
  for (let at = 0; at < 100; at += 1) responder.found(finding);
  await settled();
  assert.equal(did.filter((one) => one === "pause").length, 1);
  assert.equal(did.filter((one) => one === "cut").length, 100);
});

test("after a person let it go on the next finding pauses again", async () => {
  const { responder, did, settled } = kit(["pause"]);
  responder.found(finding);
  responder.resumed();
  responder.found(finding);
  await settled();
  assert.deepEqual(did, ["pause", "pause"]);
});

test("a kill waits for nothing that was begun before (INV-150)", async () => {
  const never = new Promise<void>(() => {});
  const { responder, did } = kit(["pause", "kill"], { pause: () => never });
  responder.found(finding);
  assert.deepEqual(did, ["stop: tunnel: ssh"]);
});

for (const [response, broken] of [
  ["pause", { pause: () => Promise.reject(new Error("no freezer")) }],
  ["cut", { cut: () => Promise.reject(new Error("no worker")) }],
  ["revoke", { revoke: () => Promise.reject(new Error("no system")) }],
  ["confirm-all", { confirmAll: () => Promise.reject(new Error("no rules")) }],
] as const) {
  test(`where ${response} fails the run is ended (INV-150)`, async () => {
    const { responder, did, settled } = kit([response], broken);
    responder.found(finding);
    await settled();
    assert.equal(did.length, 1);
    assert.match(did[0] ?? "", /^stop: tunnel: ssh; and the response .* failed: no /);
  });
}

test("where the finding cannot be recorded that is told", async () => {
  const { responder, did, settled } = kit([], { record: () => Promise.reject(new Error("full")) });
  responder.found(finding);
  await settled();
  assert.deepEqual(did, ["failed: Error: full"]);
});
