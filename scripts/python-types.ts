/**
 * `npm run docs`: clients/python/cofferdam/contract.py, the control contract as Python's types, made from
 * docs/reference/openapi.json: what each endpoint takes and gives, and one typed `call` for all of them.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPENAPI_PAGE } from "./openapi.ts";

export const PYTHON_TYPES = join(
  ...[import.meta.dirname, "..", "clients", "python", "cofferdam", "contract.py"],
);

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly prefixItems?: readonly Schema[];
  readonly items?: Schema | false;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
}

interface Content {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Content[];
  readonly requestBody: Content;
  readonly responses: { readonly "200": Content };
}

/** Shapes that several endpoints have, by the endpoint from which each gets its name. */
const NAMES: Readonly<Record<string, (of: ReturnType<typeof shapesOf>) => Schema | undefined>> = {
  EventType: ({ gives }) => gives("log.read").properties?.["type"],
  RunState: ({ gives }) => gives("run.show").properties?.["state"],
  Signal: ({ takes }) => takes("exec.signal").properties?.["signal"],
  ExecReason: ({ gives }) => gives("run.exec").oneOf?.at(-1)?.properties?.["reason"],
  Step: ({ takes }) => takes("run.exec").properties?.["step"],
  RunEnd: ({ gives }) => gives("run.show").properties?.["end"],
  RunInfo: ({ gives }) => gives("run.show"),
  Process: ({ gives }) => gives("log.read").properties?.["process"],
  Cause: ({ gives }) => gives("log.read").properties?.["cause"],
  Entry: ({ gives }) => gives("log.read"),
  ExecInfo: ({ gives }) => gives("exec.list").items || undefined,
  FileInfo: ({ gives }) => gives("file.stat"),
  FileAt: ({ takes }) => takes("file.stat"),
  FileWrite: ({ takes }) => takes("file.write"),
  ExecStart: ({ takes }) => takes("run.exec"),
  SnapshotInfo: ({ gives }) => gives("run.snapshot"),
  LineageInfo: ({ gives }) => gives("lineage.show"),
  LineageReached: ({ gives }) => gives("lineage.pause"),
  RunStart: ({ takes }) => takes("run.start"),
};

const HEAD = `# Made by scripts/python-types.ts from docs/reference/openapi.json; \`npm run docs\` makes it anew.
"""The control contract: what each endpoint of the daemon takes and gives."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Dict, List, Literal, TypedDict, Union, overload

from .lines import Lines

if TYPE_CHECKING:  # Type checkers bring it along; nothing needs it when this runs.
    from typing_extensions import NotRequired

Json = Union[str, int, float, bool, None, List[Any], Dict[str, Any]]
`;

const KEYWORDS = new Set(["from", "import", "global", "class", "is", "in", "as", "with", "not"]);

/** The file's text. */
export function pythonTypes(): string {
  const shapes = shapesOf();
  const { operations, takes, gives } = shapes;
  const module = new Module();
  for (const [name, find] of Object.entries(NAMES)) {
    const schema = find(shapes);
    if (schema?.enum !== undefined) module.nameWords(schema, name);
    else if (schema !== undefined) module.typeOf(schema, name);
  }
  const calls: string[] = [];
  const streams: string[] = [];
  for (const { operationId: id, responses } of operations) {
    const taken = module.typeOf(takes(id), `${pascal(id)}Takes`);
    const [type = ""] = Object.keys(responses["200"].content);
    if (type === "application/octet-stream" || id === "file.write") continue; // Their bytes are no JSON.
    const given = module.typeOf(gives(id), `${pascal(id)}Gives`);
    const isStream = type === "application/x-ndjson";
    (isStream ? streams : calls).push(
      "    @overload",
      `    def ${isStream ? "stream" : "call"}(self, name: Literal["${id}"], takes: ${taken}) -> ${isStream ? `Lines[${given}]` : given}: ...`,
      "",
    );
  }
  const contract = [
    "class Contract(abc.ABC):",
    '    """Every endpoint, typed by its name."""',
    "",
    ...calls,
    "    def call(self, name: str, takes: Any) -> Any:",
    '        """Asks the daemon once."""',
    "        return self._call(name, takes)",
    "",
    ...streams,
    "    def stream(self, name: str, takes: Any) -> Lines[Any]:",
    '        """Asks the daemon for many; closing ends it."""',
    "        return self._stream(name, takes)",
    "",
    "    @abc.abstractmethod",
    "    def _call(self, name: str, takes: Any) -> Any: ...",
    "",
    "    @abc.abstractmethod",
    "    def _stream(self, name: str, takes: Any) -> Lines[Any]: ...",
  ];
  return `${HEAD}\n\n${[...module.classes, contract.join("\n")].join("\n\n\n")}\n`;
}

/** Those of the daemon's socket: the console's are a browser's. */
function shapesOf() {
  const document = JSON.parse(readFileSync(OPENAPI_PAGE, "utf8")) as {
    readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
  };
  const operations = Object.values(document.paths)
    .map(({ post }) => post)
    .filter(({ tags }) => tags.includes("daemon"));
  const of = (id: string) => {
    const found = operations.find(({ operationId }) => operationId === id);
    if (found === undefined) throw new Error(`no endpoint ${id}`);
    return found;
  };
  const json = ({ content }: Content) => Object.values(content)[0]?.schema ?? {};
  return {
    operations,
    takes: (id: string) => json(of(id).parameters?.[0] ?? of(id).requestBody),
    gives: (id: string) => json(of(id).responses["200"]),
  };
}

/** The classes of the file, each shape once, under the first name that it got. */
class Module {
  readonly classes: string[] = [];
  readonly #names = new Map<string, string>();

  /** Gives a name to one of several words. */
  nameWords(schema: Schema, name: string): void {
    this.#names.set(words(schema), name);
    this.classes.push(`${name} = ${words(schema)}`);
  }

  typeOf(schema: Schema, name: string): string {
    if (schema.$ref !== undefined) return "Json";
    if ("const" in schema) return `Literal[${python(schema.const)}]`;
    if (schema.enum !== undefined) return this.#names.get(words(schema)) ?? words(schema);
    const either = schema.anyOf ?? schema.oneOf;
    if (either !== undefined) return this.#union(either, name);
    switch (schema.type) {
      case "string":
        return "str";
      case "integer":
        return "int";
      case "number":
        return "float";
      case "boolean":
        return "bool";
      case "null":
        return "None";
      case "array":
        if (schema.prefixItems !== undefined) return "List[Any]"; // In JSON a tuple is a list.
        return `List[${this.typeOf(schema.items || {}, singular(name))}]`;
      case "object":
        return this.#object(schema, name);
      default:
        return "Json";
    }
  }

  #union(either: readonly Schema[], name: string): string {
    const types = either.map((one, at) => {
      const tag = one.properties?.["type"]?.const ?? one.properties?.["kind"]?.const;
      return this.typeOf(one, `${name}${typeof tag === "string" ? pascal(tag) : at || ""}`);
    });
    const different = [...new Set(types)];
    return different.length === 1 ? (different[0] ?? "Json") : `Union[${different.join(", ")}]`;
  }

  #object(schema: Schema, name: string): string {
    const { properties, additionalProperties, required = [] } = schema;
    if (properties === undefined || Object.keys(properties).length === 0) {
      if (typeof additionalProperties !== "object") return "Dict[str, Any]";
      return `Dict[str, ${this.typeOf(additionalProperties, name)}]`;
    }
    const fields = Object.entries(properties).map(([key, one]) => {
      const type = this.typeOf(one, `${name}${pascal(key)}`);
      return [key, required.includes(key) ? type : `NotRequired[${type}]`] as const;
    });
    const same = JSON.stringify(fields);
    const known = this.#names.get(same);
    if (known !== undefined) return known;
    this.#names.set(same, name);
    const isPlain = fields.every(([key]) => /^[A-Za-z_]\w*$/.test(key) && !KEYWORDS.has(key));
    this.classes.push(
      isPlain
        ? `class ${name}(TypedDict):\n${fields.map(([key, type]) => `    ${key}: ${type}`).join("\n")}`
        : `${name} = TypedDict(\n    "${name}",\n    {\n${fields.map(([key, type]) => `        "${key}": "${type.replaceAll('"', "'")}",`).join("\n")}\n    },\n)`,
    );
    return name;
  }
}

const words = ({ enum: values = [] }: Schema) => `Literal[${values.map(python).join(", ")}]`;

const python = (value: unknown) =>
  typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);

const pascal = (text: string) =>
  text.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());

const singular = (name: string) => name.replace(/s$/, "");

if (import.meta.main) writeFileSync(PYTHON_TYPES, pythonTypes());
