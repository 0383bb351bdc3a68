/**
 * The probe of SSH against a real sshd, sudo and file system: each planted power is found and walked, and an account beside it
 * that has none of them is told to have none.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadProtocols } from "../../src/protocols/index.ts";
import { parseFacts, solve } from "../../src/blast/index.ts";
import { readRules } from "../../src/probe/index.ts";
import { COMMANDS } from "../../src/probe/ssh/scripts.ts";
import { TestHome } from "../support/home.ts";
import { SshWorld } from "../support/ssh-world.ts";
import { PLANT, VALUE } from "./probe-plants.ts";

const home = new TestHome();
const world = new SshWorld();
let task = "";

const ACCOUNTS = ["deploy", "plain"] as const;

before(async () => {
  await loadProtocols(["ssh"]);
  await world.start({ plant: PLANT });
  const grants = [];
  for (const name of ACCOUNTS) {
    const how = [
      "--kind",
      "ssh-key",
      "--user",
      name,
      "--scheme",
      "ssh",
      "--host",
      `${name}.example`,
    ];
    const added = await home.call(["credential", "add", `${name}-key`, ...how, "--stdin"], {
      input: world.userKey,
    });
    assert.equal(added.code, 0, added.stderr);
    grants.push(`  - system: ssh
    name: ${name}
    hosts: [${name}.example]
    dial: 127.0.0.1:${world.port}
    credential: ${name}-key
    with: { host_key: "${world.hostKey}" }
    allow:
      - { verbs: [exec], doing: [read] }
      - { verbs: [script] }
`);
  }
  task = join(home.root, "task.yaml");
  const head = "task: look\npurpose: look after a server\ngrants:\n";
  writeFileSync(task, `${head}${grants.join("")}`);
});
after(async () => {
  await home.close();
  await world.close();
});

/** Facts that the probe of `account` wrote, without what `@` says of them. */
function factsOf(account: string): readonly string[] {
  const folder = join(home.state, "facts");
  const file = readdirSync(folder).find((name) => name.includes(`_${account}-key@`)) ?? "";
  const text = readFileSync(join(folder, file), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const POWERS: readonly (readonly [what: string, fact: RegExp])[] = [
  ["sudo find", /^may_run_as\(web1, deploy, root, find, "sudo NOPASSWD: \/usr\/bin\/find"\)/],
  ["sudo with a script that it may change", /^executes\(web1, root, "web1:\/opt\/app\/run\.sh"\)/],
  ["sudo vi of one file", /^may_run_fixed_as\(web1, deploy, root, vi, /],
  [
    "sudoedit of what root's shells read",
    /^writable\(web1, deploy, "web1:\/etc\/profile\.d\/site\.sh"\)/,
  ],
  [
    "sudo with variables",
    /^becomes\(web1, deploy, other, "sudo NOPASSWD: \/usr\/bin\/id, with var/,
  ],
  ["a setuid find", /^setuid\(web1, deploy, root, find, "\/opt\/tool\/find"\)/],
  [
    "a setuid program that nobody knows",
    /^becomes\(web1, deploy, root, "\/opt\/tool\/odd"\) @assumed/,
  ],
  ["Docker's socket", /^becomes\(web1, deploy, root, "it may use \/run\/docker\.sock"\)/],
  ["a script of cron's folders", /^executes\(web1, root, "web1:\/etc\/cron\.daily\/backup"\)/],
  ["a script that a table of cron names", /^executes\(web1, root, "web1:\/opt\/jobs\/cron\.sh"\)/],
  [
    "a script that such a script calls",
    /^executes\(web1, root, "web1:\/opt\/jobs\/lib\/step\.sh"\)/,
  ],
  ["the folder of a unit's program", /^executes\(web1, other, "web1:\/opt\/service\/serve\.sh"\)/],
  ["a file of profile.d", /^executes\(web1, root, "web1:\/etc\/profile\.d\/site\.sh"\)/],
  ["a folder of root's PATH", /^executes\(web1, root, "web1:\/usr\/local\/bin\/"\)/],
  ["a script of logrotate", /^executes\(web1, root, "web1:\/opt\/jobs\/rotate\.sh"\)/],
  ["a script that runs now", /^executes\(web1, root, "web1:\/opt\/jobs\/daemon\.sh"\)/],
  ["somebody's .bashrc", /^executes\(web1, other, "web1:\/home\/other\/\.bashrc"\)/],
  [
    "somebody's authorized_keys",
    /^lets_in\(web1, other, "web1:\/home\/other\/\.ssh\/authorized_keys"\)/,
  ],
  ["a folder of a web root", /^executes\(web1, www-data, "web1:\/srv\/site\/wp-content\/"\)/],
  ["hooks of a repository", /^executes\(web1, other, "web1:\/srv\/git\/x\.git\/hooks\/"\)/],
  [
    "a key, and whom it opens",
    /^opens_login\("key in \S+id_ed25519", ssh, root, "10\.9\.0\.7:2222"\)/,
  ],
  ["a key with a passphrase", /^contains\("\S+id_locked", /],
  [".pgpass", /^opens_login\("password in \S+\.pgpass", postgres, agent, "db\.internal:5432"\)/],
  [".my.cnf", /^opens_login\("password in \S+\.my\.cnf", mysql, wp, "web1:3306"\)/],
  [".netrc", /^opens_login\("password in \S+\.netrc", git, ann, "api\.example:443"\)/],
  [
    ".git-credentials, not its user",
    /^opens_login\("password in \S+\.git-credentials", git, "its user", "github\.com:443"\)/,
  ],
  [".npmrc", /^contains\("\S+\.npmrc", "token in /],
  [".aws/credentials", /^contains\("\S+\.aws\/credentials", "default in /],
  ["a history with passwords", /^contains\("\S+\.bash_history", .*@assumed/],
  [
    "a database login of .env",
    /^opens_login\("DB_PASSWORD in \S+\.env", postgres, agent, "db\.internal:5432"\)/,
  ],
  [
    "an address of .env",
    /^opens_login\("CACHE_URL in \S+\.env", redis, "its user", "10\.9\.0\.8:6380"\)/,
  ],
  [
    "the database login of WordPress",
    /^opens_login\("DB_PASSWORD in \S+wp-config\.php", mysql, wp, "10\.9\.0\.5:3306"\)/,
  ],
  ["a dump", /^readable\(web1, deploy, "web1:\/var\/backups\/shop\.sql"\)/],
];

test("INV-172: what a host answers stands in no question, and no value of a secret in an answer", async () => {
  const { code, stdout, stderr } = await home.call(["probe", task]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^deploy: 7 questions, \d+ facts/m);
  assert.match(stdout, /^plain: 7 questions, \d+ facts/m);
  const log = await home.log();
  const asked = log.flatMap(({ type, data }) => {
    const command = (data?.["fields"] as { command?: string } | undefined)?.command;
    return type === "action" && command !== undefined ? [command] : [];
  });
  const fixed = Object.values(COMMANDS);
  // Long texts are cut in the record.
  const isFixed = (command: string) => fixed.some((one) => one.startsWith(command.slice(0, 1000)));
  assert.equal(asked.length, 2 * fixed.length);
  assert.ok(asked.every(isFixed), "the very texts, whatever names and contents lie there");
  assert.equal(
    world.run("find / -xdev -name 'pwned*' 2>/dev/null; ls /tmp"),
    "",
    "no name was run",
  );
  const written = JSON.stringify(log) + ACCOUNTS.flatMap(factsOf).join("\n") + stdout;
  assert.ok(!written.includes(VALUE) && !written.includes(VALUE.slice(2, 9)), "no value");
});

for (const [what, fact] of POWERS) {
  test(`found, and its twin not: ${what}`, () => {
    assert.ok(
      factsOf("deploy").some((line) => fact.test(line)),
      what,
    );
    const twin = new RegExp(fact.source.replace("web1, deploy", "web1, plain"));
    assert.deepEqual(
      factsOf("plain").filter((line) => twin.test(line)),
      [],
    );
  });
}

test("the twin has its own keys, commands that are fixed, and nothing else", () => {
  const told = factsOf("plain").filter(
    (line) => !/^(can|named|always|at|serves|reaches)\(/.test(line),
  );
  assert.deepEqual(
    told.map((line) => line.replace(/\).*/, "")),
    [
      'principal("ssh:plain-key@plain.example:22", ssh',
      "host(web1",
      'login("ssh:plain-key@plain.example:22", web1, plain',
      'user_of("ssh:plain-key@plain.example:22", plain',
      'may_run_fixed_as(web1, plain, root, id, "sudo NOPASSWD: /usr/bin/id \\"\\""',
      'may_run_as(web1, plain, root, "fixed.sh", "sudo NOPASSWD: /opt/app/fixed.sh"',
      'may_run_fixed_as(web1, plain, root, systemctl, "sudo NOPASSWD: /usr/bin/systemctl reload nginx"',
      'lets_in(web1, plain, "web1:/home/plain/.ssh/authorized_keys"',
      'writable(web1, plain, "web1:/home/plain/.ssh/authorized_keys"',
    ],
  );
});

test("what is not effective is not told", () => {
  const facts = factsOf("deploy").join("\n");
  for (const no of [
    "/opt/quiet",
    "/opt/app/fixed.sh",
    "forged",
    "/srv/data",
    "host:user",
    '"nobody"',
  ]) {
    assert.ok(!facts.includes(no), no);
  }
  assert.match(facts, /serves\(web1, redis, "10\.9\.0\.5:6379"\)/);
  assert.match(facts, /serves\(web1, other, "web1:6400"\)/);
  assert.doesNotMatch(facts, /"10\.9\.0\.5:6400"/, "it listens to the machine alone");
  assert.match(facts, /executes\(web1, root, "web1:\?"\)/, "a name with a line feed is told as ?");
});

test("daemon.probe: a grant that the task does not have is asked nothing", async () => {
  const { code, stderr } = await home.call(["probe", task, "--grant", "nobody"]);
  assert.notEqual(code, 0);
  assert.match(stderr, /no grant nobody/);
});

/** What whoever has the power does, as deploy; then what those do who fall for it. Root's number is printed where it worked. */
const WALKS: readonly (readonly [what: string, attack: string, victim?: string, as?: string])[] = [
  ["sudo find", "sudo -n find /etc/hostname -exec id -u ';'"],
  ["sudo's script", "echo 'id -u' >>/opt/app/run.sh; sudo -n /opt/app/run.sh"],
  ["setuid find", "/opt/tool/find /etc/hostname -exec id -u ';'"],
  ["cron.daily", "echo 'id -u' >>/etc/cron.daily/backup", "run-parts /etc/cron.daily"],
  ["cron's script", "echo 'id -u' >>/opt/jobs/cron.sh", "sh /opt/jobs/cron.sh /srv/data"],
  ["the script's script", "echo 'id -u' >>/opt/jobs/lib/step.sh", "/opt/jobs/run.py"],
  ["profile.d", "echo 'id -u' >>/etc/profile.d/site.sh", "bash -lc :"],
  [
    "PATH",
    "printf '#!/bin/sh\\nid -u\\n' >/usr/local/bin/ls; chmod 755 /usr/local/bin/ls",
    "PATH=/usr/local/bin:/usr/bin:/bin; ls",
  ],
  ["logrotate", "echo 'id -u' >>/opt/jobs/rotate.sh", "/opt/jobs/rotate.sh"],
  [
    "the unit's folder",
    "cd /opt/service; mv serve.sh old; printf '#!/bin/sh\\nid -u\\n' >serve.sh; chmod 755 serve.sh",
    "runuser -u other -- /opt/service/serve.sh",
    "other",
  ],
  [
    ".bashrc",
    "echo 'id -u' >>/home/other/.bashrc",
    "runuser -u other -- env HOME=/home/other bash -ic :",
    "other",
  ],
  [
    "hooks",
    "cd /srv/git/x.git/hooks; printf '#!/bin/sh\\nid -u\\n' >post-receive; chmod 755 post-receive",
    "runuser -u other -- /srv/git/x.git/hooks/post-receive",
    "other",
  ],
];
for (const [what, attack, victim, as = "root"] of WALKS) {
  test(`walked: ${what}`, () => {
    const told = world.run(attack, "deploy") + (victim === undefined ? "" : world.run(victim));
    const number = world.run(`id -u ${as}`).trim();
    assert.ok(told.split("\n").includes(number), told);
    const attempt = `(${attack}) 2>/dev/null; true`;
    assert.ok(!world.run(attempt, "plain").split("\n").includes(number), "the twin cannot");
  });
}

test("blast: nobody is anything unattended; with a script approved it is root by each of these, and plain is not", async () => {
  const { stdout, code, stderr } = await home.call(["blast", task, "--json"]);
  assert.equal(code, 0, stderr);
  const { outcomes } = JSON.parse(stdout) as {
    outcomes: readonly {
      readonly name: string;
      readonly unattended: unknown;
      readonly approverFooled: unknown;
      readonly objects: readonly { readonly object: string }[];
    }[];
  };
  const machineAt = (place: string) => `the machine at ${place}`;
  const hosts = outcomes.find(({ name }) => name === "hosts_executable");
  assert.equal(hosts?.unattended, 0);
  // web1, and those that logins which were found lead to: nobody has asked them.
  assert.deepEqual(
    hosts.objects.map(({ object }) => object).toSorted(),
    [
      "web1",
      ...["10.9.0.7:2222", "10.9.0.8:6380", "api.example:443", "db.internal:5432"].map(machineAt),
      ...["github.com:443", "web1:3306"].map(machineAt),
    ].toSorted(),
  );
  assert.equal(hosts.approverFooled, 7);
  const program = readRules("");
  for (const [account, isRoot] of [
    ["deploy", true],
    ["plain", false],
  ] as const) {
    const text = factsOf(account).join("\n");
    const shell = `may(g, script, execute, any). uses(g, "ssh:${account}-key@${account}.example:22").`;
    const solution = solve(program, parseFacts({ file: "x", text: `${text}\n${shell}` }, program));
    assert.equal(solution.find("code_on", ["web1", "root"]) !== undefined, isRoot);
    assert.ok(solution.find("code_on", ["web1", account]) !== undefined);
  }
});

/** Alpine's programs and shell, and the one that most accounts have. */
for (const shell of ["busybox sh", "bash"]) {
  test(`questions are answered alike by ${shell}`, () => {
    const applets =
      shell === "bash"
        ? ""
        : "mkdir -p /tmp/b; busybox --install -s /tmp/b; ln -sf /usr/bin/sudo /tmp/b; PATH=/tmp/b; ";
    for (const [name, command] of Object.entries(COMMANDS)) {
      if (name === "powers" || name === "account") continue; // getcap, uname: told apart where they are.
      const file = `/tmp/q-${name}`;
      world.run(`cat >${file} <<'QUESTION'\n${command}\nQUESTION`);
      const by = (how: string) => world.run(how, "deploy").split("\n").sort().join("\n");
      const plain = by(`export SHELL=/bin/sh; sh ${file}`);
      assert.ok(plain.split("\n").includes("end"), name);
      assert.equal(by(`${applets}export SHELL=/bin/sh; ${shell} ${file}`), plain, name);
    }
  });
}
