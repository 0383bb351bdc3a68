/**
 * Signing in at an OpenID provider, without a browser: what its word must be like, and who began.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OAuth2Server } from "oauth2-mock-server";
import type { ConsoleDesk } from "../src/console/desk.ts";
import { beginOidc } from "../src/console/session/oidc.ts";
import type { SignInAsk } from "../src/console/session/index.ts";
import { OidcSignIn, parseTeamSettings, type OidcSettings } from "../src/console/team/index.ts";

const REDIRECT = "https://console.example.com/session/oidc/callback";
const KEY = "ab".repeat(32);
const provider = new OAuth2Server();
let settings: OidcSettings;
let nowMs = Date.now();

before(async () => {
  await provider.issuer.keys.generate("RS256");
  await provider.start(0, "127.0.0.1");
  settings = {
    issuer: provider.issuer.url ?? "",
    client_id: "cofferdam",
    client_secret: { file: "secret" },
    people: {
      alice: { subject: "johndoe", roles: ["approver"] },
      vera: { subject: "vera", roles: ["viewer"] },
    },
  };
});
after(async () => provider.stop());

function signIn(): OidcSignIn {
  const options = { settings, clientSecret: "s", redirectUri: REDIRECT, now: () => nowMs };
  return new OidcSignIn(options);
}

/** Goes to the provider as a browser does; gives back what it brings along. */
async function visit(url: URL): Promise<URLSearchParams> {
  const response = await fetch(url, { redirect: "manual" });
  const back = new URL(response.headers.get("location") ?? "");
  assert.equal(`${back.origin}${back.pathname}`, REDIRECT);
  return back.searchParams;
}

/** Changes the next ID token's claims. */
function once(change: (claims: Record<string, unknown>) => void): void {
  provider.service.once("beforeTokenSigning", (access: unknown) => {
    void access; // The access token comes first.
    provider.service.once("beforeTokenSigning", (token: { payload: Record<string, unknown> }) =>
      change(token.payload),
    );
  });
}

test("who comes back is the person of that subject, a viewer with the roles that the file gives", async () => {
  const oidc = signIn();
  const { url, browser } = await oidc.begin(KEY);
  assert.equal(url.searchParams.get("code_challenge_method"), "S256");
  assert.equal(url.searchParams.get("scope"), "openid");
  const { who, keyHash } = await oidc.complete(await visit(url), browser);
  assert.equal(keyHash, KEY, "its session is the page's that began");
  assert.deepEqual(who, {
    person: "alice",
    identity: `oidc:johndoe@${new URL(settings.issuer).host}`,
    roles: ["viewer", "approver"],
  });
});

const WRONG: readonly (readonly [string, (claims: Record<string, unknown>) => void, string])[] = [
  ["for another client", (claims) => (claims["aud"] = "other"), "console.sign_in"],
  ["of another issuer", (claims) => (claims["iss"] = "https://evil.example"), "console.sign_in"],
  ["for another sign-in", (claims) => (claims["nonce"] = "other"), "console.sign_in"],
  ["without a nonce", (claims) => delete claims["nonce"], "console.sign_in"],
  [
    "long over",
    (claims) => (claims["exp"] = Math.floor(Date.now() / 1000) - 600),
    "console.sign_in",
  ],
  ["without a subject", (claims) => delete claims["sub"], "console.sign_in"],
  ["for somebody who is not listed", (claims) => (claims["sub"] = "eve"), "console.stranger"],
  ["for a name of a listed person", (claims) => (claims["sub"] = "alice"), "console.stranger"],
];
for (const [what, change, code] of WRONG) {
  test(`INV-212: a token ${what} signs nobody in (${code})`, async () => {
    const oidc = signIn();
    const { url, browser } = await oidc.begin(KEY);
    const answer = await visit(url);
    once(change);
    await assert.rejects(oidc.complete(answer, browser), { code });
  });
}

test("INV-212: a token whose signature is another's, or none, signs nobody in", async () => {
  const forge = [
    (jwt: string) => jwt.replace(/\.[^.]*$/, `.${"A".repeat(342)}`),
    (jwt: string) =>
      `${Buffer.from('{"alg":"none"}').toString("base64url")}.${jwt.split(".")[1] ?? ""}.`,
  ];
  for (const change of forge) {
    const oidc = signIn();
    const { url, browser } = await oidc.begin(KEY);
    const answer = await visit(url);
    provider.service.once("beforeResponse", (response: { body: Record<string, unknown> }) => {
      response.body["id_token"] = change(String(response.body["id_token"]));
    });
    await assert.rejects(oidc.complete(answer, browser), { code: "console.sign_in" });
  }
});

test("INV-213: what one browser began no other takes, nobody twice, and nobody later", async () => {
  const oidc = signIn();
  const mine = await oidc.begin(KEY);
  const theirs = await oidc.begin(KEY);
  const answer = await visit(mine.url);
  for (const browser of [undefined, "", theirs.browser]) {
    await assert.rejects(oidc.complete(answer, browser), { code: "console.sign_in" });
  }
  // Wrong tries of others keep nobody out.
  await oidc.complete(answer, mine.browser);

  const again = await oidc.begin(KEY);
  const used = await visit(again.url);
  await oidc.complete(used, again.browser);
  await assert.rejects(oidc.complete(used, again.browser), { code: "console.sign_in" });

  const late = await oidc.begin(KEY);
  const old = await visit(late.url);
  nowMs += 11 * 60_000;
  await assert.rejects(oidc.complete(old, late.browser), { code: "console.sign_in" });
  await assert.rejects(oidc.complete(new URLSearchParams("state=x&code=y"), "z"), {
    code: "console.sign_in",
  });
});

test("INV-213: however many begin, and whatever they bring back, whoever has begun is not kept out", async () => {
  const oidc = signIn();
  const mine = await oidc.begin(KEY);
  const answer = await visit(mine.url);
  for (let n = 0; n < 1100; n += 1) await oidc.begin(KEY);
  const forged = new URLSearchParams(answer);
  forged.set("code", "x");
  await assert.rejects(oidc.complete(forged, mine.browser), { code: "console.sign_in" });
  const end = mine.browser.endsWith("A") ? "B" : "A";
  for (const changed of [`${mine.browser.slice(0, -2)}${end}A`, mine.browser.slice(0, 20)]) {
    await assert.rejects(oidc.complete(answer, changed), { code: "console.sign_in" });
  }
  const both = [oidc.complete(answer, mine.browser), oidc.complete(answer, mine.browser)];
  assert.deepEqual((await Promise.allSettled(both)).map(({ status }) => status).toSorted(), [
    "fulfilled",
    "rejected",
  ]);
});

test("console.provider: what is no provider is named, and asked anew the next time", async () => {
  const options = { clientSecret: "s", redirectUri: REDIRECT, now: () => nowMs };
  const dead = new OidcSignIn({
    ...options,
    settings: { ...settings, issuer: "http://127.0.0.1:9/none" },
  });
  await assert.rejects(dead.begin(KEY), { code: "console.provider" });
  const other = new OidcSignIn({
    ...options,
    settings: { ...settings, issuer: `${settings.issuer}/x` },
  });
  await assert.rejects(other.begin(KEY), { code: "console.provider" });
});

test("console.no_provider: without oidc in console.yaml there is no way to a provider", async () => {
  const desk = { team: undefined } as unknown as ConsoleDesk;
  const asks = { search: new URLSearchParams(`key=${KEY}`), desk } as unknown as SignInAsk;
  await assert.rejects(beginOidc(asks), { code: "console.no_provider" });
  const keyless = { ...asks, search: new URLSearchParams("key=short") };
  await assert.rejects(beginOidc(keyless), { code: "console.request" });
});

const GOOD = `origin: https://console.example.com
port: 8700
links: false
oidc:
  issuer: https://id.example.com
  client_id: cofferdam
  client_secret: { file: console-secret }
  people:
    alice: { subject: "248289761001", roles: [viewer, approver] }
`;

test("console.yaml is read whole", () => {
  const { origin, port, links, oidc } = parseTeamSettings(GOOD, "console.yaml");
  assert.deepEqual([origin, port, links], ["https://console.example.com", 8700, false]);
  assert.equal(oidc?.people["alice"]?.subject, "248289761001");
});

const BAD: readonly (readonly [string, string, string])[] = [
  ["https://console.example.com\n", "http://console.example.com\n", "plain HTTP over a network"],
  ["https://console.example.com\n", "https://console.example.com/x\n", "an origin has no path"],
  ["https://id.example.com", "http://id.example.com", "a provider over plain HTTP"],
  ["https://id.example.com", "https://id.example.com?x=1", "an issuer has no query"],
  ["roles: [viewer, approver]", "roles: [owner]", "a role that is none"],
  ["roles: [viewer, approver]", "roles: []", "nobody without a role"],
  ['subject: "248289761001"', "email: a@example.com", "an address is nobody's for ever"],
  ["port: 8700", "port: 0", "a proxy must find it"],
  ["links: false", "linsk: false", "a key that is none"],
  ["client_secret: { file: console-secret }", "client_secret: s3cret", "a secret in the file"],
];
for (const [good, bad, why] of BAD) {
  test(`console.settings refuses ${JSON.stringify(bad.trim())}: ${why}`, () => {
    assert.ok(GOOD.includes(good));
    assert.throws(() => parseTeamSettings(GOOD.replace(good, bad), "console.yaml"), {
      code: "console.settings",
    });
  });
}

test("console.settings refuses two people with one subject, and a console that nobody could enter", () => {
  const twice = `${GOOD}    bob: { subject: "248289761001", roles: [approver] }\n`;
  assert.throws(() => parseTeamSettings(twice, "console.yaml"), { message: /alice's already/ });
  const closed = GOOD.slice(0, GOOD.indexOf("oidc:"));
  assert.throws(() => parseTeamSettings(closed, "console.yaml"), {
    message: /nobody could sign in/,
  });
});
