/**
 * `npm run docs`: a page for each system of the catalog, docs/reference/systems/NAME.md, made from its entry
 * and from the golden requests that hold it.
 *
 * @module
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allEntries, placesOf, verbInfos, type Entry } from "../src/catalog/index.ts";
import type { Golden } from "../src/catalog/golden.ts";
import { GOLDENS } from "../src/catalog/goldens.ts";

export const PAGES = join(import.meta.dirname, "..", "docs", "reference", "systems");

/** Every page, by the name of its file. */
export function systemPages(): ReadonlyMap<string, string> {
  const entries = [...allEntries().values()];
  return new Map([
    ["README.md", indexOf(entries)],
    ...entries.map((entry) => [`${entry.system}.md`, pageOf(entry)] as const),
  ]);
}

const MADE = "<!-- Made by `npm run docs` from the catalog; a test compares. -->";

function indexOf(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => {
    const { system, title, hosts } = entry;
    const goldens = GOLDENS.get(system)?.length ?? 0;
    const where = hosts?.join(", ") ?? "as the grant names it";
    return `| [${system}](${system}.md) | ${title} | ${where} | ${verbInfos(entry).length} | ${goldens} |`;
  });
  return page([
    "# Systems of the catalog",
    "Each can be granted by its name (`system: wordpress`). Others are `system: http`, or [described by you](../../guides/own-systems.md).",
    ["| system | | where | verbs | golden requests |", "|---|---|---|---|---|", ...rows].join("\n"),
  ]);
}

function pageOf(entry: Entry): string {
  const { system, title, docs, hosts, base, unknown } = entry;
  const places = placesOf(entry);
  const verbs = verbInfos(entry).map(({ verb, effects, requests, summary }) =>
    row([code(verb), effects.join(", "), cell(summary), requests.map(code).join("<br>")]),
  );
  const goldens = (GOLDENS.get(system) ?? []).map((golden) =>
    row([
      code(requestOf(golden)),
      code(golden.verb),
      golden.effects.join(", "),
      cell(golden.why),
      cell(golden.source),
    ]),
  );
  return page([
    `# ${title}`,
    [
      `- Granted as \`system: ${system}\`, at ${hosts?.join(", ") ?? "hosts that the grant names"}${base.join("") === "" ? "" : `, below ${base.map(code).join(" or ")}`}.`,
      `- Its credential: ${places.join("; ") || "none"}.${entry.mint === undefined ? "" : " It makes one for a single run (`mint`)."}`,
      `- What is not listed here counts as ${unknown.join(", ")}, and is denied under every wildcard.`,
      `- Read from ${docs.map((url) => `<${url}>`).join(", ")}.`,
    ].join("\n"),
    "## Verbs",
    "Where a verb has several effects they are those of all its requests; which one a request has is judged by its content.",
    ["| verb | effects | what | requests |", "|---|---|---|---|", ...verbs].join("\n"),
    "## Golden requests",
    "What tests hold this entry to, with where that is known from.",
    ["| request | verb | effects | why | source |", "|---|---|---|---|---|", ...goldens].join("\n"),
  ]);
}

function requestOf({ request, json, form, raw }: Golden): string {
  const body = json === undefined ? (form ?? raw?.text ?? "") : JSON.stringify(json);
  const whole = body === "" ? request : `${request} ${body}`;
  return whole.length > 200 ? `${whole.slice(0, 200).toWellFormed()}…` : whole;
}

const page = (parts: readonly string[]) => `${[parts[0], MADE, ...parts.slice(1)].join("\n\n")}\n`;
const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

/** Text within a cell: nothing in it may end the cell or the line, or be markup. */
function cell(text: string): string {
  return escaped(text).replaceAll(/[<>&*_`[\]]/g, (mark) => `&#${mark.codePointAt(0)};`);
}

/** In a table `|` must be escaped within code too; a backtick in it wants a longer fence. */
function code(text: string): string {
  const own = escaped(text);
  const fence = own.includes("`") ? "``" : "`";
  const pad = own.startsWith("`") || own.endsWith("`") ? " " : "";
  return `${fence}${pad}${own}${pad}${fence}`;
}

function escaped(text: string): string {
  // What does not show is spelled out: a row may be about a zero-width character.
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`)
    .replaceAll("|", "\\|");
}

if (import.meta.main) {
  rmSync(PAGES, { recursive: true, force: true });
  mkdirSync(PAGES, { recursive: true });
  for (const [name, text] of systemPages()) writeFileSync(join(PAGES, name), text);
}
