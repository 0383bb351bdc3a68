/** What never reaches the gateway is on record all the same: packets with exact counts, sockets with their process. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { TestHome } from "./support/home.ts";

const SOURCE = join(import.meta.dirname, "../src/sandbox/testdata/packets.c");
const home = new TestHome();
const program = join(home.workspace, "packets");
let packets: readonly Entry[];
let sockets: readonly Entry[];

before(async () => {
  execFileSync("gcc", ["-static", "-O1", "-o", program, SOURCE]);
  chmodSync(program, 0o755);
  const runs = [await home.run(["./packets"]), await home.run(["./packets", "sockets"])];
  for (const { code, stderr } of runs) assert.equal(code, 0, stderr);
  const log = await home.log();
  const ids = [...new Set(log.flatMap(({ run }) => run ?? []))];
  [packets = [], sockets = []] = ids.map((id) => log.filter(({ run }) => run === id));
});
after(() => home.close());

const denials = (log: readonly Entry[]) => log.filter(({ type }) => type === "denial");
const findings = (log: readonly Entry[]) =>
  log.filter(({ type }) => type === "finding").map(({ data }) => data?.["finding"]);
const merged = ({ data }: Entry) => Number(data?.["merged"] ?? 1);

test("INV-27: every packet that the network refused is in the record, by its target where one is known", () => {
  const seven = denials(packets).find(({ target }) => target === "198.51.100.7");
  assert.deepEqual([seven?.rule, seven?.data?.["merged"]], ["no-udp", 7]);
  const sum = denials(packets).reduce((all, one) => all + merged(one), 0);
  assert.equal(sum, 318);
  const end = packets.find(({ type }) => type === "run.end");
  assert.equal(end?.data?.["denials"], 318);
});

test("a scan by packets that no held call shows is a scan", () => {
  assert.ok(findings(packets).includes("scan"));
});

test("INV-28: a refused socket names its process; ping is a denial, raw packets and frames are an escape", () => {
  const rules = denials(sockets).map(({ rule }) => rule);
  assert.deepEqual(rules, ["no-icmp", "no-icmp", "no-icmp", "no-other"]);
  assert.deepEqual(findings(sockets), ["escape", "escape"]);
  for (const entry of sockets.filter(({ type }) => type === "denial" || type === "finding")) {
    assert.equal(entry.process?.argv[1], "sockets");
    assert.equal(entry.process?.knownBy, "seccomp");
  }
});
