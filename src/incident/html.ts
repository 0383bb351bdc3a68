/**
 * A report as one HTML page that needs nothing else: no script, no resource, one style whose hash its policy names, a
 * picture of the timeline in SVG. Whatever the record says is text, wherever it stands (INV-155).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { escapeHtml } from "../base/index.ts";
import { renderPicture } from "./picture.ts";
import type { Proofs, Report } from "./report.ts";
import { sectionsOf, type Section } from "./sections.ts";
import { type Words } from "./words.ts";

const STYLE = `:root{color-scheme:light dark;--line:#8886;--soft:#8882}
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
code{font:0.92em ui-monospace,monospace;background:var(--soft);padding:0 .2em;border-radius:3px;overflow-wrap:anywhere}
div.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
p.note{color:#777;font-size:.9em}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:currentColor}svg .axis{stroke:currentColor;stroke-opacity:.25}
svg .run{fill:#777}svg .tool{fill:#7a4fbf}svg .process{fill:#3b7dd8}svg .flow{fill:#2a9d8f}svg .action{fill:#4c9a2a}svg .refusal{fill:#d9822b}svg .finding{fill:#c8102e}`;

/** A report as one page. */
export function renderHtml(report: Report, proofs: Proofs | undefined): string {
  const sections = sectionsOf(report, proofs);
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const title = sections[0]?.title ?? [];
  const text = title
    .map((part) => escapeHtml(typeof part === "string" ? part : part.said))
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>${text}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${sections.map((section, at) => sectionHtml(section, at === 0, report)).join("\n")}
</main>
</body>
</html>
`;
}

function sectionHtml(section: Section, isHead: boolean, report: Report): string {
  const { id, title, paragraphs = [], items = [], table, note } = section;
  const level = isHead ? "h1" : "h2";
  return [
    `<section id="${id}"><${level}>${html(title)}</${level}>`,
    ...paragraphs.map((paragraph) => `<p>${html(paragraph)}</p>`),
    ...(id === "timeline" ? [renderPicture(report.timeline)] : []),
    ...(items.length === 0
      ? []
      : [`<ul>${items.map((item) => `<li>${html(item)}</li>`).join("")}</ul>`]),
    ...(table === undefined ? [] : [tableHtml(table.head, table.rows)]),
    ...(note === undefined ? [] : [`<p class="note">${html(note)}</p>`]),
    "</section>",
  ].join("\n");
}

function tableHtml(head: readonly string[], rows: readonly (readonly Words[])[]): string {
  const top = head.map((cell) => `<th>${escapeHtml(cell)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${html(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${top}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

function html(sentence: Words): string {
  return sentence
    .map((part) => {
      if (typeof part === "string") return escapeHtml(part);
      // A text that is right to left in itself reorders nothing around it.
      return `<code dir="ltr"><bdi>${escapeHtml(part.said)}</bdi></code>`;
    })
    .join("");
}
