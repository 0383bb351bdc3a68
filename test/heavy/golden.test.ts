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
import { changedTables, effectsBetween, momentOf } from "./changes.ts";
import { complete, makeFixture, resumeToken, settle, type Fixture } from "./fixture.ts";
import { startN8n, type Answer, type N8n } from "./kit.ts";

const LICENCE = "needs a licence";
/** Rows, by their reason, that this n8n refuses, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  "from its start": "2.40 has no such path",
  "a test is a run": LICENCE,
  stopped: LICENCE,
  "workflows from elsewhere, and those that are not in it may go": "needs a package that n8n made",
  "logs go elsewhere": LICENCE,
  "a message to where logs go": LICENCE,
  "logs go nowhere": LICENCE,
  "a test runs it too": "only while a person listens in the editor",
  "may do more": LICENCE,
  "which there are": LICENCE,
  "a new project": LICENCE,
  "with all in it": LICENCE,
  values: LICENCE,
  "workflows go by it": LICENCE,
  "workflows miss it": LICENCE,
  "workflows are replaced": LICENCE,
  differences: LICENCE,
  "workflows leave": LICENCE,
  "code from npm, and n8n.io is asked for it": "that package is not there",
  "workflows with its nodes run no more": "none is installed",
};
/** Rows, by their reason, that say more than what is seen here, and why. */
const STRICTER: Readonly<Record<string, readonly [effects: readonly Effect[], why: string]>> = {
  "earlier versions do not know that": [["execute"], "what is published stays"],
  "a form shown runs nothing, and may be no form": [["execute"], "told by its node only"],
  "an answer that a person should give": [["administer"], "whose answer it is stands in no table"],
  "the same by form": [["administer"], "whose answer it is stands in no table"],
  approved: [["administer"], "whose answer it is stands in no table"],
  "the secret is used": [["administer"], "it is told whether it is good"],
  "an invitation by mail": [["send"], "no mail server here; the invitation stands in the answer"],
  "a trace to whatever address it names": [["administer"], "nothing of it is kept"],
};

const SEEN: ReadonlySet<Effect> = new Set(["execute", "delete", "administer", "send", "write"]);
/** What its nodes can do once it runs is no effect of saving it. */
const SAVES = /^workflow\.(create|update)$/;

let n8n: N8n;
before(async () => {
  n8n = await startN8n();
});
after(() => n8n.close());

const ROWS = GOLDENS.get("n8n") ?? [];
for (const row of ROWS.filter(({ verb }) => verb !== UNKNOWN_VERB)) {
  test(`${row.request} ${said(row)}: ${row.effects.join(", ")}: ${row.why}`, async () => {
    const fixture = await makeFixture(n8n, row);
    const then = momentOf(n8n);
    const answer = await send(row, fixture);
    await settle(n8n);
    const now = momentOf(n8n);
    const seen = effectsBetween(then, now);
    const answered = `answered ${answer.status} ${answer.text.slice(0, 500)}`;
    assert.equal(answer.status >= 400, row.why in NOT_HERE, answered);
    for (const effect of seen)
      assert.ok(
        isSaid(row, effect),
        `it also did: ${effect}, in ${changedTables(then, now).join()}; ${answered}`,
      );
    if (row.why in NOT_HERE) return;
    const unseen = shown(row).filter((effect) => !seen.has(effect));
    assert.deepEqual(unseen, STRICTER[row.why]?.[0] ?? [], `said, and not done; ${answered}`);
  });
}

/** Of what is refused as unknown, by its reason: what it does that a laxer reading would not have said. */
const REFUSED: Readonly<Record<string, Effect>> = {
  "a slash at the end": "execute",
  "its name in another case": "execute",
  "a webhook in another case": "execute",
};
for (const [why, effect] of Object.entries(REFUSED)) {
  test(`what is refused as unknown does: ${effect}: ${why}`, async () => {
    const row = ROWS.find((one) => one.why === why);
    assert.equal(row?.verb, UNKNOWN_VERB);
    const fixture = await makeFixture(n8n, row);
    const then = momentOf(n8n);
    const { status } = await send(row, fixture);
    await settle(n8n);
    assert.equal(status, 200);
    assert.ok(effectsBetween(then, momentOf(n8n)).has(effect));
  });
}

test("every exception names a row", () => {
  const reasons = new Set(ROWS.map(({ why }) => why));
  const named = [NOT_HERE, STRICTER, REFUSED].flatMap((list) => Object.keys(list));
  assert.deepEqual(
    named.filter((why) => !reasons.has(why)),
    [],
  );
});

/** Those of its effects that show in what changes. */
function shown({ verb, effects }: Golden): readonly Effect[] {
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

async function send(
  row: Golden,
  { path: inPath = {}, body: inBody = {} }: Fixture,
): Promise<Answer> {
  const whole = row.json === undefined ? row : { ...row, json: complete(row.json) };
  const described = describeGolden("n8n", whole);
  const is = [described.verb, described.effects];
  assert.deepEqual(is, [row.verb, row.effects], "as sent it is the row still");
  const { method, path, query, headers, body } = requestOf(whole);
  const here = path.replaceAll(/[^/]+/g, (name) => inPath[name] ?? name);
  const isAnswer = row.verb === "wait.resume";
  const token = isAnswer ? `signature=${await resumeToken(n8n, inPath["7"] ?? "")}` : "";
  const asked = [query, token].filter((part) => part !== "").join("&");
  const outside = Buffer.from(body ?? "")
    .toString()
    .replace("https://evil.example", n8n.outside.origin);
  const text = Object.entries(inBody).reduce(
    (all, [name, one]) => all.replace(JSON.stringify(name), JSON.stringify(one)),
    outside,
  );
  return n8n.ask(asked === "" ? here : `${here}?${asked}`, {
    method,
    key: /^\/api\//i.test(path),
    headers: headers as Record<string, string>,
    ...(body !== undefined && { body: text }),
  });
}
