import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { openVault, type Vault } from "../vault/index.ts";
import { readSecret } from "./channel-secret.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-secret-"));
const SECRET = "4242:AAsecretSecretSecretSecret";
let vault: Vault;
const ports = { root, vault: () => vault };

before(async () => {
  const unlock = { keyFile: join(root, "key"), passphrase: undefined };
  vault = await openVault({ dir: join(root, "vault"), clock: systemClock, unlock });
  const binding = { scheme: "https" as const, hosts: ["api.telegram.org"], port: 443 };
  await vault.add({ name: "bot", binding, how: { kind: "path" } }, { value: SECRET });
  const how = { kind: "query" as const, name: "token" };
  await vault.add({ name: "odd", binding, how }, { value: SECRET });
});
after(async () => {
  await vault.close();
  rmSync(root, { recursive: true, force: true });
});

test("the vault gives a channel's secret for the place that it is bound to, and for no other", async () => {
  assert.equal(await readSecret({ credential: "bot" }, "https://api.telegram.org", ports), SECRET);
  for (const api of [
    "https://evil.example",
    "https://api.telegram.org:8443",
    "http://127.0.0.1:80",
  ]) {
    await assert.rejects(readSecret({ credential: "bot" }, api, ports), { code: "vault.place" });
  }
  await assert.rejects(readSecret({ credential: "none" }, "https://api.telegram.org", ports), {
    code: "vault.no_credential",
  });
  await assert.rejects(readSecret({ credential: "odd" }, "https://api.telegram.org", ports), {
    code: "channel.secret",
  });
});

test("a file gives one line, and only where nobody else may read it", async () => {
  const path = join(root, "token");
  const read = (file: string) => readSecret({ file }, "https://x.example", ports);
  writeFileSync(path, `${SECRET}\n`, { mode: 0o600 });
  assert.equal(await read("token"), SECRET);
  assert.equal(await read(path), SECRET);
  await assert.rejects(read("other"), { code: "channel.secret" });
  writeFileSync(path, "two words\n");
  await assert.rejects(read("token"), { code: "channel.secret" });
  chmodSync(path, 0o640);
  await assert.rejects(read("token"), { code: "channel.file" });
});
