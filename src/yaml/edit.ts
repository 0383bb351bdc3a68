/**
 * Changes to a file that people write, such that every line which need not change stays as it is, comments and all.
 *
 * The `yaml` library changes the document and writes it out, in its own way of spacing. Where it writes the file as it was
 * line by line, lines of the file stand for those lines, and only what the change made of them comes from the library.
 * Either way what results must read as the changed document.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { isCollection, isMap, isSeq, parse, parseDocument } from "yaml";
import { lineEdits } from "./line-edits.ts";
import type { DataPath } from "./read.ts";

/** One change: a value is set, or what stands there goes; what is then empty goes, too. */
export type YamlEdit =
  | { readonly set: DataPath; readonly value: unknown }
  /** Puts `value` into a list, before what stands at its end's number. */
  | { readonly insert: DataPath; readonly value: unknown }
  | { readonly remove: DataPath };

const WRITTEN = { lineWidth: 0, flowCollectionPadding: true } as const; // No line is broken that was not.

/** `source` with `edits` done, in their order; `undefined` where one finds nothing to change. */
export function editYaml(source: string, edits: readonly YamlEdit[]): string | undefined {
  const document = parseDocument(source);
  if (document.errors.length > 0) return undefined;
  const plain = document.toString(WRITTEN);
  for (const edit of edits) {
    if ("set" in edit) {
      const above = edit.set.slice(0, -1);
      const around = document.getIn(above, true);
      const value = document.createNode(edit.value, { flow: isCollection(edit.value) });
      if (isCollection(value)) value.flow = true;
      if (above.length > 0 && !isCollection(around)) document.setIn(above, document.createNode({}));
      document.setIn(edit.set, value);
    } else if ("insert" in edit) {
      const list = document.getIn(edit.insert.slice(0, -1), true);
      const at = edit.insert.at(-1);
      if (!isSeq(list) || typeof at !== "number" || at > list.items.length) return undefined;
      list.items.splice(at, 0, document.createNode(edit.value));
    } else if (!document.hasIn(edit.remove)) return undefined;
    else remove(document, edit.remove);
  }
  const written = document.toString(WRITTEN);
  const wanted: unknown = document.toJS();
  const forms = [lineByLine(source, plain, written, tidied), lineByLine(source, plain, written)];
  const isSame = (text: string) => isDeepStrictEqual(parse(text), wanted);
  return forms.find((text) => text !== undefined && isSame(text)) ?? written;
}

/** `[a, b]` as people write it. What stands in quotes may suffer: who calls this compares what is read. */
function tidied(line: string): string {
  return line.replaceAll(/\[ (.*?) \]/g, "[$1]");
}

/** Removes what stands at `path`, and what held nothing else. */
function remove(document: ReturnType<typeof parseDocument>, path: DataPath): void {
  document.deleteIn(path);
  const above = path.slice(0, -1);
  if (above.length === 0) return;
  const around = document.getIn(above, true);
  if ((isMap(around) || isSeq(around)) && around.items.length === 0) remove(document, above);
}

/** What makes `written` of `plain`, done to `source`, whose lines are those of `plain` but for their spacing. */
function lineByLine(
  source: string,
  plain: string,
  written: string,
  tidy: (line: string) => string = (line) => line,
): string | undefined {
  const [own, lines] = [source.split("\n"), plain.split("\n")];
  const same = (text: string | undefined) => text?.replaceAll(/\s+/g, "");
  if (own.length !== lines.length || !own.every((line, at) => same(line) === same(lines[at]))) {
    return undefined;
  }
  const done = lineEdits(lines, written.split("\n")).flatMap((edit) => {
    if (edit.kind === "add") return [tidy(edit.line)];
    return edit.kind === "keep" ? [own[edit.at] ?? ""] : [];
  });
  return done.join("\n");
}
