/** Toolchains on a real file system, laid out as installers do. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { hold, makePlace, runCommand } from "./sandbox.fixture.ts";
import { findSecrets, isSecretName } from "./secrets.ts";
import { parseFirstLine, resolveTools } from "./tools.ts";

const top = realpathSync(mkdtempSync(join(tmpdir(), "cofferdam-tools-")));
chmodSync(top, 0o755);
after(() => rmSync(top, { recursive: true }));
const home = join(top, "ann");
const workspace = join(home, "project");

function file(path: string, text: string, mode = 0o755): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text, { mode });
  return full;
}

function link(path: string, target: string): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  symlinkSync(target, full);
  return full;
}

const node = ".nvm/versions/node/v24";
file(`${node}/bin/node`, '#!/bin/sh\necho "node ran $1"\n');
file(`${node}/lib/node_modules/agent/cli.js`, "#!/usr/bin/env node\n");
link(`${node}/bin/agent`, "../lib/node_modules/agent/cli.js");
file(`${node}/etc/npmrc`, "//registry.example/:_authToken=secret\n", 0o600);
file(".local/share/claude/versions/2.1", "#!/bin/sh\necho claude ran\n");
link(".local/bin/claude", join(home, ".local/share/claude/versions/2.1"));
file(".local/bin/pipxed", `#!${join(home, ".local/share/pipx/venvs/t/bin/python")}\n`);
file(".local/share/pipx/venvs/t/bin/python", "#!/bin/sh\necho pipx ran\n");
file("bin/own", "#!/bin/sh\necho own ran\n");
file("bin/beside", "a secret script\n");
file(".ssh/id_ed25519", "key\n", 0o600);
file(".cargo/bin/rustup", "#!/bin/sh\n");
link(".cargo/bin/cargo", "rustup");
file(".rustup/toolchains/stable/bin/cargo", "#!/bin/sh\n");
file("project/tool.sh", "#!/bin/sh\necho local ran\n");
file("loop/bin/text", "#!loop/bin/text\n");
mkdirSync(join(home, "not-shown"));
link("a", join(home, "b"));
link("b", join(home, "a"));

const path = [
  join(home, node, "bin"),
  join(home, ".local/bin"),
  join(home, "bin"),
  join(home, "not-shown"),
  "relative",
  "/usr/bin",
  "/gone",
  "/bin",
].join(":");
const resolve = (...commands: readonly string[]) =>
  resolveTools({ commands, path, home, workspace });
const shown = async (...commands: readonly string[]) => {
  const { binds, links } = await resolve(...commands);
  return {
    binds: binds.map((bind) => bind.target.slice(home.length + 1)),
    links: links.map(([place]) => place.slice(home.length + 1)),
  };
};

const ROWS: readonly (readonly [string, readonly string[], readonly string[], string])[] = [
  ["node", [node], [], "one version, whole"],
  ["agent", [node], [], "a script of a global package, and the interpreter that it names"],
  [
    "claude",
    [".local/share/claude"],
    [".local/bin/claude"],
    "the link is made again, its folder is not shown",
  ],
  [
    "pipxed",
    [".local/share/pipx", ".local/bin/pipxed"],
    [],
    "the script alone, and its interpreter's toolchain",
  ],
  ["own", ["bin/own"], [], "only that file: beside it lies what is not needed"],
  [
    join(home, ".cargo/bin/cargo"),
    [".cargo", ".rustup"],
    [],
    "rustup's proxy, and the toolchains that it chooses from",
  ],
  ["sh", [], [], "the system's own is there already"],
  ["./tool.sh", [], [], "so is what lies in the workspace"],
  ["gone", [], [], "what does not exist needs nothing"],
  ["../a", [], [], "nor does a link that leads nowhere"],
];
for (const [command, binds, links, why] of ROWS) {
  test(`${command} needs ${JSON.stringify([...binds, ...links])}: ${why}`, async () => {
    const tools = await shown(command);
    assert.deepEqual([tools.binds.toSorted(), tools.links], [[...binds].toSorted(), links]);
  });
}

file("private/bin/x", "#!/bin/sh\n");
file("private/notes", "what nobody asked for\n");
file("project/by-path", `#!${join(home, "private/bin/x")}\n`);
file("project/by-node", `#!${join(home, node, "bin/node")}\n`);
file("project/by-name", "#!/usr/bin/env -S node --flag\n");
file("project/by-system", "#!/usr/bin/awk -f\n");
file("project/twice", "#!./by-path\n");
file("project/relative", "#!../private/bin/x\n");
link("project/linked", "../private/bin/x");
link("project/folder", "../private/bin");
link("project/.venv/bin/python", join(home, ".pyenv/versions/3.12/bin/python"));
file(".pyenv/versions/3.12/bin/python", "#!/bin/sh\n");

test("INV-4: of a home that is called by a link, no more is shown than of another", async () => {
  const called = join(top, "called");
  symlinkSync(home, called);
  const commands = ["own"];
  const path = join(called, "bin");
  const { binds } = await resolveTools({
    commands,
    path,
    home: called,
    workspace: "/srv/elsewhere",
  });
  assert.deepEqual(
    binds.map(({ target }) => target),
    [join(home, "bin/own")],
  );
});

for (const [command, why] of [
  ["./by-path", "a first line"],
  ["./twice", "a first line of a script that a first line names"],
  ["./relative", "a first line without a root"],
  ["./linked", "a link"],
  ["./folder/x", "a link in the place of a folder"],
] as const) {
  test(`INV-92 fault sandbox.tools: ${why} of the workspace opens no folder of the home`, () =>
    assert.rejects(resolve(command), { code: "sandbox.tools", message: /private\/bin\/x/ }));
}
for (const [command, binds, why] of [
  ["./by-node", [node], "a first line may name what is on the caller's PATH"],
  ["./by-name", [node], "as it may by name"],
  ["./by-system", [], "and what is the system's, with all that it links to"],
  [join(home, "private/bin/x"), ["private"], "the caller may name what the workspace may not"],
  ["./.venv/bin/python", [".pyenv"], "a virtual environment leads into a version manager"],
] as const) {
  test(`a workspace's own commands work: ${why}`, async () => {
    const shownBinds = (await shown(command)).binds.filter((one) => !one.startsWith("/"));
    assert.deepEqual(
      shownBinds.filter((one) => [node, "private", ".pyenv"].includes(one)),
      binds,
    );
  });
}

test("PATH inside has what exists there, in the caller's order, and the system at the end", async () => {
  const tools = await resolve("agent", "claude");
  assert.equal(
    tools.path,
    [join(home, node, "bin"), join(home, ".local/bin"), "/usr/bin", "/bin", "/usr/local/bin"].join(
      ":",
    ),
  );
});

test("INV-4: credentials beside a toolchain are masked, and nothing shows them from inside", async (t) => {
  const tools = await resolve("agent", "claude", "own", "pipxed");
  assert.deepEqual(tools.masked, [{ path: join(home, node, "etc/npmrc"), kind: "file" }]);
  const place = await makePlace({ tools });
  t.after(() => place.remove());
  const held = await hold(place.spec);
  t.after(() => held.end());
  const script = `agent; claude; own; pipxed; cat ${home}/${node}/etc/npmrc; ls -A ${home} ${home}/bin; cat ${home}/.ssh/id_ed25519`;
  const { stdout, stderr } = await runCommand(held, ["sh", "-c", script], {
    environment: { PATH: tools.path },
  });
  assert.match(stdout, /^node ran .*\/agent\nclaude ran\nown ran\npipx ran\n/);
  assert.doesNotMatch(stdout + stderr, /secret|key\n/);
  const listed = stdout.split("\n").slice(4).join("\n");
  assert.equal(listed, `${home}:\n.local\n.nvm\nbin\n\n${home}/bin:\nown\n`);
});

test("a toolchain of a private home runs also where root drops", async (t) => {
  chmodSync(home, 0o700);
  t.after(() => chmodSync(home, 0o755));
  const tools = await resolve("agent");
  const place = await makePlace({ tools });
  t.after(() => place.remove());
  const held = await hold(place.spec);
  t.after(() => held.end());
  const { stdout, code } = await runCommand(held, ["agent"], { environment: { PATH: tools.path } });
  assert.deepEqual([stdout.startsWith("node ran"), code], [true, 0]);
});

const FIRST_LINES: readonly (readonly [string, string | undefined])[] = [
  ["#!/bin/sh\n", "/bin/sh"],
  ["#! /usr/bin/python3 -u\n", "/usr/bin/python3"],
  ["#!/usr/bin/env node\n", "node"],
  ["#!/usr/bin/env -S node --flag\n", "node"],
  ["#!/usr/bin/env -S A=b node\n", "node"],
  ["#!/usr/bin/env", undefined],
  ["#!\n", undefined],
  ["\u007fELF", undefined],
  ["", undefined],
];
for (const [text, wanted] of FIRST_LINES) {
  test(`the first line ${JSON.stringify(text)} names ${wanted}`, () =>
    assert.equal(parseFirstLine(text), wanted));
}

test("no first line, however odd, breaks its reader", () => {
  fc.assert(fc.property(fc.string(), (text) => assert.ok(parseFirstLine(`#!${text}`) !== "")));
});

const NAMES: readonly (readonly [string, "file" | "directory", boolean])[] = [
  [".npmrc", "file", true],
  ["npmrc", "file", true],
  [".netrc", "file", true],
  [".pypirc", "file", true],
  [".git-credentials", "file", true],
  ["credentials.toml", "file", true],
  [".credentials.json", "file", true],
  ["auth.json", "file", true],
  [".env.local", "file", true],
  ["id_ed25519", "file", true],
  [".ssh", "directory", true],
  [".config", "directory", true],
  ["credentials.js", "file", false],
  ["environment", "file", false],
  ["id_ed25519.pub", "file", false],
  ["config", "directory", false],
  ["cli.js", "file", false],
];
for (const [name, kind, secret] of NAMES) {
  test(`a ${kind} ${name} is ${secret ? "" : "not "}masked`, () =>
    assert.equal(isSecretName(name, kind), secret));
}

test("INV-4: a socket beside a toolchain is a door to a program of the host, and is masked", async () => {
  const folder = join(home, "agent");
  mkdirSync(folder);
  const server = createServer().listen(join(folder, "agent.sock"));
  await once(server, "listening");
  after(() => server.close());
  assert.deepEqual(await findSecrets(folder), [{ path: join(folder, "agent.sock"), kind: "file" }]);
});

test("fault sandbox.tools: a folder too large to be looked through is not shown unlooked", async () => {
  for (let n = 0; n < 2_001; n += 1) mkdirSync(join(home, `wide/${n}`), { recursive: true });
  await assert.rejects(findSecrets(join(home, "wide")), { code: "sandbox.tools" });
});
