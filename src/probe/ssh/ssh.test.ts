/** What follows from answers, hostile ones too; what was not told; and Cofferdam's own machine. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { parseFacts, printFact, type Fact } from "../../blast/index.ts";
import { encodeAnswer, loadProtocols } from "../../protocols/index.ts";
import { parseTaskFile } from "../../policy/index.ts";
import { taskSystems } from "../../systems/index.ts";
import { readRules } from "../fact-files.ts";
import type { Probed, Question, Reply } from "../probe.ts";
import { readLines } from "./answer-lines.ts";
import { endpointOf } from "./network.ts";
import { COMMANDS, type ScriptName } from "./scripts.ts";
import { createSshProbe } from "./ssh.ts";

before(() => loadProtocols(["ssh"]));

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const { grants } = parseTaskFile(
  JSON.stringify({
    task: "t",
    purpose: "p",
    grants: [
      {
        ...{ system: "ssh", name: "web", hosts: ["web.example"], with: { host_key: KEY } },
        allow: [{ verbs: ["sftp.write"], on: ["/usr/local/bin/tool-*"] }],
      },
    ],
  }),
  "t",
  Date.now(),
  taskSystems(),
);
const OWN = { boot: "b-1", machine: "m-1", user: "keeper" };
const ACCOUNT = [
  "id\t1000\tdeploy",
  "group\tdeploy",
  "home\t/home/deploy",
  "hostname\tweb1",
  "machine\tm-2",
  "boot\tb-2",
  "connection\t10.0.0.5\t22",
  "user\troot\t0\t/root\t/bin/sh",
  "user\tpostgres\t70\t/var/lib\t/bin/sh",
];

type Answers = Partial<Record<ScriptName, readonly string[] | Reply>>;

/** What a host that gives these answers is told to be, and what it was asked. */
async function probed(answers: Answers): Promise<Probed & { readonly asked: readonly Question[] }> {
  const asked: Question[] = [];
  const [grant] = grants;
  assert.ok(grant);
  const ask = (question: Question): Promise<Reply> => {
    asked.push(question);
    const command = "operation" in question ? question.operation : undefined;
    const name = (Object.keys(COMMANDS) as ScriptName[]).find(
      (one) => JSON.stringify(command) === JSON.stringify({ op: "exec", command: COMMANDS[one] }),
    );
    assert.ok(name, "only questions of the table");
    const answer = answers[name] ?? (name === "account" ? ACCOUNT : []);
    return Promise.resolve(isLines(answer) ? replyOf([...answer, "end", ""].join("\n")) : answer);
  };
  const ports = { grant, principal: "ssh:k@web.example:22", at: "2026-11-27T10:00:00Z", ask };
  return { ...(await createSshProbe(() => OWN).probe(ports)), asked };
}

function isLines(answer: readonly string[] | Reply): answer is readonly string[] {
  return Array.isArray(answer);
}

function replyOf(text: string): Reply {
  const stdout = Buffer.from(text);
  const body = encodeAnswer({ exit: 0, stdout, stderr: Buffer.alloc(0), isCut: false });
  return { status: 200, body, isCut: false };
}

const lines = (facts: readonly Fact[]) =>
  facts.map((fact) => printFact(fact).replace(/ @from.*$/, "."));

const TOLD: readonly (readonly [why: string, answers: Answers, fact: string, isThere?: false])[] = [
  [
    "a disk that may be written",
    { powers: ["device\twrite\t/dev/sda1"] },
    'becomes(web1, deploy, root, "it may write /dev/sda1").',
  ],
  [
    "a disk that may be read",
    { powers: ["device\tread\t/dev/sda1"] },
    'reads_disk(web1, deploy, "/dev/sda1").',
  ],
  [
    "a program with a ruling capability",
    { powers: ["cap\t/usr/bin/python3.11 cap_setuid=ep"] },
    'may_run_as(web1, deploy, root, python3, "/usr/bin/python3.11 has cap_setuid=ep").',
  ],
  [
    "as older getcap writes it",
    { powers: ["cap\t/usr/bin/perl = cap_dac_override+ep"] },
    'may_run_as(web1, deploy, root, perl, "/usr/bin/perl has cap_dac_override+ep").',
  ],
  [
    "a capability that is inherited only",
    { powers: ["cap\t/usr/bin/perl cap_setuid=i"] },
    'may_run_as(web1, deploy, root, perl, "/usr/bin/perl has cap_setuid=i").',
    false,
  ],
  [
    "a capability that rules nothing",
    { powers: ["cap\t/usr/bin/ping cap_net_raw=ep"] },
    'may_run_as(web1, deploy, root, ping, "/usr/bin/ping has cap_net_raw=ep").',
    false,
  ],
  [
    "a setuid program that is careful",
    { powers: ["setuid\troot\t/usr/bin/su"] },
    'setuid(web1, deploy, root, su, "/usr/bin/su").',
    false,
  ],
  [
    "a setuid program",
    { powers: ["mount\t/\tsuid", "setuid\troot\t/usr/bin/find"] },
    'setuid(web1, deploy, root, find, "/usr/bin/find").',
  ],
  [
    "one where setuid means nothing",
    { powers: ["mount\t/\tsuid", "mount\t/home\tnosuid", "setuid\troot\t/home/find"] },
    'setuid(web1, deploy, root, find, "/home/find").',
    false,
  ],
  [
    "a folder beside such a mount",
    { powers: ["mount\t/\tsuid", "mount\t/home\tnosuid", "setuid\troot\t/homes/find"] },
    'setuid(web1, deploy, root, find, "/homes/find").',
  ],
  [
    "the cloud's own address",
    { powers: ["metadata\t200"] },
    'contains("web1: metadata of its cloud", "the cloud\'s credentials of web1") @assumed.',
  ],
  [
    "a file that a rule could make in a folder",
    { executed: ["run\troot\t/usr/local/bin/\tpath\titself"] },
    'executes(web1, root, "web1:/usr/local/bin/tool-x").',
  ],
  [
    "which it may write by that",
    { executed: ["run\troot\t/usr/local/bin/\tpath\titself"] },
    'can("ssh:k@web.example:22", "sftp.write", "web1:/usr/local/bin/tool-x").',
  ],
  [
    "and that is to execute",
    { executed: ["run\troot\t/usr/local/bin/\tpath\titself"] },
    'always("web1:/usr/local/bin/tool-x", "sftp.write", execute).',
  ],
  [
    "a program in root's PATH, of which nobody said who uses it",
    { executed: ["run\troot\t/usr/bin/x\tpath\titself"] },
    'executes(web1, root, "web1:/usr/bin/x") @assumed.',
  ],
  [
    "an account of a form that is none",
    { executed: ["run\t%i\t/opt/x\tsystemd\titself"] },
    'executes(web1, root, "web1:/opt/x") @assumed.',
  ],
  [
    "keys of another, where sshd is strict",
    { executed: ["strict\tyes", "key\tann\t/home/ann/.ssh/authorized_keys\tother\titself"] },
    'lets_in(web1, ann, "web1:/home/ann/.ssh/authorized_keys").',
    false,
  ],
  [
    "keys of another, where it does not say",
    { executed: ["strict\tclosed", "key\tann\t/home/ann/.ssh/authorized_keys\tother\titself"] },
    'lets_in(web1, ann, "web1:/home/ann/.ssh/authorized_keys") @assumed.',
  ],
  [
    "a service of an account",
    { network: ["listen\t00000000:1538\t70", "address\t10.0.0.5"] },
    'serves(web1, postgres, "10.0.0.5:5432").',
  ],
  [
    "under the name that it was dialled by",
    { network: ["listen\t00000000:1538\t70"] },
    'serves(web1, postgres, "web.example:5432").',
  ],
  [
    "a service of the machine alone",
    { network: ["listen\t0100007F:1538\t70", "address\t10.0.0.5"] },
    'serves(web1, postgres, "10.0.0.5:5432").',
    false,
  ],
  [
    "a connection that is open",
    { network: ["open\t0700000A:1538\t1000"] },
    'reaches(web1, "10.0.0.7:5432").',
  ],
  [
    "sudo, with a password, of its group",
    { account: [...ACCOUNT, "group\tsudo"], sudo: ["rc\t1", "sudo\tsudo: a password is required"] },
    'becomes_with(web1, deploy, root, "the password of deploy on web1", "sudo, of the group sudo").',
  ],
  [
    "and of no such group",
    { sudo: ["rc\t1", "sudo\tsudo: a password is required"] },
    'becomes_with(web1, deploy, root, "the password of deploy on web1", "sudo, of the group sudo").',
    false,
  ],
];
for (const [why, answers, fact, isThere = true] of TOLD) {
  test(`${isThere ? "told" : "not told"}: ${why}`, async () => {
    const { facts } = await probed(answers);
    const said = lines(facts);
    assert.equal(
      said.includes(fact),
      isThere,
      said.filter((one) => !one.startsWith("can(")).join("\n"),
    );
  });
}

const CUT: Reply = { ...replyOf("run\troot\t/etc/x\tcron\titself\nend\n"), isCut: true };
const NOTHING: Reply = { status: 0, body: Buffer.alloc(0), isCut: false, failure: "refused" };
const UNTOLD: readonly (readonly [why: string, answers: Answers, fact: RegExp])[] = [
  [
    "no account",
    { account: NOTHING },
    /^becomes\("the machine of web", "its account", root, .*@assumed/,
  ],
  [
    "an account without an end",
    { account: replyOf("id\t0\troot\n") },
    /^becomes\("the machine of web", "its account", root, .*@assumed/,
  ],
  [
    "no answer about sudo",
    { sudo: NOTHING },
    /^becomes\(web1, deploy, root, "what sudo .*@assumed/,
  ],
  [
    "sudo in another language",
    { sudo: ["rc\t0", "sudo\tDer Benutzer darf"] },
    /^becomes\(web1, deploy, root, "what sudo .*@assumed/,
  ],
  [
    "doas",
    { sudo: ["doas\t/usr/bin/doas"] },
    /^becomes\(web1, deploy, root, "what sudo .*@assumed/,
  ],
  [
    "a cut answer",
    { executed: CUT },
    /^becomes\(web1, deploy, root, "what root executes .*@assumed/,
  ],
  [
    "an answer with a line that is none",
    { powers: ["socket\t/run/docker.sock", "\u0007"] },
    /^becomes\(web1, deploy, root, "what else .*@assumed/,
  ],
  [
    "a line after the end",
    { powers: ["end"] },
    /^becomes\(web1, deploy, root, "what else .*@assumed/,
  ],
  [
    "no answer about secrets",
    { secrets: NOTHING },
    /^contains\("web1: files of deploy", .*@assumed/,
  ],
  ["no answer about backups", { backups: NOTHING }, /^label\("web1: backups", customer\) @assumed/],
];
for (const [why, answers, fact] of UNTOLD) {
  test(`not told counts at its worst: ${why}`, async () => {
    const { facts, notes } = await probed(answers);
    assert.ok(lines(facts).some((one) => fact.test(one)));
    assert.ok(notes.length > 0);
  });
}

test("what is told in whole assumes nothing", async () => {
  const { facts, notes } = await probed({
    sudo: ["rc\t1", "sudo\tUser a is not allowed to run sudo on b."],
  });
  assert.deepEqual(
    facts.filter(({ isAssumed }) => isAssumed),
    [],
  );
  assert.deepEqual(notes, []);
});

for (const [why, boot, machine, isOwn] of [
  ["the same boot and machine", "b-1", "m-1", true],
  ["a container that has no id", "b-1", "", true],
  ["a container on it", "b-1", "m-2", false],
  ["a machine of the same image", "b-2", "m-1", false],
] as const) {
  test(`INV-173: Cofferdam's own machine is ${isOwn ? "" : "not "}known: ${why}`, async () => {
    const account = ACCOUNT.map((line) =>
      line.startsWith("boot")
        ? `boot\t${boot}`
        : line.startsWith("machine")
          ? `machine\t${machine}`
          : line,
    );
    const { facts } = await probed({ account });
    const told = lines(facts).filter((line) => line.startsWith("runs_cofferdam"));
    assert.deepEqual(
      told,
      isOwn ? ["runs_cofferdam(web1, keeper).", "runs_cofferdam(web1, root)."] : [],
    );
  });
}

test("INV-172: whatever is answered, the same constants are asked, and facts can be read again", async () => {
  const program = readRules("");
  const field = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "$(id)",
      "`id`",
      "';id;'",
      '"',
      "\\",
      "/etc/x",
      "root",
      "ALL",
      "0",
      "?",
      "../x",
    ),
  );
  const tag = fc.constantFrom(
    ...[
      "id",
      "group",
      "hostname",
      "home",
      "user",
      "sudo",
      "rc",
      "program",
      "socket",
      "setuid",
      "cap",
      "run",
      "key",
      "secret",
    ],
    ...["listen", "open", "address", "backup", "strict", "connection", "mount"],
  );
  const line = fc
    .tuple(tag, fc.array(field, { maxLength: 7 }))
    .map((parts) => parts.flat().join("\t"));
  const answer = fc.array(line, { maxLength: 12 });
  const names = Object.keys(COMMANDS) as ScriptName[];
  const all = fc.record(Object.fromEntries(names.map((name) => [name, answer])));
  const property = fc.asyncProperty(all, async (answers) => {
    const { facts, asked } = await probed(answers);
    assert.deepEqual(
      asked,
      names.map((name) => ({ operation: { op: "exec", command: COMMANDS[name] }, isFixed: true })),
    );
    const text = facts.map(printFact).join("\n");
    assert.equal(parseFacts({ file: "x.facts", text }, program).length, facts.length);
  });
  await fc.assert(property, { numRuns: 100 });
});

test("a line has a form, and any text is read", () => {
  assert.deepEqual(readLines("a\tb\t\tc\nend\n"), { lines: [["a", "b", "", "c"]], isWhole: true });
  for (const text of [
    "",
    "end",
    "a\n",
    "A\tb\nend\n",
    "a\tb\u0001\nend\n",
    "end\nend\n",
    `a\t${"x".repeat(5000)}\nend\n`,
    `${"a\n".repeat(7000)}end\n`,
  ]) {
    assert.equal(readLines(text).isWhole, false, text.slice(0, 20));
  }
  assert.equal(readLines("end\n", true).isWhole, false, "it was cut");
  fc.assert(fc.property(fc.string(), (text) => void readLines(text)));
});

for (const [text, place] of [
  ["0100007F:1F90", "127.0.0.1 8080"],
  ["00000000000000000000000001000000:0016", "::1 22"],
  ["0000000000000000FFFF00000500090A:0050", "10.9.0.5 80"],
  ["B80D0120000000000000000001000000:0001", "2001:db8::1 1"],
  ["0100007F", "undefined"],
  ["0100007F0100007F:0016", "undefined"],
] as const) {
  test(`/proc/net: ${text} is ${place}`, () => {
    const found = endpointOf(text);
    assert.equal(found === undefined ? "undefined" : `${found.address} ${found.port}`, place);
  });
}
