/**
 * A run that is spoken to while it lives: several clients in it, each reading lines and printing what it gets, and a
 * policy that becomes narrower meanwhile.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type TestHome } from "./home.ts";

/** A grant that has nothing to do with what a test is about; less of it is a narrower policy, too. */
export const UNRELATED = `  - { system: http, name: unrelated, hosts: [unrelated.test], allow: [{ methods: [GET], paths: ["/**"] }] }\n`;

export class LivingRun {
  #id = "";
  readonly #home: TestHome;
  readonly #child: ChildProcess;
  #heard = "";

  private constructor(home: TestHome, child: ChildProcess) {
    this.#home = home;
    this.#child = child;
  }

  /** Starts `clients`, commands of sh by one-letter names, under the task of `source`. */
  static async start(
    home: TestHome,
    source: string,
    clients: Readonly<Record<string, string>>,
  ): Promise<LivingRun> {
    const names = Object.keys(clients);
    const script = [
      "trap '' PIPE",
      ...names.map((name) => `mkfifo /tmp/${name}`),
      ...names.map(
        (name) => `( ${clients[name]} </tmp/${name} 2>&1; echo over; ) | sed -u 's/^/${name}: /' &`,
      ),
      // Held open by the shell: a client ends by itself or by being ended.
      `exec ${names.map((name, at) => `${at + 4}>/tmp/${name}`).join(" ")}`,
      "echo ready",
      "while IFS= read -r line; do",
      `case $line in ${names.map((name, at) => `${name}:*) printf '%s\\n' "\${line#*:}" >&${at + 4};;`).join(" ")} esac`,
      "done 2>/dev/null",
    ].join("\n");
    const task = writeTask(home, source);
    const child = home.spawn(["run", "--task", task, "--", "bash", "-c", script]);
    const run = new LivingRun(home, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (run.#heard += chunk.toString()));
    }
    await run.hears(/^ready$/m);
    const runs = await home.runs();
    const named = /^task: (\S+)$/m.exec(source)?.[1];
    const living = runs.filter(({ state, task }) => state === "running" && task === named);
    assert.equal(living.length, 1, "one of a task lives at a time");
    run.#id = living[0]?.run ?? "";
    return run;
  }

  get id(): string {
    return this.#id;
  }

  /** Gives client `name` a line. */
  say(name: string, line: string): void {
    this.#child.stdin?.write(`${name}:${line}\n`);
  }

  /** Resolves when each of `patterns` has come since the last call; with all that has. */
  async hears(...patterns: readonly RegExp[]): Promise<string> {
    const all = () => patterns.every((pattern) => pattern.test(this.#heard)) || undefined;
    await eventually(patterns.join(), 60_000, all).catch((cause: unknown) => {
      throw new Error(`heard only ${this.#heard}`, { cause });
    });
    const heard = this.#heard;
    this.#heard = "";
    return heard;
  }

  async narrow(source: string): Promise<void> {
    const task = writeTask(this.#home, source);
    const { code, stderr } = await this.#home.call(["narrow", this.#id, "--task", task]);
    assert.equal(code, 0, stderr);
  }

  /** Ends it; what it printed that nobody waited for. */
  async end(): Promise<string> {
    const closed = once(this.#child, "close");
    await this.#home.call(["kill", this.#id]);
    await closed;
    return this.#heard;
  }
}

let files = 0;
function writeTask(home: TestHome, source: string): string {
  files += 1;
  const file = join(home.root, `living-${files}.yaml`);
  writeFileSync(file, source);
  return file;
}
