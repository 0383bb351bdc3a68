/**
 * The company's own servers, all real: OpenSSH, PostgreSQL, Exim, and git over HTTP. Each with a credential of its
 * own in the vault, and a grant.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authorityNamed } from "../../src/gateway/test-kit.ts";
import { Repository } from "../../test/git/kit.ts";
import { GitServer } from "../../test/git/server.ts";
import { Cluster } from "../../test/postgres/cluster.ts";
import { startExim } from "../../test/support/exim.ts";
import type { TestHome } from "../../test/support/home.ts";
import { Sshd } from "../../test/support/sshd.ts";

const DB_PASSWORD = "db-password-7d1f0c22ab";
const MAIL_PASSWORD = "mail-password-51e0aa93";
const FORGE_PASSWORD = "forge-password-c0ffee42";

/** Steps of servers.sh: what becomes of each, and what it says last. */
export const SERVER_STEPS: readonly (readonly [
  name: string,
  becomes: "ok" | "no",
  says?: RegExp,
])[] = [
  ["ssh-look", "ok", /the web server of the shop/],
  ["ssh-upload", "ok"],
  ["ssh-deploy", "ok"],
  ["ssh-unsaid", "no", /Cofferdam: /],
  ["ssh-tunnel", "no"],
  ["db-read", "ok", /^30$/],
  ["db-write", "ok", /UPDATE 1/],
  ["db-delete", "ok", /DELETE 1/],
  ["db-private", "no", /Cofferdam: /],
  ["db-drop", "no", /Cofferdam: /],
  ["mail-client", "ok", /queued as \S+: waits for a person/],
  ["mail-other", "ok", /< 5\d\d .*Cofferdam/],
  ["git-clone", "ok"],
  ["git-branch", "ok"],
  ["git-main", "ok"],
  ["git-force", "no"],
  ["git-delete", "no"],
];

/** Starts them, with what they are to hold, and puts their credentials into the vault of `home`. */
export async function startServers(home: TestHome) {
  const sshd = await new Sshd().start();
  const site = join(sshd.root, "site");
  mkdirSync(site);
  writeFileSync(join(site, "motd"), "the web server of the shop\n");

  const cluster = await Cluster.start();
  cluster.sql("create database shop");
  cluster.sql(
    `create role agent_of_the_shop login password '${DB_PASSWORD}';
     create table orders (id int primary key, state text, total numeric);
     create table customers (id int primary key, email text);
     insert into orders values (1, 'paid', 10), (2, 'paid', 20), (3, 'draft', 0);
     insert into customers values (1, 'ann@client.example');
     grant select, insert, update, delete on orders, customers to agent_of_the_shop;`,
    "shop",
  );

  const authority = await authorityNamed("the shop");
  const login = { user: "shop", password: MAIL_PASSWORD };
  const exim = await startExim({ login, tls: authority.leafFor("mail.test") });
  writeFileSync(join(home.root, "ca.pem"), authority.certificatePem);

  const root = join(home.root, "forge");
  const bare = join(root, "shop/site.git");
  mkdirSync(join(root, "shop"), { recursive: true });
  const seed = new Repository();
  seed.commit({ "README.md": "# Site\n" }, "first");
  execFileSync("git", ["clone", "-q", "--bare", seed.folder, bare]);
  execFileSync("git", ["-C", bare, "config", "http.receivepack", "true"]);
  execFileSync("git", ["-C", bare, "config", "uploadpack.allowFilter", "true"]);
  seed.remove();
  const forge = new GitServer(root, "bot", FORGE_PASSWORD);
  const forgePort = await forge.listen();

  const add = async (name: string, secret: string, ...how: readonly string[]) => {
    const args = ["credential", "add", name, "--host", `${name}.test`, ...how, "--stdin"];
    const { code, stderr } = await home.call(args, { input: secret });
    if (code !== 0) throw new Error(`credential ${name}: ${stderr}`);
  };
  await add("web", sshd.userKey, "--kind", "ssh-key", "--user", sshd.user, "--scheme", "ssh");
  await add(
    "db",
    DB_PASSWORD,
    ..."--kind login --user agent_of_the_shop --scheme postgres".split(" "),
  );
  await add("mail", MAIL_PASSWORD, ..."--kind login --user shop --scheme smtp".split(" "));
  await add("git", FORGE_PASSWORD, ..."--kind basic --user bot --scheme http --port 80".split(" "));

  const onForge = (...args: readonly string[]) =>
    execFileSync("git", ["-C", bare, ...args], { encoding: "utf8" }).trim();
  return {
    site,
    grants: `  - system: ssh
    name: web
    hosts: [web.test]
    dial: 127.0.0.1:${sshd.port}
    credential: web
    with: { host_key: "${sshd.hostKey}" }
    allow:
      - { verbs: [exec], on: ["cat ${site}/*", "touch ${site}/*"] }
      - { verbs: [sftp.list, sftp.read, sftp.write, sftp.setstat], on: ["${site}/**"] }
  - system: postgres
    name: db
    hosts: [db.test]
    tls: false
    dial: 127.0.0.1:${cluster.port}
    credential: db
    with: { database: shop }
    allow:
      - { verbs: [select, update, delete], on: [public.orders] }
  - system: smtp
    name: mail
    hosts: [mail.test]
    dial: 127.0.0.1:${exim.port}
    ca: ca.pem
    credential: mail
    with: { from: ["shop@sender.test"] }
    allow:
      - { verbs: [send], on: ["*@client.example"] }
  - system: git
    name: git
    hosts: [git.test]
    ports: [80]
    dial: 127.0.0.1:${forgePort}
    credential: git
    with: { repos: [shop/site] }
    allow:
      - verbs: [repo.read]
      - { verbs: [push.create, push.update], on: ["refs/heads/agent/**", refs/heads/main] }
`,
    secrets: [
      ...[DB_PASSWORD, MAIL_PASSWORD, FORGE_PASSWORD],
      ...sshd.userKey.split("\n").filter((line) => line.length > 40),
    ],
    /** What was to happen at them, each with whether it did. */
    look(): readonly (readonly [holds: boolean, what: string])[] {
      const [mail, ...more] = exim.messages();
      const page = (at: string) => onForge("show", `${at}:index.html`);
      return [
        [
          readFileSync(join(site, "index.html"), "utf8") === "<p>We are open.</p>\n",
          "the page is on the web server",
        ],
        [existsSync(join(site, "deployed")), "what was approved ran there"],
        [!existsSync("/tmp/cofferdam-never"), "what hid behind a harmless command did not"],
        [
          cluster.sql("select id, state from orders order by id", "shop") === "1|packed\n2|paid",
          "of the orders one was packed, and only drafts are gone",
        ],
        [
          mail?.recipients.join() === "ann@client.example" && more.length === 0,
          "one mail went out, to the client",
        ],
        [page("agent/open") === "<p>We are open.</p>", "the branch is at the forge"],
        [page("main") === "<p>We are open.</p>", "main was moved once, forwards"],
      ];
    },
    async close(): Promise<void> {
      forge.close();
      cluster.stop();
      await exim.stop();
      await sshd.close();
    },
  };
}
