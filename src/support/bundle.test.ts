/** The bundle: what is planted in its parts does not leave, and what redacts is what keeps it in. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { createRedaction } from "../vault/index.ts";
import { makeBundle, type Cover } from "./index.ts";

const SECRET = "correct-horse+battery/staple=42";
const redaction = createRedaction([SECRET]);
const cover: Cover = async (bytes) => {
  const redactor = redaction.stream();
  const out = Buffer.concat([redactor.push(bytes), redactor.end()]);
  return { bytes: out, found: redactor.found };
};
/** As each library may have written it. */
const SPELLINGS = [
  // text, how
  [SECRET, "as it is"],
  [encodeURIComponent(SECRET), "in a URL"],
  [new URLSearchParams({ a: SECRET }).toString(), "in a form"],
  [Buffer.from(SECRET).toString("base64"), "in base64"],
  [Buffer.from(`x:${SECRET}`).toString("base64"), "in base64, within a longer text"],
  [Buffer.from(SECRET).toString("base64url"), "in base64url"],
  [Buffer.from(SECRET).toString("hex"), "in hexadecimal digits"],
  [JSON.stringify({ a: SECRET }).replaceAll("/", "\\/"), "in JSON"],
] as const;
const all = SPELLINGS.map(([text]) => text);
const unpacked = (archive: Buffer) => gunzipSync(archive).toString("latin1");

for (const [text, how] of SPELLINGS) {
  test(`INV-237: a secret ${how} is covered`, async () => {
    const { archive, covered } = await makeBundle(
      [{ name: "a.txt", text: `at ${text} end` }],
      cover,
    );
    assert.ok(covered > 0);
    for (const one of all) assert.ok(!unpacked(archive).includes(one));
    assert.match(unpacked(archive), / end/, "and nothing else");
  });

  test(`INV-237 fault support.secret: one ${how} that was not covered ends it`, async () => {
    const none = {
      shapes: (one: string) => one,
      values: async (bytes: Buffer) => ({ bytes, found: 0 }),
    };
    const made = makeBundle([{ name: "a.txt", text: `at ${text} end` }], cover, none);
    await assert.rejects(made, { code: "support.secret" });
  });
}

test("INV-237: what nobody knows, but has the form of a secret, is covered as well", async () => {
  const text = "Authorization: Bearer abcdefgh12345678 ghp_0123456789abcdefghij0123 me@example.com";
  const { archive } = await makeBundle([{ name: "a.txt", text }], cover);
  assert.doesNotMatch(unpacked(archive), /abcdefgh1234|ghp_|me@example/);
  const plain = { shapes: (one: string) => one, values: cover };
  const without = await makeBundle([{ name: "a.txt", text }], cover, plain);
  assert.match(unpacked(without.archive), /ghp_/, "by its form, and by nothing else");
});

test("it is an archive that tar reads, of the parts in their order", async () => {
  const parts = ["b.json", "a.json"].map((name) => ({ name, text: `{"of":"${name}"}` }));
  const { archive, parts: told } = await makeBundle(parts, cover);
  const listed = spawnSync("tar", ["tz"], { input: archive, encoding: "utf8" });
  assert.equal(listed.stdout, "b.json\na.json\n");
  assert.deepEqual(told, [
    { name: "b.json", bytes: 15 },
    { name: "a.json", bytes: 15 },
  ]);
});

test("fault support.size: what is too large is not sent", async () => {
  const made = makeBundle([{ name: "a.txt", text: "a".repeat(3 << 20) }], cover);
  await assert.rejects(made, { code: "support.size" });
});

test("fault support.tar: without tar there is no bundle", async (t) => {
  const path = process.env["PATH"];
  t.after(() => void (process.env["PATH"] = path));
  process.env["PATH"] = "/nonexistent";
  await assert.rejects(makeBundle([{ name: "a.txt", text: "" }], cover), { code: "support.tar" });
});
