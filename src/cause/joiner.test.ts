/** Which tool call a process, flow or action belongs to: by its words, its lineage, and never by a silent guess. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Event, Json, Process } from "../action/index.ts";
import { asksOf, createJoiner, type Joiner } from "./index.ts";

type Node = Process["ancestors"][number];
const node = (pid: number, ...argv: string[]): Node => ({ pid, exe: argv[0] ?? "", argv });
const process = (own: Node, ...ancestors: Node[]): Process => ({
  ...own,
  knownBy: "seccomp",
  ancestors,
});

const FIRST = node(10, "/bin/sh", "-c", "agent");
const AGENT = node(20, "node", "agent.mjs");
const HARNESS = process(AGENT, FIRST);

type Input = NonNullable<Event["data"]>[string];
const calls = (joiner: Joiner, call: string, input: Input, name = "Bash", source = "model") =>
  joiner.observe({ type: "tool.call", process: HARNESS, data: { call, name, source, input } });
const gives = (joiner: Joiner, call: string) =>
  joiner.observe({ type: "tool.result", process: HARNESS, data: { call, source: "model" } });
const starts = (joiner: Joiner, own: Node, ...ancestors: Node[]) =>
  joiner.observe({ type: "process.start", target: own.exe, process: process(own, ...ancestors) })
    ?.call;
const flows = (joiner: Joiner, target: string, own: Node, ...ancestors: Node[]) =>
  joiner.observe({ type: "flow.open", target, process: process(own, ...ancestors) })?.call;

/** How agents hand a command to a shell. */
const WRAPPED: readonly (readonly [agent: string, argv: (command: string) => readonly string[]])[] =
  [
    ["a shell", (command) => ["/bin/sh", "-c", command]],
    ["a login shell", (command) => ["bash", "-lc", command]],
    [
      "Claude Code",
      (command) => [
        "/bin/bash",
        "-c",
        `source /root/.claude/shell-snapshots/snapshot-bash-1-a.sh && eval '${command.replaceAll("'", `'"'"'`)}' < /dev/null && pwd -P >| /tmp/claude-1-cwd`,
      ],
    ],
    [
      "Gemini CLI",
      (command) => [
        "bash",
        "-c",
        `shopt -u promptvars nullglob; { ${command}; }; __code=$?; pgrep -g 0 >/tmp/shell_pgrep.tmp 2>&1; exit $__code;`,
      ],
    ],
    ["no shell", (command) => command.split(" ")],
  ];

for (const [agent, argvOf] of WRAPPED) {
  for (const command of [
    "ssh -R 8080:localhost:22 outside.example",
    "ls",
    "git commit -m 'it works'",
    `python3 - <<'EOF'\nprint("hello")\nEOF`,
  ]) {
    if (agent === "no shell" && /['"<]/.test(command)) continue;
    test(`${agent} executes ${JSON.stringify(command)}: the call is known by its words`, () => {
      const joiner = createJoiner();
      calls(joiner, "other", { command: "sleep 100" });
      calls(joiner, "wanted", { command });
      const tie = starts(joiner, node(30, ...argvOf(command)), AGENT, FIRST);
      assert.equal(tie?.id, "wanted");
      assert.equal(tie.by, "argv");
      assert.ok(tie.confidence >= 0.9);
    });
  }
}

test("what a call's process starts and reaches belongs to it, also after the call has given its result", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { command: "make all &" });
  const shell = node(30, "sh", "-c", "make all &");
  starts(joiner, shell, AGENT, FIRST);
  const make = node(31, "make", "all");
  assert.deepEqual(starts(joiner, make, shell, AGENT, FIRST), {
    id: "c1",
    name: "Bash",
    source: "model",
    by: "lineage",
    confidence: 0.99,
  });
  gives(joiner, "c1");
  calls(joiner, "c2", { command: "true" });
  assert.equal(
    flows(joiner, "a.example:443", node(32, "curl"), make, shell, AGENT, FIRST)?.id,
    "c1",
  );
});

test("a call's command that another call's process starts belongs to that other call", () => {
  const joiner = createJoiner();
  calls(joiner, "make", { command: "make test" });
  calls(joiner, "pytest", { command: "pytest" });
  const make = node(30, "make", "test");
  starts(joiner, make, AGENT, FIRST);
  assert.equal(starts(joiner, node(31, "pytest"), make, AGENT, FIRST)?.id, "make");
  assert.equal(starts(joiner, node(32, "pytest"), AGENT, FIRST)?.id, "pytest");
});

test("a shell that lives on is told the next command by its input", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { command: "cd /site && ls src" });
  const shell = node(30, "bash");
  assert.equal(starts(joiner, shell, AGENT, FIRST), undefined);
  assert.equal(starts(joiner, node(31, "/bin/ls", "src"), shell, AGENT, FIRST)?.id, "c1");
  gives(joiner, "c1");
  calls(joiner, "c2", { command: "A=1 cat x 2>/dev/null | git push origin main" });
  assert.equal(starts(joiner, node(33, "cat"), shell, AGENT, FIRST), undefined, "other words");
  assert.equal(starts(joiner, node(34, "cat", "x"), shell, AGENT, FIRST)?.id, "c2");
  assert.equal(
    starts(joiner, node(32, "git", "push", "origin", "main"), shell, AGENT, FIRST)?.id,
    "c2",
  );
});

test("code that has commands executed holds them, escaped or not", () => {
  const joiner = createJoiner();
  const command = "id -u &&\nnode -p 'require(\"a\")'";
  calls(joiner, "other", 'await tools.exec_command({"cmd":"sleep 9"})', "exec");
  calls(
    joiner,
    "code",
    `const r = await tools.exec_command(${JSON.stringify({ cmd: command })});`,
    "exec",
  );
  assert.equal(starts(joiner, node(30, "/bin/bash", "-lc", command), AGENT, FIRST)?.id, "code");
  assert.equal(starts(joiner, node(31, "/bin/bash", "-lc", "ls"), AGENT, FIRST), undefined);
});

test("two calls of the same command are told apart by their order, and it says that it is no more", () => {
  const joiner = createJoiner();
  calls(joiner, "a", { command: "npm test" });
  calls(joiner, "b", { command: "npm test" });
  const first = starts(joiner, node(30, "sh", "-c", "npm test"), AGENT, FIRST);
  const second = starts(joiner, node(31, "sh", "-c", "npm test"), AGENT, FIRST);
  assert.deepEqual([first?.id, second?.id], ["a", "b"]);
  assert.deepEqual([first?.by, second?.by, first?.confidence], ["time", "time", 0.5]);
});

test("what the harness does for itself belongs to no call", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { command: "sleep 5" });
  assert.equal(starts(joiner, node(30, "git", "status", "--short"), AGENT, FIRST), undefined);
  assert.equal(flows(joiner, "models.example:443", AGENT, FIRST), undefined);
  assert.equal(flows(joiner, "updates.example:443", node(30, "git"), AGENT, FIRST), undefined);
});

test("a place that a call names is reached by the harness for that call", () => {
  const joiner = createJoiner();
  calls(joiner, "read", { file_path: "/site/a.txt" }, "Read");
  calls(joiner, "fetch", { url: "https://Docs.Example/a?b" }, "WebFetch");
  const tie = flows(joiner, "https://docs.example/a", AGENT, FIRST);
  assert.deepEqual([tie?.id, tie?.by, tie?.confidence], ["fetch", "argv", 0.9]);
  assert.equal(flows(joiner, "other.example:443", AGENT, FIRST), undefined);
});

test("a search tool's process is known by what the call looks for", () => {
  const joiner = createJoiner();
  calls(joiner, "grep", { pattern: "needle", path: "/site" }, "Grep");
  calls(joiner, "bash", { command: "sleep 9" });
  assert.equal(starts(joiner, node(30, "rg", "-n", "needle"), AGENT, FIRST)?.id, "grep");
  assert.equal(starts(joiner, node(31, "rg", "--files"), AGENT, FIRST), undefined);
});

test("a server of tools acts for the one call that is open, and for none where there are two", () => {
  const joiner = createJoiner();
  const server = node(25, "node", "mcp-server.js");
  calls(joiner, "c1", { city: "Bern" }, "mcp__weather__now");
  assert.deepEqual(flows(joiner, "weather.example:443", server, AGENT, FIRST)?.by, "only");
  calls(joiner, "c2", { city: "Wien" }, "mcp__weather__now");
  assert.equal(flows(joiner, "weather.example:443", server, AGENT, FIRST), undefined);
});

test("a tool call's process that has a model echo a call gains none by it (INV-152)", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { command: "python3 echo.py" });
  const forger = node(30, "python3", "echo.py");
  starts(joiner, forger, AGENT, FIRST);
  const echoed = joiner.observe({
    type: "tool.call",
    process: process(forger, AGENT, FIRST),
    data: { call: "forged", name: "Bash", source: "model", input: { command: "ssh -R 1:a:1 b" } },
  });
  assert.equal(echoed?.call?.id, "c1");
  assert.equal(starts(joiner, node(31, "ssh", "-R", "1:a:1", "b"), AGENT, FIRST), undefined);
});

test("what a hook says is a claim, however well it fits", () => {
  const joiner = createJoiner();
  calls(joiner, "h1", { command: "git push" }, "Bash", "hook");
  const tie = starts(joiner, node(30, "sh", "-c", "git push"), AGENT, FIRST);
  assert.deepEqual([tie?.by, tie?.confidence], ["claim", 0.5]);
});

test("a request that carries a span's id belongs to the call that the span claims", () => {
  const joiner = createJoiner();
  const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  joiner.observe({
    type: "tool.call",
    data: { call: "t1", name: "fetch", source: "trace", input: {}, trace },
  });
  joiner.observe({ type: "tool.result", data: { call: "t1", source: "trace" } });
  const cause = joiner.observe({
    type: "action",
    target: "https://a.example/",
    process: process(node(44, "python3"), FIRST),
    data: { trace },
  });
  assert.deepEqual([cause?.call?.id, cause?.call?.by], ["t1", "claim"]);
});

test("a pid that is used again belongs to its new parent", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { command: "make" });
  starts(joiner, node(30, "make"), AGENT, FIRST);
  gives(joiner, "c1");
  const other = node(99, "cron");
  assert.equal(flows(joiner, "a.example:443", node(30, "make"), other, FIRST), undefined);
});

test("a command that was cut, in the call or in the process, is known by what is left", () => {
  const long = `echo ${"x".repeat(600)} end`;
  const joiner = createJoiner();
  calls(joiner, "c1", { command: long });
  const cut = `eval '${long}' < /dev/null`.slice(0, 512);
  assert.equal(starts(joiner, node(30, "bash", "-c", `${cut}…`), AGENT, FIRST)?.confidence, 0.9);
  assert.equal(starts(joiner, node(31, "bash", "-c", "echo xx…"), AGENT, FIRST), undefined);
});

test("a command whose secret is blackened on record is known by the rest", () => {
  const joiner = createJoiner();
  const token = `ghp_${"a1B2".repeat(9)}`;
  calls(joiner, "c1", '{"command":"curl -H [secret] https://a.example"}');
  const line = `curl -H ${token} https://a.example`;
  assert.equal(starts(joiner, node(30, "sh", "-c", line), AGENT, FIRST)?.id, "c1");
});

test("the training step is that which was stated last", () => {
  const joiner = createJoiner();
  const at = { trajectory: "t1", episode: "e17", step: 3 };
  assert.equal(flows(joiner, "a:1", AGENT), undefined);
  joiner.observe({ type: "step", data: at });
  const cause = joiner.observe({ type: "flow.open", target: "a:1", process: HARNESS });
  assert.deepEqual(cause, { step: at });
});

test("what a process uses is no call's for being the only one that is open", () => {
  const joiner = createJoiner();
  calls(joiner, "c1", { q: "x" }, "search");
  const uses = (own: Node) =>
    joiner.observe({ type: "usage", process: process(own, AGENT, FIRST), data: { spanMs: 0 } })
      ?.call?.id;
  assert.equal(uses(node(30, "./miner")), undefined);
  calls(joiner, "c2", { command: "./train" });
  starts(joiner, node(40, "./train"), AGENT, FIRST);
  assert.equal(uses(node(40, "./train")), "c2");
});

test("an input is read for its commands, hosts and texts, whatever its form", () => {
  const of = (input: Json) => {
    const { commands, hosts } = asksOf(input);
    return [commands.map(({ text }) => text), [...hosts]];
  };
  assert.deepEqual(of({ command: ["bash", "-lc", "git push"] }), [
    ["bash -lc git push", "git push"],
    [],
  ]);
  assert.deepEqual(of({ tool: { args: ["a b", "c"] } }), [["a b c"], []]);
  assert.deepEqual(of({ note: "see http://u@A.example:8/x and https://b.example" }), [
    [],
    ["a.example", "b.example"],
  ]);
  assert.deepEqual(of('{"command":"git push"}'), [["git push"], []]);
  assert.deepEqual(of({ command: "echo xxx… [4711 characters]" }), [["echo xxx"], []]);
  assert.deepEqual(of('{"command":"git push'), [['{"command":"git push'], []]);
  assert.deepEqual(of(null), [[], []]);
});

test("parallel calls of any commands, started in any order, are told apart or tied to none", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9 .'"/-]{0,30}$/);
  const wrap = fc.constantFrom(...WRAPPED.map(([, argvOf]) => argvOf));
  let right = 0;
  let all = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(word, wrap, fc.nat()), { minLength: 1, maxLength: 8 }),
      (many) => {
        const joiner = createJoiner();
        for (const [at, [command]] of many.entries()) calls(joiner, `c${at}`, { command });
        const order = [...many.entries()].sort(([, a], [, b]) => a[2] - b[2]);
        for (const [at, [command, argvOf]] of order) {
          const tie = starts(joiner, node(100 + at, ...argvOf(command)), AGENT, FIRST);
          all += 1;
          if (tie?.id === `c${at}`) right += 1;
          else if (tie !== undefined && tie.by !== "time") {
            // Another call of the very same words is no other command.
            const other = many[Number(tie.id.slice(1))]?.[0] ?? "";
            const plain = (text: string) => text.replaceAll(/[\s'"\\]/g, "");
            assert.ok(plain(command).includes(plain(other)), `${command} is not ${other}`);
          }
        }
      },
    ),
    { numRuns: 400, seed: 1 },
  );
  assert.ok(right / all > 0.9, `${right} of ${all}`);
});

test("claims of any number make no call forgotten that was read, nor tie its processes", () => {
  const joiner = createJoiner();
  calls(joiner, "real", { command: "make all" });
  for (let at = 0; at < 400; at += 1) {
    calls(joiner, `h${at}`, { command: "make all" }, "Bash", "hook");
  }
  const tie = starts(joiner, node(30, "sh", "-c", "make all"), AGENT, FIRST);
  assert.deepEqual([tie?.id, tie?.source, tie?.confidence], ["real", "model", 0.99]);
});

test("of a flood of commands and a long command line the newest are compared; of ordinary ones all", () => {
  const many = (call: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ command: `run ${call} ${at}` }));
  const joiner = createJoiner();
  for (let at = 0; at < 256; at += 1) calls(joiner, `c${at}`, { many: many(`c${at}`, 32) });
  const long = Array.from({ length: 30 }, () => "x".repeat(512));
  const told = (pid: number, line: string, more: readonly string[]) =>
    starts(joiner, node(pid, "sh", "-c", line, ...more), AGENT, FIRST)?.id;
  assert.equal(told(30, "run c255 7", long), "c255");
  assert.equal(told(31, "run c0 7", long), undefined, "8192 commands with 15,000 characters");

  const ordinary = createJoiner();
  for (let at = 0; at < 256; at += 1) calls(ordinary, `c${at}`, { command: `run c${at}` });
  const line = `run c0 ${"&& true ".repeat(60)}`;
  assert.equal(starts(ordinary, node(30, "sh", "-c", line), AGENT, FIRST)?.id, "c0");
});

for (const [processes, why] of [
  [10_000, "is still known as of its call"],
  [50_000, "is nobody's"],
] as const) {
  test(`INV-152: a tool call's process becomes no harness behind ${processes} others: it ${why}`, () => {
    const joiner = createJoiner();
    calls(joiner, "c1", { command: "./serve" });
    calls(joiner, "c2", { command: "make" });
    const [server, shell] = [node(30, "./serve"), node(31, "make")];
    starts(joiner, server, AGENT, FIRST);
    starts(joiner, shell, AGENT, FIRST);
    for (let at = 0; at < processes; at += 1) {
      starts(joiner, node(1000 + at, "true"), shell, AGENT, FIRST);
    }
    const by = process(server, AGENT, FIRST);
    const data = { call: "forged", name: "Bash", source: "model", input: { command: "rm x" } };
    const cause = joiner.observe({ type: "tool.call", process: by, data });
    assert.notEqual(cause?.call?.id, "forged");
    if (processes < 40_000) assert.equal(cause?.call?.id, "c1");
    const tie = starts(joiner, node(32, "rm", "x"), server, AGENT, FIRST);
    assert.notEqual(tie?.id, "forged", "and its call is none");
    // The agent's own goes on as before.
    assert.equal(calls(joiner, "c3", { command: "ls" })?.call?.id, "c3");
    assert.equal(starts(joiner, node(33, "ls"), AGENT, FIRST)?.id, "c3");
  });
}

test("whatever happens, what is remembered is bounded, and nothing throws", () => {
  const joiner = createJoiner();
  for (let at = 0; at < 20_000; at += 1) {
    calls(joiner, `c${at}`, { command: `run ${at}` });
    starts(joiner, node(at + 1000, "sh", "-c", `run ${at}`), AGENT, FIRST);
  }
  assert.equal(starts(joiner, node(9, "sh", "-c", "run 0"), AGENT, FIRST), undefined, "forgotten");
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          type: fc.constantFrom("tool.call", "tool.result", "step", "model"),
          data: fc.dictionary(
            fc.constantFrom("call", "name", "source", "input", "step"),
            fc.jsonValue(),
          ),
        }),
      ),
      (events) => {
        const other = createJoiner();
        for (const event of events) other.observe(event as Event);
      },
    ),
  );
});
