/** What a page of somebody else's tries in the very browser that is signed in; on another port of this machine. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { openDesk } from "./kit.ts";

/** All the ways of a page to reach another server; each says what came of it. */
const HOSTILE = `<!doctype html><title>other</title><script>
const ours = decodeURIComponent(location.hash.slice(1));
const told = {};
const body = '{"run":"r-1"}';
const tries = {
  read: () => fetch(ours + "/api/session.show", { method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body: "{}" }).then((r) => "read " + r.status),
  simple: () => fetch(ours + "/api/run.kill", { method: "POST", mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" }, body }).then((r) => r.type),
  script: () => new Promise((done) => { const s = document.createElement("script"); s.onload = () => done("ran"); s.onerror = () => done("refused"); s.src = ours + "/"; document.head.append(s); }),
  events: () => new Promise((done) => { const e = new EventSource(ours + "/api/stream?now", { withCredentials: true }); e.onopen = () => done("open"); e.onerror = () => { e.close(); done("refused"); }; }),
  socket: () => new Promise((done) => { const w = new WebSocket(ours.replace("http", "ws") + "/api/stream"); w.onopen = () => done("open"); w.onerror = () => done("refused"); }),
  frame: () => new Promise((done) => { const f = document.createElement("iframe"); f.name = "framed"; f.onload = () => { try { done(f.contentDocument ? "blank" : "refused"); } catch { done("refused"); } }; f.src = ours + "/approvals"; document.body.append(f); }),
  form: () => new Promise((done) => { const f = document.createElement("form"); f.method = "post"; f.enctype = "text/plain"; f.action = ours + "/api/run.kill"; f.target = "sink"; const i = document.createElement("iframe"); i.name = "sink"; i.onload = () => done("sent"); document.body.append(i, f); f.submit(); }),
  opened: () => { const w = window.open(ours + "/"); return new Promise((done) => setTimeout(() => { try { done(w === null || w.closed || w.document === null ? "closed" : "read " + w.document.title); } catch { done("closed"); } }, 1500)); },
};
addEventListener("DOMContentLoaded", async () => {
  for (const [name, go] of Object.entries(tries)) told[name] = await Promise.race([go().catch((e) => "refused"), new Promise((d) => setTimeout(() => d("silent"), 4000))]);
  window.told = told;
});
</script><body>`;

test("INV-203, INV-204: a page on another port, in the signed-in browser, gets and does nothing", async () => {
  const cookies: string[] = [];
  const other = createServer((asked, response) => {
    cookies.push(asked.headers.cookie ?? "");
    response.setHeader("content-type", "text/html").end(HOSTILE);
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await using desk = await openDesk();
  try {
    const page = await desk.signedIn();
    const mine = await page.context().newPage();
    await mine.goto(`http://localhost:${port}/#${encodeURIComponent(desk.origin)}`);
    await mine.waitForFunction(() => "told" in globalThis, undefined, { timeout: 40_000 });
    const told = await mine.evaluate(
      () => (globalThis as unknown as { told: Record<string, string> }).told,
    );
    assert.equal(told["read"], "refused");
    assert.equal(told["script"], "refused");
    assert.equal(told["events"], "refused");
    assert.equal(told["socket"], "refused");
    assert.notEqual(told["opened"], "read Cofferdam");
    // What a browser hides from a page it shows to us: nothing of the console stands in the frames.
    const framed = mine.frames().slice(1);
    assert.ok(framed.length > 0);
    for (const frame of framed) {
      assert.equal(await frame.getByRole("navigation", { name: "Screens" }).count(), 0);
    }
    assert.ok(
      cookies.some((one) => one.includes("cofferdam-")),
      "it was sent the cookie, as any port is: that is why it opens nothing alone",
    );
    // Its twin: the console's own page goes on.
    await page.goto(`${desk.origin}/people`);
    await page.getByRole("heading", { name: "People" }).waitFor();
    desk.takeProblems(); // What the browser said of the other page's tries.
  } finally {
    other.close();
    other.closeAllConnections();
  }
});

test("INV-203: a name that was rebound to this machine gets nothing, not even the page", async () => {
  await using desk = await openDesk();
  const { port } = new URL(desk.origin);
  for (const host of [`evil.example:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    const asked = request({ host: "127.0.0.1", port, path: "/", headers: { host } }).end();
    const [response] = (await once(asked, "response")) as [{ statusCode: number; resume(): void }];
    response.resume();
    assert.equal(response.statusCode, 403, host);
  }
  const page = await (await desk.context()).newPage();
  const response = await page.goto(desk.origin);
  assert.equal(response?.status(), 200, "its own name is heard");
  const headers = await response?.allHeaders();
  assert.match(headers?.["content-security-policy"] ?? "", /frame-ancestors 'none'/);
});
