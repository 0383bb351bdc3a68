/**
 * A file's text as data, with the place of everything in it.
 *
 * YAML is narrowed to what a reader sees: one document, one map, no anchors, aliases, tags,
 * directives or invisible direction marks, each key once (docs/decisions/0021).
 *
 * @module
 */
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type Node,
  type ParsedNode,
  type YAMLError,
} from "yaml";
import { FileFault, type Problem } from "./fault.ts";

/** Largest file, in UTF-16 units. */
export const FILE_CHARS_MAX = 64 * 1024;
const SYNTAX_PROBLEMS_MAX = 10; // One slip often breaks every line after it.

/** A path into the data: keys and list positions. */
export type DataPath = readonly PropertyKey[];

/** A kind of file. */
export interface FileKind {
  /** Of the fault that it is refused with. */
  readonly code: string;
  /** Its first key, as an example: `task: my-task`. */
  readonly start: string;
  /** What is told of a file that is empty. */
  readonly empty: string;
  /** What to do with one that is too long. */
  readonly tooLong: string;
  /** Where to read what its keys are. */
  readonly guide: string;
  /** Whether what stands at `path` may be a secret that somebody put there: no problem shows it. */
  isSecret?(path: DataPath): boolean;
}

/** The data of a file. */
export interface YamlData {
  readonly value: unknown;
  /** Where the value at `path` stands, or the nearest thing around it that is there. */
  placeOf(path: DataPath): { readonly line: number; readonly column: number };
  /** Where the key stands that ends `path`. */
  placeOfKey(path: DataPath): { readonly line: number; readonly column: number };
  /** Keys that stand twice: the rest is still worth checking. */
  readonly problems: readonly Problem[];
}

/**
 * Reads `source` as YAML 1.2.
 *
 * @param source the text, decoded as UTF-8 (what is not UTF-8 shows as U+FFFD and is refused)
 * @throws {FileFault} of the code of `kind`, where it is not one plain map.
 */
export function readYaml(source: string, fileName: string, kind: FileKind): YamlData {
  const refuse = (problems: readonly Problem[]) => new FileFault(kind.code, fileName, problems);
  const flaws = textProblems(source, kind);
  if (flaws.length > 0) throw refuse(flaws);
  const lines = new LineCounter();
  const documents = parseAllDocuments(source, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false, // Its own check is quadratic in the number of keys; duplicateKeys() is not.
    logLevel: "silent",
  });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [document, second] = Array.isArray(documents) ? documents : [];
  const root = document?.contents;
  if (document === undefined || root === undefined || root === null || isEmpty(root)) {
    const hint = `start with \`${kind.start}\``;
    throw refuse([{ line: 1, column: 1, message: `the file is empty, and ${kind.empty}`, hint }]);
  }
  const fatal = [...syntaxProblems(document, place), ...markProblems(document, place)];
  if (second !== undefined) {
    fatal.push({
      ...place(second.range[0]),
      message: "a second document starts here, and only one could be obeyed",
      hint: "keep one document in the file",
    });
  }
  if (fatal.length === 0 && !isMap(root)) {
    fatal.push({
      ...place(root.range[0]),
      message: "the file is not a map of keys",
      hint: `start with \`${kind.start}\``,
    });
  }
  if (fatal.length > 0) throw refuse(fatal);
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    placeOf: (path) => place(offsetOf(root, path, false)),
    placeOfKey: (path) => place(offsetOf(root, path, true)),
    problems: duplicateKeys(root, place),
  };
}

type Place = (offset: number) => { line: number; column: number };

const INVISIBLE: readonly (readonly [RegExp, string, string])[] = [
  [/^\uFEFF/, "the file starts with a byte order mark", "save it as UTF-8 without one"],
  [/\uFFFD|\p{Surrogate}/u, "the file is not valid UTF-8", "save it as UTF-8"],
  // eslint-disable-next-line no-control-regex
  [
    /[^\P{Cc}\t\n\r]|(?<!^)\uFEFF/u,
    "a control character stands here, which a reader does not see",
    "remove it",
  ],
  [
    /\r(?!\n)|[\u2028\u2029]/,
    "a line end stands here that not every program takes for one",
    "use line feeds",
  ],
  [
    /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/,
    "a mark that turns the direction of text stands here, so that a reader sees another text than the program",
    "remove it",
  ],
  [/^%/m, "a YAML directive stands here, and could change what the rest means", "remove the line"],
];

function textProblems(source: string, kind: FileKind): readonly Problem[] {
  if (source.length > FILE_CHARS_MAX) {
    return [
      {
        line: 1,
        column: 1,
        message: `the file is longer than ${FILE_CHARS_MAX / 1024} Ki characters`,
        hint: kind.tooLong,
      },
    ];
  }
  return INVISIBLE.flatMap(([pattern, message, hint]) => {
    const at = source.search(pattern);
    if (at < 0) return [];
    const before = source.slice(0, at).split("\n");
    return [{ line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message, hint }];
  });
}

function isEmpty(root: ParsedNode): boolean {
  return isScalar(root) && root.value === null;
}

const WORDS: Readonly<Partial<Record<YAMLError["code"], readonly [string, string]>>> = {
  RESOURCE_EXHAUSTION: ["the file is nested too deeply", "write it with fewer levels"],
  TAB_AS_INDENT: ["a tab indents this line, and YAML allows only spaces", "replace it by spaces"],
  NON_STRING_KEY: ["this key is not a plain word", "write a key that is known here"],
  BLOCK_AS_IMPLICIT_KEY: [
    "this line has a second `: `, so it is not one key and one value",
    "put quotes around the value",
  ],
};

function syntaxProblems(document: Document.Parsed, place: Place): Problem[] {
  const found = [...document.errors, ...document.warnings];
  const depth = found.find(({ code }) => code === "RESOURCE_EXHAUSTION"); // Then all others follow from it.
  return (depth === undefined ? found : [depth])
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED") // Tags are refused below, known or not.
    .slice(0, SYNTAX_PROBLEMS_MAX)
    .map(({ code, message, pos }) => {
      const [what, hint] = WORDS[code] ?? [
        `this is not valid YAML: ${message}`,
        "check indentation, quotes and brackets here and on the line before",
      ];
      return { ...place(pos[0]), message: what, hint };
    });
}

function duplicateKeys(root: Node, place: Place): readonly Problem[] {
  const problems: Problem[] = [];
  visit(root, {
    Map: (_key, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const text = keyText(key);
        if (seen.has(text) && isNode(key)) {
          problems.push({
            ...place(key.range?.[0] ?? 0),
            message: `the key ${JSON.stringify(text)} stands twice, and only one could be obeyed`,
            hint: "remove one of the two",
          });
        }
        seen.add(text);
      }
    },
  });
  return problems.slice(0, SYNTAX_PROBLEMS_MAX);
}

/** Anchors, aliases and tags: what makes a value mean something else than it shows. */
function markProblems(document: Document.Parsed, place: Place): Problem[] {
  const problems: Problem[] = [];
  const add = (node: Node, message: string, hint: string) =>
    problems.push({ ...place(node.range?.[0] ?? 0), message, hint });
  visit(document, {
    Alias: (_key, node) =>
      add(
        node,
        "aliases are not read, so that every value stands where it is used",
        "write the value out",
      ),
    Node: (_key, node) => {
      if ("anchor" in node && node.anchor !== undefined) {
        add(
          node,
          "anchors are not read, so that every value stands where it is used",
          "remove it and write the value out",
        );
      }
      if (node.tag !== undefined) {
        add(node, "tags are not read, so that a value is what it shows", "remove it");
      }
    },
  });
  return problems.slice(0, SYNTAX_PROBLEMS_MAX);
}

function offsetOf(root: Node, path: DataPath, ofKey: boolean): number {
  let node: Node = root;
  let offset = root.range?.[0] ?? 0;
  for (const [depth, key] of path.entries()) {
    let next: unknown;
    let keyNode: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(key));
      keyNode = pair?.key;
      next = pair?.value;
    } else if (isSeq(node) && typeof key === "number") {
      next = node.items[key];
    }
    const wanted = ofKey && depth === path.length - 1 ? keyNode : (next ?? keyNode);
    if (!isNode(wanted)) return offset;
    offset = wanted.range?.[0] ?? offset;
    if (!isNode(next)) return offset;
    node = next;
  }
  return offset;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
