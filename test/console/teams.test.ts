/**
 * A team's console: behind nginx with TLS, set up by the guide's own words, and an OpenID provider; two persons of two
 * browsers give four-eyes, and nobody else gets in.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { OAuth2Server } from "oauth2-mock-server";
import type { Browser, Page } from "playwright-core";
import { createTestCertificate } from "../../drills/world/index.ts";
import { eventually, TestHome } from "../support/home.ts";
import { launchBrowser } from "./kit.ts";

const HOST = "console.example.com";
const ORIGIN = `https://${HOST}`;
const GUIDE = readFileSync(
  join(import.meta.dirname, "..", "..", "docs", "guides", "console-for-teams.md"),
  "utf8",
);

const home = new TestHome();
const provider = new OAuth2Server();
const site = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.setHeader("content-type", "application/json").end("{}"));
});
let [consolePort, proxyPort] = [0, 0];
let [console_, nginx]: (ChildProcess | undefined)[] = [];
let browser: Browser;
/** Whom the provider takes the next one for. */
let subject = "sub-alice";

before(async () => {
  await provider.issuer.keys.generate("RS256");
  await provider.start(0, "127.0.0.1");
  provider.service.on("beforeTokenSigning", (token: { payload: Record<string, unknown> }) => {
    token.payload["sub"] = subject;
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  [consolePort, proxyPort] = [await freePort(), await freePort()];
  await home.call(["ps"]); // The home is there then.
  const host = new URL(provider.issuer.url ?? "").host;
  writePrivate(
    "console.yaml",
    `origin: ${ORIGIN}
port: ${consolePort}
links: false
oidc:
  issuer: ${provider.issuer.url}
  client_id: cofferdam
  client_secret: { file: console-secret }
  people:
    alice: { subject: sub-alice, roles: [approver] }
    bob: { subject: sub-bob, roles: [approver] }
    vera: { subject: sub-vera, roles: [viewer] }
`,
  );
  writePrivate(
    "approvers.yaml",
    `approvers:
  - { name: alice, identities: ["oidc:sub-alice@${host}"] }
  - { name: bob, identities: ["oidc:sub-bob@${host}"] }
`,
  );
});
after(async () => {
  await browser?.close();
  for (const child of [console_, nginx]) {
    if (child?.exitCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await provider.stop();
  site.close();
  site.closeAllConnections();
  await home.close();
});

test("console.secret: without the provider's secret, or with one that others may read, no console opens", async () => {
  const missing = await home.call(["console"]);
  assert.match(missing.stderr, /console-secret holds no client secret/);
  writeFileSync(join(home.state, "console-secret"), "s", { mode: 0o644 });
  const open = await home.call(["console"]);
  assert.match(open.stderr, /other users may read or write it/);
  assert.notEqual(open.code, 0);
});

test("it opens behind the guide's own nginx, and prints no link where links are off", async () => {
  writePrivate("console-secret", "the-secret\n");
  console_ = home.spawn(["console"]);
  let said = "";
  console_.stdout?.on("data", (data: Buffer) => (said += data.toString()));
  await eventually("the console", 60_000, () => said.includes("sign in:"));
  assert.match(said, new RegExp(`^console: ${ORIGIN}$`, "m"));
  assert.doesNotMatch(said, /link=/);
  nginx = startNginx();
  await eventually("nginx", 20_000, () => listens(proxyPort));
  browser = await launchBrowser([
    `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${proxyPort}`,
    "--ignore-certificate-errors",
  ]);
});

async function open(who: string): Promise<Page> {
  subject = who;
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(ORIGIN);
  await page.getByRole("button", { name: "Sign in at your provider" }).click();
  return page;
}

async function enter(who: string): Promise<Page> {
  const page = await open(who);
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
  return page;
}

test("INV-214: a listed person is in, by a cookie that no script reads and no other site sends", async () => {
  const page = await enter("sub-alice");
  assert.equal(page.url(), `${ORIGIN}/`);
  const cookies = await page.context().cookies();
  const session = cookies.find(({ name }) => name === "__Host-cofferdam");
  assert.deepEqual(
    [session?.httpOnly, session?.secure, session?.sameSite, session?.path],
    [true, true, "Strict", "/"],
  );
  assert.equal(
    cookies.find(({ name }) => name.includes("sign-in")),
    undefined,
    "what was needed for the way there is gone",
  );
  assert.ok((await page.getByText("alice").count()) > 0);
  await page.context().close();
});

test("INV-214: who is not listed is refused, whatever headers say", async () => {
  const page = await open("sub-eve");
  await page.getByText("your account may not use this console").waitFor();
  for (const headers of [
    { "x-forwarded-user": "alice" },
    { "x-auth-request-user": "alice", "x-auth-request-email": "alice@example.com" },
    { "remote-user": "alice", authorization: "Bearer alice" },
    { forwarded: "for=127.0.0.1;host=localhost", "x-forwarded-host": "localhost" },
  ]) {
    assert.equal(await statusOf(page, headers), 401, JSON.stringify(headers));
  }
  await page.context().close();
});

/** What the page's origin keeps, the other half of a session. */
type Stored = { readonly localStorage: { getItem(name: string): string | null } };

/** Asks who is signed in, with these headers. */
async function statusOf(page: Page, headers: Record<string, string>): Promise<number> {
  return page.evaluate(async (more) => {
    const { localStorage } = globalThis as unknown as Stored;
    const answer = await fetch("/api/session.show", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-cofferdam-key": localStorage.getItem("cofferdam.key") ?? "",
        ...more,
      },
      body: "{}",
    });
    return answer.status;
  }, headers);
}

test("INV-213: a way back that another browser began leads nowhere", async () => {
  const mine = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  let back = "";
  // The provider keeps the browser, and its way back is carried to another.
  provider.service.once("beforeAuthorizeRedirect", (redirect: { url: URL }) => {
    back = redirect.url.href;
    redirect.url = new URL(`${provider.issuer.url}/.well-known/openid-configuration`);
  });
  subject = "sub-alice";
  await mine.goto(ORIGIN);
  await mine.getByRole("button", { name: "Sign in at your provider" }).click();
  await eventually("the way back", 20_000, () => back !== "");
  const theirs = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await theirs.goto(back);
  await theirs.getByText("the sign-in did not come through").waitFor();
  await mine.context().close();
  await theirs.context().close();
});

test("two persons of two browsers give four-eyes, each under the own name; one of them twice does not", async () => {
  const run = post();
  const waiting = await eventually(
    "something waits",
    60_000,
    async () => (await home.approvals())[0],
  );
  const alice = await enter("sub-alice");
  const bob = await enter("sub-bob");
  const vera = await enter("sub-vera");
  const { code } = await home.ask("approvals.show", { id: waiting.id });
  const approve = { id: waiting.id, code };

  assert.equal(await ask(vera, "approvals.approve", approve), "console.role");
  assert.equal(await ask(alice, "approvals.approve", approve), "shown");
  await ask(alice, "approvals.approve", approve);
  assert.equal((await home.approvals())[0]?.state, "shown", "one person twice is one");
  // Nobody of the same machine's user may decide by being that: the file lists two others.
  const byHand = await home.call(["approvals", "approve", waiting.id, "--code", code]);
  assert.notEqual(byHand.code, 0);
  await ask(bob, "approvals.approve", approve);
  const { stdout } = await run;
  assert.match(stdout, /HTTP\/1.1 200/);
  const by = (await home.log())
    .filter(({ type, data }) => type === "approval" && data?.["by"] !== undefined)
    .map(({ data }) => data?.["by"]);
  for (const who of ["sub-alice", "sub-bob"]) {
    assert.ok(JSON.stringify(by).includes(`oidc:${who}@`), JSON.stringify(by));
  }
  for (const page of [alice, bob, vera]) await page.context().close();
});

test("what changes reaches the page through the proxy", async () => {
  const page = await enter("sub-alice");
  await page.goto(`${ORIGIN}/approvals`);
  const run = post();
  await page.getByText("post.publish").first().waitFor();
  const [waiting] = await home.approvals();
  assert.equal(
    await ask(page, "approvals.deny", { id: waiting?.id, reason: "not today" }),
    "denied",
  );
  await run;
  await page.context().close();
});

/** What became of an approval, or the code of the refusal. */
async function ask(page: Page, name: string, body: unknown): Promise<string> {
  return page.evaluate(
    async ([path, text]) => {
      const { localStorage } = globalThis as unknown as Stored;
      const answer = await fetch(`/api/${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-cofferdam-key": localStorage.getItem("cofferdam.key") ?? "",
        },
        body: text ?? "",
      });
      const said = (await answer.json()) as { code?: string; state?: string };
      return said.state ?? said.code ?? "";
    },
    [name, JSON.stringify(body)] as const,
  );
}

/** A run that publishes, which waits for two. */
function post() {
  const { port } = site.address() as AddressInfo;
  const file = join(home.root, "task.yaml");
  writeFileSync(
    file,
    `task: blog-work
purpose: Publish.
approvals: { hold: 60s, four_eyes: [publish] }
grants:
  - system: wordpress
    name: blog
    hosts: [blog.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${port}
    allow: [{ verbs: ["*"], doing: [read, write, publish] }]
`,
  );
  const body = '{"title":"News","status":"publish"}';
  const script = `curl -s -i --max-time 90 -H 'content-type: application/json' -d '${body}' http://blog.test/wp-json/wp/v2/posts`;
  return home.run(["sh", "-c", script], ["--task", file]);
}

/** nginx with the guide's block, at ports of this test. */
function startNginx(): ChildProcess {
  const [, block = ""] = /```nginx\n([\s\S]*?)```/.exec(GUIDE) ?? [];
  const { certificate, key } = createTestCertificate([HOST]);
  const root = join(home.root, "nginx");
  mkdirSync(root);
  writeFileSync(join(root, "cert.pem"), certificate);
  writeFileSync(join(root, "key.pem"), key);
  const text = block
    .replace("listen 443", `listen 127.0.0.1:${proxyPort}`)
    .replace(/\S+\.pem;/, `${root}/cert.pem;`)
    .replace(/\S+\.key;/, `${root}/key.pem;`)
    .replace("127.0.0.1:8700", `127.0.0.1:${consolePort}`);
  const file = join(root, "nginx.conf");
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${root}/${name};`)
    .join(" ");
  writeFileSync(
    file,
    `daemon off; pid ${root}/pid; error_log stderr; user root;
events {}
http { access_log off; ${temp}
${text}}
`,
  );
  return spawn("/usr/sbin/nginx", ["-c", file, "-p", root], { stdio: "ignore" });
}

function writePrivate(name: string, text: string): void {
  const path = join(home.state, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
