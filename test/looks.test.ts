/** Looks of real actions: of every golden request of the catalog and every case of the corpora. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action, type Json } from "../src/action/index.ts";
import { lookSchema, type LookContent } from "../src/api/index.ts";
import { cardOf, lookOf, printCard } from "../src/approval/index.ts";
import { describeGolden } from "../src/catalog/golden-kit.ts";
import { GOLDENS } from "../src/catalog/goldens.ts";
import { judgeCase, loadCorpus, readCorpus } from "./corpus/corpus.ts";

type Case = readonly [name: string, action: Action];

const root = join(import.meta.dirname, "corpus");
const PROTOCOLS = readdirSync(root, { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => name);

function goldenCases(): readonly Case[] {
  return [...GOLDENS].flatMap(([kind, rows]) =>
    rows.map((row): Case => {
      const { effects, fields, ...described } = describeGolden(kind, row);
      const more = { id: "a-1", run: "r-1", at: "", monoMs: 0, digest: "00", system: kind, kind };
      const action = {
        ...{ ...described, ...more, effects: [...effects], cause: UNKNOWN_PROCESS },
        fields: fields as Action["fields"],
      };
      return [`${kind}: ${row.request}`, action];
    }),
  );
}

const cases: Case[] = [...goldenCases()];
for (const system of PROTOCOLS) {
  await loadCorpus(system);
  for (const it of readCorpus(join(root, system))) {
    cases.push([`${system}: ${it.name}`, judgeCase(system, it).action]);
  }
}
const TRANSPORT = new Set(
  "method scheme host port path query show upgrade contentType body current conversation".split(
    " ",
  ),
);

test("INV-187: every look is of the form that the contract says, and JSON loses nothing of it", () => {
  for (const [name, action] of cases) {
    const sent = JSON.parse(JSON.stringify(lookOf(action))) as Json;
    assert.deepEqual(lookSchema.parse(sent), sent, name);
  }
});

test("INV-187: every text of a body stands in its look, or the look says that something is hidden", () => {
  for (const [name, action] of cases) {
    const look = lookOf(action);
    if (look.hidden.length > 0 || look.conversation !== undefined) continue;
    const said = new Set(textsIn(look));
    const joined = [...said].join("\n");
    for (const text of textsIn(action.fields["body"] ?? null)) {
      // A message in base64 is read, and stands there as what it says.
      const isRead = action.kind === "gmail" && /^[\w+/=-]{40,}$/.test(text);
      if (text.length > 3 && !isRead) assert.ok(joined.includes(text), `${name} lacks ${text}`);
    }
    for (const [field, value] of Object.entries(action.fields)) {
      if (TRANSPORT.has(field)) continue;
      const more = look.more.find((one) => one.name === field);
      assert.deepEqual(more?.value, value, `${name}: ${field}`);
    }
  }
});

test("INV-187: what the look hides the card of text hides, and the other way round", () => {
  const context = { id: "p-1", run: "r-1", task: "t", state: "requested", expiresAt: "never" };
  for (const [name, action] of cases) {
    const { hidden, conversation } = lookOf(action);
    const card = cardOf(action, context);
    const isWhole = hidden.length === 0 && conversation === undefined;
    assert.equal(card.hidden === undefined, isWhole, name);
    if (!isWhole) assert.match(printCard(card), /^Not shown {4}\|/m);
  }
});

test("pieces of a command line are the line, from its first letter to its last", () => {
  let split = 0;
  for (const [name, action] of cases) {
    const { content } = lookOf(action);
    if (content.kind !== "command") continue;
    assert.equal(content.pieces.map(({ text }) => text).join(""), content.sent, name);
    for (const { act = 0 } of content.pieces) assert.ok(act < Math.max(1, content.acts.length));
    if (content.pieces.length > 1) split += 1;
  }
  assert.ok(split > 10, `${split} lines are told by their commands`);
});

test("every kind of look is made of something real", () => {
  const kinds = new Set<LookContent["kind"]>(
    cases.map(([, action]) => lookOf(action).content.kind),
  );
  const wanted = "call command file mail message payment post push raw sql workflow".split(" ");
  assert.deepEqual([...kinds].sort(), wanted);
});

function textsIn(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value as Readonly<Record<string, Json>>).flatMap(textsIn);
}
