/**
 * Golden rows of n8n against a real one: the very request is sent with a key that may do all, and what it changed is
 * what the row says, no more, and no less unless a reason stands here. Not in `npm test`: n8n is 2.8 GB.
 * `npm run test:heavy`.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Effect } from "../../src/action/index.ts";
import { describeGolden, requestOf } from "../../src/catalog/golden-kit.ts";
import type { Golden } from "../../src/catalog/golden.ts";
import { GOLDENS } from "../../src/catalog/goldens.ts";
import { UNKNOWN_VERB } from "../../src/catalog/index.ts";
import { effectsBetween, momentOf } from "./changes.ts";
import { complete, makeFixture, resumeToken, settle, type Names } from "./fixture.ts";
import { startN8n, type Answer, type N8n } from "./kit.ts";

/** Rows, by their reason, that this n8n refuses, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {};
/** Rows, by their reason, that are stricter than what happens here, and why. */
const STRICTER: Readonly<Record<string, string>> = {};

/** What its nodes can do once it runs is no effect of saving it; nor is a person's answer seen in a table. */
const SEEN: ReadonlySet<Effect> = new Set(["execute", "delete", "administer", "send", "write"]);
const SAVES = /^workflow\.(create|update)$/;

let n8n: N8n;
before(async () => {
  n8n = await startN8n();
});
after(() => n8n.close());

const ROWS = GOLDENS.get("n8n") ?? [];
for (const row of ROWS.filter(({ verb }) => verb !== UNKNOWN_VERB)) {
  test(`${row.request} ${said(row)}: ${row.effects.join(", ")}: ${row.why}`, async () => {
    const names = await makeFixture(n8n, row);
    const then = momentOf(n8n);
    const answer = await send(row, names);
    await settle(n8n);
    const seen = effectsBetween(then, momentOf(n8n));
    const answered = `answered ${answer.status} ${answer.text.slice(0, 500)}`;
    assert.equal(answer.status >= 400, row.why in NOT_HERE, answered);
    for (const effect of seen) assert.ok(isSaid(row, effect), `it also did: ${effect}; ${answered}`);
    if (row.why in NOT_HERE || row.why in STRICTER) return;
    const unseen = said2(row).filter((effect) => !seen.has(effect));
    assert.deepEqual(unseen, [], `said, and not done; ${answered}`);
  });
}

function said2({ verb, effects }: Golden): readonly Effect[] {
  return effects.filter((effect) => SEEN.has(effect) && (effect === "write" || !SAVES.test(verb)));
}

function said({ json, form, raw, facts }: Golden): string {
  return [json && JSON.stringify(json), form, raw?.text, facts && JSON.stringify(facts)]
    .filter((text) => text !== undefined)
    .join(" ");
}

/** Writing is in all that changes something. */
function isSaid({ effects }: Golden, effect: Effect): boolean {
  return effects.includes(effect) || (effect === "write" && effects.some((one) => SEEN.has(one)));
}

async function send(row: Golden, names: Names): Promise<Answer> {
  const whole = row.json === undefined ? row : { ...row, json: complete(row.json) as NonNullable<Golden["json"]> };
  const described = describeGolden("n8n", whole);
  assert.deepEqual([described.verb, described.effects], [row.verb, row.effects], "as sent it is the row still");
  const { method, path, query, headers, body } = requestOf(whole);
  const swap = (text: string, of: RegExp) => text.replace(of, (name) => names[name] ?? name);
  let target = swap(path, /(?<=\/)[^/]+(?=\/|$)/g) + (query === "" ? "" : `?${query}`);
  if (row.verb === "wait.resume") {
    const token = await resumeToken(n8n, names["7"] ?? "");
    target += `${query === "" ? "?" : "&"}signature=${token}`;
  }
  const text = body && Object.entries(names).reduce((all, [name, here]) => name === "1" ? all : all.replace(name, here), Buffer.from(body).toString());
  return n8n.ask(target, {
    method,
    key: path.startsWith("/api/"),
    headers: headers as Record<string, string>,
    ...(text !== undefined && { body: text }),
  });
}
