import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { limitArgv, ARGV_CHARS_MAX, ARGV_ITEMS_MAX } from "./proc-files.ts";
import { ANCESTORS_MAX, NODES_MAX, ProcessTree, type Owners } from "./process-tree.ts";

const children: ChildProcess[] = [];
after(() => children.forEach((child) => child.kill("SIGKILL")));

/** A real process that waits; its pid. */
function startChild(): number {
  const child = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
  children.push(child);
  assert.ok(child.pid !== undefined);
  return child.pid;
}

function createTree(): { tree: ProcessTree; owners: Owners; first: number } {
  const owners: Owners = new Map();
  const tree = new ProcessTree(process.pid, owners, true);
  return { tree, owners, first: process.pid };
}

test("a living process is placed beneath its parents, up to the run's first", () => {
  const { tree, first } = createTree();
  const pid = startChild();
  tree.see(pid);
  const seen = tree.describe(pid);
  assert.match(seen?.exe ?? "", /sleep$/);
  assert.deepEqual(seen?.argv, ["/bin/sleep", "60"]);
  assert.deepEqual(
    seen?.ancestors.map((one) => one.pid),
    [first],
  );
});

test("what is outside of the run's first process is never its ancestor", () => {
  const pid = startChild();
  const tree = new ProcessTree(pid, new Map(), true);
  tree.see(process.pid);
  assert.deepEqual(
    tree.describe(process.pid)?.ancestors.map((one) => one.pid),
    [pid],
  );
});

test("a recorded parent stays the parent, although it ended and its pid is another's now", () => {
  const { tree, owners, first } = createTree();
  const pid = startChild();
  tree.forked(first, 4_000_001);
  tree.forked(4_000_001, pid);
  tree.exited(4_000_001);
  tree.forget(4_000_001);
  tree.forked(first, 4_000_001); // The number comes round.
  tree.see(pid);
  assert.deepEqual(
    tree.describe(pid)?.ancestors.map((one) => one.pid),
    [4_000_001, first],
  );
  assert.equal(owners.get(pid), tree);
});

test("a pid that came round is another process: its start is looked at", async () => {
  const { tree, first } = createTree();
  const pid = startChild();
  tree.forked(first, 4_000_002);
  tree.forked(4_000_002, pid);
  tree.see(pid);
  tree.doubt(); // Events were lost: anything may have happened.
  tree.see(pid);
  assert.equal(tree.describe(pid)?.ancestors.length, 2, "it is still the same one");
  const child = children.at(-1);
  child?.kill("SIGKILL");
  if (child !== undefined) await once(child, "exit");
  tree.exited(pid);
  tree.see(pid);
  assert.equal(tree.describe(pid)?.ancestors.length, 2, "and is remembered when it has ended");
});

test("an exec changes what a process is; what was told before stays as it was", () => {
  const { tree } = createTree();
  const pid = startChild();
  tree.see(pid);
  const before = tree.describe(pid);
  assert.equal(tree.describe(pid), before, "the same description, while nothing changes");
  tree.executing(pid);
  assert.notEqual(tree.describe(pid), before);
  assert.deepEqual(tree.describe(pid), before);
});

test("where a process ended before it was read, its own claim stands in", () => {
  const { tree, first } = createTree();
  tree.forked(first, 4_000_003);
  tree.executing(4_000_003, { exe: "/usr/bin/ssh", argv: ["ssh", "-R"], file: undefined });
  tree.exited(4_000_003);
  tree.forked(4_000_003, 4_000_004);
  const seen = tree.describe(4_000_004);
  assert.equal(seen?.ancestors[0]?.exe, "/usr/bin/ssh");
});

test(`a chain of forks without end is told with ${ANCESTORS_MAX} ancestors, its first and that one's child among them`, () => {
  const { tree, first } = createTree();
  const base = 5_000_000;
  tree.forked(first, base);
  for (let n = 0; n < 10_000; n += 1) {
    tree.forked(base + n, base + n + 1);
    tree.exited(base + n);
  }
  const ancestors = tree.describe(base + 10_000)?.ancestors ?? [];
  assert.equal(ancestors.length, ANCESTORS_MAX);
  assert.equal(ancestors[0]?.pid, base + 9_999);
  assert.deepEqual(
    ancestors.slice(-2).map(({ pid }) => pid),
    [base, first],
  );
  assert.ok(tree.size <= NODES_MAX);
});

test("a flood of processes pushes out the ended first, the first process never", () => {
  const { tree, owners, first } = createTree();
  tree.forked(first, 6_000_000); // Lives on.
  for (let n = 1; n <= 2 * NODES_MAX; n += 1) {
    tree.forked(first, 6_000_000 + n);
    tree.exited(6_000_000 + n);
  }
  assert.ok(tree.size <= NODES_MAX);
  assert.equal(owners.size, tree.size);
  assert.ok(tree.describe(6_000_000) !== undefined);
  assert.ok(tree.describe(first) !== undefined);
  tree.clear();
  assert.equal(owners.size, 0);
});

const ARGVS = [
  // given, kept, why
  [["a", "b", ""], ["a", "b"], "the end of a command line is no argument"],
  [["a", "", "b", ""], ["a", "", "b"], "an empty argument is one"],
  [["x".repeat(ARGV_CHARS_MAX + 1), ""], [`${"x".repeat(ARGV_CHARS_MAX)}…`], "cut, and says so"],
  [[""], [], "nothing"],
] as const;
for (const [given, kept, why] of ARGVS) {
  test(`arguments are kept within limits: ${why}`, () => assert.deepEqual(limitArgv(given), kept));
}

test("more arguments than the limit end with an ellipsis", () => {
  const kept = limitArgv([...Array.from({ length: 1000 }, () => "a"), ""]);
  assert.equal(kept.length, ARGV_ITEMS_MAX);
  assert.equal(kept.at(-1), "a…");
});
