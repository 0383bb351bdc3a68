import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { launchWorker, WORKER_UID } from "./launch.ts";
import { expectedTries, requireConfined, requireTries } from "./proofs.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-worker-"));
const canary = join(folder, "canary");
writeFileSync(canary, "secret", { mode: 0o600 });
after(() => rmSync(folder, { recursive: true }));
const log = { info: () => {}, warn: () => {} };
const standIn = (name: string) => join(import.meta.dirname, `${name}.fixture.ts`);

test("INV-39: a worker that was taken over opens nothing, starts nothing, signals nobody", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const options = { canary, log, program: standIn("sealed") };
  const worker = await launchWorker(options, { hear: resolve });
  const [came] = (await Promise.race([promise, worker.gone])) as [Record<string, string>];
  worker.kill();
  await worker.gone;
  const worked = Object.entries(came).filter(
    ([, how]) => !/EPERM|EACCES|ERR_DLOPEN|ERR_WORKER/.test(how),
  );
  assert.deepEqual(worked, []);
  assert.ok(Object.keys(came).length > 25);
});

test("INV-42: a worker reads what the daemon keeps of compiled code, and changes none of it", async () => {
  enableCompileCache(join(folder, "code")); // Another that is on stays.
  const compiled = getCompileCacheDir() ?? "";
  const before = readdirSync(dirname(compiled));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const worker = await launchWorker(
    { canary, log, program: standIn("compiled") },
    { hear: resolve },
  );
  const [came] = (await Promise.race([promise, worker.gone])) as [Record<string, string>];
  worker.kill();
  await worker.gone;
  const { "see what is kept": seen, ...changes } = came;
  assert.equal(seen, "it worked");
  assert.equal(Object.keys(changes).length, 4);
  for (const [what, how] of Object.entries(changes)) assert.match(how, /EACCES|EPERM/, what);
  assert.deepEqual(readdirSync(dirname(compiled)), before);
});

test("INV-39, fault worker.unproved: what says that it is sealed, and is not, is handed nothing", async () => {
  const options = { canary, log, program: standIn("unsealed") };
  const launched = launchWorker(options, { hear: () => assert.fail("heard") });
  launched.then(
    ({ kill }) => kill(),
    () => {},
  ); // Where the test fails, it shall end as well.
  await assert.rejects(launched, { code: "worker.unproved", message: /Uid|Seccomp_filters/ });
});

test("fault worker.start: what ends before it is sealed", async () => {
  const options = { canary, log, program: join(folder, "nothing.ts") };
  await assert.rejects(launchWorker(options, { hear: () => {} }), { code: "worker.start" });
});

test("a worker whose canary can be read is not sealed: Landlock lets the code's folder be read", async () => {
  const options = { canary: import.meta.filename, log };
  await assert.rejects(launchWorker(options, { hear: () => {} }), {
    code: "worker.unproved",
    message: /landlock\.read gave ok/,
  });
});

for (const [what] of expectedTries()) {
  test(`fault worker.unproved: ${what} that came to something else`, () => {
    const tried = Object.fromEntries(expectedTries());
    requireTries(tried);
    assert.throws(() => requireTries({ ...tried, [what]: "ok" }), { code: "worker.unproved" });
    const { [what]: _, ...rest } = tried;
    assert.throws(() => requireTries(rest), { code: "worker.unproved" });
  });
}

test("fault worker.unproved: a process without a seal, from outside", () => {
  assert.throws(() => requireConfined(process.pid, process.geteuid?.() ?? 0), {
    code: "worker.unproved",
  });
});

test("fault worker.unproved: another id than a worker's, from outside", async () => {
  const worker = await launchWorker({ canary, log }, { hear: () => {} });
  const id = process.geteuid?.() === 0 ? WORKER_UID : (process.geteuid?.() ?? 0);
  requireConfined(worker.pid, id);
  assert.throws(() => requireConfined(worker.pid, id + 1), { message: /Uid of thread/ });
  worker.kill();
  await worker.gone;
});

test("a sealed worker is of no use to root, and its threads are sealed one and all", async () => {
  const worker = await launchWorker({ canary, log }, { hear: () => {} });
  const status = readFileSync(`/proc/${worker.pid}/status`, "utf8");
  assert.doesNotMatch(status, /^[UG]id:.*\b0\b/m);
  assert.match(status, /^Seccomp_filters:\s*2$/m);
  worker.kill();
  assert.equal(await worker.gone, "SIGKILL");
});
