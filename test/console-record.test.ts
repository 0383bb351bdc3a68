/**
 * What the console says of the record, asked as its pages ask: proofs, verification, exports, incidents, and where a
 * credential went; and that none of it ever says a secret.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { verifyProof } from "../src/ledger/index.ts";
import { AskedConsole, openAsked } from "./support/console.ts";
import { eventually } from "./support/home.ts";
import { flawsOfOcsf } from "./support/ocsf.ts";
import { openTroubledHome, SECRET, TYPED, type TroubledHome } from "./support/troubled.ts";

const scratch = mkdtempSync(join(tmpdir(), "cofferdam-console-"));
let of: TroubledHome;
let desk: AskedConsole;

before(async () => {
  of = await openTroubledHome();
  desk = await openAsked(of.home);
  await eventually("the index", 20_000, async () => {
    const { indexed } = await desk.ask("ledger.status", {});
    return indexed >= (await of.home.log()).length ? true : undefined;
  });
});
after(async () => {
  await desk.close();
  await of.close();
  rmSync(scratch, { recursive: true, force: true });
});

test("ledger.proof: it holds, is shown step by step, and verify --proof believes it and no other", async () => {
  const denial = (await of.home.log()).find(({ type }) => type === "denial");
  const shown = await desk.ask("ledger.proof", { seq: denial?.seq ?? -1 });
  assert.equal(verifyProof(shown.proof, shown.key).event.type, "denial");
  assert.equal(shown.steps.at(-1)?.node, shown.root);
  const files = { proof: join(scratch, "p"), key: join(scratch, "k"), bad: join(scratch, "b") };
  writeFileSync(files.proof, shown.proof);
  writeFileSync(files.key, `${shown.key}\n`);
  writeFileSync(files.bad, shown.proof.replace(/^index (\d)/m, "index 9$1"));
  const verify = (file: string, ...more: string[]) =>
    of.home.call(["verify", "--proof", file, ...more], { cwd: "/" });
  const good = await verify(files.proof, "--key", files.key);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, new RegExp(`^proven: entry ${shown.seq} is in the record `));
  const bad = await verify(files.bad, "--key", files.key);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^NOT proven: /);
  // Without a key it is held against the record of this home, and no other proof is.
  assert.equal((await verify(files.proof)).code, 0);
  assert.equal((await verify(files.bad)).code, 1);
  assert.equal((await desk.refusal("ledger.proof", { seq: 10_000_000 })).code, "ledger.range");
});

test("ledger.verify: it says how far it is, then the verdict", async () => {
  const told = await desk.all("ledger.verify", {});
  const verdict = told.at(-1);
  assert.ok(verdict?.event === "verdict" && verdict.ok, JSON.stringify(verdict));
  assert.ok(verdict.size > 20);
  assert.equal(told[0]?.event, "progress");
});

test("ledger.export: raw is the record, OCSF has no flaw, OTLP a log for each, CSV a row for each", async () => {
  const query = { run: [of.troubled] };
  const own = (await of.home.log()).filter(({ run }) => run === of.troubled);
  const texts = new Map<string, string>();
  for (const form of ["raw", "ocsf", "otlp", "csv"] as const) {
    const pieces = await desk.all("ledger.export", { query, form });
    assert.equal(pieces.at(-1)?.entries, own.length, form);
    texts.set(form, pieces.map(({ text }) => text).join(""));
  }
  const lines = (form: string) => (texts.get(form) ?? "").trimEnd().split("\n");
  assert.deepEqual(
    lines("raw").map((line) => JSON.parse(line) as unknown),
    own,
  );
  assert.deepEqual(
    lines("ocsf").flatMap((line) => flawsOfOcsf(JSON.parse(line))),
    [],
  );
  const logs = lines("otlp").flatMap((line) => {
    const { resourceLogs = [] } = JSON.parse(line) as {
      resourceLogs?: { scopeLogs: { logRecords: unknown[] }[] }[];
    };
    return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap((one) => one.logRecords));
  });
  assert.equal(logs.length, own.length);
  assert.match(lines("csv")[0] ?? "", /^seq,at,run,type,/);
  assert.equal(lines("csv").length, own.length + 1);
});

test("incident.list: runs with something to tell, newest first; the quiet one is not there", async () => {
  const { total, runs } = await desk.ask("incident.list", { offset: 0, limit: 50 });
  assert.equal(total, 1);
  const [run] = runs;
  assert.equal(run?.run, of.troubled);
  assert.ok((run?.denials ?? 0) > 0 && (run?.findings ?? 0) > 0);
  assert.ok(run?.kinds.some(({ kind }) => kind === "scan"));
});

test("incident.report: what was attempted and held, as data; what it typed is blackened", async () => {
  const report = await desk.ask("incident.report", { run: of.troubled, persons: false });
  assert.equal(report.answers.attempted.value, "yes");
  assert.equal(report.answers.crossed.value, "no");
  assert.ok(report.attempts.some(({ kind }) => kind === "scan"));
  assert.ok(report.timeline.rows.length > 10);
  assert.ok(report.redactions.some(({ of: what, places }) => what === "secret" && places > 0));
  assert.ok(!JSON.stringify(report).includes(TYPED));
  const refused = await desk.refusal("incident.report", { run: "r-none", persons: false });
  assert.equal(refused.code, "console.no_such_run");
});

test("incident.export: an archive whose proofs hold without the home, and single formats", async () => {
  const asks = { run: of.troubled, persons: true, formats: ["md", "html"] as const, proofs: true };
  const { name, base64, cited, proven, broken } = await desk.ask("incident.export", {
    ...asks,
    formats: [...asks.formats],
  });
  assert.equal(name, `incident-${of.troubled}.tar`);
  assert.deepEqual([proven, broken], [cited, []]);
  writeFileSync(join(scratch, "a.tar"), Buffer.from(base64, "base64"));
  execFileSync("tar", ["xf", "a.tar"], { cwd: scratch });
  const folder = join(scratch, `incident-${of.troubled}`);
  assert.match(readFileSync(join(folder, "report.md"), "utf8"), /^# Run /);
  cpSync(join(folder, "ledger.vkey"), join(scratch, "kept.vkey"));
  const line = ["verify", "--report", folder, "--key", join(scratch, "kept.vkey")];
  const verified = await of.home.call(line, { cwd: "/" });
  assert.equal(verified.code, 0, verified.stdout);
  const one = { run: of.troubled, persons: false, formats: ["aiid" as const], proofs: false };
  assert.equal((await desk.ask("incident.export", one)).name, `${of.troubled}-aiid.txt`);
});

test("credential.trail: which run was lent it, by which grant, how often, and what was done to it", async () => {
  const { runs, events } = await desk.ask("credential.trail", { name: "open-key" });
  const [run] = runs;
  assert.equal(runs.length, 1);
  assert.deepEqual(
    [run?.run, run?.grants, run?.revoked, run?.uses],
    [of.troubled, ["open"], [], 2],
  );
  assert.match(run?.last?.target ?? "", /open\.test\/b$/);
  assert.deepEqual(
    events.map(({ detail }) => detail),
    ["added open-key"],
  );
  const none = await desk.ask("credential.trail", { name: "nothing" });
  assert.deepEqual(none, { runs: [], events: [] });
});

test("INV-198: no answer holds a secret, whoever asks; to show one is not asked over HTTP", async () => {
  const asks = { name: "open-key", confirm: "open-key" };
  assert.equal((await desk.refusal("credential.reveal", asks)).code, "console.role");
  for (const name of ["credential.protect", "credential.import"]) {
    assert.equal((await desk.refusal(name, {})).code, "console.role", name);
  }
  const [listed] = await desk.ask("credential.list", {});
  assert.equal(listed?.name, "open-key");
  const value = `${SECRET}-rotated`;
  await desk.ask("credential.rotate", { name: "open-key", secret: { value } });
  const spec = { name: "other", binding: { scheme: "https", hosts: ["x.test"], port: 443 } };
  const how = { kind: "basic", user: "u:x" };
  await desk.refusal("credential.add", { spec: { ...spec, how }, secret: { value } });
  await desk.refusal("credential.rotate", { name: "nobody", secret: { value } });
  await desk.refusal("credential.rotate", { name: "open-key", secret: { value, more: SECRET } });
  await desk.ask("credential.trail", { name: "open-key" });
  await desk.ask("credential.revoke", { name: "open-key" });
  assert.ok(desk.said.length > 10_000);
  for (const text of [SECRET, Buffer.from(SECRET).toString("base64").slice(0, 20)]) {
    assert.ok(!desk.said.includes(text), text);
  }
});

test("ledger.verify: an entry that was changed on the disk is named", async () => {
  const file = join(of.home.state, "ledger", "journal", "0");
  const bytes = readFileSync(file);
  const at = bytes.indexOf("run.start");
  bytes.write("run.stahl", at);
  writeFileSync(file, bytes);
  const verdict = (await desk.all("ledger.verify", {})).at(-1);
  assert.ok(verdict?.event === "verdict" && !verdict.ok);
  const [problem] = verdict.problems;
  assert.match(problem?.what ?? "", /not the entry that was signed/);
  assert.ok((problem?.seq ?? -1) >= 0);
});
