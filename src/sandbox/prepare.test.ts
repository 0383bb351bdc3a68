import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Launcher } from "./launch.ts";
import { RUN_UID } from "./launch-plan.ts";
import { architecture, bwrapPath, launcherPath, makeRunFolder, makeStage } from "./prepare.ts";

const top = mkdtempSync(join(tmpdir(), "cofferdam-prepare-"));
after(() => rmSync(top, { recursive: true }));

test("fault sandbox.architecture: a machine without a filter of its own is refused by name", () => {
  assert.throws(() => architecture("riscv64"), {
    code: "sandbox.architecture",
    hint: /x64 and arm64/,
  });
  assert.equal(architecture("arm64"), "arm64");
});

test("fault sandbox.launcher: where none was compiled, the fix is told", () => {
  assert.throws(() => launcherPath("riscv64"), { code: "sandbox.launcher", hint: /npm run setup/ });
  assert.ok(statSync(launcherPath()).isFile());
});

test("fault sandbox.bwrap: where it is not installed, the fix is told", () => {
  assert.throws(() => bwrapPath([join(top, "none")]), {
    code: "sandbox.bwrap",
    hint: /apt-get install/,
  });
  assert.ok(statSync(bwrapPath()).isFile());
});

test("fault sandbox.stage: where root cannot stage, nothing is launched", async () => {
  await assert.rejects(makeStage("/dev/null/stage"), { code: "sandbox.stage" });
  await makeStage(join(top, "stage"));
  assert.equal(statSync(join(top, "stage")).mode & 0o777, 0o755);
});

test("a run's folder is its own, and nobody else's to read", async () => {
  const path = join(top, "a/b");
  await makeRunFolder(path);
  const { uid, gid, mode } = statSync(path);
  const isRoot = process.geteuid?.() === 0;
  assert.deepEqual(
    [uid, gid],
    isRoot ? [RUN_UID, RUN_UID] : [process.getuid?.(), process.getgid?.()],
  );
  assert.equal(mode & 0o777, 0o700);
});

test("fault sandbox.slow: a launcher that says nothing is not waited for without end", async () => {
  const launcher = new Launcher(launcherPath());
  await assert.rejects(launcher.until("sealed", 10), { code: "sandbox.slow" });
  launcher.kill();
  await launcher.gone;
});

test("fault sandbox.launcher: a launcher that cannot be started is told as such", async () => {
  const launcher = new Launcher(join(top, "none"));
  await assert.rejects(launcher.until("sealed", 1_000), { code: "sandbox.launcher" });
  await launcher.gone;
});
