import assert from "node:assert/strict";
import { linkSync, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isOwnPlace } from "./own-places.ts";

const OWN = { ports: [8700], sockets: [] };

const PLACES: readonly (readonly [string, number, boolean, string])[] = [
  ["127.0.0.1", 8700, true, "the console's address"],
  ["127.0.0.1", 8701, false, "a port beside it"],
  ["127.255.255.254", 8700, true, "all of loopback is this machine"],
  ["0.0.0.0", 8700, true, "Linux takes it for loopback"],
  ["::1", 8700, true, "IPv6's loopback"],
  ["0:0:0:0:0:0:0:1", 8700, true, "the same, written out"],
  ["::", 8700, true, "Linux takes it for loopback"],
  ["::ffff:127.0.0.1", 8700, true, "IPv4 in IPv6's dress"],
  ["::ffff:7f00:1", 8700, true, "the same in hexadecimal"],
  ["8.8.8.8", 8700, false, "another machine"],
  ["2001:4860:4860::8888", 8700, false, "another machine"],
];
for (const [address, port, isOwn, why] of PLACES) {
  test(`INV-201: ${address} port ${port} is ${isOwn ? "closed" : "open"} to runs: ${why}`, () =>
    assert.equal(isOwnPlace({ address, port }, OWN), isOwn));
}

test("INV-201: every address of an interface of this machine is closed at that port, and at no other", () => {
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    assert.ok(isOwnPlace({ address, port: 8700 }, OWN), address);
    assert.ok(!isOwnPlace({ address, port: 8701 }, OWN), address);
  }
});

test("INV-202: a socket is known by its file, whatever it is called", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-own-"));
  const [mine, other, second] = ["a", "b", "c"].map((name) => join(folder, name));
  assert.ok(mine !== undefined && other !== undefined && second !== undefined);
  for (const path of [mine, other]) {
    const server = createServer().listen(path);
    await once(server, "listening");
    t.after(() => server.close());
  }
  t.after(() => rmSync(folder, { recursive: true }));
  linkSync(mine, second);
  const own = { ports: [], sockets: [mine, join(folder, "absent")] };
  assert.ok(isOwnPlace({ path: mine }, own));
  assert.ok(isOwnPlace({ path: second }, own));
  assert.ok(!isOwnPlace({ path: other }, own));
  assert.ok(!isOwnPlace({ path: join(folder, "nowhere") }, own));
});
