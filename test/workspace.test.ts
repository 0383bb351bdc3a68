/**
 * The workspace as a whole: a real run, started by whoever runs the tests, changes it; then `diff` and
 * `apply`. Started by root, the host's files are root's own and the run is not root.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hold, makePlace, runCommand } from "../src/sandbox/sandbox.fixture.ts";
import { RUN_UID } from "../src/sandbox/index.ts";
import {
  applyWorkspace,
  createLayer,
  diffWorkspace,
  discardLayer,
} from "../src/workspace/index.ts";

import { TestHome } from "./support/home.ts";

const isRoot = process.geteuid?.() === 0;

test("a run edits private files of the owner, and apply gives them back to the owner", async () => {
  const place = await makePlace();
  try {
    const host = place.workspace;
    writeFileSync(join(host, "secret"), "old\n", { mode: 0o600 });
    mkdirSync(join(host, "private"), { mode: 0o700 });
    writeFileSync(join(host, "private/key"), "old\n", { mode: 0o400 });
    const run = isRoot ? { run: { uid: RUN_UID, gid: RUN_UID } } : {};
    const layer = await createLayer(place.spec.layer, { host, ...run });
    const held = await hold(place.spec);
    try {
      const script = `id -u; echo new >> secret; mkdir made; echo 1 > made/1; rm private/key
        ln secret second; cat secret`;
      const done = await runCommand(held, ["/bin/sh", "-euc", script], { cwd: host });
      assert.deepEqual([done.code, done.stderr], [0, ""]);
      assert.match(
        done.stdout,
        /^[1-9]\d*\nold\nnew\n$/,
        "not as root, and with its edits in view",
      );
    } finally {
      await held.end();
    }
    assert.equal(readFileSync(join(host, "secret"), "utf8"), "old\n", "the host sees nothing yet");
    const changes = (await diffWorkspace(layer)).map(({ kind, path }) => `${kind} ${path}`);
    const expected = [
      "added made",
      "added made/1",
      "deleted private/key",
      "added second",
      "modified secret",
    ];
    assert.deepEqual(changes, expected);
    const result = await applyWorkspace(layer, { run: "r-1", frozen: true, confirm: new Set() });
    assert.deepEqual([result.applied.length, result.refused, result.conflicts], [5, [], []]);
    const { uid, gid, mode, nlink } = lstatSync(join(host, "secret"));
    const own = { uid: process.geteuid?.(), gid: process.getegid?.() };
    assert.deepEqual([{ uid, gid }, mode & 0o7777, nlink], [own, 0o600, 2]);
    for (const path of ["made", "made/1"]) {
      const about = lstatSync(join(host, path));
      assert.deepEqual({ uid: about.uid, gid: about.gid }, own);
    }
    assert.equal(readFileSync(join(host, "second"), "utf8"), "old\nnew\n");
  } finally {
    // overlayfs leaves a folder that only its owner's chmod opens.
    await discardLayer(place.spec.layer);
    await place.remove();
  }
});

/** Asks the daemon of `home` directly. */
async function ask(home: TestHome, endpoint: string, body: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = join(home.state, "daemon.sock");
    const asked = request({ socketPath, method: "POST", path: `/v1/${endpoint}` }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.on("error", reject);
    asked.end(JSON.stringify(body));
  });
}

test("while a large apply goes on the daemon answers others, and the changes are nobody else's", async () => {
  const home = new TestHome();
  try {
    const script = "for d in 1 2 3; do mkdir d$d; (cd d$d; seq 1500 | xargs touch); done";
    assert.equal((await home.run(["sh", "-euc", script])).code, 0);
    const run = (await home.log()).find(({ type }) => type === "run.start")?.run ?? "";
    const order: string[] = [];
    const note = async (what: string, answer: Promise<string>): Promise<string> => {
      const said = await answer;
      order.push(what);
      return said;
    };
    const apply = ask(home, "workspace.apply", { run, confirm: [], partial: false });
    const applied = note("apply", apply);
    await note("status", ask(home, "daemon.status", {}));
    const refused = await note("discard", ask(home, "workspace.discard", { run }));
    assert.match(refused, /"code":"daemon.state".*being applied/);
    assert.equal((JSON.parse(await applied) as { applied: string[] }).applied.length, 4503);
    assert.deepEqual(order, ["status", "discard", "apply"]);
    assert.equal(await ask(home, "workspace.discard", { run }), "{}", "afterwards it is free");
  } finally {
    await home.close();
  }
});
