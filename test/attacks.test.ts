/**
 * Ways round that were tried from every side and once got through: each stays tried.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
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

describe("a run leaves nothing for other users of the machine", () => {
  test("INV-4: a set-user-ID program in an open HOME stays out of everyone's reach", async () => {
    const script = "cp /usr/bin/id ~/id && chmod 6755 ~/id && chmod 777 ~ && stat -c %a ~/id";
    const result = await home.run(["sh", "-c", script]);
    assert.equal(result.stdout.trim(), "6755", "it is the run's own home, so it may do that");
    for (const folder of ["homes", "runs", "keys"]) {
      assert.equal(statSync(join(home.state, folder)).mode & 0o077, 0, folder);
    }
    assert.ok(readdirSync(join(home.state, "homes")).length > 0);
  });
});
