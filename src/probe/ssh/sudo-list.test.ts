/** Listings of sudo: what each lets an account do, that nothing else is understood, and that reading is linear. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSudoList } from "./sudo-list.ts";
import { powersOf } from "./sudo-powers.ts";

interface Entry {
  readonly users?: string;
  readonly groups?: string;
  readonly options?: string;
  readonly commands: readonly string[];
}

/** As sudo 1.9.13 lists them. */
function listing(entries: readonly Entry[], defaults = "env_reset"): readonly string[] {
  return [
    "Matching Defaults entries for deploy on web1:",
    `    ${defaults}`,
    "",
    "User deploy may run the following commands on web1:",
    ...entries.flatMap(({ users = "root", groups, options = "!authenticate", commands }) => [
      "",
      "Sudoers entry: /etc/sudoers",
      `    RunAsUsers: ${users}`,
      ...(groups === undefined ? [] : [`    RunAsGroups: ${groups}`]),
      ...(options === "" ? [] : [`    Options: ${options}`]),
      "    Commands:",
      ...commands.map((one) => `\t${one}`),
    ]),
  ];
}

const ACCOUNTS = new Map([
  ["0", "root"],
  ["33", "www-data"],
  ["1000", "deploy"],
]);

function told(lines: readonly string[]): readonly string[] | undefined {
  const list = parseSudoList(lines);
  return (
    list &&
    powersOf(list, ACCOUNTS, "deploy").map(({ target, kind, program, isFree, isAssumed }) =>
      [target, kind, program, ...(isFree ? [] : ["password"]), ...(isAssumed ? ["assumed"] : [])]
        .filter((one) => one !== "")
        .join(" "),
    )
  );
}

const CASES: readonly (readonly [
  why: string,
  entries: readonly Entry[],
  powers: readonly string[],
  defaults?: string,
])[] = [
  ["everything", [{ users: "ALL", commands: ["ALL"] }], ["root become"]],
  [
    "everything, with a password",
    [{ users: "ALL", options: "", commands: ["ALL"] }],
    ["root become password"],
  ],
  [
    "a command without arguments may be run with any",
    [{ commands: ["/usr/bin/find"] }],
    ["root word /usr/bin/find"],
  ],
  ['"" is none', [{ commands: ['/usr/bin/id ""'] }], ["root fixed /usr/bin/id"]],
  [
    "arguments that are written out are fixed",
    [{ commands: ["/usr/bin/systemctl reload nginx"] }],
    ["root fixed /usr/bin/systemctl"],
  ],
  [
    "a star is any arguments, also with spaces",
    [{ commands: ["/usr/bin/cat /var/log/*"] }],
    ["root word /usr/bin/cat"],
  ],
  [
    "so are a question mark, brackets and a regular expression",
    [{ commands: ["/a b?", "/c d[ef]", "/g ^h$"] }],
    ["root word /g", "root word /c", "root word /a"],
  ],
  [
    "a folder of programs has a shell",
    [{ commands: ["/usr/sbin/", "/usr/bin/*"] }],
    ["root become /usr/bin/*", "root become /usr/sbin/"],
  ],
  [
    "of another folder it was not told",
    [{ commands: ["/opt/*", "^/usr/bin/x[0-9]+$"] }],
    ["root become ^/usr/bin/x[0-9]+$ assumed", "root become /opt/* assumed"],
  ],
  [
    "what ! leaves out is no hindrance",
    [{ commands: ["ALL", "!/bin/sh", "!/bin/bash"] }],
    ["root become"],
  ],
  ["unless it is all", [{ commands: ["ALL", "!ALL"] }], []],
  ["!! is not a negation", [{ commands: ["!!/bin/sh"] }], ["root word /bin/sh"]],
  [
    "the last that matches counts: here it asks for a password",
    [{ commands: ["ALL"] }, { users: "ALL", options: "", commands: ["ALL"] }],
    ["root become password"],
  ],
  [
    "and here it does not",
    [{ users: "ALL", options: "", commands: ["ALL"] }, { commands: ["/usr/bin/find"] }],
    ["root word /usr/bin/find", "root become password"],
  ],
  [
    "an ALL that asks rules what stands before it",
    [{ commands: ["/usr/bin/find"] }, { users: "ALL", options: "", commands: ["ALL"] }],
    ["root become password"],
  ],
  [
    "the same command twice",
    [{ commands: ["/usr/bin/find"] }, { options: "", commands: ["/usr/bin/find"] }],
    ["root word /usr/bin/find password"],
  ],
  ["another account", [{ users: "www-data", commands: ["ALL"] }], ["www-data become"]],
  [
    "an account by its number",
    [{ users: "#33", commands: ["/bin/sh"] }],
    ["www-data word /bin/sh"],
  ],
  ["#0 is root", [{ users: "#0", commands: ["/bin/sh"] }], ["root word /bin/sh"]],
  [
    "all but root: each of the others",
    [{ users: "ALL, !root", commands: ["/bin/vi"] }],
    ["www-data word /bin/vi", "deploy word /bin/vi"],
  ],
  [
    "a group may hold root",
    [{ users: "%wheel", commands: ["/bin/sh"] }],
    ["root word /bin/sh assumed"],
  ],
  [
    "variables of one's own load code into any command",
    [{ options: "setenv, !authenticate", commands: ["/usr/bin/id"] }],
    ["root become /usr/bin/id"],
  ],
  [
    "and so does keeping those of the loader",
    [{ commands: ['/usr/bin/id ""'] }],
    ["root become /usr/bin/id"],
    'env_reset, env_keep+="FOO LD_PRELOAD"',
  ],
  [
    "others that are kept do not",
    [{ commands: ['/usr/bin/id ""'] }],
    ["root fixed /usr/bin/id"],
    'env_reset, env_keep+="LANG SSH_AUTH_SOCK"',
  ],
  [
    "nobody is asked at all",
    [{ options: "", commands: ["ALL"] }],
    ["root become"],
    "env_reset, !authenticate",
  ],
  ["an editor of one file", [{ commands: ["sudoedit /etc/motd"] }], ["root edit /etc/motd"]],
  ["an editor of many", [{ commands: ["sudoedit /etc/*"] }], ["root become /etc/* assumed"]],
  [
    "a group that is as good as root",
    [{ users: "deploy", groups: "docker", commands: ["/usr/bin/id"] }],
    ["deploy word /usr/bin/id", "root word /usr/bin/id assumed"],
  ],
  [
    "a digest says which program it is, not what it does",
    [{ commands: ["sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/sh"] }],
    ["root word /bin/sh"],
  ],
  [
    "commas and spaces of names are written with a backslash",
    [{ commands: ["/opt/a\\,b\\ c"] }],
    ["root word /opt/a,b c"],
  ],
];
for (const [why, entries, powers, defaults] of CASES) {
  test(`sudo: ${why}`, () => {
    assert.deepEqual(told(listing(entries, defaults)), powers);
  });
}

for (const [line, listed] of [
  ["sudo: a password is required", "password"],
  ["User plain is not allowed to run sudo on web1.", "no"],
  ["Sorry, user plain may not run sudo on web1.", "no"],
] as const) {
  test(`sudo says ${JSON.stringify(line)}`, () => {
    assert.equal(parseSudoList(["sudo: unable to resolve host web1: x", line])?.listed, listed);
  });
}

const UNREAD: readonly (readonly [why: string, lines: readonly string[]])[] = [
  ["nothing", []],
  ["a message that nobody knows", ["sudo: something else"]],
  [
    "an entry with a key that nobody knows",
    listing([{ options: "x", commands: ["ALL"] }]).map((line) => line.replace("Options", "Powers")),
  ],
  ["an entry that ends before its commands", listing([{ commands: [] }])],
  ["a command that is no path", listing([{ commands: ["find"] }])],
  [
    "another language",
    listing([{ commands: ["ALL"] }]).map((line) => line.replace("may run", "darf")),
  ],
  ["a line between", listing([{ commands: ["ALL"] }]).flatMap((line) => [line, "x"])],
  ["an answer that breaks off", listing([{ commands: ["ALL"] }]).slice(0, -1)],
];
for (const [why, lines] of UNREAD) {
  test(`sudo: not understood, so not told: ${why}`, () => assert.equal(told(lines), undefined));
}

test("any lines are read without an error", () => {
  const whole = listing([{ users: "ALL, !root", groups: "adm", commands: ["ALL", "!/bin/sh a*"] }]);
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...whole),
    fc.string().map((text) => `\t${text}`),
  );
  fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => void told(lines)));
});

test("long listings and long lines are read", () => {
  const of = (count: number) =>
    listing(
      Array.from({ length: count }, (_, at) => ({
        commands: [`/bin/a${at} ${"\\ ".repeat(20)}*`],
      })),
    );
  const list = parseSudoList(of(2000));
  assert.equal(list?.entries.length, 2000);
  assert.equal(parseSudoList([`\t/${"\\".repeat(100_000)}`]), undefined);
  assert.equal(parseSudoList(listing([{ commands: ["sha256:a ".repeat(20_000)] }])), undefined);
  assert.equal(parseSudoList(listing([{ commands: [`${"!".repeat(100_000)}x`] }])), undefined);
});
