import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf } from "./approvals.fixture.ts";
import { cardOf, printCard } from "./card.ts";

const CONTEXT = {
  id: "p-1",
  run: "r-1",
  task: "t",
  state: "requested",
  expiresAt: "2026-11-27T12:00:00.000Z",
};
const cardFor = (more: Parameters<typeof requestOf>[2]) =>
  cardOf(requestOf("r-1", "4f2a91000000", more).action, CONTEXT);

test("a card says what, how far, to whom, and shows the content in full", () => {
  const card = cardFor({
    effects: ["send", "spend"],
    fields: {
      method: "POST",
      query: "a=1",
      body: { subject: "Hello", html: "<p>one</p>\n<p>two</p>" },
    },
    impact: {
      reversible: false,
      recipients: ["a@x.example", "b@x.example"],
      amount: { currency: "EUR", value: "12.50" },
      takesEffectAt: "2026-12-01T08:00:00.000Z",
    },
  });
  assert.equal(
    printCard(card),
    `p-1  blog: post.publish  [requested]
What         | Publish
Does         | SENDS to others, SPENDS
Undo         | cannot be undone
To (2)       | a@x.example
             | b@x.example
Amount       | 12.50 EUR
Takes effect | 2026-12-01T08:00:00.000Z
Request      | POST https://blog.example/wp-json/wp/v2/posts?a=1
Content      | subject: Hello
             | html:
             |   <p>one</p>
             |   <p>two</p>
Caused by    | not known
Run          | r-1, task t
Answer until | 2026-11-27T12:00:00.000Z
Code         | 4f2a91
`,
  );
});

test("INV-179: a card says before and after of what leave for more would widen", () => {
  const { action } = requestOf("r-1", "4f2a91000000", {});
  const textOf = (more: object) => printCard(cardOf(action, { ...CONTEXT, ...more }));
  const line = "customer records readable, unattended: 0 -> 12,000";
  assert.match(
    textOf({ leave: [line] }),
    new RegExp(`More of it   \\| with leave .*\\n +\\| ${line}\\n`),
  );
  assert.match(textOf({ leave: [] }), /More of it   \| leave for more .* changes nothing/);
  assert.doesNotMatch(textOf({}), /More of it|At worst/);
  assert.ok(!textOf({ leave: ["a\nCode         | 000000"] }).includes("\nCode         | 000000"));
});

const HOSTILE = [
  ["a line that looks like the card's own", "x\nCode         | 000000", "\nCode         | 000000"],
  ["a carriage return that overwrites", "safe\rEVIL", "\r"],
  ["an escape sequence", "\u001b[2J\u001b[H", "\u001b"],
  ["a bell", "\u0007", "\u0007"],
  ["text turned round", "\u202egnihton", "\u202e"],
  ["isolates", "\u2066a\u2069", "\u2066"],
  ["what is not seen", "pay\u200bpal", "\u200b"],
  ["tags", "a\u{e0041}b", "\u{e0041}"],
  ["a filler that is not seen", "pay\u3164pal", "\u3164"],
  ["a joiner that is not seen", "pay\u034fpal", "\u034f"],
  ["a blank pattern", "a\u2800b", "\u2800"],
  ["a space that is none", "a\u00a0b", "\u00a0"],
] as const;
const KINDS = ["json", "post", "mail", "message", "workflow", "payment"];
for (const [what, hostile, drawn, show] of HOSTILE.flatMap((one) =>
  KINDS.map((kind) => [...one, kind] as const),
)) {
  test(`INV-62: content of the kind ${show} cannot draw: ${what}`, () => {
    const everywhere = {
      summary: hostile,
      target: `https://x.example/${hostile}`,
      fields: {
        show,
        body: {
          ...{ title: hostile, [hostile]: "b", content: `<p title="${hostile}">${hostile}</p>` },
          ...{ to: hostile, subject: hostile, html: `<!--${hostile}-->`, chat_id: hostile },
          nodes: [{ name: hostile, type: hostile, parameters: { [hostile]: hostile } }],
        },
        current: { current: { status: hostile, title: `old ${hostile}` } },
        mail: { to: [hostile], headers: [hostile], attachments: [{ filename: hostile }] },
      },
      impact: { reversible: true, recipients: [hostile] },
    };
    const text = printCard(cardFor(everywhere));
    assert.ok(!text.includes(drawn));
    assert.match(text, /^Code         \| 4f2a91$/m);
  });
}

test("nothing of a long content is left out", () => {
  const words = Array.from({ length: 3000 }, (_, n) => `w${n}`);
  const text = printCard(cardFor({ fields: { body: { content: words.join(" ") } } }));
  for (const word of words) assert.ok(text.includes(word), word);
  assert.ok(text.split("\n").every((line) => line.length <= 100));
});

test("what is known by its hash only is said to be hidden", () => {
  const file = { filename: "a.png", bytes: 5, sha256: "00ff" };
  const card = cardFor({ fields: { body: { file } } });
  assert.match(card.hidden ?? "", /5 bytes with SHA-256 00ff/);
  const deep = { mail: { attachments: [{ name: "b", bytes: 7, sha256: "11ee" }] } };
  assert.match(cardFor({ fields: deep }).hidden ?? "", /7 bytes with SHA-256 11ee/);
  const plain = { method: "POST", bodyBytes: 9, bodySha256: "22dd" };
  assert.match(cardFor({ fields: plain }).hidden ?? "", /9 bytes with SHA-256 22dd/);
  assert.equal(cardFor({ fields: { body: { title: "a" } } }).hidden, undefined);
});

test("INV-62: a secret by its name is said to be hidden, and what else the run did is told", () => {
  const body = { title: "a", api_key: "[hidden]" };
  const { action } = requestOf("r-1", "4f2a91000000", { fields: { body } });
  const deeds = ["1 read", "denied: x\nCode | 1"];
  const card = cardOf(action, { ...CONTEXT, deeds });
  assert.match(card.hidden ?? "", /secret by its name \(api_key\)/);
  const did = card.blocks.find(({ label }) => label === "Run did");
  assert.deepEqual(did?.lines, ["1 read", "denied: x\\u000aCode | 1"]);
});

test("INV-58: an edited content is shown beside what the agent asked for", () => {
  const { action } = requestOf("r-1", "4f2a91000000", { fields: { body: { title: "b" } } });
  const card = cardOf(action, { ...CONTEXT, note: "cli:0 changed title", asked: { title: "a" } });
  const edited = card.blocks.find(({ label }) => label === "Edited");
  assert.deepEqual(edited?.lines, ["cli:0 changed title", "- title: a", "+ title: b"]);
});

test("what it changes is shown beside what is there now", () => {
  const text = printCard(
    cardFor({
      fields: {
        body: { title: "New" },
        current: {
          current: { title: { raw: "Old", rendered: "Old" }, status: "publish", other: 1 },
        },
      },
    }),
  );
  assert.match(
    text,
    /^Now {10}\| status: publish\nChange {7}\| - title: Old\n {13}\| \+ title: New$/m,
  );
});
