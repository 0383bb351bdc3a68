import assert from "node:assert/strict";
import { test } from "node:test";
import type { RefusedPackets } from "../sys/index.ts";
import { PacketCounts } from "./refused-packets.ts";

type Told = [transport: string, count: number, to: string];

/** Feeds `looks` in turn, and returns what was told after each. */
function follow(looks: readonly RefusedPackets[]): Told[][] {
  let next = 0;
  let told: Told[] = [];
  const read = () => looks[next++] ?? assert.fail("one look too many");
  const counts = new PacketCounts(read, {
    refusedUnheard: ({ transport, count, to }) =>
      told.push([transport, count, to === undefined ? "" : `${to.address} ${to.port}`]),
  });
  return looks.map(() => {
    told = [];
    counts.look();
    return told;
  });
}

const NONE = { udp: 0, icmp: 0, icmpv6: 0, other: 0 };
const target = (address: string, port: number, packets: number) => ({ address, port, packets });

test("INV-27: only what came since is told, each target and each transport by itself", () => {
  const told = follow([
    { totals: NONE, targets: [] },
    { totals: { ...NONE, udp: 5, icmp: 1 }, targets: [target("198.51.100.7", 443, 5)] },
    { totals: { ...NONE, udp: 5, icmp: 1 }, targets: [target("198.51.100.7", 443, 5)] },
    {
      totals: { udp: 9, icmp: 1, icmpv6: 2, other: 3 },
      targets: [target("198.51.100.7", 443, 6), target("10.0.0.1", 161, 3)],
    },
  ]);
  assert.deepEqual(told, [
    [],
    [
      ["udp", 5, "198.51.100.7 443"],
      ["icmp", 1, ""],
    ],
    [],
    [
      ["udp", 1, "198.51.100.7 443"],
      ["udp", 3, "10.0.0.1 161"],
      ["icmp", 2, ""],
      ["other", 3, ""],
    ],
  ]);
});

test("INV-27: packets beyond the list of targets, and those sent between two reads, count once", () => {
  const told = follow([
    // Sent after the totals were read: the target has more than the total knows.
    { totals: { ...NONE, udp: 4 }, targets: [target("10.0.0.1", 161, 6)] },
    { totals: { ...NONE, udp: 16 }, targets: [target("10.0.0.1", 161, 6)] },
    { totals: { ...NONE, udp: 17 }, targets: [target("10.0.0.1", 161, 7)] },
  ]);
  assert.deepEqual(told, [
    [["udp", 6, "10.0.0.1 161"]],
    [["udp", 10, ""]],
    [["udp", 1, "10.0.0.1 161"]],
  ]);
  const sum = told.flat().reduce((total, one: Told) => total + one[1], 0);
  assert.equal(sum, 17);
});
