/** Every push of git's corpus is judged over SSH as it is over HTTP. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { failuresOf, loadCorpus, readCorpus } from "../corpus/corpus.ts";

before(() => loadCorpus("ssh"));

/** Those that are about HTTP: a type, a coding, a path. */
const pushes = readCorpus(join(import.meta.dirname, "../corpus/git")).filter(
  ({ request, headers }) =>
    request === "POST /me/site.git/git-receive-pack" &&
    Object.keys(headers ?? {}).join() === "content-type" &&
    headers?.["content-type"] === "application/x-git-receive-pack-request",
);

test("INV-126: over SSH a push is what it is over HTTP", () => {
  assert.ok(pushes.length > 150, `${pushes.length} pushes`);
  for (const { request: _, headers: __, body, ...one } of pushes) {
    const operation = { op: "exec", command: "git-receive-pack 'me/site.git'" };
    const whole = body === undefined ? {} : { body };
    const it = { ...one, ...whole, json: operation, with: { repos: ["me/site"], ...one.with } };
    // What is not understood counts as all that its system can do, and that differs.
    const { effects: _effects, ...unknown } = it.expect;
    const expect = it.expect.verb === "unknown" ? unknown : it.expect;
    assert.deepEqual(failuresOf("ssh", { ...it, expect }), [], one.name);
  }
});
