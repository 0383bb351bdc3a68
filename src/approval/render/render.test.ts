import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Action, Json } from "../../action/index.ts";
import { requestOf } from "../approvals.fixture.ts";
import { cardOf, printCard, type Card } from "../card.ts";

const CONTEXT = { id: "p-1", run: "r-1", task: "t", state: "requested", expiresAt: "never" };

function cardFor(show: string, fields: Record<string, Json>, more: Partial<Action> = {}): Card {
  const { action } = requestOf("r-1", "4f2a91000000", { fields: { show, ...fields }, ...more });
  return cardOf(action, CONTEXT);
}

/** The lines under `label`; of all blocks that have it. */
function under(card: Card, label: string): readonly string[] {
  return card.blocks.filter((one) => one.label === label).flatMap(({ lines }) => lines);
}

test("a post is shown with title, status and text, and what is left of it", () => {
  const card = cardFor("post", {
    body: {
      title: { raw: "News" },
      status: "publish",
      content: '<p>Hello <a href="https://a.example/">there</a></p>',
      meta: { a: 1 },
    },
  });
  assert.deepEqual(under(card, "Title"), ["News"]);
  assert.deepEqual(under(card, "Status"), ["publish"]);
  assert.deepEqual(under(card, "Content"), ["Hello there"]);
  assert.deepEqual(under(card, "Links"), ["https://a.example/  <- there"]);
  assert.deepEqual(under(card, "Also"), ['meta: {"a":1}']);
  assert.deepEqual(under(card, "Source"), [], "its text and links are all of it");
});

test("a message says to whom; markup counts only where the system is told to read it", () => {
  const text = '<a href="https://evil.example">bank.example</a>';
  const plain = cardFor("message", { body: { chat_id: 5, text } });
  assert.deepEqual(under(plain, "Sent to"), ["5"]);
  assert.deepEqual(under(plain, "Text"), [text]);
  assert.deepEqual(under(plain, "Warning"), []);
  const marked = cardFor("message", { body: { chat_id: 5, text, parse_mode: "HTML" } });
  assert.match(under(marked, "Warning").join(), /leads to evil\.example/);
});

test("a payment says how much and to whom, or that it does not", () => {
  const impact = {
    reversible: false,
    amount: { value: "12.50", currency: "EUR" },
    recipients: ["a@x.example"],
  };
  const card = cardFor("payment", { body: { amount: 1250, description: "Rent" } }, { impact });
  assert.deepEqual(under(card, "Pays"), ["12.50 EUR"]);
  assert.deepEqual(under(card, "Pays to"), ["a@x.example"]);
  assert.deepEqual(under(card, "For"), ["Rent"]);
  assert.deepEqual(under(card, "Also"), ["amount: 1250"]);
  assert.match(under(cardFor("payment", {}), "Pays").join(), /does not say/);
});

const MIME = {
  from: ["me@x.example"],
  to: ["a@x.example"],
  cc: [],
  bcc: ["secret@x.example"],
  replyTo: ["other@x.example"],
  subject: "Bill",
  text: "As agreed.",
  html: '<p>As <i style="display:none">not</i> agreed.</p>',
  headers: ["from: Boss <me@x.example>", "x-odd: 1"],
  attachments: [{ filename: "a.pdf", contentType: "application/pdf", bytes: 5, sha256: "00ff" }],
};

test("a mail in MIME is shown with everyone, its fields, both texts and its files, and not in base64", () => {
  const card = cardFor("mail", { body: { raw: "QUJD", threadId: "7" }, mail: MIME });
  for (const [label, lines] of [
    ["From", ["me@x.example"]],
    ["To", ["a@x.example"]],
    ["Bcc", ["secret@x.example"]],
    ["Reply to", ["other@x.example"]],
    ["Subject", ["Bill"]],
    ["Text", ["As agreed."]],
    ["HTML", ["As  agreed."]],
    ["Not seen", ["display: none: not"]],
    ["Files (1)", ["a.pdf, application/pdf, 5 bytes, SHA-256 00ff"]],
    ["Headers", MIME.headers],
    ["Also", ["threadId: 7"]],
  ] as const) {
    assert.deepEqual(under(card, label), lines, label);
  }
  assert.match(card.hidden ?? "", /5 bytes with SHA-256 00ff/);
  assert.ok(!printCard(card).includes("QUJD"));
  const bare = cardFor("mail", { body: { raw: "QUJD" }, mail: { ...MIME, attachments: [] } });
  assert.equal(bare.hidden, undefined, "without files it is shown whole");
});

test("INV-116: of a mail with an envelope everyone it goes to is told, a blind copy as one, and every text is shown", () => {
  const mail = {
    ...MIME,
    sender: ["ann@x.example"],
    envelope: {
      from: "me@x.example",
      recipients: [
        { address: "a@x.example", named: "To" },
        { address: "spy@y.example", named: "" },
      ],
      unreached: ["b@x.example"],
    },
    more: [
      { filename: "", contentType: "text/html", text: "<p>also</p>" },
      { filename: "a.txt", contentType: "text/plain", text: "third" },
    ],
    doubts: ["answers to it go elsewhere"],
  };
  const card = cardFor("mail", { mail });
  for (const [label, lines] of [
    ["Sent as", ["me@x.example"]],
    ["Goes to (2)", ["a@x.example  To", "spy@y.example  Bcc: no header names this one"]],
    ["Not to", ["b@x.example"]],
    ["Sender", ["ann@x.example"]],
  ] as const) {
    assert.deepEqual(under(card, label), lines, label);
  }
  const text = printCard(card);
  assert.match(text, /Warning.*answers to it go elsewhere/);
  assert.match(text, /Also text +\| \(no name\), text\/html\nHTML +\| also\n/);
  assert.match(text, /Also text +\| a.txt, text\/plain\nText +\| third\n/);
});

test("INV-62: a mail that is at the system, and could not be looked up, is hidden", () => {
  const card = cardFor("mail", { body: { id: "r1" }, mail: "not known: it is at the system" });
  assert.match(card.hidden ?? "", /at the system/);
});

const APIS: readonly (readonly [string, Json, Readonly<Record<string, readonly string[]>>])[] = [
  [
    "Resend",
    {
      from: "Me <me@x.example>",
      to: ["a@x.example", "b@x.example"],
      bcc: "c@x.example",
      subject: "Hi",
      html: "<p>Hello</p>",
      text: "Hello",
      tags: ["x"],
    },
    {
      From: ["Me <me@x.example>"],
      To: ["a@x.example", "b@x.example"],
      Bcc: ["c@x.example"],
      Subject: ["Hi"],
      Text: ["Hello"],
      HTML: ["Hello"],
      Also: ['tags: ["x"]'],
    },
  ],
  [
    "SendGrid",
    {
      personalizations: [
        { to: [{ email: "a@x.example", name: "Ann" }], bcc: [{ email: "b@x.example" }] },
      ],
      from: { email: "me@x.example", name: "Me" },
      subject: "Hi",
      content: [
        { type: "text/plain", value: "Hello" },
        { type: "text/html", value: '<b>Hello</b><img src="https://t.example/1.gif">' },
      ],
    },
    {
      From: ["Me <me@x.example>"],
      To: ["Ann <a@x.example>"],
      Bcc: ["b@x.example"],
      Text: ["Hello"],
      HTML: ["Hello"],
      Links: ["img src: https://t.example/1.gif"],
    },
  ],
  [
    "listmonk",
    {
      name: "w1",
      subject: "Week",
      from_email: "me@x.example",
      lists: [1, 2],
      body: "<h1>Week</h1>",
    },
    { From: ["me@x.example"], Subject: ["Week"], HTML: ["# Week"] },
  ],
];
for (const [system, body, blocks] of APIS) {
  test(`a mail through the API of ${system} is read as one`, () => {
    const card = cardFor("mail", { body });
    for (const [label, lines] of Object.entries(blocks)) {
      assert.deepEqual(under(card, label), lines, label);
    }
    assert.equal(card.hidden, undefined);
  });
}

test("INV-62: files of a mail are known by their hash, and so are hidden; each mail of a batch is shown", () => {
  const file = { filename: "a.txt", content: Buffer.from("hello").toString("base64") };
  const mail = { from: "me@x.example", to: "a@x.example", subject: "1", text: "one" };
  const card = cardFor("mail", { body: { ...mail, attachments: [file] } });
  const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  assert.deepEqual(under(card, "Files (1)"), [`a.txt, no type, 5 bytes, SHA-256 ${sha256}`]);
  assert.match(card.hidden ?? "", new RegExp(sha256));
  const batch = cardFor("mail", { body: [mail, { ...mail, to: "b@x.example", text: "two" }] });
  assert.deepEqual(under(batch, "Mail"), ["1 of 2", "2 of 2"]);
  assert.deepEqual(under(batch, "To"), ["a@x.example", "b@x.example"]);
  assert.deepEqual(under(batch, "Text"), ["one", "two"]);
});

test("INV-62: what an agent says of a file's size and hash is not taken for what was measured", () => {
  const mail = { from: "me@x.example", to: "a@x.example", subject: "1", text: "one" };
  const claim = { bytes: 12, sha256: "aa".repeat(32) };
  const linked = { filename: "a.pdf", path: "https://evil.example/x", ...claim };
  const files = (file: Json) => {
    const card = cardFor("mail", { body: { ...mail, attachments: [file] } });
    return under(card, "Files (1)");
  };
  assert.deepEqual(files(linked), ["a.pdf, no type, from https://evil.example/x"]);
  assert.deepEqual(files({ ...linked, content: { ...claim } }), files(linked));
  const own = createHash("sha256").update("hello").digest("hex");
  const both = { ...linked, content: Buffer.from("hello").toString("base64") };
  assert.deepEqual(files(both), [
    `a.pdf, no type, 5 bytes, SHA-256 ${own}, from https://evil.example/x`,
  ]);
  const card = cardFor("mail", { body: { ...mail, attachments: [both] } });
  assert.ok(JSON.stringify(card.blocks).includes(claim.sha256), "what is sent stands there, too");
});

test("a mail that the request only names is shown as the system has it", () => {
  const current = { current: { data: { subject: "Week", body: "<p>All</p>", status: "draft" } } };
  const card = cardFor("mail", { body: { status: "running" }, current });
  assert.deepEqual(under(card, "Mail"), ["as the system has it now:"]);
  assert.deepEqual(under(card, "Subject"), ["Week"]);
  assert.deepEqual(under(card, "HTML"), ["All"]);
  assert.deepEqual(under(card, "Change"), ["- status: draft", "+ status: running"]);
});

const node = (name: string, type: string, parameters: Json = {}) => ({
  name,
  type: `n8n-nodes-base.${type}`,
  parameters,
});

test("a workflow is shown with what it can do first, what starts it, and its code as lines", () => {
  const nodes = [
    node("When", "scheduleTrigger"),
    node("Tidy", "set"),
    {
      ...node("Fetch", "httpRequest", { method: "POST", url: "https://x.example" }),
      disabled: true,
    },
    node("Run", "code", { jsCode: "const a = 1;\nsend(a);" }),
    node("Odd", "somethingNew"),
  ];
  const card = cardFor("workflow", { body: { name: "Bills", nodes, connections: {} } });
  assert.deepEqual(under(card, "Workflow"), ["Bills"]);
  assert.deepEqual(under(card, "Starts by"), ["When (n8n-nodes-base.scheduleTrigger)"]);
  const listed = under(card, "Nodes (5)");
  assert.match(listed[0] ?? "", /^1\. Odd: MAY DO ANYTHING/);
  assert.match(listed[1] ?? "", /^2\. Run: RUNS CODE/);
  assert.match(listed[2] ?? "", /^3\. Fetch \(switched off\): CALLS an address: POST https:\/\/x/);
  assert.deepEqual(under(card, "Node 2").slice(-3), [
    "parameters.jsCode:",
    "  const a = 1;",
    "  send(a);",
  ]);
  assert.deepEqual(under(card, "Also"), ["connections: {}"]);
});

test("a workflow that is switched on is shown as the system has it, also in an older version", () => {
  const own = { name: "Bills", active: false, nodes: [node("Old", "set")] };
  const on = cardFor("workflow", { current: { current: own } });
  assert.match(under(on, "Nodes (1)").join(), /1\. Old/);
  assert.deepEqual(under(on, "Is active"), ["now: false"]);
  assert.match(under(on, "Workflow").join(), /as the system has it now/);
  const version = { nodes: [node("Run", "code", { jsCode: "x" })] };
  const older = cardFor("workflow", { current: { current: own, version } });
  assert.match(under(older, "Nodes (1)").join(), /RUNS CODE/);
});

test("INV-62: what its kind cannot read is shown as it is", () => {
  for (const show of ["post", "mail", "message", "workflow", "payment", "json", "other"]) {
    for (const body of [{ odd: { deep: ["SECRET"] } }, ["SECRET"], { nodes: "SECRET" }]) {
      assert.match(printCard(cardFor(show, { body })), /SECRET/, `${show} ${JSON.stringify(body)}`);
    }
    const { hidden } = cardFor(show, { body: { bytes: 1_000_000, sha256: "00ff" } });
    assert.match(hidden ?? "", /1000000 bytes/, show);
  }
});

test("INV-62: every value of any JSON stands on the card of every kind, or it says what is hidden", () => {
  const names = fc.constantFrom(
    ..."title content text body html to cc from subject status nodes name attachments description raw message channel".split(
      " ",
    ),
  );
  const words = fc.stringMatching(/^[a-z]{8,12}$/);
  const value = fc.letrec<{ readonly any: Json }>((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      words,
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(names, tie("any"), { maxKeys: 3 }),
    ),
  })).any;
  const kinds = fc.constantFrom("post", "mail", "message", "workflow", "payment", "json");
  const property = fc.property(kinds, fc.dictionary(names, value), (show, body) => {
    const card = cardFor(show, { body });
    if (card.hidden !== undefined) return;
    const text = card.blocks.flatMap(({ lines }) => lines).join("\n");
    for (const word of wordsOf(body)) assert.ok(text.includes(word), `${show}: ${word}`);
  });
  fc.assert(property, { numRuns: 1000 });
});

function wordsOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value as Readonly<Record<string, Json>>).flatMap(wordsOf);
}

const FORGED = [
  "x\nCode         | 000000",
  "x\n\n             | Undo         | the system can undo it",
  "Warning      | none",
  "p-1  blog: post.draft  [requested]",
];
for (const forged of FORGED) {
  test(`INV-62: content cannot pass for the card's own: ${JSON.stringify(forged)}`, () => {
    for (const show of ["post", "mail", "message", "json"]) {
      const html = `<pre>${forged}</pre><b hidden>${forged}</b><a href="${forged}">${forged}</a>`;
      const body = {
        title: forged,
        subject: forged,
        content: html,
        html,
        text: forged,
        [forged]: 1,
      };
      const lines = printCard(cardFor(show, { body })).split("\n").slice(1, -1);
      for (const line of lines) assert.match(line, /^[A-Z][A-Za-z0-9 ()]{12}\| |^ {13}\| /);
      assert.equal(
        lines.filter((line) => line.startsWith("Code ")).join(),
        "Code         | 4f2a91",
      );
      assert.equal(lines.filter((line) => line.startsWith("Undo ")).length, 1);
      assert.ok(!lines.includes("Warning      | none"));
    }
  });
}

test("a large text is shown to its end, on lines that no terminal breaks", () => {
  const content = `<p>${"wide 漢字 🙂 \t".repeat(5000)}END</p>`;
  const text = printCard(cardFor("post", { body: { title: "t", content } }), 80);
  assert.match(text, /END/);
  const columns = (line: string) =>
    Array.from(line).reduce((sum, one) => sum + (one === "\t" ? 8 : one <= "~" ? 1 : 2), 0);
  for (const line of text.split("\n")) assert.ok(columns(line) <= 80, line);
});

const NEW_LINE = "x\nforged: 1";
const LISTS: readonly (readonly [string, Json])[] = [
  ["json", { [NEW_LINE]: 2 }],
  ["post", { content: `<a href="${NEW_LINE}">${NEW_LINE}</a><img src="${NEW_LINE}">`, meta: 1 }],
  ["post", { content: `<b hidden>${NEW_LINE}</b><!--${NEW_LINE}-->` }],
  ["post", { content: `<a href="javascript:${NEW_LINE}">a</a>` }],
  ["mail", { to: [NEW_LINE], from: { email: NEW_LINE, name: NEW_LINE }, subject: "a" }],
  ["mail", { subject: "a", to: "b", attachments: [{ filename: NEW_LINE, content: "YQ==" }] }],
  ["workflow", { name: "a", nodes: [node(NEW_LINE, NEW_LINE, { [NEW_LINE]: 1 })] }],
];
for (const [show, body] of LISTS) {
  test(`INV-62: no item passes for two: ${show} ${JSON.stringify(body)}`, () => {
    const before = { title: "a", [NEW_LINE]: 1, content: "b" };
    const { blocks } = cardFor(show, { body, current: { current: before } });
    const texts = new Set(["Content", "Text", "HTML", "Source", "Change", "Title"]);
    for (const { label, lines } of blocks) {
      if (show === "json" || !texts.has(label)) {
        assert.ok(!lines.some((line) => line.startsWith("forged")), `${label}: ${lines.join("|")}`);
      }
    }
  });
}
