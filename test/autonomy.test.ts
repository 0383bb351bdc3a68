/**
 * What a task's record says of its file, on real runs: less where less was used, and leave that a finding takes.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { z } from "zod";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
const seen: string[] = [];
const server: Server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`);
  response.end("ok\n");
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(async () => {
  server.close();
  await home.close();
});

const grant = (name: string, allow: string) => `  - system: http
    name: ${name} # the ${name}
    hosts: [${name}.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(server.address() as AddressInfo).port}
    allow:
${allow}`;

const WIDE = `      - { methods: [GET, POST, PUT], paths: ["/**"] }
`;
/** Leave is for a year at most. */
const SOON = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const LEAVE = `      - methods: [DELETE]
        paths: ["/pages/*"]
        effects: [delete]
        unattended: { count: 20, reason: Pages are restored with one command., expires: ${SOON} }
`;

function write(name: string, grants: string): string {
  home.write(
    `${name}.yaml`,
    `task: ${name}\npurpose: see what it uses\napprovals: { hold: 1s }\ngrants:\n${grants}`,
  );
  return join(home.workspace, `${name}.yaml`);
}

async function run(file: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await home.call([
    "run",
    "--task",
    file,
    "--",
    "sh",
    "-c",
    script,
  ]);
  assert.equal(code, 0, stderr);
  return stdout;
}

const CURL = "curl -s -o /dev/null -w '%{http_code} '";

const tightenedSchema = z.object({
  runs: z.array(z.string()),
  taken: z.array(z.string()),
  once: z.array(z.string()),
  diff: z.string(),
  source: z.string(),
});

test("INV-184: a tightened file lets through what was done, and nothing that was not", async () => {
  const file = write("wide", `${grant("shop", WIDE)}${grant("unused", WIDE)}`);
  const done = `${CURL} http://shop.test/items/1; ${CURL} http://shop.test/items/2; ${CURL} http://shop.test/about; ${CURL} -X POST http://shop.test/items`;
  assert.match(await run(file, done), /^200 200 200 200 $/);
  const { stdout } = await home.call(["tighten", file, "--json"]);
  const told = tightenedSchema.parse(JSON.parse(stdout));
  assert.equal(told.runs.length, 1);
  assert.ok(told.taken.some((one) => one.startsWith("unused: not used")));
  assert.match(told.source, /\/items\/\*/);
  assert.doesNotMatch(told.source, /PUT|unused/);
  assert.match(told.source, /# the shop/, "comments stay");
  assert.ok(told.once.some((one) => one.startsWith("shop: GET /about")));
  // The diff is what `patch` takes.
  const patched = spawnSync("patch", ["-p1"], {
    cwd: join(file, ".."),
    input: told.diff,
    encoding: "utf8",
  });
  assert.equal(patched.status, 0, patched.stderr + patched.stdout);
  assert.match(await run(file, done), /^200 200 200 200 $/);
  const more = `${CURL} http://shop.test/items/3; ${CURL} http://shop.test/admin; ${CURL} -X PUT http://shop.test/items/1; ${CURL} http://unused.test/`;
  assert.match(await run(file, more), /^200 403 403 403 $/);
});

test("without a run nothing is known, and nothing is taken", async () => {
  const file = write("fresh", grant("shop", WIDE));
  const { code, stdout } = await home.call(["tighten", file, "--json"]);
  assert.equal(code, 0);
  const told = tightenedSchema.parse(JSON.parse(stdout));
  assert.deepEqual([told.taken, told.diff], [[], ""]);
});

const DELETE = `${CURL} -X DELETE http://shop.test/pages/1 || true`;
/** Six destinations that no task names: a scan. */
const SCAN =
  "for n in 1 2 3 4 5 6; do curl -s --max-time 1 http://10.9.8.$n/ >/dev/null; done; sleep 0.3";

test("INV-185: a finding takes the leave of its run and task, and a person alone gives it back", async () => {
  const file = write("leave", grant("shop", LEAVE));
  assert.match(await run(file, `${DELETE}; ${DELETE}`), /^200 200 $/);
  const other = write("other", grant("shop", LEAVE));
  assert.match(await run(file, `${DELETE}; ${SCAN}; ${DELETE}`), /^200 (?!200)\d+ $/);
  assert.match(await run(file, DELETE), /^(?!200)\d+ $/, "the next run has none");
  assert.match(await run(other, DELETE), /^200 $/, "another task has its own");
  const taken = await home.call(["autonomy", file]);
  assert.match(taken.stdout, /A finding took its leave from leave .*scan/);
  const back = await home.call(["autonomy", file, "--restore"]);
  assert.equal(back.code, 0, back.stderr);
  assert.match(await run(file, DELETE), /^200 $/);
  assert.equal(
    (await home.call(["autonomy", file, "--restore"])).code,
    1,
    "there is nothing to give back",
  );
  const entries = await home.log();
  assert.ok(entries.some(({ type, data }) => type === "policy" && data?.["leave"] === "taken"));
  assert.ok(entries.some(({ type, data }) => type === "policy" && data?.["leave"] === "restored"));
});

test("INV-185: what a finding took is still gone when the daemon is another", async () => {
  const file = write("again", grant("shop", LEAVE));
  await run(file, SCAN);
  await home.call(["stop"]);
  assert.match(await run(file, DELETE), /^(?!200)\d+ $/);
});

test("autonomy says what is missing for what persons decide over", async () => {
  const file = write(
    "asked",
    grant("shop", `      - { methods: [DELETE], paths: ["/pages/*"], effects: [delete] }\n`),
  );
  assert.match(await run(file, DELETE), /^(?!200)\d+ $/);
  const { stdout } = await home.call(["autonomy", file]);
  assert.match(stdout, /Nothing to propose/);
  assert.match(stdout, /shop: DELETE, approved 0 times; it needs 20 approvals/);
});
