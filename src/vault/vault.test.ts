import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { isFault } from "../base/index.ts";
import { deriveKey, seal, unseal } from "./seal.ts";
import { parseSpec } from "./spec.ts";
import { PLACE, specOf, TestVault } from "./vault.fixture.ts";

const SECRET = "ghp_abcdefGHIJKL0123456789mnopqrstUVWXYZ";
const OTHER = "ghp_ZYXWVUtsrqpo9876543210LKJIHGfedcbaAA";
const bearer = { kind: "bearer" } as const;

function create(t: TestContext): TestVault {
  const home = new TestVault();
  t.after(() => home.remove());
  return home;
}

async function filled(t: TestContext): Promise<TestVault> {
  const home = create(t);
  const vault = await home.open();
  await vault.add(specOf("one", bearer), { value: SECRET });
  await vault.add(specOf("two", bearer, ["other.example.com"]), { value: OTHER });
  return home;
}

test("what was added is there when the vault is opened again, and told without its secret", async (t) => {
  const home = await filled(t);
  const vault = await home.open();
  assert.deepEqual(
    vault.list().map(({ name }) => name),
    ["one", "two"],
  );
  assert.equal(vault.reveal("one"), SECRET);
  assert.ok(!JSON.stringify(vault.list()).includes(SECRET.slice(4)));
  assert.notEqual(vault.show("one").fingerprint, vault.show("two").fingerprint);
  const elsewhere = await (await filled(t)).open();
  assert.notEqual(vault.show("one").fingerprint, elsewhere.show("one").fingerprint, "salted");
});

test("INV-50: files are their owner's alone, and hold no secret in the clear", async (t) => {
  const home = await filled(t);
  assert.equal(statSync(home.dir).mode & 0o777, 0o700);
  assert.equal(statSync(home.file).mode & 0o777, 0o600);
  assert.equal(statSync(home.keyFile).mode & 0o777, 0o600);
  const text = readFileSync(home.file);
  for (const one of [
    SECRET,
    SECRET.slice(4),
    Buffer.from(SECRET).toString("base64").slice(0, 40),
  ]) {
    assert.ok(!text.includes(one));
  }
});

test("INV-50: any flipped byte is a fault, never another secret", async (t) => {
  const home = await filled(t);
  const whole = readFileSync(home.file);
  const property = fc.asyncProperty(
    fc.nat(whole.length - 1),
    fc.integer({ min: 1, max: 255 }),
    async (at, mask) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8((bytes[at] ?? 0) ^ mask, at);
      writeFileSync(home.file, bytes);
      await assert.rejects(
        home.open(),
        (error) => isFault(error, "vault.corrupt") || isFault(error, "vault.version"),
      );
    },
  );
  await fc.assert(property, { numRuns: 400 });
});

test("INV-50: a forged byte, with the hash that goes with it, is a fault, never another secret", async (t) => {
  const home = await filled(t);
  const whole = readFileSync(home.file, "utf8").split("\n")[1] ?? "";
  const digits = fc.constantFrom(...Array.from('ABab01/{",:'));
  const property = fc.asyncProperty(fc.nat(whole.length - 1), digits, async (at, digit) => {
    if (whole[at] === digit) return;
    home.forge(() => whole.slice(0, at) + digit + whole.slice(at + 1));
    await assert.rejects(home.open(), (error) => isFault(error) && error.code.startsWith("vault."));
  });
  await fc.assert(property, { numRuns: 400 });
});

test("INV-50: a truncated file is a fault at every length", async (t) => {
  const home = await filled(t);
  const { size } = statSync(home.file);
  for (let length = size - 1; length >= 0; length -= Math.max(1, Math.floor(size / 60))) {
    truncateSync(home.file, length);
    await assert.rejects(home.open(), { code: "vault.corrupt" });
  }
});

const SEALED = /"sealed":"([^"]+)"/g;
const EDITS: readonly (readonly [string, (json: string) => string])[] = [
  [
    "two credentials' ciphertexts are swapped",
    (json) => {
      const [a = "", b = ""] = [...json.matchAll(SEALED)].map(([, sealed]) => sealed);
      return json.replace(a, "@").replace(b, a).replace("@", b);
    },
  ],
  [
    "a credential is bound to another host",
    (json) => json.replace("other.example.com", "evil1.example.com"),
  ],
  ["a credential takes another's name", (json) => json.replace('"name":"two"', '"name":"twx"')],
  [
    "a credential is taken out",
    (json) =>
      json
        .replace(/\{"binding":\{"hosts":\["other[^}]*\}[^}]*\}[^}]*\},?/, "")
        .replace("},]", "}]"),
  ],
  ["a name stands there twice", (json) => json.replace('"name":"two"', '"name":"one"')],
  ["the mac is another's", (json) => json.replace(/"mac":"..../, '"mac":"AAAA')],
  ["the data key is another's", (json) => json.replace(/"wrapped":"..../, '"wrapped":"AAAA')],
];
for (const [what, edit] of EDITS) {
  test(`INV-50: ${what}: vault.corrupt`, async (t) => {
    const home = await filled(t);
    const before = readFileSync(home.file, "utf8");
    home.forge(edit);
    assert.notEqual(readFileSync(home.file, "utf8"), before);
    await assert.rejects(home.open(), { code: "vault.corrupt" });
    writeFileSync(home.file, before);
    assert.equal((await home.open()).reveal("one"), SECRET, "the twin that nobody touched opens");
  });
}

test("INV-50: what is sealed opens only where it was sealed for", () => {
  const key = deriveKey(Buffer.alloc(32, 1), "test");
  const sealed = seal(key, Buffer.from(SECRET), "one");
  assert.equal(unseal(key, sealed, "one")?.toString(), SECRET);
  assert.equal(unseal(key, sealed, "two"), undefined);
  assert.equal(unseal(deriveKey(Buffer.alloc(32, 2), "test"), sealed, "one"), undefined);
  assert.equal(unseal(key, sealed.subarray(0, 20), "one"), undefined);
});

test("INV-50: a wrong key is told from damage: vault.wrong_key", async (t) => {
  const [home, other] = [await filled(t), await filled(t)];
  renameSync(other.keyFile, home.keyFile);
  await assert.rejects(home.open(), { code: "vault.wrong_key" });
});

test("INV-50: another vault's file under this key is a wrong key, and never opens", async (t) => {
  const [home, other] = [await filled(t), await filled(t)];
  renameSync(other.file, home.file);
  await assert.rejects(home.open(), { code: "vault.wrong_key" });
});

test("vault.version: files of other versions are named as such", async (t) => {
  const home = await filled(t);
  const text = readFileSync(home.file, "utf8");
  writeFileSync(home.file, text.replace("vault/1 ", "vault/2 "));
  await assert.rejects(home.open(), { code: "vault.version", message: /a newer version/ });
  writeFileSync(home.file, text.replace("vault/1 ", "vault/0 "));
  await assert.rejects(home.open(), { code: "vault.version", message: /an older version/ });
});

test("vault.key_missing: a lost key is told, and no new one is made in its place", async (t) => {
  const home = await filled(t);
  rmSync(home.keyFile);
  await assert.rejects(home.open(), { code: "vault.key_missing" });
  assert.throws(() => statSync(home.keyFile), { code: "ENOENT" });
});

test("vault.key_file: what is no key is named", async (t) => {
  const home = await filled(t);
  for (const text of ["", "cofferdam vault key 1\nAAAA\n", "cofferdam vault key 1\n", "x\ny\nz"]) {
    writeFileSync(home.keyFile, text);
    await assert.rejects(home.open(), { code: "vault.key_file" });
  }
});

test("vault.access: a file that others can read, or a link, is refused", async (t) => {
  const home = await filled(t);
  for (const file of [home.file, home.keyFile]) {
    chmodSync(file, 0o640);
    await assert.rejects(home.open(), { code: "vault.access" });
    chmodSync(file, 0o600);
    renameSync(file, `${file}.real`);
    symlinkSync(`${file}.real`, file);
    await assert.rejects(home.open(), { code: "vault.access" });
    rmSync(file);
    renameSync(`${file}.real`, file);
  }
  assert.equal((await home.open()).list().length, 2);
});

test("a passphrase locks it, another changes it, and the key file takes it back: vault.locked", async (t) => {
  const home = await filled(t);
  const vault = await home.open();
  await vault.relock("correct horse battery");
  assert.equal(vault.lock, "passphrase");
  await assert.rejects(home.open(), { code: "vault.locked" });
  await assert.rejects(home.open("wrong horse"), { code: "vault.wrong_key" });
  const again = await home.open("correct horse battery");
  assert.equal(again.reveal("one"), SECRET);
  await again.relock("caf\u00e9 noir encore");
  await assert.rejects(home.open("correct horse battery"), { code: "vault.wrong_key" });
  const accented = await home.open("cafe\u0301 noir encore");
  assert.equal(
    accented.reveal("two"),
    OTHER,
    "the other way to type an accent is the same passphrase",
  );
  await accented.relock(undefined);
  assert.equal((await home.open()).reveal("one"), SECRET);
});

test("INV-51: a writer that is killed at any point leaves what was acknowledged, whole", async (t) => {
  const home = create(t);
  const child = spawn(process.execPath, [
    join(import.meta.dirname, "writer.fixture.ts"),
    home.dir,
    home.keyFile,
  ]);
  const acknowledged: string[] = [];
  for await (const name of createInterface({ input: child.stdout })) {
    acknowledged.push(name);
    if (acknowledged.length === 25) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  const vault = await home.open();
  const there = vault.list().map(({ name }) => name);
  assert.deepEqual(
    acknowledged.filter((name) => !there.includes(name)),
    [],
  );
  for (const name of there) assert.equal(vault.reveal(name), `secret-of-${name}`);
  assert.deepEqual(readdirSync(home.dir), ["vault"], "what was unfinished is gone");
});

test("INV-51: changes asked for at once are all made", async (t) => {
  const home = create(t);
  const vault = await home.open();
  const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
  await Promise.all(names.map(async (name) => vault.add(specOf(name, bearer), { value: SECRET })));
  assert.equal((await home.open()).list().length, 20);
});

test("vault.exists, vault.no_credential: a name is one credential, until it is revoked", async (t) => {
  const vault = await (await filled(t)).open();
  await assert.rejects(vault.add(specOf("one", bearer), { value: OTHER }), {
    code: "vault.exists",
  });
  assert.equal(vault.reveal("one"), SECRET, "and nothing was lost");
  await vault.revoke("one");
  await assert.rejects(vault.lease("one", PLACE), { code: "vault.no_credential" });
  await assert.rejects(vault.rotate("one", { value: OTHER }), { code: "vault.no_credential" });
  assert.throws(() => vault.placeholder("one", "r-1"), { code: "vault.no_credential" });
});

test("a rotated credential is leased with its new secret, and says when", async (t) => {
  const home = await filled(t);
  const vault = await home.open();
  await vault.lease("one", PLACE);
  await vault.rotate("one", { value: OTHER });
  const lease = await vault.lease("one", PLACE);
  assert.deepEqual(lease.secrets, [OTHER]);
  await vault.close();
  const { rotatedAt, usedAt } = (await home.open()).show("one");
  assert.ok(rotatedAt !== undefined && usedAt !== undefined);
});

const LOOK_ALIKES = [
  { ...PLACE, host: "api.example.com.evil.example" },
  { ...PLACE, host: "xapi.example.com" },
  { ...PLACE, host: "api.example.co" },
  { ...PLACE, host: "api.examp1e.com" },
  { ...PLACE, host: "\u0430pi.example.com" },
  { ...PLACE, host: "sub.api.example.com" },
  { ...PLACE, host: "api.example.com@evil.example" },
  { ...PLACE, host: "api.example.com:443" },
  { ...PLACE, host: "93.184.216.34" },
  { ...PLACE, host: "" },
  { ...PLACE, port: 8443 },
  { ...PLACE, scheme: "http" as const },
  { ...PLACE, scheme: "http" as const, port: 80 },
];
for (const place of LOOK_ALIKES) {
  test(`INV-52: no lease for ${place.scheme}://${place.host}:${place.port}: vault.place`, async (t) => {
    const vault = await (await filled(t)).open();
    await assert.rejects(vault.lease("one", place), { code: "vault.place" });
  });
}

test("INV-52: the same host in another spelling, and a pattern's hosts, are leased for", async (t) => {
  const vault = await (await filled(t)).open();
  assert.equal(
    (await vault.lease("one", { ...PLACE, host: "API.example.com." })).credential,
    "one",
  );
  await vault.add(specOf("wide", bearer, ["*.example.org"]), { value: SECRET });
  assert.equal(
    (await vault.lease("wide", { ...PLACE, host: "a.b.example.org" })).credential,
    "wide",
  );
  await assert.rejects(vault.lease("wide", { ...PLACE, host: "example.org" }), {
    code: "vault.place",
  });
});

const BAD_SPECS: readonly (readonly [string, unknown])[] = [
  ["a name with a capital", { ...specOf("x", bearer), name: "Blog" }],
  ["a name that climbs", { ...specOf("x", bearer), name: "../x" }],
  ["no host", specOf("x", bearer, [])],
  ["an address as host", specOf("x", bearer, ["127.0.0.1"])],
  ["a wildcard over all", specOf("x", bearer, ["*"])],
  ["a field that ends the line", specOf("x", { kind: "header", name: "X\r\nY" })],
  [
    "the field that says where a body ends",
    specOf("x", { kind: "header", name: "content_length" }),
  ],
  ["the field that says where it goes", specOf("x", { kind: "header", name: "Host" })],
  ["a user with a colon", specOf("x", { kind: "basic", user: "a:b" })],
  ["a word with a space", specOf("x", { kind: "bearer", word: "a b" })],
  [
    "tokens over plain HTTP",
    specOf("x", { kind: "oauth2", tokenUrl: "http://auth.example/token" }),
  ],
  ["a kind that is none", specOf("x", { kind: "magic" } as never)],
  ["a member that is none", { ...specOf("x", bearer), secret: "ghp_0123456789" }],
];
for (const [what, spec] of BAD_SPECS) {
  test(`vault.spec: ${what} is refused`, () => {
    assert.throws(
      () => parseSpec(spec),
      (error) => {
        return isFault(error, "vault.spec") && !error.message.includes("ghp_");
      },
    );
  });
}

const BAD_SECRETS = [
  "tiny",
  "",
  "line\r\nend-of-it",
  "nul\0nul\0nul",
  "with a space in it",
  "h\u00e9llo-w\u00f6rld",
  "\ud800lonely-half",
];
for (const value of BAD_SECRETS) {
  test(`vault.secret: ${JSON.stringify(value)} is refused, and not repeated`, async (t) => {
    const home = create(t);
    const vault = await home.open();
    await assert.rejects(vault.add(specOf("x", bearer), { value }), (error) => {
      return isFault(error, "vault.secret") && (value === "" || !error.message.includes(value));
    });
    assert.deepEqual(vault.list(), []);
  });
}

test("vault.secret: a Basic password may hold spaces and accents, and no line end", async (t) => {
  const vault = await create(t).open();
  const basic = { kind: "basic", user: "editor" } as const;
  await assert.rejects(vault.add(specOf("x", basic), { value: "pass\r\nword" }), {
    code: "vault.secret",
  });
  await vault.add(specOf("x", basic), { value: "pass w\u00f6rd" });
  assert.equal(vault.reveal("x"), "pass w\u00f6rd");
});

test("vault.access: a folder or pipe in the file's place is refused, and waited for by nobody", async (t) => {
  const home = await filled(t);
  for (const make of [
    ["mkdir", "-m", "700"],
    ["mkfifo", "-m", "600"],
  ]) {
    rmSync(home.file, { recursive: true });
    execFileSync(make[0] ?? "", [...make.slice(1), home.file]);
    await assert.rejects(home.open(), { code: "vault.access" });
  }
});
