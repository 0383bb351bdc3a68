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
});

/** What an ordinary user's daemon is told of a HOME made by `make`, of a run that began at `startMs`. */
function leftOf(make: (home: string) => void, startMs = 0): unknown {
  const home = join(root, `${(count += 1)}`, "home");
  mkdirSync(home, { recursive: true });
  make(home);
  const asked = `import { leftBehind } from ${JSON.stringify(join(import.meta.dirname, "left.ts"))};
    if (process.geteuid() === 0) { process.setegid(65534); process.seteuid(65534); }
    console.log(JSON.stringify(leftBehind({ upper: undefined, home: ${JSON.stringify(home)}, startMs: ${startMs} })));`;
  chmodSync(root, 0o755);
  const said = spawnSync(process.execPath, ["--input-type=module", "-e", asked], {
    encoding: "utf8",
  });
  spawnSync("chmod", ["-R", "u+rwX", home]); // What is closed could not be removed by a user.
  assert.match(said.stdout, /\n$/, said.stderr);
  return JSON.parse(said.stdout);
}

test("a HOME that is closed to who lists it hides nothing", () => {
  const made = (home: string) => {
    writeFileSync(join(home, ".bashrc"), "");
    chmodSync(home, 0o311); // Who may not list it may still go through.
  };
  assert.deepEqual(leftOf(made), ["~/.bashrc"]);
});

test("a folder that nobody may enter is told of by what it may hold, where it was closed since", () => {
  const made = (home: string) => {
    for (const folder of [".ssh", ".config/autostart"])
      mkdirSync(join(home, folder), { recursive: true });
    writeFileSync(join(home, ".ssh/authorized_keys"), "");
    chmodSync(join(home, ".ssh"), 0);
    chmodSync(join(home, ".config"), 0);
  };
  const may = [
    "~/.ssh/authorized_keys",
    "~/.ssh/rc",
    "~/.config/systemd/user/*",
    "~/.config/autostart/*",
  ];
  assert.deepEqual(leftOf(made), may);
  assert.deepEqual(leftOf(made, Date.now() + 60_000), [], "what was closed before is no run's");
  const whole = leftOf((home) => chmodSync(home, 0)) as readonly string[];
  assert.ok(may.every((one) => whole.includes(one)) && whole.includes("~/.bashrc"));
});

test("a folder that is a link is told of, wherever it leads, and not followed", () => {
  const hooks = { ".git/hooks": "../tools" };
  assert.deepEqual(left(["tools/pre-commit"], hooks), [".git/hooks/*"]);
  assert.deepEqual(left([], hooks), [".git/hooks/*"], "to what was there before");
  assert.deepEqual(left([], { ".claude": "/etc" }), [".claude/settings.json"]);
  assert.deepEqual(left(["src/a"], { "src/link": "a" }), [], "another link");
});
