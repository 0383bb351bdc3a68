/**
 * The laws of this repository, held by test: layers, faces, purity, names tied to tests.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { loadCommands } from "../src/cli/commands/index.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const find = (...patterns: string[]) => globSync(patterns, { cwd: root }).sort();
const sources = find("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
const tests = find("src/**/*.test.ts", "test/**/*.test.ts", "drills/**/*.test.ts");
const testText = tests.map(read).join("\n");
const COMMANDS = await loadCommands();

/** Layer of each folder of src/; imports point to a smaller number, or stay inside. */
const LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  action: 1,
  git: 1,
  mail: 1,
  link: 1,
  sys: 1,
  yaml: 1,
  policy: 2,
  catalog: 2,
  protocols: 2,
  wire: 2,
  cause: 2,
  metrics: 2,
  detect: 3,
  blast: 3,
  api: 2,
  client: 3,
  ledger: 3,
  vault: 3,
  approval: 3,
  systems: 3,
  sandbox: 3,
  workspace: 3,
  provenance: 3,
  gateway: 4,
  incident: 4,
  correlate: 4,
  autonomy: 4,
  story: 4,
  probe: 4,
  enquiry: 4,
  recording: 4,
  backup: 4,
  channel: 4,
  passkey: 5,
  retention: 5,
  worker: 5,
  assessment: 5,
  support: 5,
  report: 5,
  daemon: 6,
  console: 7,
  e2b: 7,
  cli: 8,
};
const PURE = new Set([
  "action",
  "git",
  "mail",
  "link",
  "yaml",
  "policy",
  "catalog",
  "cause",
  "protocols",
  "wire",
  "detect",
  "metrics",
  "blast",
  "incident",
  "correlate",
  "autonomy",
  "story",
  "api",
]);
/** What a pure folder may load from Node: computation, no clock, file, socket or process. */
const PURE_MODULES = new Set([
  "node:crypto",
  "node:url",
  "node:path",
  "node:net",
  "node:buffer",
  "node:util",
  "node:zlib", // Its synchronous half: bytes to bytes.
]);

/** Beside a face, for what `cofferdam run` loads: a person waits for each module (docs/decisions/0095). */
const SIDE_DOORS = new Set([
  ...["fault", "own-folder", "text-file", "visible-text"].map((name) => `src/base/${name}.ts`),
  "src/client/profile.ts",
]);

interface Import {
  readonly file: string;
  readonly from: string;
}

function importsOf(file: string): readonly Import[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)/g;
  return [...read(file).matchAll(pattern)].map((match) => ({
    file,
    from: match[1] ?? match[2] ?? "",
  }));
}

const folderOf = (file: string) => file.split("/")[1] ?? "";

test("every folder of src has a layer, and one face with one line on what it is", () => {
  for (const folder of new Set(sources.map(folderOf))) {
    assert.ok(folder in LAYERS, `src/${folder} has no layer in DESIGN's tree`);
    if (folder === "cli") continue; // Its face is its program, main.ts.
    assert.match(
      read(`src/${folder}/index.ts`),
      /^\/\*\*/,
      `src/${folder}/index.ts says what it is`,
    );
  }
});

test("imports point to a smaller layer and go through the face", () => {
  for (const { file, from } of sources.flatMap(importsOf)) {
    if (!from.startsWith(".")) continue;
    const target = relative(root, join(root, dirname(file), from));
    if (!target.startsWith("src/")) assert.fail(`${file} imports ${from}, outside of src`);
    const [own, other] = [folderOf(file), folderOf(target)];
    if (own === other) continue;
    const [mine, theirs] = [LAYERS[own] ?? -1, LAYERS[other] ?? 99];
    assert.ok(theirs < mine, `${file} (layer ${mine}) imports ${target} (layer ${theirs})`);
    if (SIDE_DOORS.has(target)) continue;
    assert.equal(target, `src/${other}/index.ts`, `${file} reaches behind the face of ${other}`);
  }
});

test("pure folders touch no clock, file, socket or randomness", () => {
  for (const file of sources.filter((one) => PURE.has(folderOf(one)))) {
    for (const { from } of importsOf(file)) {
      if (from.startsWith("node:")) assert.ok(PURE_MODULES.has(from), `${file} loads ${from}`);
    }
    const text = read(file).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    for (const word of [
      "Date.now(",
      "new Date()",
      "performance.now",
      "Math.random",
      "process.env",
      "process.pid",
      "process.hrtime",
    ]) {
      assert.ok(!text.includes(word), `${file} uses ${word}`);
    }
  }
});

test("koffi is loaded in src/sys only", () => {
  for (const { file, from } of sources.flatMap(importsOf)) {
    if (from === "koffi") assert.equal(folderOf(file), "sys", `${file} loads koffi`);
  }
});

/** Faults that no test here can bring about, each with the reason. */
const OUT_OF_REACH: Readonly<Record<string, string>> = {
  "sandbox.architecture": "needs a machine that is neither x64 nor arm64",
  "sandbox.bwrap": "needs a machine without bubblewrap, which set-up installs",
  "sandbox.slow": "needs a sandbox that hangs for ten seconds while it is made",
  "sandbox.stage": "needs a /run that root cannot write to",
};

test("every fault code is named by a test", () => {
  const codes = new Set(
    sources.flatMap((file) =>
      [...read(file).matchAll(/new \w*Fault\(\s*"([a-z_]+\.[a-z_]+)"/g)].map((match) => match[1]),
    ),
  );
  const missing = [...codes].filter(
    (code) => code !== undefined && !testText.includes(code) && !(code in OUT_OF_REACH),
  );
  assert.deepEqual(missing, [], "fault codes that no test names");
});

test("every invariant of the threat model is named by a test, and none is invented", () => {
  const stated = new Set(read("docs/THREAT_MODEL.md").match(/\bINV-\d+\b/g) ?? []);
  const tested = new Set(testText.match(/\bINV-\d+\b/g) ?? []);
  assert.ok(stated.size > 0, "the threat model states invariants");
  assert.deepEqual(
    [...stated].filter((one) => !tested.has(one)),
    [],
    "stated but not tested",
  );
  assert.deepEqual(
    [...tested].filter((one) => !stated.has(one)),
    [],
    "tested but not stated",
  );
});

test("every command is named by a test and has an example", () => {
  for (const command of COMMANDS) {
    const named = new RegExp(`["'\`]${command.name}["'\`]|cofferdam ${command.name}\\b`);
    assert.match(testText, named, `no test uses the command ${command.name}`);
    assert.ok(command.examples.length > 0, `${command.name} has no example`);
    for (const option of Object.keys(command.options)) {
      assert.ok(command.optionHelp[option], `${command.name} --${option} has no help`);
    }
  }
});

test("shipped dependencies equal the reviewed list", () => {
  const lock = JSON.parse(read("package-lock.json")) as {
    packages: Record<
      string,
      { version?: string; dev?: boolean; optional?: boolean; os?: string[] }
    >;
  };
  const shipped = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true)
    .map(([path, entry]) => `${path.replace("node_modules/", "")} ${entry.version}`)
    // koffi names a binary for each platform; only ours are ever installed.
    .filter((line) => !line.startsWith("@koromix/") || /koffi-linux-(x64|arm64) /.test(line))
    .sort();
  const reviewed = read("docs/reference/dependencies.txt")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of reviewed) assert.match(line, /^\S+ \S+ - \S.{20,}/, `no reason: ${line}`);
  assert.deepEqual(shipped, reviewed.map((line) => line.split(" - ")[0] ?? "").sort());
});

test("the commands that README names exist", () => {
  const scripts = (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts;
  const readme = read("README.md");
  const lines = readme.matchAll(/^\s*(?:\$ )?npm (?:run )?([a-z:-]+)/gm);
  for (const [, script] of lines) assert.ok(script !== undefined && script in scripts, script);
  for (const [, name] of readme.matchAll(/cofferdam ([a-z-]+)\b/g)) {
    if (name === "help" || name === undefined) continue;
    if (COMMANDS.some((command) => command.name === name)) continue;
    assert.ok(!readme.includes(`bin/cofferdam ${name}`), `README names the command ${name}`);
  }
});

test("no file of ours is longer than 500 lines, no table of tests than 600, no page of the catalog than 800", () => {
  const lines = (file: string) => read(file).split("\n").length;
  const pages = sources.filter((file) => file.startsWith("src/catalog/entries/")); // Data, row by row.
  for (const file of sources.filter((one) => !pages.includes(one))) {
    assert.ok(lines(file) <= 500, `${file} is too long`);
  }
  for (const file of tests) assert.ok(lines(file) <= 600, `${file} is too long`);
  for (const file of pages) assert.ok(lines(file) <= 800, `${file} is too long`);
});
