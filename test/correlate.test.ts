/** A firewall's lines, made of what a server saw, against the record of real runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { clientOf, execute, startIdle } from "./support/rollout.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
/** What the server saw: path, time, the port that it came from. */
const seen: { path: string; at: string; port: number }[] = [];
const site: Server = createServer(({ url = "", socket }, response) => {
  seen.push({ path: url, at: new Date().toISOString(), port: socket.remotePort ?? 0 });
  response.end("ok");
});
let port = 0;

before(async () => {
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  ({ port } = site.address() as AddressInfo);
});
after(async () => {
  site.close();
  await home.close();
});

const line = (one: { at: string; port: number }, to = port) =>
  `${one.at} fw kernel: OUT-ALLOW IN= OUT=eth0 SRC=127.0.0.1 DST=127.0.0.1 LEN=60 PROTO=TCP SPT=${one.port} DPT=${to} SYN`;

test("INV-226, INV-227, INV-229: each line names the step that caused it, of the right run, and none else", async () => {
  const client = await clientOf(home);
  const source = `task: rollout
purpose: holds still until commands come
lifetime: 1h
home: fresh
grants:
  - system: http
    name: site
    hosts: [site.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${port}
    allow: [{ methods: [GET], paths: ["/**"] }]
`;
  const runs = [await startIdle(client, home, source), await startIdle(client, home, source)];
  const ask = (path: string) => `curl -s http://site.test${path} >/dev/null`;
  const hostile = "t\u001B[2J\u202E";
  // Begun in step 3, and connects while 4 is under way; both runs at once, to one place.
  await Promise.all(
    runs.map(async ({ run }, n) => {
      const at = (step: number) => ({
        trajectory: n === 0 ? hostile : "t-1",
        episode: "e-17",
        step,
      });
      const slow = execute(client, run, ["sh", "-c", `sleep 1; ${ask(`/${n}/3`)}`], {
        step: at(3),
      });
      const quick = execute(client, run, ["sh", "-c", ask(`/${n}/4`)], { step: at(4) });
      await Promise.all([slow, quick]);
      await client.call("run.step", { run, ...at(5) });
      await execute(client, run, ["sh", "-c", ask(`/${n}/5`)]);
      await client.call("run.kill", { run });
    }),
  );
  assert.equal(seen.length, 6);
  const file = join(home.root, "fw.log");
  writeFileSync(file, `${seen.map((one) => line(one)).join("\n")}\n`);
  const { code, stdout, stderr } = await home.call(["correlate", file, "--json"]);
  assert.equal(code, 0, stderr + stdout);
  const told = JSON.parse(stdout);
  for (const [n, { path }] of seen.entries()) {
    const [, run = "", step = ""] = path.split("/");
    const { matches } = told.lines[n];
    assert.equal(matches.length, 1, path);
    const [{ by, run: of, cause }] = matches;
    assert.deepEqual(
      [by, of, cause.step.step, cause.step.by],
      ["exact", runs[Number(run)]?.run, Number(step), "exec"],
      path,
    );
  }
  const text = await home.call(["correlate", file]);
  assert.match(text.stdout, /episode e-17, step 3 caused 1 of 6 lines/);
  for (const odd of ["\u001B", "\u202E"]) assert.ok(!text.stdout.includes(odd));

  // A port that nothing of ours had, a time in 1970, and a line that is none: each is said, none is tied to a run.
  const [first] = seen;
  assert.ok(first !== undefined);
  const odd = [
    line({ ...first, port: 1 }, 9),
    line({ ...first, at: "1970-01-01T00:00:00Z" }),
    "nonsense",
  ];
  writeFileSync(file, `${odd.join("\n")}\n`);
  const empty = join(home.workspace, "empty.log");
  writeFileSync(empty, "# nothing tonight\n");
  assert.equal((await home.call(["correlate", empty])).code, 0);
  const turned = "2026-11-27T02:00:00Z/2026-11-27T01:00:00Z";
  assert.match(
    (await home.call(["correlate", "--between", turned])).stderr,
    /ends before it begins/,
  );
  const none = await home.call(["correlate", file]);
  assert.equal(none.code, 1);
  assert.equal(
    none.stdout.match(/nothing that a run of this home was let out matches/g)?.length,
    2,
    none.stdout,
  );
  assert.match(none.stdout, /line 3: not read/);
});
