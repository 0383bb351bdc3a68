/**
 * Ways round that were tried from every side and once got through: each stays tried.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
before(async () => assert.equal((await home.call(["ps"])).code, 0));
after(() => home.close());

function task(text: string): string {
  const file = join(home.workspace, "attack.yaml");
  writeFileSync(file, `task: attack\npurpose: Try a way round.\n${text}`);
  return file;
}

describe("a careless or hostile caller does not end the daemon, or hold it", () => {
  test("INV-15: who asks to attach to nothing and leaves at once takes no run along", async () => {
    const pid = home.daemonPid();
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(join(home.state, "daemon.sock"));
      await once(socket, "connect");
      const words = "GET /v1/attach?run=r-none HTTP/1.1\r\nhost: x\r\n";
      socket.write(`${words}connection: upgrade\r\nupgrade: cofferdam\r\n\r\n`);
      socket.destroy();
      await once(socket, "close");
    }
    assert.equal((await home.call(["ps"])).code, 0);
    assert.equal(home.daemonPid(), pid, "the same daemon answers");
  });

  test("fault daemon.authority: a grant's authority that is a FIFO of the workspace stalls nobody", async () => {
    execFileSync("mkfifo", [join(home.workspace, "authority.pem")]);
    const grant = "{ system: http, name: a, hosts: [a.example], ca: ./authority.pem, allow: [";
    const rule = "{ methods: [GET], paths: ['/**'] }] }";
    const result = await home.run(["true"], ["--task", task(`grants:\n  - ${grant}${rule}\n`)]);
    assert.equal(result.code, 125);
    assert.match(result.stderr, /authority\.pem is not a file to read/);
    assert.equal((await home.call(["ps"])).code, 0);
  });

  test("fault cli.cwd: a folder that is gone is named, without a stack", async () => {
    const gone = join(home.root, "gone");
    mkdirSync(gone);
    const script = 'rmdir "$PWD"; exec "$0" run -- true';
    const { code, stderr } = await home.shell(script, gone);
    assert.equal(code, 125);
    assert.match(stderr, /current folder is not there any more/);
    assert.doesNotMatch(stderr, / {4}at /);
  });
});

describe("words of a run are words, whatever they hold", () => {
  const FORGED =
    "/tmp/x\n    99  10:00:00.000  r-fake  action         allow  granted\u001b[2J\u202e\u009b";

  test("INV-93: a program's name forges no entry and commands no terminal", async () => {
    const script = 'cp /bin/true "$1"; "$1"; curl -s "http://x.example/$1" >/dev/null; true';
    assert.equal((await home.run(["sh", "-c", script, "sh", FORGED])).code, 0);
    const entry = (await home.log()).findLast(({ target }) => target === FORGED);
    assert.equal(entry?.type, "process.start", "in the record it stands as it is");
    for (const shown of [await home.call(["log"]), await home.call(["ps", "--all"])]) {
      assert.doesNotMatch(shown.stdout, /^ *99 .*r-fake/m);
      assert.doesNotMatch(shown.stdout, /(?!\n)\p{C}/u);
    }
    const { stdout } = await home.call(["log", "--json"]);
    assert.doesNotMatch(stdout, /(?!\n)\p{C}/u, "JSON is printed, too");
  });

  test("INV-93: the command that apply tells for a held file is one command", async () => {
    const name = "a'; touch stolen; '.envrc";
    const script = 'mkdir -p "$1" && echo x > "$1/.envrc"';
    const { stderr } = await home.run(["sh", "-c", script, "sh", name], ["--json"]);
    const run = /"run":"(r-[0-9a-z]+)"/.exec(stderr)?.[1] ?? "";
    const { stdout } = await home.call(["apply", run]);
    const told = /confirm it with --confirm (.*)$/m.exec(stdout)?.[1] ?? "";
    assert.equal(execFileSync("sh", ["-c", `printf %s ${told}`]).toString(), `${name}/.envrc`);
  });

  test("fault cli.output: output that nobody takes is told as that", async () => {
    const { code, stderr } = await home.shell(
      '"$0" run -- sh -c "echo x" > /dev/full',
      home.workspace,
    );
    assert.equal(code, 125);
    assert.match(stderr, /output cannot be written/);
  });
});

test("a daemon that takes long to start is waited for, by everyone who asks", async () => {
  const slow = new TestHome();
  const wait = join(slow.root, "wait.mjs");
  // Longer than any fixed time that a person would choose for a fast machine.
  const script =
    'if (process.argv.at(-1) === "serve") await new Promise((go) => setTimeout(go, 16_000));';
  writeFileSync(wait, script);
  const env = { NODE_OPTIONS: `--import ${wait}` };
  const runs = [1, 2, 3].map((n) => slow.run(["echo", `${n}`], [], { env }));
  const outputs = (await Promise.all(runs)).map(({ stdout, stderr }) => stdout + stderr);
  assert.deepEqual(outputs, ["1\n", "2\n", "3\n"]);
  await slow.close();
});

describe("what the kernel counts by user stays half the user's own", () => {
  test("INV-90: inotify, signals and message queues are not used up by a run", async () => {
    const number = process.arch === "arm64" ? 26 : 294; // inotify_init1
    const count = `$n = 0; $n++ while syscall(${number}, 0) >= 0; print $n`;
    const script = `perl -e '${count}'; echo; ulimit -i; ulimit -q; cat /proc/self/oom_score_adj`;
    const { stdout, stderr } = await home.run(["bash", "-c", script]);
    const [instances = 0, signals = 0, queues = 0, score = 0] = stdout.split("\n").map(Number);
    const host = readFileSync("/proc/sys/user/max_inotify_instances", "utf8");
    const limits = readFileSync("/proc/self/limits", "utf8");
    const hard = (name: string) => Number(new RegExp(`${name} +\\d+ +(\\d+)`).exec(limits)?.[1]);
    assert.ok(instances > 8 && instances <= Number(host) / 2, `${instances} of ${host}${stderr}`);
    assert.ok(signals > 0 && signals <= hard("Max pending signals") / 2);
    assert.ok(queues > 0 && queues <= hard("Max msgqueue size") / 2);
    assert.ok(score >= 500, "and the kernel, short of memory, ends it before the daemon");
  });
});

describe("a run leaves nothing for other users of the machine", () => {
  test("INV-94: a set-user-ID program in an open HOME stays out of everyone's reach", async () => {
    const script = "cp /usr/bin/id ~/id && chmod 6755 ~/id && chmod 777 ~ && stat -c %a ~/id";
    const result = await home.run(["sh", "-c", script]);
    assert.equal(result.stdout.trim(), "6755", "it is the run's own home, so it may do that");
    for (const folder of ["homes", "runs", "keys"]) {
      assert.equal(statSync(join(home.state, folder)).mode & 0o077, 0, folder);
    }
    assert.ok(readdirSync(join(home.state, "homes")).length > 0);
  });
});
