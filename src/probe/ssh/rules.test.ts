/** Rules of rules/ssh.rules and rules/redis.rules: what follows, and what does not without one of its facts. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { factsOfTask, parseFacts, solve, type Fact, type Program } from "../../blast/index.ts";
import { parseTaskFile, type Task } from "../../policy/index.ts";
import { findProtocol, loadProtocols } from "../../protocols/index.ts";
import { taskSystems } from "../../systems/index.ts";
import { readRules } from "../fact-files.ts";

let program: Program;
before(async () => {
  await loadProtocols(["ssh", "redis"]);
  program = readRules("");
});

const read = (text: string) => parseFacts({ file: "w.facts", text }, program);
const SHELL = `principal(p, ssh). login(p, web1, deploy). may(g, script, execute, any). uses(g, p). can(p, script, any). host(web1).`;
const FOUND = `run_knows(key). opens_login(key, postgres, wp, "db:5432"). uninspected(g, "db:5432").`;
const SERVED = `becomes(web1, deploy, root, x). serves(web1, postgres, "10.0.0.5:5432"). at(q, "10.0.0.5:5432"). can(q, select, orders).`;

/** With all facts it follows; without any one of those in \`needs\` it does not. */
const RULES: readonly (readonly [
  why: string,
  base: string,
  needs: string,
  follows: readonly [string, ...string[]],
])[] = [
  [
    "sudo find",
    `${SHELL} `,
    `may_run_as(web1, deploy, root, find, x).`,
    ["code_on", "web1", "root"],
  ],
  [
    "sudo vi of a file",
    SHELL,
    `may_run_fixed_as(web1, deploy, root, vi, x).`,
    ["code_on", "web1", "root"],
  ],
  [
    "sudo with a password that was found",
    SHELL,
    `becomes_with(web1, deploy, root, pw, x). run_knows(pw).`,
    ["code_on", "web1", "root"],
  ],
  [
    "a setuid find",
    SHELL,
    `setuid(web1, deploy, root, find, "/opt/find").`,
    ["code_on", "web1", "root"],
  ],
  [
    "a database's keeper, whatever the login may",
    `${SHELL} becomes(web1, deploy, postgres, x). at(q, "10.0.0.5:5432"). principal(q, postgres). at(q, "db.example:5432").`,
    `serves(web1, postgres, "10.0.0.5:5432"). belongs_to(salaries, "db.example:5432").`,
    ["destroys", "salaries"],
  ],
  [
    "and root of its machine",
    `${SHELL} becomes(web1, deploy, root, x). at(q, "10.0.0.5:5432"). principal(q, postgres). at(q, "db.example:5432").`,
    `serves(web1, postgres, "10.0.0.5:5432"). belongs_to(salaries, "db.example:5432").`,
    ["reads", "salaries"],
  ],
  [
    "a push is no command where it goes to",
    `principal(p, ssh). login(p, web1, deploy). uses(g, p). can(p, "push.ci", any). can(p, script, any). may(g, "push.ci", execute, any).`,
    `may(g, script, execute, any).`,
    ["code_on", "web1", "deploy"],
  ],
  [
    "keys of another",
    SHELL,
    `lets_in(web1, ann, keys). writable(web1, deploy, keys).`,
    ["code_on", "web1", "ann"],
  ],
  [
    "a key of one's own",
    SHELL,
    `lets_in(web1, deploy, keys). writable(web1, deploy, keys).`,
    ["credentials_mintable", "keys", "1"],
  ],
  ["a disk", SHELL, `reads_disk(web1, deploy, sda). stored_on(x, web1).`, ["reads", "x"]],
  [
    "a command that reads",
    `principal(p, ssh). login(p, web1, deploy). uses(g, p). can(p, exec, any).`,
    `may(g, exec, "read-private", any). readable(web1, deploy, x). unguarded(x).`,
    ["reads", "x"],
  ],
  [
    "cat with any arguments",
    `principal(p, ssh). login(p, web1, deploy). uses(g, p). can(p, exec, c).`,
    `may(g, exec, read, c). command(c, cat). readable(web1, deploy, x).`,
    ["reads", "x"],
  ],
  [
    "the same user of the same place",
    "",
    `${FOUND} principal(q, postgres). at(q, "db:5432"). user_of(q, wp).`,
    ["acts_as", "q"],
  ],
  [
    "a login sent by a grant without a credential",
    `run_knows(key). may(g, get, read, k). can(q, get, k).`,
    `carries(g, "c:1"). opens_login(key, redis, default, "c:1"). principal(q, redis). at(q, "c:1"). user_of(q, default).`,
    ["reads", "k"],
  ],
  [
    "root's key of a machine that was asked",
    `run_knows(key). opens_login(key, ssh, root, "w:22"). uninspected(g, "w:22"). principal(q, ssh). user_of(q, root).`,
    `at(q, "w:22"). serves(web1, root, "w:22").`,
    ["code_on", "web1", "root"],
  ],
  [
    "code in a service of a machine",
    `principal(q, redis). may(g, "config.set", execute, k). uses(g, q). can(q, "config.set", k).`,
    `runs_code_as(q, "config.set"). at(q, "r:6379"). serves(web1, redis, "r:6379").`,
    ["code_on", "web1", "redis"],
  ],
  [
    "root reads what a database keeps",
    SHELL,
    `${SERVED} principal(q, postgres).`,
    ["reads", "orders"],
  ],
  [
    "root destroys what a database keeps",
    SHELL,
    `${SERVED} principal(q, postgres).`,
    ["destroys", "orders"],
  ],
  [
    "the database's account reads it",
    SHELL.replaceAll("deploy", "postgres"),
    SERVED.replace(/^\S+ \S+ \S+ \S+ /, "") + " principal(q, postgres).",
    ["reads", "orders"],
  ],
  [
    "Cofferdam's own machine",
    SHELL,
    `runs_cofferdam(web1, deploy). uses(other, q).`,
    ["acts_as", "q"],
  ],
  [
    "and its vault",
    SHELL,
    `runs_cofferdam(web1, deploy).`,
    ["knows", "every credential of Cofferdam's vault"],
  ],
];
for (const [why, base, needs, [predicate, ...terms]] of RULES) {
  test(`follows: ${why}`, () => {
    const [fixed, needed] = [read(base), read(needs)];
    const holds = (facts: readonly Fact[]) =>
      solve(program, facts).find(
        predicate,
        terms.map((one) => (/^\d+$/.test(one) ? Number(one) : one)),
      ) !== undefined;
    assert.ok(holds([...fixed, ...needed]));
    for (const left of needed) {
      assert.ok(
        !holds([...fixed, ...needed.filter((one) => one !== left)]),
        JSON.stringify(left.terms),
      );
    }
  });
}

test("what harmless commands of sudo do not give", () => {
  const facts = `${SHELL} may_run_fixed_as(web1, deploy, root, systemctl, x). may_run_as(web1, deploy, root, "run.sh", x). setuid(web1, deploy, root, id, x).`;
  assert.equal(solve(program, read(facts)).find("code_on", ["web1", "root"]), undefined);
});

test("INV-173: a grant of the account that runs Cofferdam is total: every credential of the task", () => {
  const facts = read(
    `${SHELL} runs_cofferdam(web1, deploy). uses(a, one). uses(b, two). principal(one, postgres). can(one, delete, t). is_effect(postgres, delete, delete). rows(t, 7).`,
  );
  const solution = solve(program, facts);
  for (const who of ["one", "two"]) assert.ok(solution.find("acts_as", [who]) !== undefined, who);
  assert.ok(solution.find("data_destroyable", ["t", 7]) !== undefined);
});

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const taskOf = (allow: readonly unknown[]): Task =>
  parseTaskFile(
    JSON.stringify({
      ...{ task: "t", purpose: "p" },
      grants: [
        { system: "ssh", name: "web", hosts: ["w.example"], with: { host_key: KEY }, allow },
      ],
    }),
    "t",
    Date.now(),
    taskSystems(),
  );
const verbsOf = (system: string) => {
  const verbs = findProtocol(system)?.verbs;
  return verbs && new Map(Object.entries(verbs).map(([verb, { effects }]) => [verb, effects]));
};
const P = "ssh:nobody@w.example:22";
const HOST = `principal("${P}", ssh). login("${P}", web1, deploy). user_of("${P}", deploy). host(web1). at("${P}", "w.example:22").`;

/** How many persons must say yes until it holds; undefined where it never does. */
function personsFor(
  allow: readonly unknown[],
  known: string,
  what: readonly [string, ...string[]],
): number | undefined {
  const facts = read(`${HOST} ${known}`);
  const all = [...facts, ...factsOfTask(taskOf(allow), { program, verbsOf, known: facts })];
  const solution = solve(program, all);
  const [predicate, ...terms] = what;
  const atom = solution.find(predicate, terms);
  return atom === undefined ? undefined : solution.personsOf(atom);
}

const FILE = (path: string, verb: string) =>
  `named("web1:${path}", "${path}"). can("${P}", "${verb}", "web1:${path}").`;
const GRANTS: readonly (readonly [
  why: string,
  allow: readonly unknown[],
  known: string,
  what: readonly [string, ...string[]],
  persons: number | undefined,
])[] = [
  [
    "a file that cron runs, by a rule that covers it",
    [{ verbs: ["sftp.write"], on: ["/opt/**"] }],
    `${FILE("/opt/x", "sftp.write")} executes(web1, root, "web1:/opt/x").`,
    ["code_on", "web1", "root"],
    0,
  ],
  [
    "not by a rule of another folder",
    [{ verbs: ["sftp.write"], on: ["/srv/**"] }],
    `${FILE("/opt/x", "sftp.write")} executes(web1, root, "web1:/opt/x").`,
    ["code_on", "web1", "root"],
    undefined,
  ],
  [
    "a name of which it is known that it is executed waits",
    [{ verbs: ["sftp.write"], on: ["/opt/**"] }],
    `${FILE("/opt/x.sh", "sftp.write")} always("web1:/opt/x.sh", "sftp.write", execute). executes(web1, root, "web1:/opt/x.sh").`,
    ["code_on", "web1", "root"],
    1,
  ],
  [
    "and is not covered where only writing is",
    [{ verbs: ["sftp.write"], on: ["/opt/**"], doing: ["write"] }],
    `${FILE("/opt/x.sh", "sftp.write")} always("web1:/opt/x.sh", "sftp.write", execute). executes(web1, root, "web1:/opt/x.sh").`,
    ["code_on", "web1", "root"],
    undefined,
  ],
  [
    "a secret by a name that tells it",
    [{ verbs: ["sftp.read"], on: ["/home/**"] }],
    `${FILE("/home/a/.pgpass", "sftp.read")} always("web1:/home/a/.pgpass", "sftp.read", administer). contains("web1:/home/a/.pgpass", s).`,
    ["knows", "s"],
    1,
  ],
  [
    "and by one that does not",
    [{ verbs: ["sftp.read"], on: ["/home/**"] }],
    `${FILE("/home/a/x.php", "sftp.read")} contains("web1:/home/a/x.php", s).`,
    ["knows", "s"],
    0,
  ],
  [
    "sudo tee with any arguments is tee's shell",
    [{ verbs: ["exec"], on: ["sudo tee **"], doing: ["execute", "administer"] }],
    "",
    ["code_on", "web1", "deploy"],
    1,
  ],
  [
    "and not where its effects are said to be reading: -exec is a script",
    [{ verbs: ["exec"], on: ["find **"], effects: ["read"] }],
    "",
    ["code_on", "web1", "deploy"],
    undefined,
  ],
  [
    "tee with any arguments writes what the account runs, whatever its effects are said to be",
    [{ verbs: ["exec"], on: ["tee **"], effects: ["read"] }],
    "",
    ["code_on", "web1", "deploy"],
    0,
  ],
  [
    "sudo with a word that is one thing is not",
    [{ verbs: ["exec"], on: ["sudo id *"] }],
    "",
    ["code_on", "web1", "deploy"],
    undefined,
  ],
  [
    "files of one folder are no arguments",
    [{ verbs: ["exec"], on: ["find /srv/*"] }],
    "",
    ["code_on", "web1", "deploy"],
    undefined,
  ],
];
for (const [why, allow, known, what, persons] of GRANTS) {
  test(`by a grant: ${why}`, () => assert.equal(personsFor(allow, known, what), persons));
}

const LEAK = `contains("web1:/x", s). readable(web1, deploy, "web1:/x"). opens_login(s, postgres, wp, "db:5432"). opens_login(s, postgres, wp, "10.0.0.7:5432").`;
test("a login that was found and not asked about counts at its worst, once for all names of its place", () => {
  const allow = [{ verbs: ["script"] }];
  const object = "whatever postgres:wp@db:5432 may";
  const all = `can("${P}", script, any). ${LEAK}`;
  assert.notEqual(personsFor(allow, all, ["destroys", object]), undefined);
  assert.notEqual(
    personsFor(allow, all, ["code_on", "the machine at db:5432", "its service"]),
    undefined,
  );
  assert.equal(personsFor(allow, all, ["acts_as", "postgres:wp@10.0.0.7:5432"]), undefined);
});
test("and by its own facts where it is the account of another probe", () => {
  const allow = [{ verbs: ["script"] }];
  const asked = `principal(q, postgres). user_of(q, wp). at(q, "10.0.0.7:5432"). can(q, select, t).`;
  const all = `can("${P}", script, any). ${LEAK} ${asked}`;
  assert.notEqual(personsFor(allow, all, ["acts_as", "q"]), undefined);
  assert.equal(personsFor(allow, all, ["acts_as", "postgres:wp@db:5432"]), undefined);
});
