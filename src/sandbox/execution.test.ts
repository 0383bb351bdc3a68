/** A command that cannot be made ready leaves nothing open; what commands do in a live run is test/execs.test.ts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import { closeDescriptor, createSocketPair, openProcess } from "../sys/index.ts";
import { prepareExecution } from "./execution.ts";
import { Launcher, type ExecReport } from "./launch.ts";

const ORDER = { argv: ["true"], environment: {}, cwd: "/" };

/** What this process holds open, by name: of a number that is free again there may be another. */
const held = () =>
  new Set(
    readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // That of this very look.
      }
    }),
  );

/** What process 1 answers with: three streams, a gate, and a handle of a keeper, which lives or has ended. */
async function given(t: TestContext, keeper: "lives" | "has ended") {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  const ended = once(child, "exit");
  const handle = openProcess(child.pid ?? 0);
  const end = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  t.after(end);
  if (keeper === "has ended") await end();
  const pairs = Array.from({ length: 4 }, () => createSocketPair("stream"));
  const theirs = pairs.map(([, one]) => new Socket({ fd: one }));
  t.after(() => theirs.forEach((one) => one.destroy()));
  const descriptors = [...pairs.map(([one]) => one), handle];
  const names = descriptors.slice(0, -1).map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
  return { descriptors, names, theirs, pid: child.pid };
}

const launcherOf = (descriptors: readonly number[]) =>
  ({ exec: async () => descriptors }) as unknown as Launcher;

test("a keeper that ended before anything began leaves nothing of its command open", async (t) => {
  const { descriptors, names } = await given(t, "has ended");
  await assert.rejects(prepareExecution(launcherOf(descriptors), ORDER), { code: "sandbox.exec" });
  const now = held();
  assert.deepEqual(
    names.filter((one) => now.has(one)),
    [],
  );
  assert.deepEqual(
    [...now].filter((one) => one.includes("pidfd")),
    [],
    "nor its handle",
  );
});

test("benign twin: one that lives is held, and its gate closes when the command is cancelled", async (t) => {
  const { descriptors, names, theirs, pid } = await given(t, "lives");
  const execution = await prepareExecution(launcherOf(descriptors), ORDER);
  assert.equal(execution.keeperPid, pid);
  const now = held();
  assert.deepEqual(
    names.filter((one) => !now.has(one)),
    [],
  );
  const gate = theirs[3] ?? assert.fail();
  const over = once(gate.resume(), "end");
  execution.cancel();
  execution.cancel();
  await over;
  const { streams } = execution;
  if (streams.kind !== "pipes") assert.fail();
  for (const one of [streams.stdin, streams.stdout, streams.stderr]) one.destroy();
});

test("streams of which one cannot be opened are closed, each once, with the gate", async (t) => {
  const { descriptors, names } = await given(t, "lives");
  const [first = -1, second = -1, ...rest] = descriptors;
  closeSync(second);
  const file = openSync("/etc/hostname", "r"); // No stream: Node takes none of it.
  const mixed = [first, file, ...rest];
  await assert.rejects(prepareExecution(launcherOf(mixed), ORDER), (error: Error) => {
    assert.doesNotMatch(error.message, /close/);
    return true;
  });
  await new Promise((resolve) => setImmediate(resolve)); // A stream closes behind its destruction.
  const now = held();
  assert.deepEqual(
    names.filter((one) => now.has(one)),
    [],
  );
  assert.ok(!now.has("/etc/hostname"));
});

test("what is no terminal is closed, with the gate", async (t) => {
  const { descriptors, names } = await given(t, "lives");
  const terminal = { columns: 80, rows: 24 };
  const answer = launcherOf([openSync("/etc/hostname", "r"), ...descriptors.slice(-2)]);
  await assert.rejects(prepareExecution(answer, { ...ORDER, terminal }), { code: /TTY/ });
  const now = held();
  assert.ok(!now.has("/etc/hostname") && !now.has(names.at(-1) ?? ""));
  descriptors.slice(0, -2).forEach(closeDescriptor);
});

test("a command that could not begin is told of once: not again when its run ends", async (t) => {
  const [ours, theirs] = createSocketPair("stream");
  const [carrier, other] = createSocketPair("packet");
  const gone = Promise.withResolvers<void>();
  const launcher = new Launcher({
    born: Promise.resolve(process.pid),
    control: new Socket({ fd: ours }),
    diagnostics: new PassThrough().end(),
    notes: new PassThrough().end(),
    carrier,
    gone: gone.promise,
    kill: () => {},
  });
  const inside = new Socket({ fd: theirs });
  t.after(() => closeDescriptor(other));
  const told: ExecReport["type"][] = [];
  const asking = [1, 2].map(async () => launcher.exec([], 60_000, ({ type }) => told.push(type)));
  const say = (line: object) => inside.write(`${JSON.stringify(line)}\n`);
  say({ type: "exec-failed", label: "exec 1", call: "fork", errno: 11 });
  assert.deepEqual(await asking[0], []);
  assert.deepEqual(told, ["exec-failed"]);
  inside.destroy();
  gone.resolve();
  await launcher.gone;
  assert.deepEqual(await asking[1], []);
  assert.deepEqual(told, ["exec-failed", "run-ended"], "that of the one that waited yet");
});
