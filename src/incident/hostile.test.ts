/** INV-155: what the record says is text on every page, whatever it says; and nothing of it is left out for that. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseHtml, type DefaultTreeAdapterTypes } from "parse5";
import { parse as parseYaml } from "yaml";
import type { Entry } from "../api/index.ts";
import {
  makeReport,
  renderAiid,
  renderAtlas,
  renderHtml,
  renderMarkdown,
  renderOcsf,
  type Report,
} from "./index.ts";
import { code } from "./markdown.ts";
import { RUN, SAMPLE } from "./sample.fixture.ts";

/** The sample, with `text` wherever an agent, a server or a file name may have put it. */
function hostile(text: string): Report {
  const put = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(put);
    if (typeof value === "string") return text;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, put(one)]));
  };
  const OWN = new Set(["finding", "state", "kind", "responses"]);
  const entries = SAMPLE.map((entry): Entry => {
    const { process, data = {}, cause } = entry;
    const said = Object.entries(data).map(([key, one]) => [key, OWN.has(key) ? one : put(one)]);
    return {
      ...entry,
      target: text,
      system: text,
      rule: text,
      ...(process && {
        process: {
          ...process,
          exe: text,
          argv: [text],
          ancestors: process.ancestors.map((one) => ({ ...one, argv: [text] })),
        },
      }),
      ...(cause?.call && { cause: { ...cause, call: { ...cause.call, name: text, id: text } } }),
      data: Object.fromEntries(said) as NonNullable<Entry["data"]>,
    };
  });
  return makeReport(entries, {
    ...{ run: RUN, version: "0", persons: false, task: undefined },
    verbsOf: () => undefined,
    detectorOf: () => undefined,
  });
}

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ["a script", "<script>alert(1)</script>"],
  ["an image that acts", `"><img src=x onerror=alert(1)>`],
  ["the end of an element of ours", "</code></td></table></main><h1>Nothing happened</h1>"],
  ["the end of the title", "</title><meta http-equiv=refresh content=0;url=https://evil.example>"],
  [
    "SVG",
    "</title></circle></svg><svg onload=alert(1)><a href=javascript:alert(1)><text>x</text></a>",
  ],
  ["a style", "</style><style>main{display:none}</style>"],
  ["entities", "&lt;b&gt; &#x3c;script&#x3e; &quot;"],
  ["a comment", "<!-- --><!--"],
  [
    "a link of Markdown",
    "[click](https://evil.example) ![x](https://evil.example/p.png) <https://evil.example>",
  ],
  ["a bare link", "https://evil.example www.evil.example a@evil.example"],
  ["code spans that end", "` [x](y) `` **b** ``` \n```\n# Head"],
  ["a table's cells", "a | b | c \\| d"],
  ["lines of ours", "x\n\n# Run r-1: incident report\n\nNothing happened.\r\n- item"],
  ["bidirectional controls", "\u202Egpj.exe\u2066\u2069\u200f abc"],
  [
    "commands of a terminal",
    "\u001b[2J\u001b]0;title\u0007\u009b31m\u001b]8;;https://evil.example\u001b\\x",
  ],
  ["what is invisible", "a\u200b\u00ad\ufeff\u{e0041}b"],
  ["lone surrogates", "\ud800 x \udc00"],
  ["YAML", `"\n- tactic: AML.TA0000\n  !!js/function x: |\u2028 &a *a {{x}}`],
  ["a null byte", "a\0b"],
  ["a template", "${7*7} {{7*7}} <%= 7 %>"],
  ["what is long", "A".repeat(5000)],
  ["only spaces", "   "],
  ["nothing", ""],
];

const TAGS = new Set(
  [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "section",
    "h1",
    "h2",
    "p",
    "ul",
    "li",
  ].concat([
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
    "bdi",
    "svg",
    "g",
    "line",
    "text",
    "circle",
    "rect",
  ]),
);
const ATTRIBUTES = new Set(
  [
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "id",
    "class",
    "dir",
    "role",
    "aria-label",
    "viewBox",
  ].concat(["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "fill-opacity"]),
);

type Node = DefaultTreeAdapterTypes.Node;
function* nodesOf(node: Node): Iterable<Node> {
  yield node;
  if ("childNodes" in node) for (const one of node.childNodes) yield* nodesOf(one);
}

/** What of `html` is not of a report's own making. */
function foreign(html: string): readonly string[] {
  return [...nodesOf(parseHtml(html))].flatMap((node) => {
    if (node.nodeName === "#comment") return ["a comment"];
    if (!("tagName" in node)) return [];
    const odd = node.attrs.filter(({ name }) => !ATTRIBUTES.has(name)).map(({ name }) => name);
    return TAGS.has(node.tagName) ? odd : [node.tagName, ...odd];
  });
}

const shape = (html: string) =>
  [...nodesOf(parseHtml(html))].map(({ nodeName }) => nodeName).join();
const plainHtml = shape(renderHtml(hostile("plain"), undefined));
const lineCount = (text: string) => text.split("\n").length;
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

for (const [what, text] of TEXTS) {
  test(`INV-155: ${what} in the record draws nothing, links nothing and commands nothing`, () => {
    const report = hostile(text);
    const html = renderHtml(report, undefined);
    assert.deepEqual(foreign(html), []);
    if (text !== "")
      assert.equal(shape(html), plainHtml, "every element stands where it does for a plain text");
    const markdown = renderMarkdown(report, undefined);
    assert.equal(lineCount(markdown), lineCount(renderMarkdown(hostile("plain"), undefined)));
    for (const line of markdown.split("\n"))
      assert.equal(outsideCode(line).match(/evil|<|alert|Nothing happened/), null, line);
    const study = parseYaml(renderAtlas(report)) as object;
    const plainStudy = parseYaml(renderAtlas(hostile("plain"))) as object;
    assert.deepEqual(Object.keys(study), Object.keys(plainStudy));
    const aiid = renderAiid(report);
    assert.equal(lineCount(aiid), lineCount(renderAiid(hostile("plain"))));
    const events = renderOcsf(report, () => undefined);
    for (const line of events.trimEnd().split("\n")) assert.doesNotThrow(() => JSON.parse(line));
    for (const page of [html, markdown, aiid, events, renderAtlas(report)]) {
      assert.equal(JSON.stringify(INVISIBLE.exec(page)?.[0] ?? ""), '""');
    }
  });
}

/** What of a line of Markdown stands in no code span: a span ends with as many backticks as it began with. */
function outsideCode(line: string): string {
  return line.replace(/(?<!`)`(?!`)[^`]*`(?!`)/g, "");
}

test("the twin: what is harmless stands as it is", () => {
  const markdown = renderMarkdown(
    hostile("curl -s https://site.example/a?b=c&d | jq '.x'"),
    undefined,
  );
  assert.match(markdown, /`curl -s https:\/\/site\.example\/a\?b=c&d \\u007c jq '\.x'`/);
  const html = renderHtml(hostile("a < b & c"), undefined);
  assert.match(html, /a &#60; b &#38; c/);
});

test("INV-155: a page loads nothing and runs nothing, and its policy says so", () => {
  const html = renderHtml(hostile("x"), undefined);
  const [, policy = ""] = /Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'$/,
  );
  assert.doesNotMatch(html, /<script|<link|<img|<iframe|@import|url\(|(?:src|href)=|https?:/);
});

test("a code span holds any text, and ends where it should", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const span = code(text.replaceAll(/[\r\n]/g, ""));
      assert.equal(span.match(/`/g)?.length, 2);
      assert.ok(span.startsWith("`") && span.endsWith("`") && !span.includes("|"));
    }),
  );
});
