/** Prometheus' own tool over what is served, over the rules, and over each query of the dashboard. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FAMILIES } from "../../src/metrics/index.ts";
import { TestHome } from "../support/home.ts";

const root = join(import.meta.dirname, "..", "..");
const place = mkdtempSync(join(tmpdir(), "cofferdam-promtool-"));
after(() => rmSync(place, { recursive: true }));
const promtool = (args: readonly string[], input = "") =>
  spawnSync("promtool", args, { encoding: "utf8", input });

test("what a real daemon serves is in order", async () => {
  const home = new TestHome();
  try {
    assert.equal((await home.call(["ps"])).code, 0);
    const { stdout } = await home.call(["metrics"]);
    assert.match(stdout, /cofferdam_up 1/);
    const { status, stderr } = promtool(["check", "metrics"], stdout);
    assert.equal(status, 0, stderr);
    assert.notEqual(
      promtool(["check", "metrics"], `${stdout}nonsense{\n`).status,
      0,
      "it does look",
    );
  } finally {
    await home.close();
  }
});

test("the rules are rules, and each fires where it should and not where it should not", () => {
  const tested = promtool(["test", "rules", join(root, "test/ops/cofferdam.rules.test.yml")]);
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
});

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

test("each query of the dashboard parses, names metrics that there are, and every metric is on it or in a rule", () => {
  const text = readFileSync(join(root, "docs/operations/cofferdam.dashboard.json"), "utf8");
  const { panels } = JSON.parse(text) as { panels: readonly Panel[] };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length > 30);
  for (const { title, type, targets = [] } of panels) {
    assert.ok(type === "row" || targets.length > 0, `${title} shows nothing`);
  }
  const rules = queries.map(
    (expr, at) => `      - record: q:${at}\n        expr: ${JSON.stringify(expr)}\n`,
  );
  const file = join(place, "queries.yml");
  writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${rules.join("")}`);
  const checked = promtool(["check", "rules", file]);
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  const alerts = readFileSync(join(root, "docs/operations/cofferdam.rules.yml"), "utf8");
  const named = new Set(
    `${queries.join(" ")} ${alerts}`.match(/\b(?:cofferdam|process)_[a-z_]+\b/g) ?? [],
  );
  const known = new Set(Object.keys(FAMILIES).flatMap((name) => [name, `${name}_bucket`]));
  assert.deepEqual(
    [...named].filter((name) => !known.has(name)),
    [],
  );
  const shown = Object.keys(FAMILIES).filter(
    (name) => !named.has(name) && !named.has(`${name}_bucket`),
  );
  assert.deepEqual(shown, ["cofferdam_build_info", "process_start_time_seconds"], "shown nowhere");
});
