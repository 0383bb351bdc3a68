/** What a run's network refuses is counted, whatever call sent it; read from the kernel's own counters. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readRefusedPackets, type RefusedPackets } from "../sys/index.ts";
import { hold, makePlace, runCommand, type Outcome } from "./sandbox.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-packets-"));
const binary = join(folder, "packets");

describe("INV-27: packets that no held call shows", () => {
  let outcome: Outcome;
  let first: RefusedPackets;
  let counted: RefusedPackets;

  before(async () => {
    execFileSync("gcc", [
      "-static",
      "-O1",
      "-o",
      binary,
      join(import.meta.dirname, "testdata/packets.c"),
    ]);
    const place = await makePlace();
    copyFileSync(binary, join(place.workspace, "packets"));
    chmodSync(join(place.workspace, "packets"), 0o755);
    const held = await hold(place.spec);
    try {
      const { netfilter } = held.sandbox.descriptors;
      first = readRefusedPackets(netfilter);
      outcome = await runCommand(held, [join(place.workspace, "packets")]);
      counted = readRefusedPackets(netfilter);
    } finally {
      await held.end();
      await place.remove();
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  const said = (name: string) =>
    outcome.stdout
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")
      .slice(1)
      .join(" ");
  const to = (address: string, port: number) =>
    counted.targets.find((one) => one.address === address && one.port === port)?.packets;

  test("a run that was only proved has none: nothing of our own is counted", () => {
    assert.deepEqual(first, { totals: { udp: 0, icmp: 0, icmpv6: 0, other: 0 }, targets: [] });
  });

  // name, what the sender is told, address, port, packets, why
  const ROWS = [
    ["unconnected", "0 EPERM", "198.51.100.7", 443, 7, "sendmsg on an unconnected socket"],
    ["many", "0 EPERM", "10.9.8.7", 161, 5, "sendmmsg"],
    ["six", "0 EPERM", "2001:db8::7", 8443, 3, "over IPv6"],
    ["spoofed", "0 EPERM", "198.51.100.8", 1, 2, "dressed as an answer of the resolver's"],
    ["broadcast", "0 EPERM", "255.255.255.255", 67, 1, "to everyone"],
    ["loopback", "4 -", "127.0.0.1", 9999, undefined, "its own loopback is its own affair"],
    ["mark", "0 EPERM", "127.0.0.1", 0, undefined, "the mark of our packets cannot be taken"],
  ] as const;
  for (const [name, told, address, port, packets, why] of ROWS) {
    test(`${name}: ${why}`, () => {
      assert.equal(said(name), told, outcome.stderr);
      assert.equal(to(address, port), packets);
    });
  }

  test("a scan fills the list of targets and still loses no packet", () => {
    assert.deepEqual(counted.totals, {
      udp: 7 + 5 + 3 + 2 + 1 + 300,
      icmp: 0,
      icmpv6: 0,
      other: 0,
    });
    assert.ok(counted.targets.length <= 512);
    assert.equal(to("198.51.100.9", 5353), 1);
  });
});
