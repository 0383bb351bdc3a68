import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Authenticator, type Lie } from "../../test/support/authenticator.ts";
import { Passkeys, PASSKEYS_FILE, type Change, type Statement } from "./index.ts";
import { NONCE_MS } from "./nonces.ts";

const ORIGIN = "http://localhost:4711";
const ADA = { person: "ada", roles: ["viewer", "approver"] } as const;
const SIGN_IN = { for: "sign-in" } as const;
const YES: Statement = {
  ...{ for: "decision", approval: "p-1", action: "ab".repeat(32), decision: "approve" },
  terms: { allowance: { count: 2, forMs: 1000 } },
};

function open(t: TestContext, more: { fails?: boolean } = {}) {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-passkeys-"));
  t.after(() => rmSync(root, { recursive: true }));
  const time = { wallMs: Date.UTC(2026, 10, 27), monoMs: 0 };
  const changes: Change[] = [];
  const page: { origin: string | undefined } = { origin: ORIGIN };
  const make = () =>
    new Passkeys({
      root,
      clock: { now: () => ({ ...time }) },
      origin: () => page.origin,
      record: async (change) => {
        if (more.fails === true) throw new Error("disk full");
        changes.push(change);
      },
    });
  const passkeys = make();
  let first: Authenticator | undefined;
  const add = async (key = new Authenticator(ORIGIN), lie: Lie = {}) => {
    const whose = { person: ADA.person, roles: [...ADA.roles] };
    const { vouch, ...offer } = passkeys.offer(whose);
    const vouched = vouch === undefined ? {} : { vouch: first?.sign(vouch) };
    const made = { ...key.make(offer, "laptop", lie), ...vouched };
    await passkeys.add(whose, made, "cli:1000");
    first ??= key;
    return key;
  };
  return { passkeys, add, make, time, changes, page, file: join(root, PASSKEYS_FILE) };
}

test("a passkey is added on record, kept closed to others, and believed; removed, it is not", async (t) => {
  const { passkeys, add, make, changes, file } = open(t);
  const key = await add();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const [kept] = passkeys.list();
  assert.deepEqual([kept?.person, kept?.roles, kept?.rpId], ["ada", ADA.roles, "localhost"]);
  assert.equal((await passkeys.believe(YES, key.sign(passkeys.ask(YES)))).person, "ada");
  assert.equal(passkeys.list()[0]?.counter, key.counter);
  assert.ok(passkeys.list()[0]?.usedAt !== undefined);
  const later = make(); // Another daemon of the same home.
  assert.equal((await later.believe(SIGN_IN, key.sign(later.ask(SIGN_IN)))).person, "ada");
  const signed = key.sign(passkeys.ask(YES));
  await passkeys.remove(kept?.id ?? "", "cli:1000");
  await assert.rejects(passkeys.believe(YES, signed), { code: "passkey.unknown" });
  await assert.rejects(passkeys.remove(kept?.id ?? "", "cli:1000"), { code: "passkey.none" });
  assert.deepEqual(
    changes.map(({ done, by, passkey }) => [done, by, passkey.label]),
    [
      ["added", "cli:1000", "laptop"],
      ["removed", "cli:1000", "laptop"],
    ],
  );
});

const LIES: readonly (readonly [string, Lie])[] = [
  ["a server that a run publishes on this machine", { origin: "http://localhost:3000" }],
  ["an address instead of the name", { origin: "http://127.0.0.1:4711" }],
  ["a page of TLS that we are not", { origin: "https://localhost:4711" }],
  ["another site", { origin: "https://evil.example" }],
  ["a frame in another's page", { crossOrigin: true }],
  ["another host's passkey", { rpId: "evil.example" }],
  ["something else that was asked", { challenge: "AAAA" }],
  ["nobody at the device", { isPresent: false }],
  ["somebody, and nobody knows who", { isVerified: false }],
];

test("INV-207: a signature for another page, host, statement or nobody in particular is none", async (t) => {
  const { passkeys, add } = open(t);
  const key = await add();
  for (const [why, lie] of LIES) {
    const signed = key.sign(passkeys.ask(YES), lie);
    await assert.rejects(passkeys.believe(YES, signed), { code: "passkey.refused" }, why);
    const refused = add(new Authenticator(ORIGIN), lie);
    await assert.rejects(refused, { code: "passkey.refused" }, `making one: ${why}`);
  }
  const thief = new Authenticator(ORIGIN);
  const forged = key.sign(passkeys.ask(YES), { key: thief.key });
  await assert.rejects(passkeys.believe(YES, forged), { code: "passkey.refused" });
  const made = key.sign(passkeys.ask(YES), { type: "webauthn.create" });
  await assert.rejects(passkeys.believe(YES, made), { code: "passkey.refused" });
  await assert.rejects(passkeys.believe(YES, thief.sign(passkeys.ask(YES))), {
    code: "passkey.unknown",
  });
  assert.equal(passkeys.list().length, 1, "no lie added one");
  assert.equal((await passkeys.believe(YES, key.sign(passkeys.ask(YES)))).person, "ada");
});

test("INV-207: what was signed for one thing counts for no other", async (t) => {
  const { passkeys, add } = open(t);
  const key = await add();
  const { terms: _, ...bare } = YES;
  const others: readonly Statement[] = [
    { ...YES, approval: "p-2" },
    { ...YES, action: "cd".repeat(32) },
    { ...YES, decision: "deny" },
    { ...YES, terms: { allowance: { count: 200, forMs: 1000 } } },
    { ...bare, terms: {} },
    SIGN_IN,
  ];
  for (const other of others) {
    const signed = key.sign(passkeys.ask(YES));
    await assert.rejects(passkeys.believe(other, signed), { code: "passkey.nonce" });
    // With a nonce of the other's own, the signature is still under the first.
    const { nonce } = passkeys.ask(other);
    await assert.rejects(passkeys.believe(other, { ...signed, nonce }), {
      code: "passkey.refused",
    });
    const back = key.sign(passkeys.ask(other));
    await assert.rejects(passkeys.believe(YES, back), { code: "passkey.nonce" });
  }
});

test("INV-207: a signature counts once, and for two minutes", async (t) => {
  const { passkeys, add, make, time } = open(t);
  const key = await add();
  const signed = key.sign(passkeys.ask(YES));
  const both = [passkeys.believe(YES, signed), passkeys.believe(YES, signed)];
  const [first, second] = await Promise.allSettled(both);
  assert.deepEqual([first?.status, second?.status], ["fulfilled", "rejected"]);
  // Another spelling of the same bytes is the same number.
  const again = { ...signed, nonce: `${signed.nonce}=` };
  await assert.rejects(passkeys.believe(YES, again), { code: "passkey.nonce" });
  const early = passkeys.ask(YES);
  time.monoMs += NONCE_MS - 1;
  assert.ok(await passkeys.believe(YES, key.sign(early)));
  const late = passkeys.ask(YES);
  time.monoMs += NONCE_MS;
  time.wallMs -= 3_600_000; // Who sets the clock back wins nothing.
  await assert.rejects(passkeys.believe(YES, key.sign(late)), { code: "passkey.nonce" });
  const old = passkeys.ask(YES);
  await assert.rejects(make().believe(YES, key.sign(old)), { code: "passkey.nonce" });
});

test("what anybody may send, signed by nobody, uses nothing up", async (t) => {
  const { passkeys, add } = open(t);
  const key = await add();
  const ask = passkeys.ask(SIGN_IN);
  const stranger = new Authenticator(ORIGIN);
  await assert.rejects(passkeys.believe(SIGN_IN, stranger.sign(ask)), { code: "passkey.unknown" });
  const lie = key.sign(ask, { isVerified: false });
  await assert.rejects(passkeys.believe(SIGN_IN, lie), { code: "passkey.refused" });
  const signed = key.sign(ask);
  assert.equal((await passkeys.believe(SIGN_IN, signed)).person, "ada");
  await assert.rejects(passkeys.believe(SIGN_IN, signed), { code: "passkey.nonce" });
});

test("INV-207: a counter that goes back, or stands still, is a copied passkey", async (t) => {
  const { passkeys, add } = open(t);
  const key = await add();
  assert.ok(await passkeys.believe(YES, key.sign(passkeys.ask(YES), { counter: 9 })));
  for (const counter of [9, 8, 0]) {
    const signed = key.sign(passkeys.ask(YES), { counter });
    await assert.rejects(passkeys.believe(YES, signed), { code: "passkey.refused" });
  }
  assert.equal(passkeys.list()[0]?.counter, 9);
  key.counter = 9;
  // Passkeys that are kept in a cloud count nothing at all.
  const synced = await add(new Authenticator(ORIGIN), { counter: 0 });
  for (let n = 0; n < 2; n += 1)
    assert.ok(await passkeys.believe(YES, synced.sign(passkeys.ask(YES), { counter: 0 })));
});

test("an offer is for its person and roles alone, and no passkey is added twice", async (t) => {
  const { passkeys, add } = open(t);
  const key = await add();
  const whose = { person: "ada", roles: ["viewer" as const] };
  const more = { person: "ada", roles: ["viewer" as const, "approver" as const] };
  const made = new Authenticator(ORIGIN).make(passkeys.offer(whose), "mine");
  await assert.rejects(passkeys.add(more, made, "cli:1"), { code: "passkey.nonce" });
  const bob = { ...whose, person: "bob" };
  const again = new Authenticator(ORIGIN).make(passkeys.offer(whose), "mine");
  await assert.rejects(passkeys.add(bob, again, "cli:1"), { code: "passkey.nonce" });
  await assert.rejects(add(key), { code: "passkey.known" });
  assert.deepEqual(passkeys.offer(whose).known, [key.id]);
  assert.deepEqual(passkeys.offer(bob).known, []);
});

test("INV-210: a further passkey of a person takes one that they have", async (t) => {
  const { passkeys, add } = open(t);
  const ada = await add();
  const bob = new Authenticator(ORIGIN);
  const bobs = { person: "bob", roles: ["viewer" as const] };
  await passkeys.add(bobs, bob.make(passkeys.offer(bobs), "b"), "cli:1");
  const more = { person: "ada", roles: ["viewer" as const] };
  const thief = new Authenticator(ORIGIN);
  const code = "passkey.vouch";
  const bare = thief.make(passkeys.offer(more), "x");
  await assert.rejects(passkeys.add(more, bare, "passkey:ada"), { code });
  for (const [by, failing] of [
    [bob, "passkey.vouch"],
    [thief, "passkey.unknown"],
  ] as const) {
    const { vouch, ...offer } = passkeys.offer(more);
    assert.ok(vouch !== undefined);
    const made = { ...thief.make(offer, "x"), vouch: by.sign(vouch) };
    await assert.rejects(passkeys.add(more, made, "passkey:ada"), { code: failing });
  }
  const signedIn = {
    ...thief.make(passkeys.offer(more), "x"),
    vouch: ada.sign(passkeys.ask(SIGN_IN)),
  };
  await assert.rejects(passkeys.add(more, signedIn, "passkey:ada"), { code: "passkey.nonce" });
  assert.equal(passkeys.list().length, 2);
  const { vouch, ...offer } = passkeys.offer(more);
  assert.ok(vouch !== undefined);
  const made = { ...new Authenticator(ORIGIN).make(offer, "phone"), vouch: ada.sign(vouch) };
  assert.equal((await passkeys.add(more, made, "passkey:ada")).label, "phone");
});

test("what cannot be put on record is not done", async (t) => {
  const { passkeys, add } = open(t, { fails: true });
  await assert.rejects(add(), /disk full/);
  assert.deepEqual(passkeys.list(), []);
});

test("where no console is open, or the file is not ours, no passkey is believed", async (t) => {
  const { passkeys, add, page, file } = open(t);
  const key = await add();
  const signed = key.sign(passkeys.ask(YES));
  page.origin = undefined;
  await assert.rejects(passkeys.believe(YES, signed), { code: "passkey.origin" });
  assert.throws(() => passkeys.ask(YES), { code: "passkey.origin" });
  page.origin = "https://console.example";
  const asked = passkeys.ask(YES);
  assert.equal(asked.rpId, "console.example");
  const elsewhere = key.sign(asked, { origin: "https://console.example" });
  await assert.rejects(passkeys.believe(YES, elsewhere), { code: "passkey.unknown" });
  page.origin = ORIGIN;
  const text = readFileSync(file, "utf8");
  chmodSync(file, 0o644);
  await assert.rejects(passkeys.believe(YES, key.sign(passkeys.ask(YES))), {
    code: "channel.file",
  });
  chmodSync(file, 0o600);
  for (const broken of [
    "",
    "{}",
    text.replace('"ada"', '"Ada"'),
    text.replace("approver", "god"),
  ]) {
    writeFileSync(file, broken);
    await assert.rejects(passkeys.believe(YES, key.sign(passkeys.ask(YES))), {
      code: "passkey.store",
    });
  }
  writeFileSync(file, text);
  assert.ok(await passkeys.believe(YES, key.sign(passkeys.ask(YES))));
});
