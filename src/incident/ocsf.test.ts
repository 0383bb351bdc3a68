/** Events against the published schema of OCSF 1.8.0: of every type, of hostile texts, of the ROME drill's record. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { flawsOfOcsf } from "../../test/support/ocsf.ts";
import { EVENT_TYPES, FINDING_KINDS, UNKNOWN_PROCESS } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import { createOcsf, makeReport, renderOcsf } from "./index.ts";
import { RUN, SAMPLE } from "./sample.fixture.ts";

const ROME = join(import.meta.dirname, "..", "..", "test", "fixtures", "rome.jsonl.gz");
const OPTIONS = { version: "0.1.0", detectorOf: () => undefined };

/** `entries` as events that have been on the wire. */
function events(entries: readonly Entry[]): readonly Record<string, unknown>[] {
  const writer = createOcsf(OPTIONS);
  return entries.map(
    (entry) => JSON.parse(JSON.stringify(writer.event(entry))) as Record<string, unknown>,
  );
}

function assertValid(entries: readonly Entry[]): void {
  for (const [at, event] of events(entries).entries()) {
    assert.deepEqual(flawsOfOcsf(event), [], JSON.stringify(entries[at]));
  }
}

const bare = (type: Entry["type"], more: Partial<Entry> = {}): Entry => ({
  ...{ seq: 1, type, at: "2026-11-27T09:00:00.000Z", monoMs: 1.5, run: RUN },
  ...more,
});

test("every event of the sample is valid, and nothing of an entry is lost", () => {
  assertValid(SAMPLE);
  for (const [at, event] of events(SAMPLE).entries()) {
    const unmapped = event["unmapped"] as Record<string, unknown>;
    assert.deepEqual(unmapped["data"], SAMPLE[at]?.data);
    assert.equal((event["metadata"] as Record<string, unknown>)["sequence"], SAMPLE[at]?.seq);
  }
});

test("an entry of any type that says nothing but that is valid", () => {
  assertValid(EVENT_TYPES.map((type) => bare(type)));
  assertValid(
    EVENT_TYPES.map((type) => {
      const { run: _, ...rest } = bare(type);
      return rest;
    }),
  );
  assertValid(EVENT_TYPES.map((type) => bare(type, { process: UNKNOWN_PROCESS, target: "" })));
});

const TARGETS = [
  ...[
    "10.0.0.1:22",
    "[fd00::1]:443",
    "fd00::1",
    "a.example",
    "a b\u202e<c>",
    "https://u:p@[::1]:99999/x?y#z",
    "publish:3000",
  ],
  ...[
    "ssh://web systemctl",
    "postgres://db/public.orders",
    "host:999999",
    "unix:/run/x.sock",
    "https://",
    "\0",
  ],
];
const KINDS = ["http", "ssh", "postgres", "mysql", "redis", "wordpress", "git", "mcp", "tcp", ""];
test("actions and outcomes of every kind of system, at any target, are valid", () => {
  const all = KINDS.flatMap((kind) =>
    TARGETS.flatMap((target) =>
      (["allow", "confirm", "deny"] as const).flatMap((verdict) =>
        ["GET", "post.publish", "session", ""].flatMap((verb) => {
          const action = `${kind} ${target} ${verdict} ${verb}`;
          const data = { kind, verb, effects: ["write", "delete"], summary: "s" };
          return [
            bare("action", { verdict, target, action, system: "s", rule: "r", data }),
            bare("outcome", {
              target,
              action,
              data: { status: 404.5, durationMs: 1.7, code: "x" },
            }),
            bare("repeat", { target, action, data: { count: 3 } }),
          ];
        }),
      ),
    ),
  );
  assertValid(all);
});

test("findings of every kind, denials and flows at any target are valid", () => {
  assertValid(
    TARGETS.flatMap((target) => [
      ...FINDING_KINDS.map((finding) =>
        bare("finding", { target, data: { finding, detail: "d", score: 0.123, detector: "x" } }),
      ),
      bare("denial", {
        target,
        rule: "protocol.ssh",
        verdict: "deny",
        data: { reason: "r", merged: 4 },
      }),
      bare("flow.open", {
        target,
        flow: "f",
        data: { direction: "in", address: "127.0.0.1", port: 3000 },
      }),
      bare("flow.close", {
        target,
        flow: "f",
        data: { upstreamOut: 1, upstreamIn: 2, durationMs: 0.5, reason: "r" },
      }),
    ]),
  );
});

test("the record of the ROME drill: each entry is one valid event, of the class that it should be", () => {
  const text = gunzipSync(readFileSync(ROME)).toString().trimEnd();
  const all = text.split("\n").map((line) => JSON.parse(line) as Entry);
  assertValid(all);
  const classes = new Map<string, Set<unknown>>();
  for (const [at, event] of events(all).entries()) {
    const type = all[at]?.type ?? "";
    classes.set(type, (classes.get(type) ?? new Set()).add(event["class_uid"]));
  }
  const told = Object.fromEntries(
    [...classes].map(([type, uids]) => [type, [...uids].sort().join()]),
  );
  assert.deepEqual(told, {
    ...{
      "daemon.start": "6003",
      policy: "6003",
      "run.start": "6003",
      "run.proved": "6003",
      "run.end": "6003",
    },
    ...{ "process.start": "1007", dns: "4003", denial: "4001,4007", finding: "2004" },
    ...{ "flow.open": "4001", "flow.close": "4001", action: "4002", outcome: "4002" },
  });
});

test("a report's events begin with one incident finding, also where nothing was found", () => {
  for (const entries of [SAMPLE, SAMPLE.slice(0, 4)]) {
    const report = makeReport(entries, {
      ...{ run: RUN, version: "0", persons: false, task: undefined },
      verbsOf: () => undefined,
      detectorOf: () => undefined,
    });
    const lines = renderOcsf(report, () => undefined)
      .trimEnd()
      .split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const event of parsed) assert.deepEqual(flawsOfOcsf(event), []);
    assert.deepEqual(
      parsed.map((event) => event["class_uid"] === 2005),
      [true, ...entries.map(() => false)],
    );
  }
});

const [good = {}] = events([
  bare("process.start", { process: { ...UNKNOWN_PROCESS, pid: 7, exe: "/bin/x", argv: ["x"] } }),
]);
const BAD: readonly (readonly [what: string, event: unknown, flaw: RegExp])[] = [
  ["no object", 1, /no object/],
  ["another class", { ...good, class_uid: 9999 }, /no class 9999/],
  ["another category", { ...good, category_uid: 2 }, /category_uid/],
  ["another type", { ...good, type_uid: 1 }, /type_uid/],
  [
    "an activity that there is not",
    { ...good, activity_id: 77, type_uid: 100_777 },
    /not permitted/,
  ],
  ["a required attribute less", { ...good, device: undefined }, /device is no object/],
  [
    "without time",
    Object.fromEntries(Object.entries(good).filter(([key]) => key !== "time")),
    /time is missing/,
  ],
  ["an attribute of its own", { ...good, colour: "red" }, /colour is no attribute/],
  [
    "an attribute of a profile that is not named",
    { ...good, action_id: 1 },
    /profile security_control/,
  ],
  ["a text for a number", { ...good, severity_id: "1" }, /whole number/],
  ["half a millisecond", { ...good, time: 1.5 }, /whole number/],
  ["a process that is nobody", { ...good, process: { name: "x" } }, /at_least_one of pid/],
  ["an object that is not in the copy", { ...good, observables: [{}] }, /reduced copy/],
];
for (const [what, event, flaw] of BAD) {
  test(`the validator finds ${what}`, () => {
    assert.deepEqual(flawsOfOcsf(good), []);
    assert.match(flawsOfOcsf(event).join("\n"), flaw);
  });
}
