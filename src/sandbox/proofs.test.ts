import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { expectProofs, judgeProofs, NAMESPACES, requireProofs, type Finding } from "./proofs.ts";

const EXPECTED = expectProofs({
  architecture: "x64",
  hostUid: 4242,
  hostGid: 4343,
  dropped: true,
  uid: 1000,
  gid: 1000,
  hostName: "cofferdam",
  namespaces: Object.fromEntries(NAMESPACES.map((kind) => [kind, `${kind}:[1]`])),
  canaries: 2,
  landlockAbiMin: 2,
  limits: new Map([[4, [0, 0]]]),
});

/** What a good run finds, where it differs from the words of the expectation. */
const GOOD: Readonly<Record<string, string>> = {
  "status.Seccomp_filters": "1",
  "landlock.abi": "7",
  ...Object.fromEntries(NAMESPACES.map((kind) => [`namespace.${kind}`, `${kind}:[2]`])),
};

const findings: readonly Finding[] = [...EXPECTED].map(([control, { wanted }]) => ({
  control,
  found: GOOD[control] ?? wanted.split(" or ")[0] ?? "",
}));

test("INV-5: where every control is found as it must be, the run may start", () => {
  const proofs = judgeProofs(findings, EXPECTED);
  assert.deepEqual(
    proofs.filter(({ ok }) => !ok),
    [],
  );
  requireProofs(proofs, EXPECTED);
});

for (const control of EXPECTED.keys()) {
  test(`INV-5, fault sandbox.unproved: ${control} missing, or different, stops the start`, () => {
    const others = findings.filter((finding) => finding.control !== control);
    for (const found of [undefined, "something else", "succeeded!"]) {
      const given = found === undefined ? others : [...others, { control, found }];
      const proofs = judgeProofs(given, EXPECTED);
      assert.throws(
        () => requireProofs(proofs, EXPECTED),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, "sandbox.unproved");
          assert.ok(error.message.includes(`${control} is ${found ?? "nothing"}, not `));
          return error.hint !== undefined && error.hint !== "";
        },
      );
    }
  });
}

// control, what is found, why it must not pass
const TRAPS: readonly (readonly [string, string, string])[] = [
  ["host.uid_map", "0 0 4294967295", "the host's own map"],
  ["host.uid_map", "1000 0 1", "root behind an ordinary number"],
  ["host.uid_map", "1000 4242 1 0 0 1", "a second range with root in it"],
  ["host.Uid", "4242 0 4242 4242", "effective root"],
  ["host.Groups", "0", "root's group kept"],
  ["status.CapBnd", "000001ffffffffff", "capabilities could come back by an execve"],
  ["status.Seccomp", "1", "strict mode is not our filter"],
  ["namespace.net", "net:[1]", "the host's own network"],
  ["namespace.net", "mnt:[2]", "an answer to another question"],
  ["file.canary.0", "EACCES", "closed is not absent"],
  ["file.core_pattern", "succeeded", "the host's kernel would run it as root"],
  ["network.devices", "lo eth0", "a way past the gateway"],
  ["connect.canary", "succeeded", "the gateway lets everything through"],
  ["connect.canary", "ETIMEDOUT", "nobody answered: the listener is not held"],
  ["connect.canary", "ENOSYS", "the listener is gone"],
  ["descriptors", "7", "an open file of the daemon's"],
  ["environment", "3", "the daemon's variables"],
  ["limit.4", "0 -1", "the run could raise it again"],
  ["landlock.abi", "-1", "no Landlock"],
  ["landlock.abi", "", "no answer"],
  ["landlock.write", "succeeded", "Landlock is not in force"],
  ["abi.i386", "succeeded", "another machine's calls pass unseen"],
];
for (const [control, found, why] of TRAPS) {
  test(`${control} = ${JSON.stringify(found)} does not pass: ${why}`, () => {
    const others = findings.filter((finding) => finding.control !== control);
    const proof = judgeProofs([...others, { control, found }], EXPECTED).find(
      (one) => one.control === control,
    );
    assert.equal(proof?.ok, false);
  });
}

test("a finding that nobody asked for proves nothing", () => {
  const proofs = judgeProofs([{ control: "made.up", found: "fine" }], EXPECTED);
  assert.ok(proofs.every(({ ok }) => !ok));
  assert.throws(() => requireProofs([], new Map()), { code: "sandbox.unproved" });
});

test("no text at all passes for two controls that are different", () => {
  const property = fc.property(fc.string(), (found) => {
    const all = [...EXPECTED.keys()].map((control) => ({ control, found }));
    assert.throws(() => requireProofs(judgeProofs(all, EXPECTED), EXPECTED), {
      code: "sandbox.unproved",
    });
  });
  fc.assert(property);
});
