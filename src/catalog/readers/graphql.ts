/**
 * GraphQL over HTTP: which top-level fields a request calls, to be looked up in the entry's table. A query
 * does what the route says, unless the table says more of one of its fields; a mutation does what the table
 * says of each of its fields, and one that is not in it makes the request unknown. Fields count however they
 * are reached (alias, fragment) and whatever a directive says (`@skip`). What names a document that the server
 * keeps (a persisted query) is unknown, as is what says its document, operation or variables twice.
 *
 * @module
 */
import {
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql/language/index.js";
import { valueFromASTUntyped } from "graphql/utilities/valueFromASTUntyped.js";
import { EFFECTS, type Effect, type Json } from "../../action/index.ts";
import { BATCH_VERB } from "../entry.ts";
import { withoutSecrets } from "../fields.ts";
import type { Readable, Reading } from "../reader.ts";
import { readJson } from "../strict-json.ts";
import { parseDocument } from "./graphql-document.ts";

const FIELDS_MAX = 200; // Top-level ones, of all operations in a request.
const BATCH_MAX = 50;
const SHOWN_CHARS_MAX = 200;

type Members = Readonly<Record<string, unknown>>;

interface Call {
  readonly name: string;
  readonly arguments: Json;
  readonly verb: string;
  readonly effects: readonly Effect[];
  /** Of the table; a field of a query that it does not name has none. */
  readonly summary?: string;
}

/** What the request does; `undefined` where it cannot be told. */
export function readGraphql({ content, route }: Readable): Reading | undefined {
  const operations = operationsOf(content);
  if (operations === undefined) return undefined;
  const calls: Call[] = [];
  for (const operation of operations) {
    const own = callsOf(operation, route);
    if (own === undefined) return undefined;
    calls.push(...own);
  }
  return calls.length > FIELDS_MAX ? undefined : readingOf(calls);
}

/** The members of each operation: of a body that is an object, or a list of such, and of the query. */
function operationsOf({ form, json, pairs, bytes, headers, query }: Readable["content"]) {
  if (Array.isArray(json)) {
    const items = json as readonly Json[];
    const isBatch = items.length > 0 && items.length <= BATCH_MAX && query.length === 0;
    return isBatch && items.every(isObject) ? (items as readonly Members[]) : undefined;
  }
  if (json !== undefined && !isObject(json)) return undefined;
  const type = typeof headers["content-type"] === "string" ? headers["content-type"] : "";
  const isPlain = /^application\/graphql\s*(;|$)/i.test(type);
  if (form === "multipart" || (form === "raw" && !isPlain)) return undefined;
  const members: (readonly [string, unknown])[] = [
    ...query,
    ...(pairs ?? []),
    ...Object.entries(json ?? {}),
    ...(form === "raw" ? [["query", textOf(bytes)] as const] : []),
  ];
  // Said twice: which one counts is the server's own.
  const names = new Set(members.map(([name]) => name));
  return names.size === members.length ? [Object.fromEntries(members)] : undefined;
}

/** `undefined` where the bytes are no UTF-8. */
function textOf(bytes: Uint8Array = new Uint8Array()): string | undefined {
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The top-level fields that one operation calls. */
function callsOf(members: Members, route: Readable["route"]): readonly Call[] | undefined {
  const { query, operationName, variables, extensions, ...rest } = members;
  if (Object.keys(rest).length > 0 || typeof query !== "string") return undefined;
  // Where a persisted query is named, the server takes that one, if it likes.
  if (!isEmpty(extensions)) return undefined;
  const values = variablesOf(variables);
  const document = values && parseDocument(query);
  const operation = document && operationOf(document, operationName);
  if (values === undefined || document === undefined || operation === undefined) return undefined;
  const found = fieldsIn(operation.selectionSet, document, new Set());
  if (found === undefined) return undefined;
  const calls: Call[] = [];
  for (const node of found) {
    const name = node.name.value;
    if (name === "__typename") continue;
    const call = { name, arguments: argumentsOf(node, values) };
    const field = route.fields?.find(({ names }) => names.includes(name));
    if (field === undefined && operation.operation !== OperationTypeNode.QUERY) return undefined;
    const { verb, effects } = field ?? route;
    calls.push({ ...call, verb, effects, ...(field && { summary: field.summary }) });
  }
  const inner = innerFields(operation, document);
  for (const field of route.fields?.filter(({ anywhere }) => anywhere === true) ?? []) {
    const node = inner.find(({ name }) => field.names.includes(name.value));
    if (node === undefined) continue;
    const { verb, effects, summary } = field;
    calls.push({
      name: node.name.value,
      arguments: argumentsOf(node, values),
      verb,
      effects,
      summary,
    });
  }
  return calls;
}

/** All fields below the top; of fragments those that nothing spreads too, which no server takes. */
function innerFields(
  { selectionSet }: OperationDefinitionNode,
  { definitions }: DocumentNode,
): readonly FieldNode[] {
  const fields: FieldNode[] = [];
  const open = definitions.flatMap((one) =>
    one.kind === Kind.FRAGMENT_DEFINITION ? one.selectionSet : [],
  );
  open.push(selectionSet);
  for (let set = open.pop(); set !== undefined; set = open.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      if (selection.kind === Kind.FIELD) fields.push(selection);
      if (selection.selectionSet !== undefined) open.push(selection.selectionSet);
    }
  }
  return fields;
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0)
  );
}

/** In JSON they are an object, in a form or a query its text. */
function variablesOf(variables: unknown): Members | undefined {
  if (variables === undefined || variables === null || variables === "") return {};
  const value = typeof variables === "string" ? readJson(Buffer.from(variables))?.value : variables;
  return value === null ? {} : isObject(value) ? value : undefined;
}

/** The operation that the server runs (spec, 6.1): the one that is named, or else the only one. */
function operationOf(
  { definitions }: DocumentNode,
  name: unknown,
): OperationDefinitionNode | undefined {
  const operations: OperationDefinitionNode[] = [];
  for (const definition of definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else if (definition.kind !== Kind.FRAGMENT_DEFINITION) return undefined;
  }
  const isNamed = name !== undefined && name !== null;
  const fitting = operations.filter((one) => !isNamed || one.name?.value === name);
  const [operation] = fitting;
  if (operation === undefined || fitting.length > 1) return undefined;
  return operation.operation === OperationTypeNode.SUBSCRIPTION ? undefined : operation;
}

/** Fields of a selection, through fragments; `undefined` where one is missing, doubled or within itself. */
function fieldsIn(
  { selections }: SelectionSetNode,
  document: DocumentNode,
  within: ReadonlySet<string>,
): readonly FieldNode[] | undefined {
  const fields: FieldNode[] = [];
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      fields.push(selection);
      continue;
    }
    const name = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : undefined;
    const set =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? fragmentOf(document, selection.name.value)
        : selection.selectionSet;
    if (set === undefined || (name !== undefined && within.has(name))) return undefined;
    const own = fieldsIn(set, document, name === undefined ? within : new Set([...within, name]));
    // Fragments that spread one another twice grow by powers of two.
    if (own === undefined || fields.length + own.length > FIELDS_MAX) return undefined;
    fields.push(...own);
  }
  return fields;
}

function fragmentOf({ definitions }: DocumentNode, name: string): SelectionSetNode | undefined {
  const found = definitions.flatMap((one) =>
    one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name ? one.selectionSet : [],
  );
  return found.length === 1 ? found[0] : undefined;
}

function argumentsOf({ arguments: given = [] }: FieldNode, variables: Members): Json {
  const pairs = given.map(({ name, value }) => [
    name.value,
    valueFromASTUntyped(value, variables) ?? null,
  ]);
  return withoutSecrets(Object.fromEntries(pairs) as Json);
}

function readingOf(calls: readonly Call[]): Reading {
  const shown = {
    calls: calls.map(({ name, arguments: given }) => ({ field: name, arguments: given })),
  };
  const sentences = calls.flatMap(({ summary, name, arguments: given }) =>
    summary === undefined ? [] : `${summary} (${name} ${shortened(given)})`,
  );
  // The route's own reading.
  if (sentences.length === 0) return { fields: shown };
  const parts = new Map(
    calls.map(({ verb, effects }) => [`${verb} ${effects.join()}`, { verb, effects }]),
  );
  const verbs = [...new Set(calls.map(({ verb }) => verb))];
  const found = new Set(calls.flatMap(({ effects }) => effects));
  const [verb = BATCH_VERB] = verbs;
  const several = { verb: BATCH_VERB, parts: [...parts.values()] };
  return {
    ...(verbs.length > 1 ? several : { verb }),
    effects: EFFECTS.filter((effect) => found.has(effect)),
    summary:
      calls.length > 1
        ? `Do ${calls.length} things at once: ${sentences.join("; ")}`
        : (sentences[0] ?? ""),
    fields: shown,
    impact: { reversible: [...found].every(isMild) },
  };
}

function isMild(effect: Effect): boolean {
  return effect === "read" || effect === "read-private" || effect === "write";
}

function shortened(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text;
}
