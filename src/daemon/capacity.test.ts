import assert from "node:assert/strict";
import { test } from "node:test";
import { capacity, RUNS_MAX } from "./capacity.ts";

const limits = (
  files: string,
) => `Limit                     Soft Limit           Hard Limit           Units     
Max processes             96364                96364                processes 
Max open files            ${files.padEnd(20)} ${files.padEnd(20)} files     
Max locked memory         8388608              8388608              bytes     
`;

const CASES = [
  // open files, runs, why
  ["20000", 1054, "a thousand runs fit where 20,000 files may be open"],
  ["4096", 170, "as many as there are descriptors for"],
  ["524288", RUNS_MAX, "what a service manager gives is more than one daemon holds"],
  ["unlimited", RUNS_MAX, "no limit is no reason for none"],
  ["512", 1, "one run is always tried: it is told what fails"],
] as const;
for (const [files, runs, why] of CASES) {
  test(`with ${files} open files ${runs} runs: ${why}`, () => {
    const found = capacity(limits(files));
    assert.equal(found.runs, runs);
    assert.equal(/LimitNOFILE/.test(found.hint), runs < RUNS_MAX);
  });
}

test("this process's own limits are read", () => {
  assert.ok(capacity().runs >= 1);
});
