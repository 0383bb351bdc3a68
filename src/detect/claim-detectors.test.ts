/** The agent's words against the record: what is found, and the honest twin of each that is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, Process } from "../action/index.ts";
import { createJoiner } from "../cause/index.ts";
import { CLAIM_DETECTORS } from "./claim-detectors.ts";
import { createDetections } from "./index.ts";

const process = (pid: number, argv: string[], ...ancestors: Process["ancestors"]): Process => ({
  pid,
  exe: argv[0] ?? "",
  argv,
  knownBy: "seccomp",
  ancestors,
});
const AGENT = process(20, ["node", "agent.mjs"]);
const child = (pid: number, ...argv: string[]) => process(pid, argv, AGENT);

type Draft = Pick<Event, "type"> & Partial<Event>;
const asks = (call: string, command: string, by = AGENT, name = "Bash"): Draft => ({
  type: "tool.call",
  process: by,
  data: { call, name, source: "model", input: { command } },
});
const claims = (call: string, command: string): Draft => ({
  type: "tool.call",
  data: { call, name: "Bash", source: "hook", input: { command } },
});
const gives = (call: string, isError = false): Draft => ({
  type: "tool.result",
  process: AGENT,
  data: { call, source: "model", isError },
});
const starts = (by: Process): Draft => ({ type: "process.start", target: by.exe, process: by });
const acts = (by: Process, ...effects: string[]): Draft => ({
  type: "action",
  verdict: "allow",
  target: "https://a.example/",
  process: by,
  data: { effects, summary: "Change something" },
});

/** As the daemon has it: tied to calls first, then looked at. */
function findings(...drafts: readonly Draft[]): readonly string[] {
  const joiner = createJoiner();
  const detections = createDetections(CLAIM_DETECTORS);
  return drafts.flatMap((draft) => {
    const event = { run: "r-1", at: "", monoMs: 0, ...draft };
    const cause = joiner.observe(event);
    const seen = cause === undefined ? event : { ...event, cause };
    return detections.observe(seen).map(({ detector }) => detector);
  });
}

const ps = child(30, "sh", "-c", "python3 run.py");
const CASES: readonly (readonly [
  what: string,
  events: readonly Draft[],
  found: readonly string[],
])[] = [
  ["a result without a process", [asks("a", "pytest -q"), gives("a")], ["claim.unsupported"]],
  ["a result with its process", [asks("a", "pytest"), starts(child(30, "pytest")), gives("a")], []],
  [
    "a result of a shell that lives on",
    [asks("a", "pytest"), starts(child(30, "python3", "/usr/bin/pytest")), gives("a")],
    [],
  ],
  ["a call that was refused", [asks("a", "pytest"), gives("a", true)], []],
  ["a builtin of a shell that lives on", [asks("a", "cd src && pwd"), gives("a")], []],
  [
    "code that starts nothing",
    [
      {
        ...asks("a", ""),
        data: { call: "a", name: "exec", source: "model", input: "await patch('x')" },
      },
      gives("a"),
    ],
    [],
  ],
  [
    "an editor's command",
    [asks("a", "view", AGENT, "str_replace_based_edit_tool"), gives("a")],
    [],
  ],
  ["a result of no call", [gives("z")], []],
  [
    "a process of before the call",
    [starts(child(29, "ls")), asks("a", "pytest"), gives("a")],
    ["claim.unsupported"],
  ],
  [
    "a call that a tool call's process had a model say",
    [asks("a", "python3 run.py"), starts(ps), asks("b", "ssh -R 1:a:1 b", ps)],
    ["claim.echo"],
  ],
  [
    "an act behind which is a call",
    [asks("a", "python3 run.py"), starts(ps), acts(ps, "send")],
    [],
  ],
  [
    "an act of a process that no call started",
    [asks("a", "sleep 9"), acts(child(40, "sync"), "write")],
    ["claim.unclaimed"],
  ],
  [
    "such an act that somebody in the run claims a call for",
    [asks("a", "sleep 9"), claims("h", "sync --all"), acts(child(40, "sync"), "write")],
    ["claim.unclaimed"],
  ],
  [
    "the same, whose process executes what is claimed",
    [
      ...[asks("a", "sleep 9"), claims("h", "sync --all")],
      ...[starts(child(40, "sync", "--all")), acts(child(40, "sync", "--all"), "write")],
    ],
    ["claim.unclaimed"],
  ],
  [
    "an act behind which is a call, which a hook tells of, too",
    [
      ...[asks("a", "sync --all"), claims("a", "sync --all")],
      ...[starts(child(40, "sync", "--all")), acts(child(40, "sync", "--all"), "write")],
    ],
    [],
  ],
  ["a read of such a process", [asks("a", "sleep 9"), acts(child(40, "update"), "read")], []],
  ["the agent's own act", [asks("a", "sleep 9"), acts(AGENT, "write")], []],
  ["an act where no model is read", [acts(child(40, "sync"), "send")], []],
];

const says = (by: Process, ...unmatched: { call: string; name: string; why: string }[]): Draft => ({
  type: "model",
  process: by,
  data: { provider: "anthropic", protocol: "anthropic-messages", tools: 1, calls: 0, unmatched },
});
const MADE_UP = { call: "x", name: "Bash", why: "never" };

const HISTORIES: typeof CASES = [
  ["a history that goes on from an earlier run", [says(AGENT, MADE_UP), says(AGENT)], []],
  [
    "a call in a later history that no model made",
    [says(AGENT), says(AGENT, MADE_UP)],
    ["claim.forged"],
  ],
  ["defaults filled into a call", [says(AGENT), says(AGENT, { ...MADE_UP, why: "other" })], []],
];

for (const [what, events, found] of [...CASES, ...HISTORIES]) {
  test(`${what}: ${found.join(", ") || "nothing"}`, () =>
    assert.deepEqual(findings(...events), found));
}

test("each of them has something that it finds", () => {
  const all = new Set([...CASES, ...HISTORIES].flatMap(([, , found]) => found));
  assert.deepEqual([...all].sort(), CLAIM_DETECTORS.map(({ name }) => name).sort());
});
