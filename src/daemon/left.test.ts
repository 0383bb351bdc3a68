/** What a run leaves that others execute: also behind decoys and links. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { leftBehind } from "./left.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-left-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

/** What is told of a workspace with these files and links, and an empty HOME. */
function left(files: readonly string[], links: Readonly<Record<string, string>> = {}) {
  const upper = join(root, `${(count += 1)}`);
  const home = join(root, `${count}-home`);
  for (const folder of [upper, home]) mkdirSync(folder);
  for (const name of [...files, ...Object.keys(links)]) {
    mkdirSync(dirname(join(upper, name)), { recursive: true });
    const to = links[name];
    if (to === undefined) writeFileSync(join(upper, name), "");
    else symlinkSync(to, join(upper, name));
  }
  return leftBehind({ upper, home, startMs: 0 });
}
const SAMPLES = Array.from({ length: 200 }, (_, at) => `.git/hooks/a${at}.sample`);

test("a hook of git is told of, and samples are none", () => {
  assert.deepEqual(left([".git/hooks/pre-commit", ".git/hooks/pre-push.sample"]), [
    ".git/hooks/pre-commit",
  ]);
  assert.deepEqual(left(SAMPLES), []);
});

test("a hook among many samples is told of", () => {
  assert.deepEqual(left([...SAMPLES, ".git/hooks/pre-commit"]), [".git/hooks/pre-commit"]);
});

test("a folder that is full of names, or closed, hides nothing", () => {
  const many = Array.from({ length: 4100 }, (_, at) => `n${at}`);
  assert.deepEqual(left([...many, "CLAUDE.md"]), ["CLAUDE.md"]);
  const hooks = Array.from({ length: 4100 }, (_, at) => `.git/hooks/a${at}.sample`);
  assert.deepEqual(left([...hooks, ".git/hooks/pre-commit"]), [".git/hooks/*"]);
  const closed = join(root, "closed");
  mkdirSync(join(closed, "home"), { recursive: true });
  writeFileSync(join(closed, "home", ".bashrc"), "");
  chmodSync(join(closed, "home"), 0o311); // Who may not list it may still go through.
  const asked = `import { leftBehind } from ${JSON.stringify(join(import.meta.dirname, "left.ts"))};
    if (process.geteuid() === 0) { process.setegid(65534); process.seteuid(65534); }
    console.log(JSON.stringify(leftBehind({ upper: undefined, home: ${JSON.stringify(join(closed, "home"))}, startMs: 0 })));`;
  chmodSync(root, 0o755);
  const said = spawnSync(process.execPath, ["--input-type=module", "-e", asked], {
    encoding: "utf8",
  });
  assert.equal(said.stdout, `["~/.bashrc"]\n`, said.stderr);
});

test("a folder that is a link is told of, wherever it leads, and not followed", () => {
  const hooks = { ".git/hooks": "../tools" };
  assert.deepEqual(left(["tools/pre-commit"], hooks), [".git/hooks/*"]);
  assert.deepEqual(left([], hooks), [".git/hooks/*"], "to what was there before");
  assert.deepEqual(left([], { ".claude": "/etc" }), [".claude/settings.json"]);
  assert.deepEqual(left(["src/a"], { "src/link": "a" }), [], "another link");
});
