/**
 * A report as Markdown (CommonMark with tables). What the record says stands in code spans, in which nothing is markup
 * and nothing becomes a link; a backtick and a pipe, which could end one, are spelled out (INV-155).
 *
 * @module
 */
import type { Proofs, Report } from "./report.ts";
import { sectionsOf, type Section } from "./sections.ts";
import { type Words } from "./words.ts";

/** A report as one text. */
export function renderMarkdown(report: Report, proofs: Proofs | undefined): string {
  const [head, ...sections] = sectionsOf(report, proofs);
  const title = head === undefined ? "" : `# ${line(head.title)}\n\n${bodyOf(head)}`;
  const rest = sections.map((section) => `## ${line(section.title)}\n\n${bodyOf(section)}`);
  return [title, ...rest].join("\n");
}

function bodyOf({ paragraphs = [], table, items = [], note }: Section): string {
  return [
    ...paragraphs.map((paragraph) => `${line(paragraph)}\n`),
    ...(items.length === 0 ? [] : [`${items.map((item) => `- ${line(item)}`).join("\n")}\n`]),
    ...(table === undefined ? [] : [tableOf(table.head, table.rows)]),
    ...(note === undefined ? [] : [`${line(note)}\n`]),
  ].join("\n");
}

function tableOf(head: readonly string[], rows: readonly (readonly Words[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const all = [row(head), row(head.map(() => "---")), ...rows.map((cells) => row(cells.map(line)))];
  return `${all.join("\n")}\n`;
}

function line(sentence: Words): string {
  return sentence.map((part) => (typeof part === "string" ? part : code(part.said))).join("");
}

/** A text of the record, literally. Spaces at its ends would be taken for padding, and an empty span for none. */
export function code(text: string): string {
  const spelled = text.replace(/[`|]/g, (one) => (one === "|" ? "\\u007c" : "\\u0060"));
  const padded = /^\s|\s$/.test(spelled) || spelled === "" ? JSON.stringify(spelled) : spelled;
  return `\`${padded}\``;
}
