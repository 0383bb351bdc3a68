/**
 * The agent's side: ways to make an apply write outside of the workspace, have the host run something, or
 * lose what the host has, each in an overlay and in a copy. The host then applies twice, everything that can
 * be confirmed confirmed, since a person may well say yes.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, snapshot, type Kind, type Place } from "../../test/support/overlay.ts";
import { applyWorkspace, diffWorkspace, type ApplyResult, type Layer } from "./index.ts";

const HOST = `mkdir -p d/sub .git/hooks; echo host > d/f; echo host > d/sub/g; echo host > f; ln -s d link
  echo '[core]' > .git/config`;

interface Attack {
  readonly why: string;
  /** Before the first apply, and between the two. OUT stands for a folder outside. */
  readonly first: string;
  readonly later?: string;
  /** What stands on the host at the end, by path: its content, or absent. */
  readonly host: Readonly<Record<string, string>>;
  /** Paths that must be among the refused, held or in conflict with nothing confirmed. */
  readonly stopped?: readonly string[];
}

// prettier-ignore
const ATTACKS: readonly Attack[] = [
  { why: "a folder becomes a link to the outside, then is written through", first: "rm -r d; ln -s OUT d",
    later: "rm d; mkdir d; echo run > d/f", host: { "d/f": "run\n" }, stopped: ["d"] },
  { why: "a new link to the outside, and a folder of that name", first: "ln -s OUT x; mkdir y; echo 1 > y/f",
    later: "rm x; mv y x; echo run > x/f", host: { "x/f": "run\n" }, stopped: ["x"] },
  { why: "the host's own link is turned to the outside", first: "ln -sfn OUT link",
    later: "rm link; mkdir link; echo run > link/f", host: { "d/f": "host\n" }, stopped: ["link"] },
  { why: "a chain of links that leads outside at the second step", first: "ln -s z1 z; ln -s OUT/f z1",
    later: "rm z; echo run > z", host: { z: "run\n" }, stopped: ["z1"] },
  { why: "marks of an overlay that hide the host's files",
    first: "python3 -c 'import os; os.setxattr(\"d\", \"user.overlay.opaque\", b\"y\")' || true; echo 1 > d/n",
    host: { "d/f": "host\n", "d/sub/g": "host\n" } },
  { why: "a redirect mark that would show another folder",
    first: "mkdir r; python3 -c 'import os; os.setxattr(\"r\", \"user.overlay.redirect\", b\"/d\")' || true",
    host: { "d/f": "host\n" } },
  { why: "a device where a file stood", first: "rm f; (unshare -Ur mknod f c 0 0 || mknod f c 0 0 || echo run > f) 2>/dev/null",
    host: {} },
  { why: "a hook, and Git's configuration, in every spelling",
    first: `printf '#!/bin/sh\\ntouch OUT/ran\\n' > .git/hooks/post-checkout; chmod 755 .git/hooks/post-checkout
      printf '[core]\\nfsmonitor = touch OUT/ran\\n' > .git/config; for n in .GIT .Git 'git~1' '.git ' '.git.'; do mkdir -p "$n/hooks"; echo x > "$n/config"; done`,
    host: { ".git/config": "[core]\n" }, stopped: [".git", ".GIT", ".Git", "git~1", ".git ", ".git."] },
  { why: "the host's .git put aside, and another in its place", first: "mv .git old 2>/dev/null || cp -r .git old; rm -rf .git; mkdir .git; echo evil > .git/config",
    host: { ".git/config": "[core]\n" }, stopped: [".git"] },
  { why: "a .git that is a link to a folder of the run's", first: "rm -rf .git; mkdir g; echo evil > g/config; ln -s g .git",
    host: { ".git/config": "[core]\n" }, stopped: [".git"] },
  { why: "a workspace that everybody may write to", first: "chmod 777 . d f; echo 1 > n; chmod 6777 n", host: { n: "1\n" } },
  { why: "names like those of files on their way", first: "echo 1 > .cofferdam-unplaced-0123456789abcdef0123456789abcdef",
    host: { f: "host\n" } },
  { why: "paths that are longer than a path may be",
    first: "p=$PWD; for i in $(seq 18); do n=$(printf 'x%.0s' $(seq 200)); mkdir $n; cd $n; done; echo deep > f; cd $p",
    host: { f: "host\n" } },
  { why: "two names of one file, one of them executed", first: "printf '#!/bin/sh\\n' > a; ln a Makefile; ln a b",
    host: { a: "#!/bin/sh\n" }, stopped: ["Makefile"] },
  { why: "a pipe where the host reads a file", first: "rm f; mkfifo f", host: { f: "host\n" }, stopped: ["f"] },
];

function under(place: Place, script: string): string {
  return script.replaceAll("OUT", join(place.base, "outside"));
}

async function applyTwice(place: Place, layer: Layer, attack: Attack): Promise<void> {
  const none = { run: "r-1", frozen: true, partial: true };
  const told = ({ held, refused, conflicts }: ApplyResult): readonly string[] =>
    [...held, ...refused, ...conflicts].map(({ path }) => path);
  const unnamed = told(await applyWorkspace(layer, { ...none, confirm: new Set() }));
  for (const path of attack.stopped ?? []) {
    assert.ok(unnamed.includes(path), `${path} goes by itself: ${unnamed.join(", ")}`);
  }
  for (const script of [undefined, attack.later]) {
    if (script !== undefined) place.inside(under(place, script), false);
    const units = (await diffWorkspace(layer)).flatMap(({ confirm, unit }) =>
      confirm === undefined ? [] : [unit],
    );
    await applyWorkspace(layer, { ...none, confirm: new Set(units) });
  }
}

for (const kind of ["overlay", "copy"] as const satisfies readonly Kind[]) {
  for (const attack of ATTACKS) {
    test(`INV-16 INV-26: ${attack.why}, ${kind}`, async () => {
      const place = createPlace(HOST, kind);
      try {
        const outside = join(place.base, "outside");
        mkdirSync(outside);
        writeFileSync(join(outside, "f"), "outside");
        chmodSync(outside, 0o777); // What stops a write is not its mode.
        const before = snapshot(outside);
        const layer = await place.start();
        place.inside(under(place, attack.first), false);
        const config = snapshot(join(place.host, ".git"));
        await applyTwice(place, layer, attack);
        assert.deepEqual(snapshot(outside), before, "nothing outside has changed");
        assert.deepEqual(snapshot(join(place.host, ".git")), config, "nor Git's own data");
        for (const [path, content] of Object.entries(attack.host)) {
          assert.equal(readFileSync(join(place.host, path), "utf8"), content, path);
        }
        const open = snapshot(place.host).filter((line) => / [2-7]?\d\d[2367] /.test(line));
        assert.deepEqual(open, [], "nothing was opened to everybody");
      } finally {
        place.remove();
      }
    });
  }
}
