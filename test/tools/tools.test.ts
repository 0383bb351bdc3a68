/**
 * Everyday tools in real runs against granted doubles, and the table of docs/reference/tools.md. The light
 * rows are in `npm test`; `npm run test:tools` has all for which this machine has the tool.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry } from "../../src/api/index.ts";
import { openAuthority } from "../../src/gateway/index.ts";
import { TestHome } from "../support/home.ts";
import { startOutside, type Outside } from "../support/outside.ts";
import { TOOLS, type Tool } from "./tools.ts";

const HEAVY = process.env["COFFERDAM_TEST_HEAVY"] === "1";
const DOC = join(import.meta.dirname, "..", "..", "docs", "reference", "tools.md");

const home = new TestHome();
const folder = mkdtempSync(join(tmpdir(), "cofferdam-outside-"));
const task = join(home.root, "task.yaml");
let outside: Outside;

before(async () => {
  outside = await startOutside(folder);
  writeFileSync(join(home.root, "outside.pem"), outside.ca);
  writeFileSync(
    task,
    `task: tools
purpose: Use everyday tools.
environment: [GOSUMDB, GOFLAGS]
grants:
  - system: http
    name: outside
    hosts: [${outside.hosts.join(", ")}]
    dial: 127.0.0.1:${outside.port}
    ca: ./outside.pem
    allow:
      - methods: [GET, HEAD]
        paths: ["/**"]
      - methods: [POST]
        paths: ["/sample.git/git-upload-pack"]
        effects: [read]
`,
  );
});
after(async () => {
  await home.close();
  await outside.close();
  rmSync(folder, { recursive: true });
});

for (const row of TOOLS) {
  if (row.heavy === true && !HEAVY) continue;
  const name = `${row.tool}, ${row.does}: ${row.works ? "works" : "is refused"}`;
  const absent = !isThere(row);
  test(name, { skip: absent && `no ${row.needs} here` }, () => check(row));
}

/** A shell in a run finds in /usr what it starts; only CMD itself is looked up on the person's PATH. */
function isThere({ run, needs }: Tool): boolean {
  const inUsr = "PATH=/usr/local/bin:/usr/bin:/bin; ";
  const script = `${typeof run === "string" ? inUsr : ""}command -v ${needs}`;
  return spawnSync("sh", ["-c", script]).status === 0;
}

async function check(row: Tool): Promise<void> {
  const { run, says, works, rule, tool, does, files, offline = false } = row;
  const cwd = join(home.root, `${tool}-${does}`.replaceAll(/[^a-z0-9-]+/g, "-"));
  for (const [name, text] of Object.entries({ ...files, ".here": "" })) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const known = (await home.log()).length;
  const command = typeof run === "string" ? ["sh", "-c", run] : run;
  const env = { GOSUMDB: "off", GOFLAGS: "-mod=mod" };
  const { code, stdout, stderr } = await home.run(command, ["--task", task], { cwd, env });
  const entries = (await home.log()).slice(known);
  const of = (type: Entry["type"]) => entries.filter((entry) => entry.type === type);
  const denials = of("denial").map((denial) => `${denial.rule} ${denial.target}`);
  const story = [`exit ${code}`, stdout, stderr, ...denials].join("\n");
  assert.equal(code === 0, works, story);
  assert.ok(stdout.includes(says), story);
  assert.deepEqual(of("run.pause"), [], story);
  // An action is inside of TLS: whoever is behind one trusts the authority.
  const reached = of("action").some(({ verdict }) => verdict === "allow");
  assert.equal(reached, works && !offline, story);
  // A browser calls home in vain; nothing else asks for what it does not need.
  if (works && !["chromium", "firefox"].includes(tool)) assert.deepEqual(denials, [], story);
  if (rule !== undefined) {
    assert.ok(
      denials.some((one) => one.startsWith(`${rule} `)),
      story,
    );
  }
}

const STORES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cert.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/certs/java/cacerts",
  "/etc/pki/java/cacerts",
  "/etc/chromium/policies/managed/cofferdam.json",
  "/etc/opt/chrome/policies/managed/cofferdam.json",
];

test("INV-38: only runs trust the authority: inside every store has it, on the host none", async () => {
  const script = 'for f; do base64 -w0 "$f"; echo; done';
  const { stdout, stderr } = await home.run(["sh", "-c", script, "sh", ...STORES]);
  const inside = stdout.split("\n").map((line) => Buffer.from(line, "base64"));
  const { certificatePem } = await openAuthority(join(home.state, "keys"));
  const { raw } = new X509Certificate(certificatePem);
  const has = (store: Buffer) => {
    const text = store.toString("latin1").replaceAll("\n", "");
    return store.includes(raw) || text.includes(raw.toString("base64"));
  };
  for (const [n, store] of STORES.entries()) {
    assert.ok(has(inside[n] ?? Buffer.alloc(0)), `${store} inside\n${stderr}`);
    assert.ok(!existsSync(store) || !has(readFileSync(store)), `${store} of the host`);
  }
  const written = await home.run(["sh", "-c", "for f; do echo x >> $f; done", "sh", ...STORES]);
  assert.equal(written.stderr.match(/Read-only|Permission denied/g)?.length, STORES.length);
});

/** The page, as this test would write it. */
function render(): string {
  const rows = TOOLS.map(({ tool, does, works, rule, why, says }) => {
    const evidence = `\`${says}\`${rule === undefined ? "" : `, denied by \`${rule}\``}`;
    return `| ${tool} | ${does} | ${works ? "works" : "refused"} | ${why} | ${evidence} |`;
  });
  return `# Everyday tools

What common tools do in a run, against hosts that the task grants. Made and held by \`test/tools\`: each row is
a real run. \`npm test\` runs the light ones, \`npm run test:tools\` all of which the machine has the tool.

| Tool | What | | Why | It printed |
|---|---|---|---|---|
${rows.join("\n")}

No tool is configured for this: each finds the run's authority by its own store or variable.
Agents, and what each of them asks for in vain, are in [agents.md](agents.md).
`;
}

test("docs/reference/tools.md is the table of these rows", () => {
  if (process.env["COFFERDAM_WRITE_DOCS"] === "1") writeFileSync(DOC, render());
  assert.equal(readFileSync(DOC, "utf8"), render(), "COFFERDAM_WRITE_DOCS=1 npm run test:tools");
});
