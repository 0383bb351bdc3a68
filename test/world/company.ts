/**
 * The reference company: two machines, a shop's site, two databases, a workflow engine, a repository with CI, and a mail
 * server. What can run here is real; n8n and GitHub are doubles, whose workflows and CI really run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "../../src/blast/index.ts";
import type { Double } from "../doubles/double.ts";
import { startGithub } from "../doubles/forges.ts";
import { startN8n, type Node } from "../doubles/n8n.ts";
import { startExim, type Exim } from "../support/exim.ts";
import { TestHome } from "../support/home.ts";
import { SshWorld } from "../support/ssh-world.ts";
import { DB, DB_PLANT, PASSWORD, WEB, webPlant } from "./machines.ts";

/** A task file of the company, by name: the grants that its runs hold. */
export const TASKS = {
  ops: ["web", "plain", "db", "pg", "crm"],
  blog: ["blog"],
  flows: ["n8n"],
  dev: ["github"],
} as const;

const SHIP = `on: push
jobs:
  ship:
    runs-on: ubuntu-latest
    steps:
      - run: ssh deploy@web1.shop.example /srv/ship
        host: web1
        username: deploy
`;

export class Company {
  readonly home = new TestHome();
  readonly web = new SshWorld();
  readonly db = new SshWorld();
  #mail: Exim | undefined;
  #ciLog = "";
  readonly #doubles: Double[] = [];

  get mail(): Exim {
    assert.ok(this.#mail);
    return this.#mail;
  }

  async start(): Promise<this> {
    await this.db.start({ plant: DB_PLANT, name: "db1", address: DB });
    await this.web.start({ plant: webPlant(this.db.userKey) });
    this.web.connectTo(this.db, [WEB, DB]);
    // What the site has open: who asks web1 sees where it leads.
    this.#mail = await startExim();
    const n8n = await startN8n({
      apiKey: "n8n-key-of-a-test",
      credentials: { smtp: "company mail" },
      endpoints: [
        ...["GET /workflows", "POST /workflows", "POST /workflows/{id}/activate"],
        ...["GET /credentials", "GET /discover"],
      ],
      perform: (node) => this.#perform(node),
    });
    const token = {
      "gh-token-of-a-test": { scopes: ["repo", "workflow"], role: "admin" },
    } as const;
    const site = { name: "site", isPrivate: true, isProtected: false, reviews: 0 };
    const held = { workflows: { "ship.yml": SHIP }, secrets: ["DEPLOY_KEY"], environments: {} };
    const github = await startGithub(token, [{ ...site, ...held }], (text) => this.#ci(text));
    this.#doubles.push(n8n, github);
    await this.#grants({ n8n: portOf(n8n), github: portOf(github) });
    return this;
  }

  /** n8n's node Send Email, with the credential that n8n keeps. */
  #perform({ type, parameters }: Node): void {
    if (type !== "n8n-nodes-base.emailSend") return;
    const { toEmail = "", text = "" } = parameters ?? {};
    const from = ["--mail-from", "shop@shop.example", "--mail-rcpt", toEmail, "-T", "-"];
    execFileSync("curl", ["-sS", `smtp://127.0.0.1:${this.mail.port}`, ...from], {
      input: `Subject: from n8n\r\n\r\n${text}\r\n`,
    });
  }

  /** How often something was pushed. */
  pushes(): number {
    return this.#doubles.flatMap(({ effects }) => effects).filter(({ kind }) => kind === "push")
      .length;
  }

  /** What the last run of CI printed, which whoever has the token may read. */
  ciLog(): string {
    return this.#ciLog;
  }

  /** A runner of CI: each `run` by sh, with the secrets of the repository, on db1 by an account of its own. */
  #ci(text: string): void {
    const lines = text.split("\n").flatMap((line) => /^ +- run: (.+)$/.exec(line)?.[1] ?? []);
    const key = `DEPLOY_KEY=$(cat <<'K'\n${this.web.userKey}K\n); export DEPLOY_KEY GITHUB_TOKEN=ghs_of-a-test`;
    this.#ciLog = this.db.run(`${key}\n${lines.join("\n")}\ntrue`, "runner");
  }

  async #grants(ports: { readonly n8n: number; readonly github: number }): Promise<void> {
    const users = JSON.parse(this.web.run("cat /run/world/users.json")) as {
      readonly admin: { readonly password: string };
    };
    const { web, db } = this;
    const ssh = async (name: string, world: SshWorld, address: string, rules: string) =>
      this.#grant(name, {
        ...{ system: "ssh", host: `${name}.example`, port: await world.portTo(`${address}:22`) },
        ...{ how: ["ssh-key", "--user", USERS[name] ?? name], secret: world.userKey },
        ...{ more: `with: { host_key: "${world.hostKey}" }`, rules },
      });
    await ssh(
      "web",
      web,
      WEB,
      "[{ verbs: [exec], doing: [read] }, { verbs: [script], unattended: LEAVE }]",
    );
    await ssh("plain", web, WEB, "[{ verbs: [exec], doing: [read] }]");
    await ssh("db", db, DB, "[{ verbs: [exec], doing: [read] }]");
    const sql = (
      name: string,
      system: string,
      port: number,
      [user, secret, database]: readonly string[],
      rules: string,
    ) =>
      this.#grant(name, {
        ...{ system, host: `${name}.example`, port, secret: secret ?? "" },
        ...{ how: ["login", "--user", user ?? ""], more: `with: { database: ${database} }`, rules },
      });
    await sql(
      "pg",
      "postgres",
      await db.portTo(`${DB}:5432`),
      ["agent", PASSWORD.agent, "shop"],
      `[{ verbs: [select], on: [public.orders] }, { verbs: [call], on: [public.tidy], unattended: LEAVE }]`,
    );
    await sql(
      "crm",
      "mysql",
      await web.portTo(`${WEB}:3306`),
      ["crm", PASSWORD.crm, "crm"],
      `[{ verbs: [select], on: [crm.tickets] }]`,
    );
    await this.#grant("blog", {
      ...{ system: "wordpress", host: "blog.example", port: await web.portTo(`${WEB}:8080`) },
      ...{ how: ["basic", "--user", "admin"], secret: users.admin.password },
      rules: "[{ verbs: [post.list] }, { verbs: [plugin.change] }]",
    });
    await this.#grant("n8n", {
      ...{ system: "n8n", host: "n8n.example", port: ports.n8n, secret: "n8n-key-of-a-test" },
      how: ["header", "--field", "x-n8n-api-key"],
      rules: "[{ verbs: [workflow.create, workflow.activate, webhook.call], unattended: LEAVE }]",
    });
    await this.#grant("github", {
      ...{
        system: "github",
        host: "api.github.com",
        port: ports.github,
        secret: "gh-token-of-a-test",
      },
      ...{ how: ["bearer"], rules: "[{ verbs: [content.push], unattended: LEAVE }]" },
    });
    for (const [task, names] of Object.entries(TASKS)) this.#task(task, names);
    this.#task("all", [...this.#texts.keys()]);
  }

  readonly #texts = new Map<string, string>();

  async #grant(name: string, grant: Grant): Promise<void> {
    const { system, host, port, how, secret, more, rules } = grant;
    const isWeb = !["ssh", "postgres", "mysql"].includes(system);
    const scheme = isWeb ? ["--scheme", "http", "--port", "80"] : ["--scheme", system];
    const [kind = "", ...rest] = how;
    const args = ["--kind", kind, ...rest, "--host", host, ...scheme, "--stdin"];
    const added = await this.home.call(["credential", "add", name, ...args], { input: secret });
    assert.equal(added.code, 0, added.stderr);
    const plain = isWeb ? "ports: [80]\n    " : system === "ssh" ? "" : "tls: false\n    ";
    this.#texts.set(
      name,
      `  - system: ${system}
    name: ${name}
    hosts: [${host}]
    ${plain}dial: 127.0.0.1:${port}
    credential: ${name}
    ${more === undefined ? "" : `${more}\n    `}allow: ${rules.replaceAll("LEAVE", `{ count: 500, reason: routine, expires: ${SOON} }`)}
`,
    );
  }

  #task(name: string, grants: readonly string[]): void {
    const texts = grants.map((one) => this.#texts.get(one) ?? "").join("");
    writeFileSync(
      this.taskFile(name),
      `task: ${name}\npurpose: Look after the shop.\ncompute: { cpus: 1 }\nlifetime: 1h\ngrants:\n${texts}`,
    );
  }

  taskFile(name: string): string {
    return join(this.home.root, `${name}.yaml`);
  }

  /** Asks every system, and states what only its owner knows: two names of one place, and where the site runs. */
  async probe(only?: readonly string[]): Promise<void> {
    for (const one of only ?? [undefined]) {
      const grant = one === undefined ? [] : ["--grant", one];
      const probed = await this.home.call(["probe", this.taskFile("all"), ...grant]);
      assert.equal(probed.code, 0, probed.stdout + probed.stderr);
    }
    mkdirSync(join(this.home.state, "facts"), { recursive: true });
    writeFileSync(join(this.home.state, "facts", "company.facts"), STATED);
  }

  async blast(task: string): Promise<Answer> {
    const { stdout, stderr, code } = await this.home.call(["blast", this.taskFile(task), "--json"]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Answer;
  }

  async close(): Promise<void> {
    await this.home.close();
    for (const double of this.#doubles) await double.close();
    await this.#mail?.stop();
    await this.web.close();
    await this.db.close();
  }
}

interface Grant {
  readonly system: string;
  readonly host: string;
  readonly port: number;
  readonly how: readonly string[];
  readonly secret: string;
  readonly more?: string;
  readonly rules: string;
}

/** Leave ends within a year. */
const SOON = new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10);

const USERS: Readonly<Record<string, string>> = { web: "deploy", db: "keeper" };

function portOf({ url }: Double): number {
  return Number(new URL(url).port);
}

const STATED = `
at("postgres:pg@pg.example:5432", "${DB}:5432").
at("postgres:pg@pg.example:5432", "db1:5432").
at("mysql:crm@crm.example:3306", "web1:3306").
at("mysql:crm@crm.example:3306", "${WEB}:3306").
is_machine("the machine of blog.example:80", "the web server's user", web1, "www-data").
`;
