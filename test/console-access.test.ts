/**
 * Who may ask the console for what: every row of both tables by each kind of caller, over real HTTP. A new endpoint is
 * covered by being in the table.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { CONSOLE_API, ROLES, type Needs, type Role } from "../src/api/index.ts";
import { openAsked, signIn, visit, Visitor, type AskedConsole } from "./support/console.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
let open: AskedConsole;
const people = new Map<string, Visitor>();

before(async () => {
  open = await openAsked(home);
  const none: readonly Role[] = [];
  for (const roles of [none, ...ROLES.slice(1).map((role) => [role])]) {
    const args = ["viewer", ...roles].flatMap((role) => ["--role", role]);
    people.set(roles[0] ?? "viewer", await visit(home, args));
  }
  people.set("nobody", new Visitor(open.origin, ""));
  const over = await visit(home, []);
  await over.ask("session.end", {});
  people.set("over", over);
});
after(async () => {
  await open?.close();
  await home.close();
});

/** The code of what comes back for a body that is no JSON: to whoever may ask, that is what is wrong with it. */
async function codeOf(
  who: Visitor,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await who.post(`/api/${name}`, "{", headers);
  return ((await response.json()) as { code: string }).code;
}

function expected(needs: Needs, role: Role): string {
  return needs === "viewer" || needs === role ? "console.request" : "console.role";
}

for (const [name, { needs }] of Object.entries(CONSOLE_API)) {
  test(`INV-205: ${name} is for ${needs}, and nobody else learns what it takes`, async () => {
    for (const role of ROLES) {
      const who = people.get(role) ?? assert.fail();
      assert.equal(await codeOf(who, name), expected(needs, role), role);
    }
    const nobody = people.get("nobody") ?? assert.fail();
    const over = people.get("over") ?? assert.fail();
    assert.equal(await codeOf(nobody, name), "console.session", "nobody");
    assert.equal(await codeOf(over, name), "console.session", "whose session is over");
    const all = needs === "owner" ? "console.role" : "console.request";
    assert.equal(await codeOf(open, name), all, "somebody with every role");
    assert.equal(
      await codeOf(open, name, { origin: "http://localhost:1" }),
      "console.origin",
      "a page of another port, in the very browser",
    );
    const theft = { "x-cofferdam-key": "x".repeat(43) };
    assert.equal(
      await codeOf(open, name, theft),
      "console.session",
      "its cookie in another's hand",
    );
  });
}

test("faults console.no_such_endpoint, console.not_found: what is not there, for whoever is signed in", async () => {
  for (const name of ["nothing", "constructor", "__proto__", "session.show/x"]) {
    assert.equal(await codeOf(open, name), "console.no_such_endpoint", name);
  }
  const asset = await fetch(`${open.origin}/assets/none.js`);
  assert.equal(((await asset.json()) as { code: string }).code, "console.not_found");
  const stream = await fetch(`${open.origin}/api/stream?approvals`, {
    headers: { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
  });
  assert.deepEqual([stream.status, await stream.json()].length, 2);
  assert.equal(stream.status, 401);
});

test("INV-204, fault console.no_such_session: one ends one's own sessions, an operator everybody's", async () => {
  const viewer = await visit(home, ["--role", "viewer"]);
  const mine = (await viewer.ask("session.list", {})).find(({ isThis }) => isThis);
  assert.ok(mine !== undefined);
  // All came by links of one user, so all are that user's own.
  const other = await visit(home, []);
  assert.equal(
    (await other.refusal("session.revoke", { session: "0".repeat(16) })).code,
    "console.no_such_session",
  );
  await other.ask("session.revoke", { session: mine.session });
  assert.equal((await viewer.refusal("session.show", {})).code, "console.session");
  await other.ask("session.show", {});
});

test("INV-275: the page's key opens the stream from a header, and from no address, which proxies write down", async () => {
  const key = "k".repeat(43);
  const from = async (query: string, headers: Readonly<Record<string, string>>) => {
    const site = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };
    const response = await fetch(`${open.origin}/api/stream?approvals${query}`, {
      headers: { cookie: open.cookie, ...site, ...headers },
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await from("", { "x-cofferdam-key": key }), 200);
  assert.equal(await from(`&key=${key}`, {}), 401);
});

test("INV-204: what a session has coming breaks off when it is ended", async () => {
  const viewer = await visit(home, ["--role", "viewer"]);
  const { session } =
    (await viewer.ask("session.list", {})).find(({ isThis }) => isThis) ?? assert.fail();
  const stream = await fetch(`${open.origin}/api/stream?approvals`, {
    headers: {
      ...{ cookie: viewer.cookie, "x-cofferdam-key": "k".repeat(43) },
      ...{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
    },
  });
  assert.equal(stream.status, 200);
  const lines = viewer.stream("log.read", { follow: true });
  const iterator = lines[Symbol.asyncIterator]();
  await iterator.next();
  const broken = (async () => {
    for (;;) if ((await iterator.next()).done === true) return;
  })();
  // Both are waited for before they break: a rejection that nobody waits for yet fails the test.
  const ends = [assert.rejects(broken), assert.rejects(stream.text())];
  await open.ask("session.revoke", { session });
  await Promise.all(ends);
});

test("INV-204: whoever signs in anew leaves no session behind", async () => {
  const { stdout } = await home.call(["console", "--link"]);
  const link = new URL(/^sign in: (\S+)$/m.exec(stdout)?.[1] ?? "").hash.replace("#link=", "");
  const before = await visit(home, []);
  const response = await before.post("/session/link", JSON.stringify({ link }));
  assert.equal(response.status, 200);
  assert.equal((await before.refusal("session.show", {})).code, "console.session");
});

test("INV-204: all cookies that another port of this host may set keep nobody out", async () => {
  const visitor = await visit(home, []);
  const others = Array.from({ length: 179 }, (_, n) => `c${n}=${"x".repeat(4090)}`).join("; ");
  const cookie = `${others}; ${visitor.cookie}`;
  const response = await visitor.post("/api/session.show", "{}", { cookie });
  assert.equal(response.status, 200);
});

test("a request above what the daemon takes is not read to its end, whoever sends it", async () => {
  const visitor = await visit(home, ["--role", "viewer"]);
  const body = JSON.stringify("x".repeat(5 << 20));
  const response = await visitor.post("/api/session.show", body);
  assert.match(((await response.json()) as { message: string }).message, /above/);
});

test("fault console.link: a link that was used, or is none; a GET uses none up", async () => {
  const { stdout } = await home.call(["console", "--link"]);
  const href = /^sign in: (\S+)$/m.exec(stdout)?.[1] ?? "";
  const link = new URL(href).hash.replace("#link=", "");
  for (const path of ["/session/link", `/session/link?link=${link}`, `/?link=${link}`])
    await (await fetch(`${open.origin}${path}`)).text();
  const visitor = await signIn(href);
  const again = await visitor.post("/session/link", JSON.stringify({ link }));
  assert.deepEqual(
    [again.status, ((await again.json()) as { code: string }).code],
    [401, "console.link"],
  );
  const odd = await visitor.post("/session/link", JSON.stringify({ link: 7 }));
  assert.equal(((await odd.json()) as { code: string }).code, "console.request");
  const large = await visitor.post("/session/link", JSON.stringify({ link: "x".repeat(70_000) }));
  assert.equal(((await large.json()) as { code: string }).code, "console.request");
});

/** What the server says to bytes that no browser sends. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(open.origin).port), "127.0.0.1");
  socket.write(bytes);
  let said = "";
  socket.on("error", () => {});
  socket.on("data", (data: Buffer) => (said += data.toString()));
  socket.setTimeout(5000, () => socket.destroy());
  await new Promise((resolve) => socket.on("close", resolve));
  return said;
}

const END = "connection: close\r\n\r\n";
const RAW: readonly (readonly [string, (host: string) => string])[] = [
  ["a name that was rebound", () => `GET / HTTP/1.1\r\nhost: evil.test\r\n${END}`],
  [
    "an address",
    (host) => `GET / HTTP/1.1\r\nhost: ${host.replace("localhost", "127.0.0.1")}\r\n${END}`,
  ],
  ["two hosts", (host) => `GET / HTTP/1.1\r\nhost: ${host}\r\nhost: evil.test\r\n${END}`],
  ["no host", () => `GET / HTTP/1.1\r\n${END}`],
  ["HTTP/1.0", (host) => `GET / HTTP/1.0\r\nhost: ${host}\r\n${END}`],
  ["a proxy's form", (host) => `GET http://${host}/ HTTP/1.1\r\nhost: ${host}\r\n${END}`],
  ["a proxy's CONNECT", (host) => `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n${END}`],
  [
    "a WebSocket",
    (host) =>
      `GET / HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
  ],
  [
    "two lengths",
    (host) =>
      `POST /session/link HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n${END}x`,
  ],
  [
    "length and chunks",
    (host) =>
      `POST /session/link HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n${END}x`,
  ],
  [
    "headers above 1 MiB",
    (host) => `GET / HTTP/1.1\r\nhost: ${host}\r\nx: ${"x".repeat(1_100_000)}\r\n${END}`,
  ],
  ["a path in disguise", (host) => `GET /a%2f..%2fb HTTP/1.1\r\nhost: ${host}\r\n${END}`],
  ["no HTTP", () => "\x16\x03\x01 hello\r\n\r\n"],
];
for (const [what, bytes] of RAW) {
  test(`INV-203: ${what} gets no page`, async () => {
    const said = await raw(bytes(new URL(open.origin).host));
    assert.doesNotMatch(said, /^HTTP\/1\.1 [23]/);
    assert.doesNotMatch(said, /<html/i);
  });
}

test("INV-203: the same in plain form gets the page, and each answer has the browser keep others away", async () => {
  const { host } = new URL(open.origin);
  const page = await raw(`GET / HTTP/1.1\r\nhost: ${host}\r\n${END}`);
  assert.match(page, /^HTTP\/1\.1 200/);
  const refused = await raw(`GET / HTTP/1.1\r\nhost: evil.test\r\n${END}`);
  const missing = await raw(`GET /none.js HTTP/1.1\r\nhost: ${host}\r\n${END}`);
  for (const said of [page, refused, missing]) {
    assert.match(said, /content-security-policy: default-src 'none'/);
    assert.match(said, /x-content-type-options: nosniff/);
    assert.match(said, /cross-origin-resource-policy: same-origin/);
    assert.doesNotMatch(said, /access-control/i);
  }
});

test("INV-203: who sends a request by drops is not waited for, and holds up nobody", async () => {
  const { host, port } = new URL(open.origin);
  const slow = connect(Number(port), "127.0.0.1");
  slow.on("error", () => {});
  slow.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n`);
  const drops = setInterval(() => slow.write("x: y\r\n"), 500);
  const closed = new Promise<number>((resolve) =>
    slow.resume().once("close", () => resolve(Date.now())),
  );
  const start = Date.now();
  await open.ask("session.show", {});
  const tookMs = (await closed) - start;
  clearInterval(drops);
  assert.ok(tookMs < 20_000, `${tookMs} ms`);
});
