import assert from "node:assert/strict";
import { test } from "node:test";
import { isFault } from "../base/index.ts";
import { readLogin, type LoginAgent } from "./logins.ts";
import { PLACE, TestVault } from "./vault.fixture.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object, signature: string) =>
  `${part({ alg: "RS256" })}.${part(claims)}.${signature}`;

const ACCOUNT = {
  chatgpt_plan_type: "plus",
  chatgpt_account_id: "acc-1",
  chatgpt_user_id: "user-1",
};
const CODEX_ACCESS = jwt(
  { exp: NOW / 1000 + 86_400, "https://api.openai.com/auth": ACCOUNT },
  "c2lnLW9mLWFjY2Vzcw",
);
const CODEX_ID = jwt(
  { email: "a@b.example", "https://api.openai.com/auth": ACCOUNT },
  "c2lnLW9mLWlkLXRva2Vu",
);

/** Files of the forms that logins.ts names, with every secret that is in them. */
const FILES: Readonly<
  Record<LoginAgent, { file: object; secrets: readonly string[]; host: string }>
> = {
  claude: {
    file: {
      claudeAiOauth: {
        accessToken: "sk-ant-oat01-AbCdEf0123456789AbCdEf0123456789",
        refreshToken: "sk-ant-ort01-ZyXwVu9876543210ZyXwVu9876543210",
        expiresAt: NOW + 3_600_000,
        scopes: ["user:inference", "user:profile"],
        subscriptionType: "max",
        unheardOf: "new-secret-0123456789",
      },
      mcpOAuth: { server: { accessToken: "mcp-secret-0123456789" } },
    },
    secrets: ["AbCdEf0123456789AbCdEf", "ZyXwVu9876543210ZyXwVu", "new-secret", "mcp-secret"],
    host: "api.anthropic.com",
  },
  codex: {
    file: {
      auth_mode: "chatgpt",
      OPENAI_API_KEY: null,
      tokens: {
        id_token: CODEX_ID,
        access_token: CODEX_ACCESS,
        refresh_token: "rt_AbCdEf0123456789AbCdEf",
        account_id: "acc-1",
      },
      last_refresh: "2026-11-01T00:00:00Z",
    },
    secrets: ["c2lnLW9mLWFjY2Vzcw", "c2lnLW9mLWlkLXRva2Vu", "AbCdEf0123456789AbCdEf"],
    host: "chatgpt.com",
  },
  gemini: {
    file: {
      access_token: "ya29.AbCdEf0123456789AbCdEf0123456789",
      refresh_token: "1//0ZyXwVu9876543210ZyXwVu9876543210",
      id_token: CODEX_ID,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      token_type: "Bearer",
      expiry_date: NOW + 3_600_000,
    },
    secrets: ["AbCdEf0123456789AbCdEf", "ZyXwVu9876543210ZyXwVu", "c2lnLW9mLWlkLXRva2Vu"],
    host: "cloudcode-pa.googleapis.com",
  },
};

for (const agent of ["claude", "codex", "gemini"] as const) {
  const { file, secrets, host } = FILES[agent];
  test(`INV-53: ${agent}'s login is stored, and its file in a run holds placeholders of the same form`, async (t) => {
    const home = new TestVault();
    t.after(() => home.remove());
    const vault = await home.open(undefined, { now: () => ({ wallMs: NOW, monoMs: 0 }) });
    const { spec, secret } = readLogin(agent, JSON.stringify(file));
    await vault.add(spec, secret);
    const [made] = vault.loginFiles(agent, "r-1");
    const text = made?.content ?? "";
    for (const one of secrets) assert.ok(!text.includes(one), `${one} is in the run's file`);
    const again = readLogin(agent, text);
    assert.deepEqual(again.spec, spec, "the agent's program reads it as a login");
    assert.ok((again.secret.accessExpiresMs ?? 0) > NOW, "and has no reason to refresh it");
    const found = vault.findPlaceholders(text).length;
    assert.ok(found >= 2, "what stands in it is known for what it is");
    assert.equal(again.secret.accessToken, vault.placeholder(agent, "r-1"));
    const lease = await vault.lease(agent, { ...PLACE, host });
    assert.deepEqual(
      lease.secrets,
      [secret.accessToken],
      "until its end the token that came with it is used",
    );
    vault.forgetRun("r-1");
    assert.deepEqual(vault.findPlaceholders(text), []);
  });
}

test("Codex reads plan and account from the claims, and they stay", async (t) => {
  const home = new TestVault();
  t.after(() => home.remove());
  const vault = await home.open();
  const { spec, secret } = readLogin("codex", JSON.stringify(FILES.codex.file));
  await vault.add(spec, secret);
  const file = JSON.parse(vault.loginFiles("codex", "r-1")[0]?.content ?? "") as {
    tokens: { id_token: string; account_id: string };
  };
  const claims = JSON.parse(
    Buffer.from(file.tokens.id_token.split(".")[1] ?? "", "base64url").toString(),
  ) as object;
  assert.deepEqual(claims, { email: "a@b.example", "https://api.openai.com/auth": ACCOUNT });
  assert.equal(file.tokens.account_id, "acc-1");
});

test("a Codex login by API key is a bearer credential", async (t) => {
  const home = new TestVault();
  t.after(() => home.remove());
  const vault = await home.open();
  const { spec, secret } = readLogin(
    "codex",
    '{"OPENAI_API_KEY":"sk-proj-AbCdEf0123456789AbCdEf"}',
  );
  assert.equal(spec.how.kind, "bearer");
  await vault.add(spec, secret);
  const made = JSON.parse(vault.loginFiles("codex", "r-1")[0]?.content ?? "") as {
    OPENAI_API_KEY: string;
  };
  assert.equal(made.OPENAI_API_KEY, vault.placeholder("codex", "r-1"));
});

test("a credential that came from no login has no files", async (t) => {
  const home = new TestVault();
  t.after(() => home.remove());
  const vault = await home.open();
  await vault.add(
    {
      name: "x",
      binding: { scheme: "https", hosts: ["a.example"], port: 443 },
      how: { kind: "bearer" },
    },
    { value: "0123456789abcdef" },
  );
  assert.deepEqual(vault.loginFiles("x", "r-1"), []);
});

for (const text of [
  "",
  "{}",
  "[]",
  "null",
  '{"claudeAiOauth":{"accessToken":"secret-0123456789"}}',
  '{"tokens":null}',
]) {
  test(`vault.login: ${text} is no login, and nothing of it is repeated`, () => {
    for (const agent of ["claude", "codex", "gemini"] as const) {
      assert.throws(
        () => readLogin(agent, text),
        (error) => {
          return isFault(error, "vault.login") && !error.message.includes("secret-0123");
        },
      );
    }
  });
}
