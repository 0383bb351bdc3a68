/** Detectors of data on its way out: each row a stream that is noticed, or its benign twin. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tuning } from "./detector.ts";
import { action, done, every, hex, notice, random, type Draft } from "./detectors.fixture.ts";

const SITE = "https://site.test";

const closed = (run: string, upstreamOut: number): Draft => ({
  type: "flow.close",
  run,
  target: "site.test:443",
  data: { upstreamOut, upstreamIn: 1000 },
});
/** A run of one task that sends so much. */
const sends = (run: string, bytes: number): readonly Draft[] => [
  { type: "run.start", run, data: { task: "backup" } },
  closed(run, bytes),
  { type: "run.end", run, data: {} },
];
/** What the gateway saw in a request. */
const carries = (effects: Parameters<typeof action>[0], more: Partial<Draft> = {}) => {
  const seen = { what: "AWS access key", where: "the body", digest: "0123456789abcdef" };
  return action(effects, `${SITE}/find`, { ...more, data: { carries: [seen] } });
};

type Row = readonly [string, readonly Draft[], number, string, Tuning?];

const ROWS: readonly Row[] = [
  // detector, stream, how often noticed, why; tuning
  [
    "exfil.url",
    every(1000, 8, () => action(["read"], `${SITE}/i.png?d=${random(600)}`)),
    1,
    "in a picture's query",
  ],
  ["exfil.url", every(1000, 80, () => action(["read"], `${SITE}/${random(60)}/x`)), 1, "in a path"],
  [
    "exfil.url",
    every(1000, 200, () => action(["read"], `${SITE}/packages/ab/cd/${hex(30)}/x.whl`)),
    0,
    "hashes of packages",
  ],
  [
    "exfil.url",
    every(1000, 40, () => action(["read"], `${SITE}/items?cursor=${random(90)}`)),
    0,
    "cursors",
  ],
  [
    "exfil.url",
    every(1000, 20, (n) =>
      action(["read"], `${SITE}/search?q=${"how+to+write+good+words+".repeat(9)}${n}`),
    ),
    0,
    "long words",
  ],
  [
    "exfil.url",
    every(1000, 8, () => action(["write"], `${SITE}/i?d=${random(600)}`)),
    0,
    "a write is judged as one",
  ],

  ["exfil.small", done(210, () => action(["write"], `${SITE}/notes`)), 1, "cut small"],
  ["exfil.small", done(210, () => action(["read"], `${SITE}/search`)), 0, "questions"],
  [
    "exfil.small",
    done(210, () => action(["write"], `${SITE}/notes`), { bytesOut: 20_000 }),
    0,
    "not small",
  ],
  ["exfil.small", done(50, () => action(["write"], `${SITE}/notes`)), 0, "a few"],

  [
    "exfil.volume",
    ["a", "b", "c"].flatMap((run) => sends(run, 4e6)).concat(sends("d", 5e7)),
    1,
    "ten times as much",
  ],
  [
    "exfil.volume",
    ["a", "b", "c"].flatMap((run) => sends(run, 4e7)).concat(sends("d", 5e7)),
    0,
    "as always",
  ],
  ["exfil.volume", sends("a", 5e7), 0, "nothing is known before"],
  ["exfil.volume", sends("a", 6e8), 1, "much, whatever was before"],

  ["exfil.secret", [carries(["read"])], 1, "a secret in a question"],
  ["exfil.secret", [carries(["read", "read-private"])], 1, "also where what is read is private"],
  ["exfil.secret", [carries(["write"])], 0, "a write is judged as one"],
  ["exfil.secret", [carries(["read"], { verdict: "deny" })], 0, "it does not leave"],
  ["exfil.secret", [action(["read"], `${SITE}/find`)], 0, "a question that carries none"],
];

for (const [name, drafts, times, why, tuning] of ROWS) {
  test(`${name} ${times === 0 ? "lets be" : "notices"}: ${why}`, () => {
    const found = notice(name, drafts, tuning);
    assert.equal(found.length, times, found.map((one) => one.why).join("; "));
    for (const one of found) assert.ok(one.run !== undefined && one.score > 0 && one.score <= 1);
  });
}
