/**
 * The way into the console, in a real browser: once by a link, out again, and nothing by a page of somebody else: one of
 * another port of this very machine, as a run may publish it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
let evil: Server;
/** What the other port's server was sent: paths and cookies. */
const sent: { readonly url: string; readonly cookie: string }[] = [];
let evilOrigin = "";

before(async () => {
  desk = await openDesk();
  page = await desk.signedIn();
  evil = createServer((request, response) => {
    sent.push({ url: request.url ?? "", cookie: request.headers.cookie ?? "" });
    response.setHeader("content-type", "text/html").end("<!doctype html><title>evil</title>");
  }).listen(0, "localhost");
  await once(evil, "listening");
  evilOrigin = `http://localhost:${(evil.address() as AddressInfo).port}`;
});
after(async () => {
  evil?.close();
  evil?.closeAllConnections();
  desk?.takeProblems(); // What the browser says of attempts that it refused.
  await desk?.close();
});

async function newLink(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await desk.home.call(["console", "--link", ...args]);
  return /^sign in: (\S+)$/m.exec(stdout)?.[1] ?? assert.fail(stdout + stderr);
}

const isIn = async (which: Page) =>
  which.getByRole("navigation", { name: "Screens" }).waitFor({ timeout: 20_000 });
const isOut = async (which: Page) =>
  which.getByText("Sign in with a link that works once").waitFor({ timeout: 20_000 });

test("INV-204: the cookie's flags as the browser has them; the address bar and history keep no token", async () => {
  const cookies = await page.context().cookies();
  const { port } = new URL(desk.origin);
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite, secure, path, domain }) => ({
      ...{ name, httpOnly, sameSite, secure, path, domain },
    })),
    [
      {
        ...{ name: `cofferdam-${port}`, httpOnly: true, sameSite: "Strict", secure: false },
        ...{ path: "/", domain: "localhost" },
      },
    ],
  );
  assert.equal(page.url(), `${desk.origin}/`);
  assert.equal(await page.evaluate("document.cookie"), "");
  assert.equal(await page.evaluate("history.length <= 2"), true);
});

test("INV-204: a link signs in once and shows its roles; the second time it says why not", async () => {
  const link = await newLink("--role", "viewer");
  const context = await desk.context();
  const one = await context.newPage();
  await one.goto(link);
  await isIn(one);
  const two = await (await desk.context()).newPage();
  await two.goto(link);
  await two.getByText("this link was used already").waitFor();
  await one.getByRole("button", { name: "Sign out" }).click();
  await isOut(one);
  assert.deepEqual(await context.cookies(), [], "the browser forgets it");
  await context.close();
  await two.context().close();
});

test("INV-275: the page's key is in no address, another at each sign-in, and forgotten when one signs out", async () => {
  const context = await desk.context();
  const addresses: string[] = [];
  context.on("request", (request) => addresses.push(request.url()));
  const keys: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const one = await context.newPage();
    const keptKey = async () => String(await one.evaluate("localStorage.getItem('cofferdam.key')"));
    const streaming = one.waitForRequest((request) => request.url().includes("/api/stream"));
    const [asked] = await Promise.all([
      streaming,
      newLink("--role", "viewer").then(async (link) => one.goto(link)),
    ]);
    await isIn(one);
    const key = await keptKey();
    keys.push(key);
    assert.equal(asked.headers()["x-cofferdam-key"], key, "the stream is asked for with it");
    await one.getByRole("button", { name: "Sign out" }).click();
    await isOut(one);
    assert.notEqual(await keptKey(), key);
    await one.close();
  }
  assert.equal(new Set(keys).size, 2);
  for (const key of keys) assert.ok(!addresses.some((url) => url.includes(key)), "in no address");
  await context.close();
});

test("INV-204: a session that is ended in another tab shows the way in at once, and nothing of what stood there", async () => {
  const context = await desk.context();
  const other = await context.newPage();
  await other.goto(await newLink("--role", "viewer"));
  await isIn(other);
  await page.goto(`${desk.origin}/people`);
  const own = page.getByRole("listitem");
  await own.nth(1).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "people");
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await phone.goto(`${desk.origin}/people`);
  await phone.getByRole("listitem").nth(1).waitFor();
  await desk.isAccessible(phone);
  await desk.picture(phone, "people-phone-dark");
  await phone.context().close();
  // The one with this tab's own session has another name.
  await page.getByRole("button", { name: /^End the session of [^,]*$/ }).click();
  await isOut(other);
  assert.equal(await other.getByRole("navigation", { name: "Screens" }).count(), 0);
  await isIn(page);
  await context.close();
});

/** What a page of another port tries; each says what it learned or did. */
const TRIES: readonly (readonly [string, string])[] = [
  [
    "fetch with cors",
    `fetch(C + "/api/session.show", {method: "POST", credentials: "include", headers: {"content-type": "application/json"}, body: "{}"}).then((r) => r.text())`,
  ],
  [
    "fetch without cors",
    `fetch(C + "/api/session.end", {method: "POST", mode: "no-cors", credentials: "include", headers: {"content-type": "text/plain"}, body: "{}"}).then((r) => r.text())`,
  ],
  ["fetch of the page", `fetch(C + "/", {credentials: "include"}).then((r) => r.text())`],
  [
    "a form",
    `new Promise((done) => { const f = document.createElement("form"); f.method = "post"; f.enctype = "text/plain"; f.action = C + "/api/session.end"; f.target = "frame"; const i = document.createElement("iframe"); i.name = "frame"; i.onload = () => { try { done(i.contentDocument.body.innerText) } catch { done("") } }; document.body.append(i, f); f.submit(); setTimeout(() => done(""), 1500) })`,
  ],
  [
    "a frame",
    `new Promise((done) => { const i = document.createElement("iframe"); i.src = C + "/"; i.onload = () => { try { done(i.contentDocument.body.innerText) } catch { done("") } }; document.body.append(i); setTimeout(() => done(""), 1500) })`,
  ],
  [
    "EventSource",
    `new Promise((done) => { const s = new EventSource(C + "/api/stream?approvals", {withCredentials: true}); s.onmessage = s.onopen = () => done("open"); s.onerror = () => done("") })`,
  ],
  [
    "WebSocket",
    `new Promise((done) => { const s = new WebSocket(C.replace("http", "ws") + "/api/stream"); s.onopen = () => done("open"); s.onerror = () => done("") })`,
  ],
  [
    "a script",
    `new Promise((done) => { const s = document.createElement("script"); s.src = C + "/api/session.show"; s.onload = () => done("loaded"); s.onerror = () => done(""); document.body.append(s) })`,
  ],
  [
    "a style",
    `new Promise((done) => { const s = document.createElement("link"); s.rel = "stylesheet"; s.href = C + "/"; s.onload = () => done("loaded"); s.onerror = () => done(""); document.body.append(s) })`,
  ],
  [
    "an image",
    `new Promise((done) => { const s = new Image(); s.onload = () => done("loaded"); s.onerror = () => done(""); s.src = C + "/icon.svg" })`,
  ],
  [
    "a window",
    `new Promise((done) => { const w = window.open(C + "/"); setTimeout(() => { let told = ""; try { told = w.document.body.innerText } catch {} try { w.location.href; } catch {} done(told + (w !== null && !w.closed ? "handle" : "")); }, 1500) })`,
  ],
];
for (const [what, script] of TRIES) {
  test(`INV-203: ${what} of another port's page changes and learns nothing`, async () => {
    const context = page.context();
    const other = await context.newPage();
    await other.goto(evilOrigin);
    const learned: unknown = await other.evaluate(
      `(() => { const C = ${JSON.stringify(desk.origin)}; return Promise.resolve(${script}).catch(() => "") })()`,
    );
    assert.equal(learned, "");
    // Its own script may look into no frame of another origin; we may.
    const frames = what === "a frame" ? other.frames().slice(1) : [];
    for (const frame of frames) assert.equal(await frame.locator("#root").count(), 0);
    await other.close();
    for (const one of context.pages()) if (one !== page) await one.close();
    await page.reload();
    await isIn(page);
  });
}

test("INV-204: the other port was sent the cookie, and it is half a session; one that it sets itself signs nobody out", async () => {
  const { port } = new URL(desk.origin);
  const stolen = sent.findLast(({ cookie }) => cookie.includes(`cofferdam-${port}=`));
  assert.ok(
    stolen !== undefined,
    "browsers send it to every port: else the key would be for nothing",
  );
  const answer = await fetch(`${desk.origin}/api/session.show`, {
    method: "POST",
    headers: {
      ...{ origin: desk.origin, "content-type": "application/json", cookie: stolen.cookie },
      "x-cofferdam-key": "x".repeat(43),
    },
    body: "{}",
  });
  assert.equal(answer.status, 401);
  await page
    .context()
    .addCookies([
      { name: `cofferdam-${port}`, value: "planted", domain: "localhost", path: "/api" },
    ]);
  await page.reload();
  await isIn(page);
});

test("INV-203: a name that somebody points here shows no page", async () => {
  const answer = await page.context().newPage();
  const port = new URL(desk.origin).port;
  // Every name below localhost is this machine, to a browser without asking anybody.
  const response = await answer.goto(`http://evil.localhost:${port}/`);
  assert.equal(response?.status(), 403);
  assert.match((await response?.text()) ?? "", /console\.origin/);
  const byAddress = await answer.goto(`http://127.0.0.1:${port}/`);
  assert.equal(byAddress?.status(), 403);
  await answer.close();
});
