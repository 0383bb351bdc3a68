import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { launch } from "./launch.ts";
import { RUN_UID } from "./launch-plan.ts";
import {
  architecture,
  bwrapPath,
  describeLaunch,
  launcherPath,
  makeRunFolder,
  makeStage,
} from "./prepare.ts";
import type { SandboxSpec } from "./spec.ts";

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
  makeRunFolder(path);
  const { uid, gid, mode } = statSync(path);
  const isRoot = process.geteuid?.() === 0;
  assert.deepEqual(
    [uid, gid],
    isRoot ? [RUN_UID, RUN_UID] : [process.getuid?.(), process.getgid?.()],
  );
  assert.equal(mode & 0o777, 0o700);
});

test("fault sandbox.slow: a launcher that says nothing is not waited for without end", async () => {
  const launcher = launch(launcherPath());
  await assert.rejects(launcher.until("sealed", 10), { code: "sandbox.slow" });
  launcher.kill();
  await launcher.gone;
});

test("fault sandbox.launcher: a launcher that cannot be started is told as such", async () => {
  const launcher = launch(join(top, "none"));
  await assert.rejects(launcher.until("sealed", 1_000), { code: "sandbox.launcher" });
  await launcher.gone;
});

/** A spec without folders of its own, on a workspace and one tool. */
function makeSpec(): SandboxSpec & { readonly tool: string } {
  const root = mkdtempSync(join(top, "spec-"));
  const tool = join(root, "tool");
  for (const folder of ["workspace", "etc", "prefix"]) mkdirSync(join(root, folder));
  writeFileSync(tool, "one", { mode: 0o755 });
  const bind = (path: string, kind: "file" | "directory") =>
    ({ source: path, target: path, kind, write: false }) as const;
  return {
    tool,
    workspace: { path: join(root, "workspace"), mode: "overlay" },
    layer: "",
    home: "",
    publicDir: "",
    etc: join(root, "etc"),
    tools: {
      binds: [bind(tool, "file"), bind(join(root, "prefix"), "directory")],
      links: [],
      masked: [],
      path: "/usr/bin",
      environment: {},
    },
    limits: new Map([[6, [10, 10]]]),
  };
}

const again = (path: string) => {
  cpSync(path, `${path}.new`, { recursive: true, preserveTimestamps: true });
  rmSync(path, { recursive: true });
  renameSync(`${path}.new`, path);
};
type Spec = ReturnType<typeof makeSpec>;
const LAUNCHES: readonly (readonly [
  string,
  boolean,
  (spec: Spec) => Partial<SandboxSpec> | void,
])[] = [
  ["nothing", true, () => {}],
  ["a file in the workspace", true, ({ workspace }) => writeFileSync(`${workspace.path}/a`, "")],
  ["a file in a toolchain", true, ({ tool }) => writeFileSync(join(tool, "../prefix/a"), "")],
  ["the workspace's folder", false, ({ workspace }) => again(workspace.path)],
  ["the workspace's mode", false, ({ workspace }) => chmodSync(workspace.path, 0o700)],
  ["a tool of one file", false, ({ tool }) => again(tool)],
  ["what is written in it", false, ({ tool }) => writeFileSync(tool, "two")],
  ["a toolchain's folder", false, ({ tool }) => again(join(tool, "../prefix"))],
  ["the run's /etc", false, ({ etc }) => again(etc)],
  ["a limit", false, () => ({ limits: new Map([[6, [11, 11]]]) })],
  ["a canary", false, () => ({ canaries: ["/x"] })],
  ["the mode", false, ({ workspace }) => ({ workspace: { ...workspace, mode: "read-only" } })],
  ["a kept home", false, ({ etc }) => ({ home: etc })],
  ["a size", false, () => ({ scratch: { tmp: 1, run: 1, shm: 1, varTmp: 1 } })],
];
for (const [what, same, change] of LAUNCHES) {
  test(`INV-40: with another "${what}" a launch is ${same ? "the same" : "another"}`, () => {
    const spec = makeSpec();
    const before = describeLaunch(spec);
    const changed = { ...spec, ...change(spec) };
    assert.equal(describeLaunch(changed) === before, same);
  });
}
