/** The warm pool, with real sandboxes, in this process as in a daemon. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Event } from "../action/index.ts";
import { ENDPOINTS, locateHome, type RunEnd, type RunStart } from "../api/index.ts";
import { CALM_MS, Pool, PROOF_AGE_MS_MAX, WAITING_MAX, WAITING_MIN } from "./pool.ts";
import { removeUnclaimed } from "./run-files.ts";
import { Runs } from "./runs.ts";
import { startRun } from "./start.ts";
import { applyRun } from "./workspaces.ts";
import { openWorld, type World } from "./world.ts";

const top = mkdtempSync(join(tmpdir(), "cofferdam-pool-"));
const TASK = "task: pooled\npurpose: Test the pool.\n";
let world: World;
let runs: Runs;
let pool: Pool;
/** How far the pool's clock is ahead, in milliseconds. */
let aheadMs = 0;
let folders = 0;

before(async () => {
  world = await openWorld(locateHome({ COFFERDAM_HOME: join(top, "home") }), assert.ifError);
  runs = new Runs(world);
  const now = () => {
    const { wallMs, monoMs } = world.clock.now();
    return { wallMs, monoMs: monoMs + aheadMs };
  };
  pool = new Pool({ ...world, clock: { now } });
});
after(async () => {
  await pool.close();
  await runs.settled();
  await world.close();
  rmSync(top, { recursive: true, force: true });
});

/** A workspace of its own, so a kind of its own. */
function makeWorkspace(): string {
  folders += 1;
  const path = join(top, `workspace-${folders}`);
  mkdirSync(path);
  return path;
}

interface Outcome {
  readonly end: RunEnd;
  readonly stdout: string;
  readonly waited: boolean;
  readonly id: string;
  readonly events: readonly Event[];
}

async function eventsOf(id: string): Promise<readonly Event[]> {
  const events: Event[] = [];
  for await (const { event } of world.ledger.read()) if (event.run === id) events.push(event);
  return events;
}

/** Runs a script to its end; what it prints goes through its workspace's layer, which nobody merges. */
async function run(cwd: string, script: string, change: Partial<RunStart> = {}): Promise<Outcome> {
  const started = await startRun(world, runs, pool, {
    task: { source: TASK, fileName: join(top, "task.yaml") },
    command: ["sh", "-c", `exec >.out; ${script}`],
    cwd,
    path: "/usr/bin:/bin",
    environment: {},
    detach: true,
    ...change,
  });
  const end = await started.ended;
  const events = await eventsOf(started.id);
  // One that died while it was taken is proved again, cold.
  const proved = events.findLast((event) => event.type === "run.proved");
  const out = join(started.files.layer, "upper", ".out");
  return {
    end,
    stdout: existsSync(out) ? readFileSync(out, "utf8") : "",
    waited: proved?.data?.["waited"] === true,
    id: started.id,
    events,
  };
}

async function apply(id: string, options: Parameters<typeof applyRun>[2]) {
  const { pieces } = await applyRun(world, runs.info(id), options);
  const text = Buffer.concat([...pieces]).toString();
  return ENDPOINTS["workspace.apply"].gives.parse(JSON.parse(text));
}

async function filled(): Promise<void> {
  for (let waited = 0; !pool.isFull; waited += 1) {
    assert.ok(waited < 3000, "the pool fills");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A workspace whose kind was run once, so that sandboxes wait for it. */
async function makeWarm(change: Partial<RunStart> = {}): Promise<string> {
  const workspace = makeWorkspace();
  assert.equal(
    (await run(workspace, "true", change)).waited,
    false,
    "nothing waited for the first",
  );
  await filled();
  return workspace;
}

/** First processes of the sandboxes of this process whose bubblewrap names `path`. */
function firstPids(path: string): readonly number[] {
  return childrenOf(process.pid)
    .flatMap(childrenOf) // Of the spawner.
    .filter((pid) => readProc(pid, "cmdline").includes(path))
    .flatMap(childrenOf)
    .filter((pid) => !readProc(pid, "cmdline").includes("\0spawner\0")); // The launcher's guard.
}

function childrenOf(pid: number): readonly number[] {
  if (!existsSync(`/proc/${pid}/task`)) return [];
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readProc(pid, `task/${tid}/children`).split(" ").filter(Boolean).map(Number),
  );
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // Ended.
  }
}

describe("a sandbox that waits is a run like any other", () => {
  const CASES: readonly (readonly [string, string, Partial<RunEnd>, string])[] = [
    ["exit code", "exit 7", { code: 7 }, ""],
    ["signal", "kill -TERM $$", { signal: "SIGTERM" }, ""],
    ["output, folder and home", "pwd | sed s/[0-9]*$//; cd; pwd", { code: 0 }, "/home/agent\n"],
    ["its id", "test -n $COFFERDAM_RUN; echo ok", { code: 0 }, "ok\n"],
  ];
  for (const [what, script, end, stdout] of CASES) {
    test(`INV-40: ${what} as in a cold one`, async () => {
      const workspace = makeWorkspace();
      const cold = await run(workspace, script);
      await filled();
      const warm = await run(workspace, script);
      assert.deepEqual([cold.waited, warm.waited], [false, true]);
      assert.deepEqual({ ...warm.end }, { ...cold.end });
      assert.equal(warm.stdout, cold.stdout);
      assert.ok(warm.stdout.endsWith(stdout));
      for (const [key, value] of Object.entries(end))
        assert.equal(Reflect.get(warm.end, key), value);
    });
  }

  test("INV-40: its record is whole: start, the proofs with their time, end; nothing before", async () => {
    const workspace = await makeWarm();
    const { id, events } = await run(workspace, "true");
    const types = events.map((event) => event.type).filter((type) => type !== "process.start");
    assert.deepEqual(types, ["policy", "run.start", "run.proved", "run.end"]);
    const [start, proved] = [events[1], events[2]];
    const at = proved?.data?.["at"];
    assert.ok(
      typeof at === "string" && at < (start?.at ?? ""),
      "it was proved before the run was asked for",
    );
    assert.ok(existsSync(join(world.home.runs, id, "run.json")));
    await filled();
    for await (const { event } of world.ledger.read()) {
      if (event.run === undefined) continue;
      assert.ok(
        existsSync(join(world.home.runs, event.run, "run.json")),
        "only runs are on record",
      );
    }
  });

  test("INV-40: it is judged by its own run's policy, and that answers for it alone", async () => {
    const workspace = await makeWarm();
    const script = "curl -s -o /dev/null -w '%{http_code}' http://nowhere.example/";
    const { stdout, waited, events } = await run(workspace, script);
    assert.deepEqual([stdout, waited], ["403", true]);
    assert.ok(events.some((event) => event.type === "denial"));
  });

  test("INV-17: limits hold a claimed one; another limit is another kind", async () => {
    const limited = (pids: number): Partial<RunStart> => ({
      task: {
        source: `${TASK}compute:\n  pids: ${pids}\n  disk: 1MiB\n`,
        fileName: join(top, "task.yaml"),
      },
    });
    const workspace = await makeWarm(limited(20));
    const script =
      "(for n in $(seq 60); do sleep 3 & done) 2>/dev/null; echo $?; head -c 3000000 /dev/zero >big; echo $?";
    const { waited, stdout } = await run(workspace, script, limited(20));
    assert.ok(waited);
    assert.match(stdout, /^[1-9]\d*\n[1-9]\d*\n$/, "neither the forks nor the file went through");
    assert.equal((await run(workspace, "true", limited(30))).waited, false);
    const free = await run(workspace, script);
    assert.deepEqual([free.waited, free.stdout], [false, "0\n0\n"], "without limits both do");
  });
});

describe("what the host changes while a sandbox waits", () => {
  test("INV-41: edits, new and deleted files are seen as they are, and are no conflict", async () => {
    const workspace = makeWorkspace();
    for (const name of ["edited", "deleted"]) writeFileSync(join(workspace, name), "old\n");
    mkdirSync(join(workspace, "folder"));
    await run(workspace, "true");
    await filled();
    writeFileSync(join(workspace, "edited"), "new\n");
    rmSync(join(workspace, "deleted"));
    writeFileSync(join(workspace, "folder", "added"), "");
    const script = "cat edited; ls -m . folder | xargs; echo more >>edited";
    const { id, stdout, waited } = await run(workspace, script);
    assert.ok(waited);
    assert.equal(stdout, "new\n.: edited, folder folder: added\n");
    const options = { confirm: [], partial: false };
    const { applied, conflicts } = await apply(id, options);
    assert.deepEqual([applied.includes("edited"), conflicts], [true, []]);
    assert.equal(readFileSync(join(workspace, "edited"), "utf8"), "new\nmore\n");
  });

  test("INV-41: an edit after the run began is a conflict, as in a cold one", async () => {
    const workspace = makeWorkspace();
    writeFileSync(join(workspace, "edited"), "old\n");
    await run(workspace, "true");
    await filled();
    const { id, waited } = await run(workspace, "echo mine >>edited");
    writeFileSync(join(workspace, "edited"), "theirs\n");
    const options = { confirm: [], partial: true };
    const { conflicts } = await apply(id, options);
    assert.deepEqual([waited, conflicts.map(({ path }) => path)], [true, ["edited"]]);
  });

  const REPLACED: readonly (readonly [string, (workspace: string) => void])[] = [
    [
      "a replaced workspace",
      (workspace) => {
        renameSync(workspace, `${workspace}-old`);
        mkdirSync(workspace);
      },
    ],
    ["a workspace of another mode", (workspace) => chmodSync(workspace, 0o700)],
  ];
  for (const [what, replace] of REPLACED) {
    test(`INV-40: ${what} is never run in a sandbox made before`, async () => {
      const workspace = await makeWarm();
      replace(workspace);
      writeFileSync(join(workspace, "fresh"), "fresh\n");
      const { stdout, waited } = await run(workspace, "cat fresh");
      assert.deepEqual([stdout, waited], ["fresh\n", false]);
    });
  }

  test("INV-40: a workspace replaced while its run is started is run in a new sandbox", async () => {
    const workspace = await makeWarm();
    const { take } = Pool.prototype;
    pool.take = (key) => {
      const taken = take.call(pool, key);
      renameSync(workspace, `${workspace}-old`);
      mkdirSync(workspace);
      writeFileSync(join(workspace, "fresh"), "fresh\n");
      return taken;
    };
    try {
      const { stdout, waited } = await run(workspace, "cat fresh");
      assert.deepEqual([stdout, waited], ["fresh\n", false]);
    } finally {
      pool.take = take;
    }
  });

  test("INV-40: a replaced tool is not run from a sandbox made before", async () => {
    const workspace = makeWorkspace();
    const tool = join(top, "one-tool");
    const write = (text: string) => {
      writeFileSync(`${tool}.new`, `#!/bin/sh\necho ${text} >.out\n`, { mode: 0o755 });
      renameSync(`${tool}.new`, tool);
    };
    write("first");
    assert.equal((await run(workspace, "", { command: [tool] })).stdout, "first\n");
    await filled();
    const again = await run(workspace, "", { command: [tool] });
    assert.deepEqual([again.stdout, again.waited], ["first\n", true]);
    await filled();
    write("second");
    const { stdout, waited } = await run(workspace, "", { command: [tool] });
    assert.deepEqual([stdout, waited], ["second\n", false]);
  });
});

describe("what must not be used is not", () => {
  test("INV-42: one whose workspace went while it was made does not wait, and ends", async () => {
    const workspace = makeWorkspace();
    await run(workspace, "true");
    rmSync(workspace, { recursive: true });
    await filled();
    // Without this they would stay for as long as the daemon; a test that waits is ended by its runner.
    while (firstPids(workspace).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test("INV-40: one that died is not: the run starts cold", async () => {
    const workspace = await makeWarm();
    const waiting = firstPids(workspace);
    assert.equal(waiting.length, WAITING_MIN);
    for (const pid of waiting) process.kill(pid, "SIGKILL");
    // At once: its end is not told to this process yet.
    const { end, waited } = await run(workspace, "true");
    assert.deepEqual([end.code, waited], [0, false]);
  });

  test("INV-40: one whose proofs are old is not", async () => {
    const workspace = await makeWarm();
    aheadMs += PROOF_AGE_MS_MAX + 1;
    assert.equal((await run(workspace, "true")).waited, false);
  });

  test("starts of one moment get different sandboxes, and more wait afterwards", async () => {
    const workspace = await makeWarm();
    const many = await Promise.all(Array.from({ length: 5 }, () => run(workspace, "true")));
    assert.equal(new Set(many.map(({ id }) => id)).size, many.length);
    assert.equal(many.filter(({ waited }) => waited).length, WAITING_MIN);
    await filled();
    const waiting = firstPids(workspace).length;
    assert.ok(waiting > WAITING_MIN && waiting <= WAITING_MAX, `${waiting} wait`);
    aheadMs += CALM_MS + 1;
    for (let sweeps = 0; sweeps < 5; sweeps += 1) pool.sweep();
    while (firstPids(workspace).length > WAITING_MIN) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  test("a kind that is not used any more ends: no process, no folder", async () => {
    const workspace = await makeWarm();
    aheadMs += PROOF_AGE_MS_MAX + 1;
    pool.sweep();
    while (firstPids(workspace).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(pool.size, 0);
  });

  test("INV-42: closing ends every one and leaves nothing of it", async () => {
    const other = new Pool(world);
    const workspace = makeWorkspace();
    const request: RunStart = {
      task: { source: TASK, fileName: join(top, "task.yaml") },
      command: ["true"],
      cwd: workspace,
      path: "/usr/bin:/bin",
      environment: {},
      detach: true,
    };
    await (
      await startRun(world, runs, other, request)
    ).ended;
    while (other.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await other.close(); // In the midst of making the next one.
    assert.deepEqual([other.size, firstPids(workspace)], [0, []]);
    await pool.close();
    const left = readdirSync(world.home.runs).filter(
      (id) => !existsSync(join(world.home.runs, id, "run.json")),
    );
    assert.deepEqual(left, []);
  });

  test("INV-42: what a killed daemon left waiting is removed by the next; runs stay", async () => {
    const before = readdirSync(world.home.runs).length;
    mkdirSync(join(world.home.runs, "r-unclaimed", "layer"), { recursive: true });
    await removeUnclaimed(world.home.runs, world.log);
    assert.equal(readdirSync(world.home.runs).length, before);
  });
});
