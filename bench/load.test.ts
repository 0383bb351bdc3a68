import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCurl, parseLoad, parseWrk, shellLine } from "./load.ts";

const LOAD = { requests: 100, seconds: 1, errors: 1, p50: 20.5, p99: 40 };

test("what clients say is read", () => {
  assert.deepEqual(parseLoad(JSON.stringify(LOAD)), LOAD);
  assert.equal(parseCurl("200 1024 2000000\n", 1024), 2);
  assert.equal(parseWrk("  3 requests\nRequests/sec:  13840.25\nTransfer/sec: 1MB\n"), 13840.25);
});

const REFUSED = [
  // how, why
  [() => parseLoad(JSON.stringify({ ...LOAD, errors: 2 })), "one in fifty failed"],
  [() => parseCurl("403 1024 2000000", 1024), "a denial is quick"],
  [() => parseCurl("200 1000 2000000", 1024), "the body was cut short"],
  [() => parseCurl("", 1024), "it said nothing"],
  [() => parseWrk("Non-2xx or 3xx responses: 7\nRequests/sec: 99999"), "denials are quick"],
  [() => parseWrk("Socket errors: connect 0\nRequests/sec: 10"), "connections failed"],
  [() => parseWrk("unable to connect"), "it did not run"],
] as const;
for (const [parse, why] of REFUSED) {
  test(`fault bench.load: no figure where ${why}`, () => {
    assert.throws(parse, { code: "bench.load" });
  });
}

test("a shell reads words as they are", () => {
  assert.equal(shellLine(["a b", "it's", "$x"]), `'a b' 'it'\\''s' '$x'`);
});
