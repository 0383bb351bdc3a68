/**
 * A run whose workspace no overlay can stand on, end to end: the workspace lies on an overlay on an overlay,
 * as in a container in a container, and the kernel stacks no third (FILESYSTEM_MAX_STACK_DEPTH). The mounts
 * are made in a namespace of the test's, where the daemon then runs too.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { BIN, TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());
const isRoot = process.geteuid?.() === 0;

/** Runs a script in a namespace where the workspace is mounted, with COFFERDAM as the command line. */
function inNested(script: string): { readonly stdout: string; readonly stderr: string } {
  const mounts = `cd "$COFFERDAM_ROOT"; mkdir -p lower u1 w1 m1 u2 w2
    mount -t overlay o -o lowerdir=lower,upperdir=u1,workdir=w1$X m1
    mount -t overlay o -o lowerdir=m1,upperdir=u2,workdir=w2$X workspace
    cd workspace`;
  const own = isRoot ? ["--mount"] : ["--user", "--map-current-user", "--mount", "--keep-caps"];
  const result = spawnSync("unshare", [...own, "sh", "-euc", `${mounts}\n${script}`], {
    encoding: "utf8",
    env: {
      ...process.env,
      COFFERDAM: BIN,
      COFFERDAM_HOME: home.state,
      COFFERDAM_ROOT: home.root,
      X: isRoot ? "" : ",userxattr",
    },
  });
  assert.equal(result.status, 0, result.stdout + result.stderr);
  return result;
}

test("state on a file system without attributes makes for a copy too: an overlay there would fail later", () => {
  for (const name of ["plain/d", "ram"]) mkdirSync(join(home.root, name), { recursive: true });
  writeFileSync(join(home.root, "plain/d/x"), "x\n");
  const { stdout, stderr } = inNested(`mount -t ramfs ram "$COFFERDAM_ROOT/ram"
    export COFFERDAM_HOME="$COFFERDAM_ROOT/ram/home"; cd "$COFFERDAM_ROOT/plain"
    "$COFFERDAM" run -- sh -euc 'rm -r d; mkdir d; echo y > d/y; ls d'; "$COFFERDAM" stop --force`);
  assert.match(stderr, /the run works on a copy/);
  assert.equal(stdout.split("\n")[0], "y");
});

test("INV-4 INV-16: without an overlay a run works on a copy, and is told; diff, apply, discard as ever", () => {
  mkdirSync(join(home.root, "lower/d"), { recursive: true });
  for (const name of ["hello", "d/keep", "mine"]) {
    writeFileSync(join(home.root, "lower", name), `${name}\n`);
  }
  const file = join(home.root, "read-only.yaml");
  writeFileSync(file, "task: look\npurpose: Look at the workspace only.\nworkspace: read-only\n");
  const { stdout, stderr } = inNested(`
    mkfifo fifo; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>"sock",Listen=>1) or die'
    "$COFFERDAM" run -- sh -euc 'ls | tr "\\n" " "; cat hello; mkdir made; mv hello made; rm d/keep; echo run > mine
      mv d e; if test -e fifo || test -e sock; then exit 1; fi; id -u'
    run=$("$COFFERDAM" ps --all --json | sed 's/.*"run":"\\([^"]*\\)".*/\\1/')
    cat hello d/keep mine
    "$COFFERDAM" diff --json "$run"
    echo host > mine; echo late > late
    "$COFFERDAM" apply "$run" || echo "apply says $?"
    "$COFFERDAM" apply --partial "$run" || echo "apply says $?"
    ls | tr "\\n" " "; cat mine made/hello
    "$COFFERDAM" discard "$run"; if test -e "$COFFERDAM_HOME/runs/$run/layer/upper"; then exit 1; fi
    "$COFFERDAM" run --task "${file}" -- sh -c 'cat mine; echo no > mine; echo no > x' || true
    "$COFFERDAM" verify; "$COFFERDAM" log --json; "$COFFERDAM" stop --force`);
  assert.match(stderr, /no overlay can be mounted here, so the run works on a copy/);
  assert.match(stderr, /left out: fifo: .*sock: /);
  const lines = stdout.split("\n");
  assert.equal(lines[0], "d hello mine hello", "no socket and no pipe of the host is there");
  assert.match(stdout, /^hello\nd\/keep\nmine\n\{/m, "the host saw nothing of it");
  const changes = lines.filter((line) => line.startsWith('{"path"'));
  assert.deepEqual(
    changes.map((line) => (JSON.parse(line) as { path: string }).path),
    ["d", "d/keep", "e", "hello", "made", "made/hello", "mine"],
  );
  assert.match(stdout, /^conflict {2}mine: the host's copy changed/m);
  assert.match(stdout, /^e fifo late made mine sock host\nhello$/m, "the host's own change stays");
  assert.match(stdout, /^host$/m, "a read-only run reads a copy too");
  assert.match(stderr, /cannot create mine/);
  assert.match(stdout, /"done":"copy"/, "and the record tells");
  assert.equal(readFileSync(join(home.root, "u2/mine"), "utf8"), "host\n");
});
