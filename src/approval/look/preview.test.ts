import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFragment, defaultTreeAdapter, type DefaultTreeAdapterTypes } from "parse5";
import { codePointText } from "../../base/index.ts";
import { readHtml } from "./html.ts";

const DOT = "data:image/png;base64,iVBORw0KGgo=";

for (const [source, preview, why] of [
  ["<p>Hello <b>you</b><br>!</p>", "<p>Hello <b>you</b><br>!</p>", "structure stays"],
  ["a<script>alert(1)</script>b", "ab", "a script is not seen, and not written"],
  [
    '<p onclick="x()" style="position:fixed" class="c" id="i">a</p>',
    "<p>a</p>",
    "no attribute stays",
  ],
  ["<style>*{display:none}</style>a", "a", "a style sheet neither"],
  [
    '<a href="https://x.example/&quot;>">t</a>',
    '<u title="https://x.example/&quot;&gt;">t</u>',
    "a link leads nowhere",
  ],
  [
    '<img src="https://x.example/p.png" alt="<b>">',
    "<small>[picture: &lt;b&gt;]</small>",
    "nothing is loaded",
  ],
  [
    `<img src="${DOT}" alt="dot" onerror="x()">`,
    `<img src="${DOT}" alt="dot">`,
    "what is in the text itself is shown",
  ],
  [
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    "<small>[picture]</small>",
    "but no drawing, which may hold anything",
  ],
  ['<svg><a xlink:href="x"><text>s</text></a></svg>', '<u title="x">s</u>', "nor one in the text"],
  ['<form action="/x"><input value="v"><button>Go</button></form>', "Go", "a form is its words"],
  ['<iframe srcdoc="<p>x"></iframe>a', "a", "no frame in the frame"],
  ['<b style="display:none">x</b>y', "y", "what its readers do not see is left out"],
  [
    "<meta http-equiv=refresh content='0;url=x'><base href='//x'><link rel=stylesheet href=x>z",
    "z",
    "nor what acts unseen",
  ],
  ["<template><p>t</p></template>u", "u", "nor what waits to be used"],
  [
    "<td colspan=2 rowspan='9999999'>c</td>",
    '<td colspan="2">c</td>',
    "a span is a number, and small",
  ],
  [
    "<table><tr><td colspan=2 rowspan='x'>c</table>",
    '<table><tbody><tr><td colspan="2">c</td></tr></tbody></table>',
    "spans stay as numbers",
  ],
  [
    "&lt;script&gt;x&lt;/script&gt;<p>",
    "&lt;script&gt;x&lt;/script&gt;<p></p>",
    "what is written stays written",
  ],
  ...[
    "\u200b",
    "\u034f",
    "\ufe00",
    "\u{e0041}",
    "\u{e0100}",
    "\u{e01ef}",
    "\u2066",
    "\u2800",
    "\u3000",
  ].map(
    (hidden) =>
      [
        `<p>a${hidden}b &#x${hidden.codePointAt(0)?.toString(16)};`,
        `<p>a<mark>${codePointText(hidden)}</mark>b <mark>${codePointText(hidden)}</mark></p>`,
        "what is not seen is spelled out",
      ] as const,
  ),
  [
    `<a href="https://x.example/\u202e">a</a>`,
    `<u title="https://x.example/U+202E">a</u>`,
    "and in a title",
  ],
  ["<p>a\tb\nc&nbsp;d", "<p>a\tb\nc\u00a0d</p>", "usual spaces stay"],
] as const) {
  test(`INV-188: in a preview ${why}: ${source}`, () => {
    assert.equal(readHtml(source)?.preview, preview);
  });
}

const ALLOWED = /^(?:src|alt|title|colspan|rowspan)$/;
type Node = DefaultTreeAdapterTypes.ChildNode;

test("INV-188: whatever is read, a preview has no active element and no attribute but five", () => {
  const pieces = fc.constantFrom(
    ..."<script> </script> <img src=x onerror=1> <svg> <math> <style> </style> <a href=javascript:1> <p> <table> <td> &lt; <!--".split(
      " ",
    ),
    ...[
      "-->",
      '"',
      "'",
      "<",
      ">",
      "<iframe srcdoc='<script>1</script>'>",
      "<noscript><p title='</noscript><img src=x onerror=1>'>",
      "<title></title>",
      "<template>",
      "<xmp>",
      "<b hidden>",
    ],
    "text",
  );
  const property = fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
    const preview = readHtml(parts.join(""))?.preview ?? "";
    const look = (node: Node): void => {
      if (!defaultTreeAdapter.isElementNode(node)) return;
      assert.doesNotMatch(
        node.tagName,
        /script|style|iframe|svg|math|form|input|meta|base|link|object|embed|template|title/,
      );
      for (const { name, value } of node.attrs) {
        assert.match(name, ALLOWED);
        if (name === "src") assert.match(value, /^data:image\/(?:png|gif|jpeg|webp);base64,/);
      }
      node.childNodes.forEach(look);
    };
    parseFragment(preview).childNodes.forEach(look);
  });
  fc.assert(property, { numRuns: 500 });
});
