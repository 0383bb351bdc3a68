/**
 * The control socket: who may speak, what it refuses, and that no run can reach it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, statSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { loadCommand, loadCommands } from "../src/cli/commands/index.ts";
import { helpOf } from "../src/cli/help.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
before(async () => {
  const { code, stderr } = await home.call(["ps"]);
  assert.equal(code, 0, stderr);
});
after(() => home.close());

async function post(
  path: string,
  body: string,
  method = "POST",
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: `${home.state}/daemon.sock`, path, method }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const REFUSED: readonly (readonly [string, string, string, number, string])[] = [
  ["/v1/nothing", "{}", "POST", 404, "daemon.no_such_endpoint"],
  ["//", "{}", "POST", 404, "daemon.no_such_endpoint"],
  ["http://:99999/v1/nothing", "{}", "POST", 404, "daemon.no_such_endpoint"],
  ["/v1/daemon.status", "", "GET", 404, "daemon.no_such_endpoint"],
  ["/v1/constructor", "{}", "POST", 404, "daemon.no_such_endpoint"],
  ["/v1/run.show", "not json", "POST", 400, "daemon.request"],
  ["/v1/run.show", '{"run":"../../etc"}', "POST", 400, "daemon.request"],
  ["/v1/run.show", '{"run":"r-none","more":1}', "POST", 400, "daemon.request"],
  ["/v1/run.show", '{"run":"r-none"}', "POST", 404, "daemon.no_such_run"],
  ["/v1/run.start", '{"command":[]}', "POST", 400, "daemon.request"],
];
for (const [path, body, method, status, code] of REFUSED) {
  test(`${method} ${path} ${body}: ${code}`, async () => {
    const answer = await post(path, body, method);
    assert.equal(answer.status, status, answer.text);
    assert.equal((JSON.parse(answer.text) as { code: string }).code, code);
  });
}

test("a request above 4 MiB is refused, and the daemon lives", async () => {
  const answer = await post("/v1/run.show", `{"run":"${"a".repeat(5 << 20)}"}`).catch(
    () => undefined,
  );
  assert.ok(answer === undefined || answer.status === 400);
  assert.equal((await post("/v1/daemon.status", "{}")).status, 200);
});

test("INV-21 fault daemon.peer: the socket is its owner's alone, by mode and by peer", () => {
  assert.equal(statSync(`${home.state}/daemon.sock`).mode & 0o777, 0o600);
  if (process.getuid?.() !== 0) return;
  // Even with the file's mode opened by mistake, another user is refused by the peer check.
  chmodSync(`${home.state}/daemon.sock`, 0o666);
  chmodSync(home.state, 0o755);
  const args = ["--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-sS", "--unix-socket"];
  const url = "http://control/v1/daemon.status";
  const socket = `${home.state}/daemon.sock`;
  const ask = (...more: readonly string[]) =>
    spawnSync("setpriv", [...args, socket, ...more], { encoding: "utf8" }).stdout;
  const upgrade = ["-H", "connection: upgrade", "-H", "upgrade: cofferdam", "-m", "5"];
  const answers = [
    ask("-d", "{}", url),
    ask(...upgrade, "http://control/v1/run"),
    ask(...upgrade, "http://control/v1/attach?run=r-none"),
  ];
  chmodSync(`${home.state}/daemon.sock`, 0o600);
  for (const answer of answers) assert.match(answer, /"daemon\.peer"/);
});

test("INV-21: a run cannot reach the socket, by path or by what it is bound to", async () => {
  const script = `ls ${home.state} 2>&1; curl -sS -m 2 --unix-socket ${home.state}/daemon.sock -d '{}' http://c/v1/daemon.status`;
  const result = await home.run(["sh", "-c", script]);
  assert.notEqual(result.code, 0);
  assert.doesNotMatch(result.stdout, /entries/);
});

test("every command has help, and an unknown one is named", async () => {
  const overview = await home.call(["help"]);
  for (const command of await loadCommands()) {
    assert.match(overview.stdout, new RegExp(`^  ${command.name} +[A-Z].+[.]$`, "m"));
    assert.match(helpOf(command), /\n\n[A-Z].+[.]\n\n[^]*Examples:/);
  }
  const run = await loadCommand("run");
  assert.equal((await home.call(["help", "run"])).stdout, run && helpOf(run));
  assert.equal((await home.call(["run", "--help"])).stdout, run && helpOf(run));
  assert.equal((await home.call(["nonsense"])).code, 2);
  assert.equal((await home.call(["ps", "--nonsense"])).code, 2);
  assert.equal((await home.call(["run", "--nonsense"])).code, 125);
  assert.equal((await home.call(["run"])).code, 125, "cli.no_command");
});

const SHELLS = ["bash", "zsh", "fish"];
for (const shell of SHELLS) {
  test(`completion for ${shell} names the commands`, async () => {
    const { code, stdout } = await home.call(["completion", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /discard/);
  });
}
test("fault cli.shell: no completion for an unknown shell", async () => {
  assert.equal((await home.call(["completion", "csh"])).code, 125);
});

test("doctor says of each prerequisite what it found", async () => {
  const { code, stdout } = await home.call(["doctor", "--json"]);
  const report = JSON.parse(stdout) as {
    ok: boolean;
    checks: { name: string; ok: boolean; fix: string }[];
  };
  assert.equal(code, report.ok ? 0 : 1);
  assert.ok(report.checks.length > 5);
  for (const check of report.checks) assert.ok(check.name !== "" && (check.ok || check.fix !== ""));
});

test("fault cli.profile, cli.task_and_profile: named refusals", async () => {
  assert.match((await home.run(["true"], ["--profile", "nope"])).stderr, /no profile "nope"/);
  const both = await home.run(["true"], ["--profile", "shell", "--task", "x.yaml"]);
  assert.match(both.stderr, /exclude each other/);
});
