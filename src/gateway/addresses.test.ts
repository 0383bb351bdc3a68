import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { forbiddenAddress, isMetadataAddress, isMetadataName } from "./addresses.ts";

const REFUSED = [
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "all of 127/8 is loopback"],
  ["0.0.0.0", "Linux takes it for loopback"],
  ["10.0.0.1", "RFC 1918"],
  ["172.16.0.1", "RFC 1918"],
  ["172.31.255.255", "its last address"],
  ["192.168.1.1", "RFC 1918"],
  ["100.64.0.1", "carrier-grade NAT is somebody's inside"],
  ["169.254.1.1", "link-local"],
  ["169.254.169.254", "cloud metadata"],
  ["168.63.129.16", "Azure's wire server stands among public addresses"],
  ["100.100.100.200", "Alibaba's metadata"],
  ["192.0.0.192", "Oracle's metadata"],
  ["198.18.0.7", "the runs' own name pool"],
  ["192.0.2.1", "test net 1"],
  ["198.51.100.1", "test net 2"],
  ["203.0.113.1", "test net 3"],
  ["224.0.0.1", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["::ffff:8.8.8.8", "mapped: one address, one spelling"],
  ["::ffff:127.0.0.1", "mapped loopback"],
  ["::8.8.8.8", "IPv4-compatible"],
  ["64:ff9b::7f00:1", "NAT64 embeds loopback"],
  ["64:ff9b::808:808", "NAT64, whatever it embeds"],
  ["64:ff9b:1::1", "local NAT64"],
  ["2002:7f00:1::1", "6to4 embeds loopback"],
  ["2001:0:1::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["3fff::1", "documentation"],
  ["fc00::1", "unique local"],
  ["fd63:6f66:6665::1", "the runs' own name pool"],
  ["fd00:ec2::254", "AWS metadata"],
  ["fe80::1", "link-local"],
  ["fe80::1%lo", "a zone"],
  ["2606:4700::1%eth0", "a zone on a public address is still a zone"],
  ["fec0::1", "site-local"],
  ["ff02::1", "multicast"],
  ["5f00::1", "segment routing"],
  ["localhost", "a name is no address"],
  ["0x7f.1", "only the plain notation is an address"],
  ["2130706433", "only the plain notation is an address"],
  ["", "nothing"],
] as const;
for (const [address, why] of REFUSED) {
  test(`INV-7: ${JSON.stringify(address)} is not dialled for a name: ${why}`, () =>
    assert.notEqual(forbiddenAddress(address), undefined));
}

const PUBLIC = [
  "8.8.8.8",
  "1.1.1.1",
  "172.15.0.1",
  "172.32.0.1",
  "100.63.0.1",
  "100.128.0.1",
  "198.20.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450::1",
  "2001:4860:4860::8888",
];
for (const address of PUBLIC) {
  test(`${address} is public`, () => assert.equal(forbiddenAddress(address), undefined));
}

test("INV-7: no IPv4 address gets by in IPv6 dress", () => {
  const property = fc.property(fc.ipV4(), (v4) => {
    const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
    const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    for (const dress of [`::ffff:${v4}`, `::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
      assert.notEqual(forbiddenAddress(dress), undefined, dress);
    }
  });
  fc.assert(property);
});

test("metadata is known by address and by name", () => {
  assert.ok(isMetadataAddress("169.254.169.254"));
  assert.ok(!isMetadataAddress("169.254.169.253"));
  assert.ok(isMetadataName("metadata.google.internal"));
  assert.ok(!isMetadataName("metadata.example.com"));
});
