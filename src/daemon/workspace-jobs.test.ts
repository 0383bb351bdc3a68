import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, type Place } from "../../test/support/overlay.ts";
import type { Layer } from "../workspace/index.ts";
import { doJob, JOBS_MAX, type WorkspaceJob } from "./workspace-jobs.ts";

async function withPlace(
  script: string,
  use: (place: Place, layer: Layer) => Promise<void>,
): Promise<void> {
  const place = createPlace("true");
  try {
    const layer = await place.start();
    place.inside(script, false);
    await use(place, layer);
  } finally {
    place.remove();
  }
}

const JUDGED = {
  known: { rules: "/none/rules", facts: "/none/facts", catalog: "/none/catalog" },
  nowMs: Date.parse("2026-11-27T00:00:00Z"),
};
const apply = (layer: Layer): WorkspaceJob => {
  const asked = { run: "r-1", confirm: [], partial: false };
  return { kind: "apply", layer: layer.folder, frozen: true, ...JUDGED, ...asked };
};
const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString());

test("work on a workspace goes on by itself, and so does everything else", async () => {
  await withPlace("seq 2000 | xargs touch; echo end > zzz", async (place, layer) => {
    const job = doJob(apply(layer));
    // This thread does nothing but look: were the work here, it would never be seen to be done.
    const last = join(place.host, "zzz");
    for (const from = Date.now(); !existsSync(last);) {
      assert.ok(Date.now() - from < 60_000, "it did not go on without this thread");
    }
    const { noted } = await job;
    assert.equal(noted["applied"], 2001);
  });
});

test("what a thread answers is what the caller is sent, and what is put on record", async () => {
  await withPlace("echo 1 > a", async (_, layer) => {
    const shown = await doJob({
      kind: "diff",
      frozen: false,
      run: "r-1",
      ...JUDGED,
      layer: layer.folder,
    });
    assert.deepEqual(parse(shown.body), {
      changes: [{ path: "a", kind: "added", detail: "file 2 bytes" }],
      commits: [],
      radius: [],
      text: "added      a (file 2 bytes)\n--- a/a\n+++ b/a\n@@ -0,0 +1 @@\n+1\n",
    });
    const { body, noted } = await doJob(apply(layer));
    const none = { held: [], conflicts: [], refused: [], notes: [], radius: [], commits: [] };
    assert.deepEqual(parse(body), { applied: ["a"], ...none });
    assert.deepEqual([noted["applied"], noted["paths"]], [1, ["a"]]);
    await doJob({ kind: "discard", layer: layer.folder });
    assert.ok(!existsSync(layer.upper));
  });
});

const TASK = `task: t
purpose: p
grants:
  - system: listmonk
    name: news
    hosts: [news.example.com]
    credential: news
    allow:
      - verbs: [campaign.start]
`;

test("INV-179: a task file among the changes is shown with what it makes possible at worst, before it is applied", async () => {
  const leave = `unattended: { count: 9, reason: "r", expires: "2027-06-01" }`;
  const wider = `${TASK}        ${leave}\n`;
  const script = `printf %s '${wider}' > ops.yaml; echo 'a: 1' > other.yaml; echo 'most: {}' > blast-budget.yaml`;
  const place = createPlace(`printf %s '${TASK}' > ops.yaml`);
  try {
    const layer = await place.start();
    place.inside(script, false);
    const shown = await doJob({
      kind: "diff",
      frozen: false,
      run: "r-1",
      ...JUDGED,
      layer: layer.folder,
    });
    const { radius } = parse(shown.body) as { radius: { path: string; lines: string[] }[] };
    const told = new Map(radius.map(({ path, lines }) => [path, lines]));
    assert.deepEqual([...told.keys()].sort(), ["blast-budget.yaml", "ops.yaml"]);
    assert.ok(
      told.get("ops.yaml")?.includes("people who can be written to, unattended: 0 -> unbounded"),
    );
    const named = { ...apply(layer), confirm: ["blast-budget.yaml"] };
    const { body } = await doJob(named);
    assert.deepEqual((parse(body) as { radius: unknown }).radius, radius);
  } finally {
    place.remove();
  }
});

test("a fault in a thread is the caller's, code and hint", async () => {
  await withPlace("true", async (_, layer) => {
    await assert.rejects(
      doJob({ kind: "diff", frozen: false, run: "r-1", ...JUDGED, layer: `${layer.folder}/none` }),
      {
        name: "Fault",
        code: "workspace.layer",
        hint: /discarded/,
      },
    );
    await assert.rejects(doJob({ ...apply(layer), frozen: false } as WorkspaceJob), {
      code: "workspace.running",
    });
  });
});

const DEATHS = [
  ["process.exit(0)", "it went without a word"],
  ["throw new Error('x')", "it threw"],
  ["let a = []; for (;;) a.push(new Array(1e6).fill({}))", "it had no memory left"],
] as const;
for (const [code, why] of DEATHS) {
  test(`fault daemon.workspace_thread: ${why}, and the daemon goes on`, async () => {
    const job = { kind: "diff", frozen: false, run: "r-1", ...JUDGED, layer: "/none" } as const;
    const program = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    await assert.rejects(doJob(job, program, { heapMiB: 32 }), { code: "daemon.workspace_thread" });
  });
}

test("more work than threads waits its turn", async () => {
  await withPlace("echo 1 > a", async (_, layer) => {
    const job = {
      kind: "diff",
      frozen: false,
      run: "r-1",
      ...JUDGED,
      layer: layer.folder,
    } as const;
    const all = await Promise.all(Array.from({ length: JOBS_MAX + 3 }, () => doJob(job)));
    assert.equal(all.length, JOBS_MAX + 3);
  });
});
