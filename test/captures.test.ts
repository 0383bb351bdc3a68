/** The figures of `npm run captures` and the bench: that they fall where they must. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { measureQuality, type Quality } from "./captures/measure.ts";
import { framesOf, pcapOf, randomBytes } from "./support/capture-kit.ts";
import type { FlowCase } from "./support/flow-case.ts";
import { POSITIVE } from "./support/flow-cases.ts";

/** Measures captures of these names, each with some of the conversations, and those of the tests. */
async function measured(files: Readonly<Record<string, readonly FlowCase[]>>): Promise<Quality> {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-captures-"));
  try {
    mkdirSync(join(root, "made"));
    mkdirSync(join(root, "somebody's")); // No corpus that has labels.
    for (const [name, cases] of Object.entries(files)) {
      const frames = cases.flatMap((it, n) => framesOf({ ...it, clientPort: 40_000 + n }));
      writeFileSync(join(root, "made", `${name}.pcap`), pcapOf(frames));
    }
    writeFileSync(join(root, "made", "benign--none.pcap"), "no capture");
    return await measureQuality([root, join(root, "absent")]);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const rowOf = ({ detectors }: Quality, name: string) => detectors.find((row) => row.name === name);
const caseOf = (detector: string): FlowCase => {
  const found = POSITIVE.find(({ expect }) => expect === detector);
  assert.ok(found !== undefined);
  return found;
};
const unknown: FlowCase = { name: "bytes", protocol: "tcp", said: [["client", randomBytes(90)]] };

test("conversations of the tests are judged where there is no capture, and all is said", async () => {
  const quality = await measureQuality([]);
  assert.deepEqual(
    quality.corpora.map(({ name, source }) => [name, source]),
    [["tables", "committed"]],
  );
  assert.deepEqual([quality.wrongFlows, quality.notes], [0, []]);
  assert.ok(quality.detectors.every(({ holds }) => holds));
  assert.ok(quality.detectors.filter(({ recall }) => recall === 1).length > 30);
});

test("a flow that is missed lowers the recall of its detector, each of a capture's by itself", async () => {
  const before = rowOf(await measureQuality([]), "vpn.wireguard");
  const wireguard = caseOf("vpn.wireguard");
  const quality = await measured({ "vpn.wireguard--each-of-two": [wireguard, unknown] });
  const row = rowOf(quality, "vpn.wireguard");
  assert.deepEqual(
    [row?.cases, row?.hits, row?.wrong],
    [(before?.cases ?? 0) + 2, (before?.hits ?? 0) + 1, 0],
  );
  assert.ok(row?.recall !== null && (row?.recall ?? 1) < 1);
  assert.match(quality.notes.join(), /missed {2}vpn\.wireguard: 1 of 2 in made\/vpn\.wireguard/);
  assert.equal(quality.corpora.find(({ name }) => name === "made")?.source, "made");
});

test("a finding in a benign capture lowers the precision, and what is claimed does not hold", async () => {
  const quality = await measured({ "benign--not": [caseOf("mining.stratum"), unknown] });
  const row = rowOf(quality, "mining.stratum");
  assert.deepEqual([row?.wrong, row?.holds, quality.wrongFlows], [1, false, 1]);
  assert.ok((row?.precision ?? 1) < 1);
  assert.equal(rowOf(quality, "vpn.tor")?.holds, true);
});
