/** Systems that make credentials for one run, as doubles: a token of a GitHub App, and a user of listmonk. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startDouble, type Call, type Double } from "./doubles/double.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const TOKEN = "ghs_AbCdEf0123456789AbCdEf0123456789AbCd";
const asked: {
  readonly line: string;
  readonly authorization: string;
  readonly json: Call["json"];
}[] = [];
let github: Double;
let listmonk: Double;

const line = ({ method, path }: Call) => `${method} /${path.join("/")}`;
const note = (call: Call) =>
  asked.push({
    line: line(call),
    authorization: call.headers.authorization ?? "",
    json: call.json,
  });

before(async () => {
  github = await startDouble((call) => {
    note(call);
    if (line(call) === "POST /app/installations/77/access_tokens") {
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      return { status: 201, json: { token: TOKEN, expires_at } };
    }
    if (line(call) === "DELETE /installation/token") return { status: 204 };
    return { status: 200, json: { login: "me" } };
  });
  listmonk = await startDouble((call) => {
    note(call);
    if (line(call) === "POST /api/users") {
      return {
        status: 200,
        json: { data: { id: 12, ...call.json, password: "made0123456789for-one-run" } },
      };
    }
    return { status: 200, json: { data: true } };
  });
  const app = [
    "--kind",
    "jwt",
    "--issuer",
    "12345",
    "--host",
    "api.github.com",
    "--scheme",
    "http",
    "--port",
    "80",
  ];
  const added = await home.call(["credential", "add", "app", ...app, "--stdin"], { input: pem });
  assert.equal(added.code, 0, added.stderr);
  const user = [
    "--kind",
    "basic",
    "--user",
    "root",
    "--host",
    "news.test",
    "--scheme",
    "http",
    "--port",
    "80",
  ];
  const stored = await home.call(["credential", "add", "news", ...user, "--stdin"], {
    input: "stored0123456789",
  });
  assert.equal(stored.code, 0, stored.stderr);
});
after(async () => {
  await home.close();
  await github.close();
  await listmonk.close();
});

function task(system: string, host: string, at: Double, credential: string, mint: string): string {
  const file = join(home.root, `${system}.yaml`);
  writeFileSync(
    file,
    `task: t
purpose: p
grants:
  - system: ${system}
    name: ${system}
    hosts: ["${host}"]
    ports: [80]
    dial: "${new URL(at.url).host}"
    credential: ${credential}
    mint: ${mint}
    allow: [{ verbs: ["*"] }]
`,
  );
  return file;
}

/** The claims of a JWT, where its signature is the key's. */
function claimsOf(authorization: string): { iss?: string; exp?: number; iat?: number } {
  const [head = "", claims = "", signature = ""] = authorization.replace(/^Bearer /, "").split(".");
  const key = createPublicKey(keys.publicKey.export({ type: "spki", format: "pem" }));
  assert.ok(
    verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url")),
  );
  return JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as object;
}

test("a GitHub App's key makes a token for the named repositories and rights, which is revoked by itself", async () => {
  const file = task(
    "github",
    "api.github.com",
    github,
    "app",
    `{ installation: 77, repositories: [site], permissions: { contents: read } }`,
  );
  const run = await home.run(
    ["sh", "-c", "curl -s -o /dev/null -w '%{http_code}' http://api.github.com/repos/me/site"],
    ["--task", file],
  );
  assert.equal(run.stdout, "200", run.stderr);
  await eventually("it is revoked", 30_000, () =>
    asked.some((one) => one.line === "DELETE /installation/token") ? true : undefined,
  );
  const [made, used, revoked] = asked.splice(0);
  const { iss, exp = 0, iat = 0 } = claimsOf(made?.authorization ?? "");
  assert.deepEqual([iss, exp - iat <= 600], ["12345", true]);
  assert.deepEqual(made?.json, { repositories: ["site"], permissions: { contents: "read" } });
  assert.deepEqual([used?.line, used?.authorization], ["GET /repos/me/site", `Bearer ${TOKEN}`]);
  assert.deepEqual(
    [revoked?.line, revoked?.authorization],
    ["DELETE /installation/token", `Bearer ${TOKEN}`],
  );
  const log = await home.call(["log", "--json"]);
  assert.ok(!log.stdout.includes(TOKEN) && !log.stdout.includes("PRIVATE KEY"));
});

test("listmonk makes a user with the named roles, and takes it away again", async () => {
  const file = task(
    "listmonk",
    "news.test",
    listmonk,
    "news",
    "{ user_role_id: 3, list_role_id: 4 }",
  );
  const run = await home.run(
    ["sh", "-c", "curl -s -o /dev/null -w '%{http_code}' http://news.test/api/lists"],
    ["--task", file],
  );
  assert.equal(run.stdout, "200", run.stderr);
  await eventually("it is gone", 30_000, () =>
    asked.some((one) => one.line === "DELETE /api/users/12") ? true : undefined,
  );
  const [made, used, revoked] = asked.splice(0);
  const label = String(made?.json["username"]);
  assert.match(label, /^cofferdam-r-/);
  assert.deepEqual(made?.json, {
    username: label,
    name: label,
    type: "api",
    status: "enabled",
    user_role_id: 3,
    list_role_id: 4,
  });
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  assert.equal(used?.authorization, basic(label, "made0123456789for-one-run"));
  assert.equal(revoked?.authorization, basic("root", "stored0123456789"));
});

/** A system that makes a token at each question, `T1`, `T2`..., which ends in half a minute. */
async function startShortLived(wait: (count: number) => Promise<void>): Promise<Double> {
  let count = 0;
  return startDouble(async (call) => {
    note(call);
    if (!line(call).endsWith("/access_tokens")) return { status: 204 };
    count += 1;
    const token = `${TOKEN}T${count}`;
    await wait(count);
    const expires_at = new Date(Date.now() + 30_000).toISOString();
    return { status: 201, json: { token, expires_at } };
  });
}
const revokedWith = () =>
  asked
    .filter((one) => one.line === "DELETE /installation/token")
    .map(({ authorization }) => authorization);
const MINT = "{ installation: 77 }";
const CURL = "curl -s -o /dev/null http://api.github.com/repos/me/site";

test("requests at once that find a token near its end have one made, and not one each", async () => {
  const double = await startShortLived(async () => {});
  const file = task("github", "api.github.com", double, "app", MINT);
  const script = `sleep 1.2; for n in 1 2 3 4 5 6 7 8; do ${CURL} & done; wait`;
  const run = await home.run(["sh", "-c", script], ["--task", file]);
  assert.equal(run.code, 0, run.stderr);
  await eventually("it is revoked", 30_000, () => (revokedWith().length > 0 ? true : undefined));
  const made = asked.filter((one) => one.line.endsWith("/access_tokens")).length;
  assert.equal(asked.splice(0).filter((one) => one.line.startsWith("GET")).length, 8);
  assert.ok(made >= 2 && made <= 4, `${made} were made`);
  await double.close();
});

test("INV-73: what is still being made when the run ends is revoked as soon as it is there", async () => {
  const more = Promise.withResolvers<void>();
  const asking = Promise.withResolvers<void>();
  const double = await startShortLived(async (count) => {
    if (count < 2) return;
    asking.resolve();
    await more.promise;
  });
  const file = task("github", "api.github.com", double, "app", MINT);
  const run = home.run(["sh", "-c", `sleep 1.2; ${CURL} & sleep 3`], ["--task", file]);
  await asking.promise;
  assert.equal((await run).code, 0);
  more.resolve();
  await eventually("the newest is revoked", 30_000, () =>
    revokedWith().includes(`Bearer ${TOKEN}T2`) ? true : undefined,
  );
  asked.splice(0);
  await double.close();
});

test("INV-73: a system that fails to revoke keeps no other from it", async () => {
  const broken = await startDouble((call) =>
    line(call) === "POST /api/users"
      ? { status: 200, json: { data: { id: 12, password: "made0123456789for-one-run" } } }
      : { status: 500 },
  );
  const first = task("listmonk", "news.test", broken, "news", "true");
  const [, second = ""] = readFileSync(
    task("github", "api.github.com", github, "app", MINT),
    "utf8",
  ).split("grants:\n");
  writeFileSync(first, readFileSync(first, "utf8") + second.replaceAll("name: github", "name: z"));
  const run = await home.run(["true"], ["--task", first]);
  assert.equal(run.code, 0, run.stderr);
  await eventually("the other is revoked", 5_000, () =>
    revokedWith().length > 0 ? true : undefined,
  );
  asked.splice(0);
  await broken.close();
});

for (const id of ["", ".", "..", "../../users/me", "a/b", "x".repeat(201), " ", {}]) {
  test(`fault daemon.mint: what a system calls ${JSON.stringify(id).slice(0, 20)} could not be revoked`, async () => {
    const lines: string[] = [];
    const double = await startDouble((call) => {
      lines.push(line(call));
      return { status: 200, json: { data: { id, password: "made0123456789for-one-run" } } };
    });
    const { code, stderr } = await home.run(
      ["true"],
      ["--task", task("listmonk", "news.test", double, "news", "true")],
    );
    assert.equal(code, 125);
    assert.match(stderr, /made no credential/);
    assert.deepEqual(lines, ["POST /api/users"], "nothing else is taken away for it");
    await double.close();
  });
}

const REFUSED = [
  ["github", "api.github.com", "app", "true", 125, /github needs mint: \{ installation/],
  [
    "github",
    "api.github.com",
    "app",
    "{ installation: 77, all: true }",
    125,
    /mint has all.*takes installation, repositories, permissions/s,
  ],
  ["github", "*.github.com", "app", "{ installation: 77 }", 125, /needs one host and no wildcard/],
  ["github", "api.github.com", "[app, news]", "true", 125, /needs one credential of the vault/],
  ["stripe", "api.stripe.com", "app", "true", 125, /is nothing that stripe does/],
  ["listmonk", "other.test", "news", "true", 125, /credential news is for/],
] as const;
for (const [system, host, credential, mint, expected, message] of REFUSED) {
  test(`fault daemon.mint: refused before anything runs: ${system} at ${host} by ${credential} with mint: ${mint}`, async () => {
    const { code, stderr } = await home.run(
      ["true"],
      ["--task", task(system, host, github, credential, mint)],
    );
    assert.equal(code, expected);
    assert.match(stderr, message);
    assert.deepEqual(asked.splice(0), []);
  });
}

test("a signing key is taken as one, and only as one", async () => {
  const add = (name: string, input: string, ...more: string[]) =>
    home.call(
      [
        "credential",
        "add",
        name,
        "--kind",
        "jwt",
        "--issuer",
        "1",
        "--host",
        "a.test",
        ...more,
        "--stdin",
      ],
      { input },
    );
  assert.match((await add("a", "no key at all")).stderr, /no private key for RS256/);
  assert.match((await add("b", pem, "--algorithm", "ES256")).stderr, /no private key for ES256/);
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  assert.match(
    (await add("c", small.export({ type: "pkcs8", format: "pem" }).toString())).stderr,
    /no private key/,
  );
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  assert.equal(
    (
      await add(
        "d",
        curve.export({ type: "pkcs8", format: "pem" }).toString(),
        "--algorithm",
        "ES256",
      )
    ).code,
    0,
  );
});
