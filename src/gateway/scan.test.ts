import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  INITIAL_SCAN,
  noteRefused,
  SCAN_INTERNAL_MIN,
  SCAN_TOTAL_MIN,
  SCAN_WINDOW_MS,
} from "./scan.ts";

/** Findings of a series of refusals, one each `stepMs`. */
function findings(destinations: readonly (readonly [string, number])[], stepMs = 10): string[] {
  let state = INITIAL_SCAN;
  return destinations.flatMap(([destination, port], n) => {
    const noted = noteRefused(state, { destination, port, monoMs: n * stepMs });
    state = noted.state;
    return noted.finding === undefined ? [] : [noted.finding];
  });
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

const CASES: readonly (readonly [
  string,
  readonly (readonly [string, number])[],
  number,
  number,
])[] = [
  [
    "a sweep of an internal network",
    range(SCAN_INTERNAL_MIN).map((n) => [`10.0.0.${n}`, 22]),
    10,
    1,
  ],
  [
    "one less is not yet a sweep",
    range(SCAN_INTERNAL_MIN - 1).map((n) => [`10.0.0.${n}`, 22]),
    10,
    0,
  ],
  ["the same place again and again is a retry", range(200).map(() => ["10.0.0.1", 22]), 10, 0],
  ["ports of one internal host count each", range(5).map((n) => ["10.0.0.1", 20 + n]), 10, 1],
  ["a sweep of public addresses", range(SCAN_TOTAL_MIN).map((n) => [`8.8.8.${n}`, 443]), 10, 1],
  ["one less of those", range(SCAN_TOTAL_MIN - 1).map((n) => [`8.8.8.${n}`, 443]), 10, 0],
  ["ports of one name", range(SCAN_TOTAL_MIN).map((n) => ["example.com", 1000 + n]), 10, 1],
  ["names are not internal", range(SCAN_INTERNAL_MIN).map((n) => [`h${n}.example`, 22]), 10, 0],
  ["slower than the window", range(40).map((n) => [`10.0.0.${n}`, 22]), SCAN_WINDOW_MS / 4, 0],
  ["one scan is one finding", range(60).map((n) => [`10.0.0.${n}`, 22]), 10, 1],
  [
    "a scan that goes on is found again in each window",
    range(20).map((n) => [`10.0.0.${n}`, 22]),
    10_000,
    3,
  ],
];
for (const [why, destinations, stepMs, count] of CASES) {
  test(`scan: ${why}: ${count} finding(s)`, () =>
    assert.equal(findings(destinations, stepMs).length, count));
}

test("what is remembered of a run is bounded, however much it tries", () => {
  const tries = fc.array(fc.tuple(fc.ipV4(), fc.nat(65_535), fc.nat(1000)), { maxLength: 300 });
  const property = fc.property(tries, (list) => {
    let state = INITIAL_SCAN;
    let monoMs = 0;
    for (const [destination, port, step] of list) {
      monoMs += step;
      state = noteRefused(state, { destination, port, monoMs }).state;
    }
    assert.ok(state.seen.length <= 64);
    assert.ok(state.seen.every((one) => monoMs - one.monoMs < SCAN_WINDOW_MS));
  });
  fc.assert(property);
});
