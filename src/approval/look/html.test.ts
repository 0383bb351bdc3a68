import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTreeAdapter, parseFragment, type DefaultTreeAdapterTypes } from "parse5";
import fc from "fast-check";
import { visibleLine } from "../../base/index.ts";
import { requestOf } from "../approvals.fixture.ts";
import { cardOf, printCard } from "../card.ts";
import { readHtml } from "./html.ts";

const read = (source: string) => {
  const reading = readHtml(source);
  assert.ok(reading !== undefined);
  return reading;
};

const WHOLE: readonly (readonly [string, readonly string[], string])[] = [
  ["<p>One</p><p>Two <b>bold</b></p>", ["One", "Two bold"], "paragraphs"],
  ["<h2>Head</h2>\n<p>Text</p>", ["## Head", "", "Text"], "a heading"],
  ["<ul><li>a</li><li>b</li></ul>", ["- a", "- b"], "a list"],
  ["a<br />b<br>c", ["a", "b", "c"], "line ends"],
  ["<pre>  x\n    y</pre>", ["  x", "    y"], "laid out text"],
  ["a\n\n\nb &amp; c", ["a", "", "b & c"], "lines of what is hardly HTML"],
  ["<blockquote>said</blockquote>", ["> said"], "a quotation"],
  ['<p><a href="https://a.example/x">here</a></p>', ["here"], "a link, told beside"],
];
for (const [source, lines, why] of WHOLE) {
  test(`${source} is shown whole by its text: ${why}`, () => {
    const reading = read(source);
    assert.deepEqual(reading.lines, lines);
    assert.deepEqual([reading.isWhole, reading.unseen, reading.warnings], [true, [], []]);
  });
}

const UNSEEN: readonly (readonly [string, string])[] = [
  ['<p style="display:none">SECRET</p>', "display: none"],
  ['<p style="DISPLAY : none !important">SECRET</p>', "display: none"],
  ['<div style="visibility:hidden"><p>SECRET</p></div>', "visibility: hidden"],
  ['<span style="font-size:1px">SECRET</span>', "tiny text"],
  ['<span style="font-size:0.1em">SECRET</span>', "tiny text"],
  ['<span style="color:#fff">SECRET</span>', "white on white"],
  ['<font color="#FEFEFE">SECRET</font>', "white on white"],
  ['<div style="background:#111"><i style="color:#111">SECRET</i></div>', "#111111 on #111111"],
  ['<span style="color:rgba(1,2,3,0)">SECRET</span>', "see-through"],
  ['<span style="opacity:0">SECRET</span>', "see-through"],
  ['<span style="opacity:.01">SECRET</span>', "see-through"],
  ['<div style="position:absolute;left:-9999px">SECRET</div>', "out of the page"],
  ['<div style="height:0;overflow:hidden">SECRET</div>', "no height"],
  ['<div style="max-height:0px;overflow:hidden">SECRET</div>', "no height"],
  ['<div style="mso-hide:all">SECRET</div>', "mso-hide"],
  ['<div style="clip-path: inset(100%)">SECRET</div>', "cut away"],
  ['<div style="dis/**/play:none;transform:scale(0)">SECRET</div>', "display: none"],
  ["<p hidden>SECRET</p>", "hidden"],
  ["<!-- SECRET -->", "comment"],
  ["<script>SECRET</script>", "script"],
  ["<style>SECRET{}</style>", "style"],
  ["<template><p>SECRET</p></template>", "template"],
  ["<noscript><p>SECRET</p></noscript>", "noscript"],
  ["<title>SECRET</title>", "title"],
];
for (const [source, why] of UNSEEN) {
  test(`INV-70: ${source} is told as not seen, since it is ${why}`, () => {
    const { lines, unseen, warnings, isWhole } = read(`<p>Seen</p>${source}`);
    assert.deepEqual(lines, ["Seen"]);
    assert.equal(unseen.length, 1);
    assert.match(unseen[0] ?? "", new RegExp(`^${why}: SECRET`));
    assert.ok(warnings.includes("it holds text that readers do not see"));
    assert.equal(isWhole, why === "comment", "so the source is shown, too");
  });
}

test("its twin: a white button on blue, a grey line and the marks of WordPress's editor are as they look", () => {
  const { lines, unseen, warnings } = read(
    '<!-- wp:paragraph --><p style="background:#00f"><b style="color:#fff">Buy</b></p><p style="color:#777">small</p><!-- /wp:paragraph -->',
  );
  assert.deepEqual(lines, ["Buy", "small"]);
  assert.deepEqual(unseen, ["comment: wp:paragraph", "comment: /wp:paragraph"]);
  assert.deepEqual(warnings, []);
});

const WARNED: readonly (readonly [string, RegExp])[] = [
  ["<script>x</script>", /a script/],
  ['<iframe src="https://x.example"></iframe>', /a frame/],
  ['<form action="https://x.example"><input name=a></form>', /a form/],
  ['<img src=x onerror="alert(1)">', /runs a script at onerror/],
  ['<a href=" java\nscript:alert(1)">x</a>', /address that is code/],
  ['<a href="data:text/html,x">x</a>', /address that is code/],
  ["<style>p{display:none}</style>", /a style sheet/],
  ['<meta http-equiv=refresh content="0;url=https://x.example">', /a <meta>/],
  ['<base href="https://x.example">', /a base/],
  [
    '<a href="https://evil.example/">bank.example</a>',
    /reads bank\.example leads to evil\.example/,
  ],
  ['<a href="https://evil.example/">https://www.bank.example/login</a>', /leads to evil\.example/],
  ['<a href="https://bank.example@evil.example/">x</a>', /before its host, which is evil\.example/],
  ['<a href="https://p\u0430ypal.com/">paypal.com</a>', /looks like another: it is xn--/],
  ['<a href="https://0x7f000001/">x</a>', /it is 127\.0\.0\.1/],
  ['<a href="mailto:eve@evil.example">ann@bank.example</a>', /mails eve@evil\.example/],
  ['<a href="//evil.example"><img alt="bank.example"></a>', /leads to evil\.example/],
];
for (const [source, warning] of WARNED) {
  test(`INV-62: ${JSON.stringify(source)} is warned of`, () => {
    assert.match(read(source).warnings.join("\n"), warning);
  });
}

test("its twin: a link that leads where it says is not", () => {
  for (const text of ["bank.example", "https://www.bank.example/a", "our bank", "e.g. this"]) {
    assert.deepEqual(read(`<a href="https://bank.example/b">${text}</a>`).warnings, [], text);
  }
});

test("each address that is loaded or led to is told, with its text behind it", () => {
  const { links } = read(
    '<a href="https://a.example/">one</a><img src="https://b.example/p.gif"><a href="#x"></a>',
  );
  assert.deepEqual(links, [
    "https://a.example/  <- one",
    "img src: https://b.example/p.gif",
    "#x  <- (no text)",
  ]);
});

const LOSSY = [
  ['<p class="x">a</p>', "an attribute"],
  ["<p>a</div>", "an end without a beginning"],
  ["<frameset><p>a", "what is not there in the tree"],
  ["<p onclick=x", "a tag without an end"],
  ["<body onload=x><p>a</p>", "a tag that is dropped"],
  ["<table><tr><td>1<td>2</table>", "a table"],
  ["<svg><p>a</p></svg>", "what is no HTML"],
  ["<!doctype html><p>a</p>", "a type"],
  ["<![CDATA[x]]>", "what becomes a comment"],
] as const;
for (const [source, why] of LOSSY) {
  test(`INV-70: the source stands beside the text of ${source}: ${why}`, () => {
    assert.equal(read(source).isWhole, false);
    const text = printed({ title: "t", content: source });
    assert.match(text, /^Source/m);
    assert.ok(text.includes(source), text);
  });
}

function printed(body: Record<string, string>): string {
  const { action } = requestOf("r-1", "4f2a91000000", { fields: { show: "post", body } });
  const context = { id: "p-1", run: "r-1", task: "t", state: "requested", expiresAt: "never" };
  return printCard(cardOf(action, context), 5000);
}

const LARGE: readonly (readonly [string, boolean, string])[] = [
  ["<div>".repeat(10_000), true, "nested deep"],
  ["<div>".repeat(250), true, "nested deeper than people write"],
  ["<div>".repeat(150), false, "nested as deep as some do"],
  [`${"<p><b a=1><b a=2>".repeat(2000)}x`, false, "formatting that is opened again"],
  [
    Array.from({ length: 3000 }, (_, n) => `<p><b a=${n}>`).join(""),
    true,
    "formatting of many kinds",
  ],
  ["<br>".repeat(30_000), true, "many elements"],
  [`${"<table>".repeat(3000)}x`, false, "tables in tables"],
  ["<a>".repeat(8000), false, "links in links"],
  ["<svg>".repeat(8000), true, "drawings"],
];
for (const [source, isRefused, why] of LARGE) {
  test(`HTML that is too large to be read is shown as its source, and nothing takes long: ${why}`, () => {
    const content = `${source}SECRET`;
    assert.equal(readHtml(content) === undefined, isRefused);
    const text = printed({ title: "t", content });
    assert.equal(/^Warning .*nested too deep/m.test(text), isRefused);
    assert.match(text, /SECRET/);
    const kept = text.split("\n").map((line) => line.slice(15));
    assert.ok(kept.join("").includes(content), "all of it");
  });
}

/** Markup that a hostile writer could send. */
const pieces = fc.oneof(
  fc.constantFrom(
    ...'<p> </p> <div style="display:none"> </div> <b> </b> <a href="https://x.example"> </a> <!-- --> <script> </script> <table> <td> </table> <li> <select> <option> <svg> </svg> <template> </template> <textarea> </textarea> <title> </title> <pre> </pre> &lt; &nbsp; <style> </style> <h1> <br> <frameset> <noscript> </noscript> <math> <mi> <plaintext>'.split(
      " ",
    ),
  ),
  fc.stringMatching(/^[a-z0-9]{1,12}$/),
  fc.string({ unit: "binary", maxLength: 8 }),
);

test("INV-62 INV-70: every text of a post's HTML stands on its card, or the card says what is hidden", () => {
  const property = fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
    const content = `<p>${parts.join(" ").toWellFormed()}`;
    const { action } = requestOf("r-1", "4f2a91000000", {
      fields: { show: "post", body: { title: "t", content } },
    });
    const card = cardOf(action, { id: "p", run: "r", task: "t", state: "s", expiresAt: "x" });
    if (card.hidden !== undefined) return;
    const blocks = card.blocks.filter(({ label }) => label !== "Source");
    const shown = squeezed(blocks.flatMap(({ lines }) => lines).join(" "));
    for (const text of textsOf(content)) assert.ok(shown.includes(squeezed(text)), text);
  });
  fc.assert(property, { numRuns: 1000 });
});

/** Without spaces, and as a card spells it. */
function squeezed(text: string): string {
  const spelled = String.raw`\u000c`; // A form feed, where the text is not laid out.
  return visibleLine(text.replaceAll(/[ \t\n\r\f]/g, "")).replaceAll(spelled, "");
}

function textsOf(source: string): readonly string[] {
  const texts: string[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if (defaultTreeAdapter.isTextNode(node)) texts.push(...node.value.split("\n"));
    if (node.nodeName === "template" && "content" in node) visit(node.content);
    if ("childNodes" in node) for (const child of node.childNodes) visit(child);
  };
  visit(parseFragment(source, { scriptingEnabled: false }));
  return texts;
}
