/**
 * A run's view of a real sshd: a Cofferdam of its own, the server's key in its vault, and a task that grants it.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestHome, type CallOptions, type Result } from "../support/home.ts";
import { Sshd, type SshdOptions } from "../support/sshd.ts";

export const HOST = "server.example";

export class SshHome {
  readonly home = new TestHome();
  readonly sshd = new Sshd();

  async start(options: SshdOptions = {}): Promise<this> {
    await this.sshd.start(options);
    const added = await this.home.call(
      [
        ...["credential", "add", "server-key", "--kind", "ssh-key", "--user", this.sshd.user],
        ...["--scheme", "ssh", "--host", HOST, "--host", "inner.example", "--stdin"],
      ],
      { input: this.sshd.userKey },
    );
    if (added.code !== 0) throw new Error(added.stderr);
    return this;
  }

  /** Writes a task that grants the server by the rules of `allow` (YAML, indented by six). */
  task(
    allow: string,
    {
      hostKey = this.sshd.hostKey,
      also,
      repos = [],
    }: { hostKey?: string; also?: string; repos?: readonly string[] } = {},
  ): string {
    const grant = (name: string, host: string) => `  - system: ssh
    name: ${name}
    hosts: [${host}]
    dial: 127.0.0.1:${this.sshd.port}
    credential: server-key
    with:
      host_key: "${hostKey}"
      repos: ${JSON.stringify(repos)}
    allow:
${allow.trimEnd()}
`;
    const path = join(this.home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
    writeFileSync(
      path,
      `task: ssh
purpose: look after a server
approvals: { hold: 60s }
grants:
${grant("server", HOST)}${also === undefined ? "" : grant("inner", also)}`,
    );
    return path;
  }

  /** Runs \`sh -c SCRIPT\` under the task. */
  async run(task: string, script: string, options: CallOptions = {}): Promise<Result> {
    return await this.home.run(["sh", "-c", script], ["--task", task], options);
  }

  async close(): Promise<void> {
    await this.home.close();
    await this.sshd.close();
  }
}
