/**
 * The package that `npm pack` makes, installed somewhere else, works; and what it ships can be rebuilt.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "..");
const place = mkdtempSync(join(tmpdir(), "cofferdam-pack-"));
const installed = join(place, "node_modules", "cofferdam");

function run(command: string, args: readonly string[], cwd: string, env = {}): string {
  const result = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 64 << 20,
    env: { ...process.env, ...env },
  });
  assert.equal(result.status, 0, `${command} ${args.join(" ")}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}

before(() => {
  run("npm", ["pack", "--pack-destination", place, "--silent"], root);
  const tarball = readdirSync(place).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball !== undefined);
  writeFileSync(join(place, "package.json"), '{"private":true}');
  run(
    "npm",
    ["install", "--no-audit", "--no-fund", "--ignore-scripts", join(place, tarball)],
    place,
  );
});
after(() => rmSync(place, { recursive: true, force: true }));

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

test("the installed package runs a command in a cofferdam", () => {
  const env = { COFFERDAM_HOME: join(place, "home") };
  const workspace = join(place, "workspace");
  mkdirSync(workspace);
  const bin = join(place, "node_modules", ".bin", "cofferdam");
  try {
    assert.equal(run(bin, ["run", "--", "echo", "packed"], workspace, env), "packed\n");
    assert.match(run(bin, ["verify"], workspace, env), /^intact/);
  } finally {
    spawnSync(bin, ["stop", "--force"], { env: { ...process.env, ...env } });
  }
});

test("a program imports `cofferdam/client`, and its compiler knows the types", () => {
  // Beside the workspace, which is the program's own folder: a run must not have Cofferdam's state in reach.
  const home = mkdtempSync(join(tmpdir(), "cofferdam-pack-home-"));
  const env = { COFFERDAM_HOME: home };
  const bin = join(place, "node_modules", ".bin", "cofferdam");
  const program = [
    'import { connect, type Done } from "cofferdam/client";',
    "const host = await connect();",
    "await using box = await host.create();",
    'const done: Done = await box.exec(["echo", "imported"]);',
    "const code: number | undefined = done.code;",
    "console.log(done.stdout.trim(), code);",
    "// @ts-expect-error A command is no number.",
    "void (() => box.exec(7));",
  ].join("\n");
  writeFileSync(join(place, "program.ts"), program);
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2024"];
  const lib = ["--lib", "es2024,esnext.disposable", "--types", "node"];
  const types = ["--typeRoots", join(root, "node_modules", "@types"), "program.ts"];
  writeFileSync(join(place, "package.json"), '{"private":true,"type":"module"}');
  run(join(root, "node_modules", ".bin", "tsc"), [...options, ...lib, ...types], place);
  try {
    assert.equal(run(process.execPath, ["program.ts"], place, env), "imported 0\n");
  } finally {
    spawnSync(bin, ["stop", "--force"], { env: { ...process.env, ...env } });
    rmSync(home, { recursive: true, force: true });
  }
});

test("it ships built JavaScript, profiles and launchers for both architectures, and no sources", () => {
  for (const path of ["dist/src/cli/main.js", "profiles/shell.yaml", "LICENSE", "README.md"]) {
    assert.ok(existsSync(join(installed, path)), path);
  }
  assert.ok(!existsSync(join(installed, "src")));
  for (const architecture of ["x64", "arm64"]) {
    const launcher = join(installed, "build", `launcher-${architecture}`);
    const machine = readFileSync(launcher).readUInt16LE(18); // ELF e_machine
    assert.equal(machine, architecture === "x64" ? 62 : 183);
  }
});

test("the shipped launchers are what the sources give when they are built again", () => {
  const again = mkdtempSync(join(place, "rebuild-"));
  cpSync(join(root, "native"), join(again, "native"), { recursive: true });
  for (const architecture of ["x64", "arm64"]) {
    run("sh", [join(again, "native", "build"), architecture], again);
    const name = join("build", `launcher-${architecture}`);
    assert.equal(digest(join(again, name)), digest(join(installed, name)), name);
  }
});
