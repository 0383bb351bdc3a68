import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePolicy } from "./policy.ts";
import { explainTask } from "./explain.ts";
import { FileFault } from "../yaml/index.ts";
import { parseTaskFile } from "./task-file.ts";
import { GET, LEAST, NOW_MS, problemsOf, rules, two } from "./testing.test.ts";

const GOOD = `task: publish-docs
purpose: Publish the documentation
lifetime: 2h
compute: { cpus: 2, memory: 4GiB, pids: 512, disk: 10GiB, recordings: 1GiB, gpu: [0, 1] }
environment: [LANG]
grants:
  - system: http
    name: docs
    hosts: [docs.example.com, "*.cdn.example.com"]
    allow:
      - methods: [GET, HEAD]
        paths: ["/**"]
      - methods: [DELETE]
        paths: ["/drafts/*"]
        unattended: { count: 20, reason: Drafts are copies., expires: 2026-12-31 }
  - system: http
    name: plain
    hosts: [plain.example.com]
    ports: [80]
    allow:
      - { methods: [POST], paths: [/search], effects: [read] }
respond: { tunnel: kill }
`;

test("a good file becomes a task in the program's units, with every default", () => {
  assert.deepEqual(parseTaskFile(GOOD, "task.yaml", NOW_MS), {
    task: "publish-docs",
    purpose: "Publish the documentation",
    workspace: "overlay",
    home: "keep",
    lifetimeMs: 7_200_000,
    compute: {
      ...{ cpus: 2, memoryBytes: 2 ** 32, pids: 512, diskBytes: 10 * 2 ** 30 },
      ...{ recordingsBytes: 2 ** 30, gpu: [0, 1] },
    },
    environment: ["LANG"],
    grants: [
      {
        kind: "http",
        system: "http",
        name: "docs",
        hosts: ["docs.example.com", "*.cdn.example.com"],
        ports: [443],
        tls: true,
        pairs: [],
        protocols: [],
        allow: [
          { methods: ["GET", "HEAD"], paths: ["/**"] },
          {
            methods: ["DELETE"],
            paths: ["/drafts/*"],
            unattended: {
              count: 20,
              reason: "Drafts are copies.",
              expiresMs: Date.parse("2027-01-01T00:00:00Z"),
            },
          },
        ],
      },
      {
        kind: "http",
        system: "http",
        name: "plain",
        hosts: ["plain.example.com"],
        ports: [80],
        tls: false,
        pairs: [],
        protocols: [],
        allow: [{ methods: ["POST"], paths: ["/search"], effects: ["read"] }],
      },
    ],
    approvals: { holdMs: 45_000, expiresMs: 864e5, undoMs: 0, fourEyes: [] },
    publish: [],
    restart: "never",
    respond: {
      tunnel: ["kill"],
      mining: [],
      scan: [],
      metadata: [],
      protocol: [],
      resolver: [],
      sticky: ["pause"],
      changed: [],
      exfiltration: [],
      beacon: [],
      persistence: [],
      agent: [],
      signal: [],
      flood: [],
      loop: [],
      usage: [],
      claim: [],
      tampering: [],
      credential: [],
      escape: [],
    },
    detect: {},
  });
});

test("the least file grants nothing", () => {
  const task = parseTaskFile("task: a\npurpose: b\n", "task.yaml", NOW_MS);
  assert.deepEqual([task.grants, task.environment, task.publish], [[], [], []]);
  assert.deepEqual(compilePolicy(task).grants, []);
});

const FINE: readonly (readonly [why: string, source: string])[] = [
  ["the least file", LEAST],
  ["line ends of Windows", LEAST.replaceAll("\n", "\r\n")],
  ["start and end marks", `---\n${LEAST}...\n`],
  ["letters of any script", "task: a\npurpose: Veröffentliche 文書 🚀\n"],
  ["JSON is YAML", '{"task": "a", "purpose": "b", "grants": []}'],
  [
    "a narrow rule before a broad one",
    rules(
      '      - { methods: [GET], paths: ["/a/*"], effects: [read-private] }\n      - { methods: [GET], paths: ["/**"] }\n',
    ),
  ],
  [
    "the same path for another method",
    rules(
      '      - { methods: [GET], paths: ["/**"] }\n      - { methods: [HEAD], paths: ["/**"] }\n',
    ),
  ],
  [
    "the same host on another port",
    two(`hosts: [a.example], ${GET}`, `hosts: [a.example], ports: [8443], ${GET}`),
  ],
  [
    "an exact host before a wildcard",
    two(`hosts: [b.a.example], ${GET}`, `hosts: ["*.a.example"], ${GET}`),
  ],
  [
    "an unknown method, which administers",
    rules('      - { methods: [PROPFIND], paths: ["/**"] }\n'),
  ],
  [
    "a pair with what reads privately",
    two(
      `hosts: [a.example], pairs: [y], ${GET}`,
      `hosts: [b.example], allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }]`,
    ),
  ],
  [
    "unattended until the end of today",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { count: 1, reason: x, expires: 2026-11-23 } }\n',
    ),
  ],
];
for (const [why, source] of FINE) {
  test(`a good file: ${why}`, () => assert.deepEqual(problemsOf(source), []));
}

test("all problems are reported at once, in the order of the file, with place and fix", () => {
  const source = `tusk: a
purpose: ""
lifetime: 2
home: keep
home: keep
grants:
  - system: http
    name: x
    hosts: [x.example, 1.2.3.4]
    allow:
      - { methods: [get], paths: ["/a/{b}"] }
      - { methods: [GET], paths: ["/**"] }
      - { methods: [GET], paths: ["/b"] }
  - { system: http, name: x, hosts: [x.example], ${GET} }
`;
  const problems = problemsOf(source);
  const places = problems.map(({ line, column }) => `${line}:${column}`);
  assert.deepEqual(places, [
    "1:1",
    "1:1",
    "2:10",
    "3:11",
    "5:1",
    "9:24",
    "11:21",
    "11:35",
    "13:9",
    "14:27",
    "14:38",
  ]);
  assert.ok(problems.every(({ message, hint }) => message !== "" && hint !== ""));
  assert.throws(
    () => parseTaskFile(source, "a/task.yaml", NOW_MS),
    (error) => {
      assert.ok(error instanceof FileFault && error.name === "Fault");
      const lines = error.message.split("\n");
      assert.equal(lines.length, problems.length);
      assert.ok(
        lines.every((line) => /^a\/task\.yaml:\d+:\d+: .+; .+/.test(line)),
        error.message,
      );
      return true;
    },
  );
});

test("a file of nothing but problems is cut short", () => {
  const source = LEAST + Array.from({ length: 500 }, (_, at) => `k${at}: 1\n`).join("");
  assert.equal(problemsOf(source).length, 50);
  assert.throws(() => parseTaskFile(source, "t", NOW_MS), /\nand \d+ more$/);
});

/** Parses, and lets nothing but a FileFault out; what parses must also compile and explain. */
function mustNotBreak(source: string): void {
  let task;
  try {
    task = parseTaskFile(source, "task.yaml", NOW_MS);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    assert.ok(error.problems.length > 0);
    return;
  }
  assert.match(compilePolicy(task).digest, /^[0-9a-f]{64}$/);
  assert.ok(explainTask(task).length > 0);
}

test("fuzz: nothing but a FileFault is thrown, for any string", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(..."abk:-?[]{}&*!|>'\"%@`#,. \n\t~0<".split("")),
      maxLength: 60,
    }),
  );
  fc.assert(fc.property(texts, mustNotBreak), { numRuns: 300 });
});

test("fuzz: nothing but a FileFault is thrown, for any data", () => {
  const values = fc.oneof(
    fc.json(),
    fc.jsonValue().map((value) =>
      JSON.stringify({
        task: "a",
        purpose: "b",
        grants: [value, { allow: [value], hosts: value }],
        compute: value,
      }),
    ),
  );
  fc.assert(fc.property(values, mustNotBreak), { numRuns: 150 });
});

test("fuzz: nothing but a FileFault is thrown, for any mutation of a good file", () => {
  const inserts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom(
      "- ",
      ": ",
      "? ",
      "&a ",
      "*a",
      "!!map ",
      "\n",
      "  ",
      "[",
      "]",
      "{",
      "}",
      "'",
      '"',
      "#",
      "null",
      "-1",
      "1e99",
      "*",
      "**",
      "%2e",
      "0x7f.1",
    ),
  );
  const mutation = fc.record({
    at: fc.nat({ max: GOOD.length }),
    cut: fc.nat({ max: 12 }),
    insert: inserts,
  });
  const property = fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
    let text = GOOD;
    for (const { at, cut, insert } of mutations)
      text = text.slice(0, at) + insert + text.slice(at + cut);
    mustNotBreak(text);
  });
  fc.assert(property, { numRuns: 300 });
});
