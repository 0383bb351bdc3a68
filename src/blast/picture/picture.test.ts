import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { parse, type DefaultTreeAdapterTypes } from "parse5";
import { solved } from "../../../test/support/blast-world.ts";
import { answerOf } from "../answer.ts";
import { renderDot } from "./dot.ts";
import { graphOf, NODES_MAX, type Graph } from "./graph.ts";
import { crossings, layOut, type Spot } from "./layout.ts";
import { renderPage } from "./page.ts";

/** `count` machines, each with a key to a database of its own; every second one after a yes. */
function chain(count: number): string {
  return Array.from({ length: count }, (_, at) => {
    const [host, db, secret] = [`web${at}`, `"db${at}:5432"`, `"key of web${at}"`];
    return `uses(g${at}, s${at}). may(g${at}, exec, execute, any) ${at % 2 === 0 ? "" : "@confirm"}. can(s${at}, exec, any).
      principal(s${at}, ssh). login(s${at}, ${host}, deploy). host(${host}). becomes(${host}, deploy, root, "sudo -n").
      readable(${host}, root, file${at}). contains(file${at}, ${secret}). opens(${secret}, d${at}). at(d${at}, ${db}). reaches(${host}, ${db}).
      principal(d${at}, postgres). is_effect(postgres, select, read). can(d${at}, select, t${at}). label(t${at}, customer). rows(t${at}, 10).`;
  }).join("\n");
}

const pageOf = (facts: string, title = "ops") => {
  const solution = solved(facts);
  const answer = answerOf(solution);
  const cut = {
    says: title,
    diff: `--- a/${title}\n+++ b/${title}\n@@ -1,1 +1,0 @@\n-${title}\n`,
    cuts: [],
    takes: [title],
    asks: [],
  };
  return renderPage({ answer, solution, title, cuts: [cut] });
};

type Element = DefaultTreeAdapterTypes.Element;
function elementsOf(html: string): readonly Element[] {
  const found: Element[] = [];
  const open: DefaultTreeAdapterTypes.Node[] = [parse(html)];
  for (const node of open) {
    if ("attrs" in node) found.push(node);
    if ("childNodes" in node) open.push(...node.childNodes);
  }
  return found;
}

const HOSTILE = [
  "<script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  `' onload='alert(1)`,
  "</title><script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  "]]><svg onload=alert(1)>",
  "<!--",
  "`${alert(1)}`",
  "javascript:alert(1)",
  "&lt;script&gt;",
] as const;
const ALLOWED = new Set(["class", "data-n", "data-a", "data-b", "tabindex", "title", "open"]);

for (const name of HOSTILE) {
  test(`INV-176: what is called ${JSON.stringify(name)} is text in the page, wherever it stands`, () => {
    const quoted = JSON.stringify(name);
    const html = pageOf(
      `uses(${quoted}, ${quoted}). may(${quoted}, exec, execute, any) @from(${quoted}) @change(${quoted}). can(${quoted}, exec, any) @assumed @from(${quoted}).
       principal(${quoted}, ssh). login(${quoted}, ${quoted}, ${quoted}). host(${quoted}).
       readable(${quoted}, ${quoted}, ${quoted}). label(${quoted}, customer). rows(${quoted}, 3). contains(${quoted}, ${quoted}).`,
      name,
    );
    const clean = pageOf(
      `uses(a, a). may(a, exec, execute, any) @from(a1) @change(a). can(a, exec, any) @assumed @from(a1). principal(a, ssh).
       login(a, a, a). host(a). readable(a, a, a). label(a, customer). rows(a, 3). contains(a, a).`
        .replaceAll("(a1)", '("a")')
        .replaceAll("@change(a)", '@change("a")'),
      "a",
    );
    const shape = (page: string) =>
      elementsOf(page).map(({ tagName, attrs }) =>
        [tagName, ...attrs.map((one) => one.name)].join(" "),
      );
    const count = (page: string) => Map.groupBy(shape(page), (one) => one);
    // Longer names take more lines of the picture; nothing else of the page is another.
    const kinds = [...count(html).keys()].sort();
    assert.deepEqual(kinds, [...count(clean).keys()].sort());
    for (const [kind, all] of count(html)) {
      if (!kind.startsWith("text")) assert.equal(all.length, count(clean).get(kind)?.length, kind);
    }
    for (const { tagName, attrs, namespaceURI } of elementsOf(html)) {
      for (const { name: attribute } of attrs)
        assert.ok(!attribute.startsWith("on"), `${tagName} ${attribute}`);
      if (tagName === "g" || tagName === "li") {
        assert.ok(
          attrs.every((one) => ALLOWED.has(one.name)),
          JSON.stringify(attrs),
        );
      }
      assert.ok(tagName !== "img" && tagName !== "a" && !namespaceURI.endsWith("MathML"));
    }
  });
}

test("INV-176: the page's policy lets its own style and script run, by their hashes, and nothing be loaded", () => {
  const html = pageOf(chain(2));
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; base-uri 'none'; form-action 'none'$/,
  );
  for (const tag of ["style", "script"]) {
    const [, text = ""] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html) ?? [];
    assert.ok(
      policy.includes(`'sha256-${createHash("sha256").update(text).digest("base64")}'`),
      tag,
    );
  }
  assert.doesNotMatch(html, /\b(?:src|href|srcset|action)=|url\((?!#tip\))|@import/);
});

test("what needs a yes is told by words and by a broken line, not by colour alone", () => {
  const html = pageOf(chain(2));
  assert.match(html, /class="node step yes"[\s\S]*?>needs a yes</);
  assert.match(html, /\.step\.yes rect[^}]*stroke-dasharray/);
  assert.match(html, /class="arrow yes"/);
});

test("a picture shows what leads to outcomes, and nothing else", () => {
  const { nodes, edges } = graphOf(
    solved(`${chain(1)} label(nothing, customer). host(unreached).`),
  );
  const labels = nodes.map(({ label }) => label).join("\n");
  assert.match(labels, /customer records readable: 10 unattended/);
  assert.doesNotMatch(labels, /unreached|nothing/);
  const ids = new Set(nodes.map(({ id }) => id));
  for (const { from, to } of edges) assert.ok(ids.has(from) && ids.has(to));
  const all = nodes.find(({ kind }) => kind === "all");
  assert.equal(edges.filter(({ to }) => to === all?.id).length, 2, "the key and the way there");
});

for (const count of [1, 12, 40, 200]) {
  test(`of ${count} machines no more than ${NODES_MAX} boxes are drawn, and none over another`, () => {
    const graph = graphOf(solved(chain(count)));
    assert.ok(
      graph.nodes.length <= NODES_MAX && graph.nodes.length > 5,
      String(graph.nodes.length),
    );
    const stands = graph.nodes.reduce(
      (sum, node) => sum + (node.kind === "step" ? node.count : 0),
      0,
    );
    assert.ok(stands >= count, `boxes stand for ${stands} steps`);
    const boxes = graph.nodes.map(({ id }) => ({ id, width: 232, height: 48 }));
    const { places, width, height } = layOut(graph, boxes, new Set());
    const all = [...places.values()].sort((a, b) => a.x - b.x || a.y - b.y);
    for (const [at, { x, y }] of all.entries()) {
      assert.ok(x >= 116 && x <= width - 116 && y >= 24 && y <= height - 24);
      const next = all[at + 1];
      if (next !== undefined && next.x === x) assert.ok(next.y - y >= 48, `${y} ${next.y}`);
    }
  });
}

test("every arrow leads to the right, over layers between by places of its own", () => {
  const graph = graphOf(solved(chain(12)));
  const boxes = graph.nodes.map(({ id }) => ({ id, width: 100, height: 40 }));
  for (const route of layOut(graph, boxes, new Set()).routes) {
    for (const [at, { x }] of route.entries()) assert.ok(x >= (route[at - 1]?.x ?? 0));
  }
});

test("a circle of boxes that stand for many is laid out all the same", () => {
  const node = (id: string) =>
    ({
      id,
      kind: "step",
      label: id,
      facts: [],
      persons: 0,
      isAssumed: false,
      count: 1,
      rule: id,
    }) as const;
  const edge = (from: string, to: string) => ({ from, to, persons: 0 });
  const graph: Graph = {
    nodes: ["a", "b", "c"].map(node),
    edges: [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("a", "a")],
  };
  const { places } = layOut(
    graph,
    graph.nodes.map(({ id }) => ({ id, width: 10, height: 10 })),
    new Set(),
  );
  assert.equal(new Set([...places.values()].map(({ x }) => x)).size, 3);
});

test("crossings are counted: two arrows that cross, two that do not, and ones that share an end", () => {
  const spot = (at: number): Spot => ({
    id: "",
    rank: 0,
    width: 0,
    height: 0,
    isBox: true,
    before: [],
    after: [],
    at,
    y: 0,
  });
  const between = (...pairs: readonly (readonly [number, number])[]) => {
    const [left, right] = [
      [spot(0), spot(1)],
      [spot(0), spot(1)],
    ];
    for (const [from, to] of pairs) {
      const end = right[to];
      if (end !== undefined) left[from]?.after.push(end);
    }
    return crossings([left, right]);
  };
  assert.deepEqual(
    [
      between([0, 1], [1, 0]),
      between([0, 0], [1, 1]),
      between([0, 0], [1, 0]),
      between([0, 0], [0, 1], [1, 0], [1, 1]),
    ],
    [1, 0, 0, 1],
  );
});

test("Graphviz reads what is printed: names are numbers, labels are quoted", () => {
  const dot = renderDot(
    graphOf(solved(String.raw`run_knows("a\"]; evil [label=\"\\")`.concat(". "))),
  );
  assert.match(dot, /^digraph blast \{/);
  const labels = [...dot.matchAll(/label=("(?:[^"\\]|\\.)*")/g)].length;
  assert.equal(labels, dot.match(/^  n\d+ \[/gm)?.length);
  assert.doesNotMatch(dot.replaceAll(/"(?:[^"\\]|\\.)*"/g, ""), /evil/);
});
