/**
 * `npm run example:ops-agent`: a scripted agent does a week's work on a real WordPress, on doubles of Listmonk, n8n
 * and LinkedIn, and on real servers (OpenSSH, PostgreSQL, Exim, git), under one task file, with a scripted approver. Drafts go through; what is
 * published, sent or run waits, and arrives once, byte for byte; no credential is ever in the agent's hands.
 * Prints a table of what was asked and what became of it; exit 0 only where all of that held.
 *
 * @module
 */
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ApprovalInfo, Entry } from "../../src/api/index.ts";
import { TestHome } from "../../test/support/home.ts";
import { startCompany } from "./company.ts";
import { SERVER_STEPS } from "./servers.ts";

const PURPOSE = "purpose: Draft freely; a person decides what is published, sent or run.";
const home = new TestHome();
const company = await startCompany(home);
const { blog, list, n8n, page, servers } = company;
const failures: string[] = [];
const require = (holds: boolean, what: string) => {
  console.log(`${holds ? "held  " : "FAILED"} ${what}`);
  if (!holds) failures.push(what);
};

try {
  const task = ["task: ops-week", PURPOSE, "approvals: { hold: 90s }", "grants:"].join("\n");
  home.write("task.yaml", `${task}\n${company.grants}`);
  const script = ["week.sh", "servers.sh"].map((name) =>
    readFileSync(join(import.meta.dirname, name), "utf8"),
  );
  home.write("work.sh", `SITE=${servers.site}\n${script.join("\n")}`);
  cpSync(join(home.root, "ca.pem"), join(home.workspace, "ca.pem"));
  const run = home.run(["sh", "work.sh"], ["--task", join(home.workspace, "task.yaml")]);
  const approver = new AbortController();
  const approving = approve(approver.signal);
  const { stdout, stderr } = await run;
  approver.abort();
  await approving;
  const log = await home.log();
  printTable(log);
  await check(stdout, stderr, log);
} finally {
  await home.close();
  await company.close();
}
console.log(failures.length === 0 ? "all of it held" : `${failures.length} did not hold`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Says yes to all but one, with the code of each card. */
async function approve(signal: AbortSignal): Promise<void> {
  const answered = new Set<string>();
  while (!signal.aborted) {
    const { stdout } = await home.call(["approvals", "list", "--json"]);
    for (const { id, verb, state } of JSON.parse(stdout) as ApprovalInfo[]) {
      if (answered.has(id) || state === "performing") continue;
      answered.add(id);
      const code = await home.codeOf(id);
      const isMail = verb.startsWith("tx.");
      const answer = isMail
        ? ["deny", id, "--reason", "ask Ann by phone"]
        : ["approve", id, "--code", code];
      await home.call(["approvals", ...answer]);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function printTable(log: readonly Entry[]): void {
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, at) => cell.padEnd([8, 26, 22, 9, 11, 8][at] ?? 0)).join(" "));
  line(["SYSTEM", "VERB", "EFFECTS", "VERDICT", "APPROVAL", "OUTCOME"]);
  const asked = log.filter(
    ({ type, rule = "", data }) =>
      type === "action" &&
      !rule.startsWith("approval.") &&
      !text(data?.["summary"]).startsWith("Look up"),
  );
  for (const { action, system = "", verdict = "", data } of asked) {
    const of = log.filter((entry) => entry.action === action);
    const approval = of.findLast(({ type }) => type === "approval")?.data?.["state"];
    const outcome = of.findLast(({ type }) => type === "outcome")?.data?.["status"];
    const effects = effectsOf(data).join(" ");
    line([
      system,
      text(data?.["verb"]),
      effects,
      verdict,
      text(approval ?? "-"),
      text(outcome ?? "-"),
    ]);
  }
}

async function check(stdout: string, stderr: string, log: readonly Entry[]): Promise<void> {
  const step = (name: string) =>
    new RegExp(`^STEP ${name} (\\d+)$`, "m").exec(stdout)?.[1] ?? stderr;
  for (const name of [
    "monday-read",
    "monday-draft",
    "monday-newsletter-draft",
    "wednesday-workflow",
    "thursday-page-draft",
  ]) {
    require(step(name).startsWith("2"), `${name} goes through (${step(name)})`);
  }
  for (const name of [
    "tuesday-publish",
    "tuesday-newsletter-start",
    "wednesday-activate",
    "wednesday-run",
    "thursday-page-publish",
  ]) {
    require(step(name).startsWith(
      "2",
    ), `${name} waits, is approved, and its answer arrives (${step(name)})`);
  }
  for (const name of ["friday-new-admin", "friday-password", "friday-mail"]) {
    require(step(name) === "403", `${name} is refused (${step(name)})`);
  }
  for (const [name, status, what] of SERVER_STEPS) {
    const said = new RegExp(`^STEP ${name} (\\d+) ?(.*)$`, "m").exec(stdout) ?? [
      "",
      "none",
      stderr,
    ];
    const holds = (status === "ok") === (said[1] === "0") && (what?.test(said[2] ?? "") ?? true);
    require(holds, `${name} ${status === "ok" ? "goes through" : "is refused"}: ${said[2] || said[1]}`);
  }
  for (const [holds, what] of servers.look()) require(holds, what);
  const waited = log.filter(({ type, verdict }) => type === "action" && verdict === "confirm");
  const unasked = log.filter(
    ({ type, verdict, rule = "", data }) =>
      type === "action" &&
      verdict === "allow" &&
      !rule.startsWith("approval.") &&
      effectsOf(data).some((one) =>
        ["publish", "send", "execute", "delete", "administer", "spend"].includes(one),
      ),
  );
  require(waited.length >= 6 &&
    unasked.length === 0, "everything of high impact waited, nothing else did");
  const { posts = [] } = await blog.tables();
  const open = posts.filter(
    (post) => post["post_title"] === "Open" && post["post_status"] === "publish",
  );
  require(open.length === 1 &&
    open[0]?.["post_content"] === "We are open.", "one post is public, as it was approved");
  const count = (
    effects: readonly { readonly kind: string; readonly who: string }[],
    kind: string,
  ) =>
    effects
      .filter((one) => one.kind === kind)
      .map(({ who }) => who)
      .sort();
  require(count(list.effects, "mail").join() ===
    "ann@client.example,bob@client.example", "each subscriber got one mail");
  require(count(n8n.effects, "run").join() === "Invoice", "the workflow ran once");
  require(count(page.effects, "post").join() === "urn:li:organization:5", "the page has one post");
  const secrets = company.secrets.flatMap((secret) => [
    secret,
    secret.replaceAll(" ", ""),
    Buffer.from(secret).toString("base64"),
  ]);
  const holds = (content: string) => secrets.some((secret) => content.includes(secret));
  require(!holds(stdout) &&
    !holds(stderr), "no credential is in the agent's environment, memory of answers, or output");
  const left = filesBelow(join(home.state, "runs")).concat(
    filesBelow(join(home.state, "homes")),
    filesBelow(join(home.state, "ledger")),
  );
  require(left.length > 0 &&
    !left.some((file) =>
      holds(readFileSync(file, "latin1")),
    ), `nor in any of ${left.length} files of the run and the record`);
  require((await home.call(["verify"])).stdout.startsWith("intact"), "the record is intact");
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

function effectsOf(data: Entry["data"]): readonly string[] {
  const effects = data?.["effects"];
  return Array.isArray(effects) ? effects.map(text) : [];
}
