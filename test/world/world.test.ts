/**
 * The truth of the answer: one small company, every planted path found, nearest first, and no path reported that a scripted
 * attacker does not then walk. What is planted and taken away again takes its paths with it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Answer, OutcomeObject } from "../../src/blast/index.ts";
import { factFile } from "../support/fact-file.ts";
import { Attacker } from "./attacker.ts";
import { Company, TASKS } from "./company.ts";
import { PASSWORD } from "./machines.ts";
import { NOT_WALKED, PATHS, type Path } from "./paths.ts";
import { REMOVALS } from "./removals.ts";

const company = new Company();
const answers = new Map<string, Answer>();
let attacker: Attacker;

before(async () => {
  await company.start();
  await company.probe();
  for (const task of Object.keys(TASKS)) answers.set(task, await company.blast(task));
  attacker = await Attacker.start(company);
});
after(async () => {
  await attacker?.end();
  await company.close();
});

const objectsOf = (task: string, outcome: string): readonly OutcomeObject[] =>
  answers.get(task)?.outcomes.find(({ name }) => name === outcome)?.objects ?? [];

const isOf = ({ object }: Path, { object: found }: OutcomeObject) =>
  found === object ||
  (object.startsWith("/") ? found.endsWith(object) : found.endsWith(` ${object}`));

const nameOf = ({ task, outcome, object, systems }: Path) =>
  `${task}: ${outcome} of ${object} by ${systems.join(" > ")}`;

test("INV-181: at least 25 paths are planted, 8 of them across three systems or more", () => {
  assert.ok(PATHS.length >= 25, String(PATHS.length));
  assert.ok(PATHS.filter(({ systems }) => systems.length >= 3).length >= 8);
});

for (const path of PATHS) {
  test(`INV-181: found, as near as it is, and walked: ${nameOf(path)}`, async () => {
    const found = objectsOf(path.task, path.outcome).find((one) => isOf(path, one));
    assert.ok(found, "not found");
    const steps = found.path.map(({ says }) => says).join("\n");
    assert.deepEqual([found.persons, found.path.length], [path.persons, path.steps], steps);
    const deploy = path.task === "dev" ? attacker.byCi : attacker.bySsh;
    await path.walk({ company, attacker, deploy });
  });
}

test("INV-181: nearest first", () => {
  for (const { outcomes } of answers.values()) {
    for (const { objects, path } of outcomes) {
      const far = objects.map((one) => one.persons * 1000 + one.path.length);
      assert.deepEqual(
        far,
        far.toSorted((a, b) => a - b),
      );
      if (objects.length > 0) assert.equal(path.length, objects[0]?.path.length);
    }
  }
});

test("INV-182: each path that is reported is walked, or rests on an assumption that is named here", () => {
  for (const [task, { outcomes }] of answers) {
    for (const { name, objects } of outcomes) {
      for (const one of objects) {
        if (PATHS.some((path) => path.task === task && path.outcome === name && isOf(path, one)))
          continue;
        const grounds = one.path.flatMap(({ facts }) => facts);
        const isNamed = NOT_WALKED.some(
          ([object, why]) =>
            object.test(one.object) &&
            grounds.some(({ isAssumed, from }) => isAssumed && why.test(from)),
        );
        assert.ok(
          isNamed,
          `${task}: ${name} of ${one.object}: ${one.path.map(({ says }) => says).join("; ")}`,
        );
      }
    }
  }
});

test("no password that was planted is in facts or on record", async () => {
  const text = JSON.stringify(factFile(company.home.state).facts);
  for (const value of Object.values(PASSWORD)) assert.ok(!text.includes(value));
  const probed = (await company.home.log()).filter(({ rule }) => rule === "cofferdam.probe");
  for (const value of Object.values(PASSWORD)) assert.ok(!JSON.stringify(probed).includes(value));
  assert.match(
    readFileSync(join(company.home.state, "facts", "company.facts"), "utf8"),
    /is_machine/,
  );
});

test("INV-183: without what is planted its paths are gone, and the others are not", async () => {
  for (const { remove } of REMOVALS) remove(company);
  await company.probe(["web", "plain", "db", "pg", "crm"]);
  const after = await company.blast("ops");
  for (const { what, gone } of REMOVALS) {
    for (const [outcome, object] of gone) {
      const path = PATHS.find(
        (one) => one.task === "ops" && one.outcome === outcome && one.object === object,
      );
      assert.ok(path, `${what}: ${outcome} of ${object} is no row`);
      const left = after.outcomes
        .find(({ name }) => name === outcome)
        ?.objects.find((one) => isOf(path, one));
      assert.equal(
        left?.object,
        undefined,
        `${what}: ${left?.path.map(({ says }) => says).join("; ")}`,
      );
    }
  }
  const hosts = after.outcomes.find(({ name }) => name === "hosts_executable");
  assert.deepEqual(
    hosts?.objects.map(({ object }) => object),
    ["web1"],
    "the grant is still there",
  );
});
