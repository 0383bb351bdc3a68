/** The types of node that the reader of workflows knows, beside what n8n's packages say of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KNOWN_TYPES, kindOf, QUIET } from "../../src/catalog/readers/n8n-nodes.ts";
import { installN8n, N8N_PACKAGES } from "./install.ts";

installN8n();

interface Property {
  readonly name: string;
  readonly typeOptions?: { readonly editor?: string };
  readonly options?: readonly (Property & { readonly values?: readonly Property[] })[];
}
interface NodeType {
  readonly name: string;
  readonly credentials?: readonly object[];
  readonly requestDefaults?: object;
  readonly properties: readonly Property[];
}

const TYPES = ["n8n-nodes-base", "@n8n/n8n-nodes-langchain"].flatMap((name) => {
  const file = join(N8N_PACKAGES, name, "dist", "types", "nodes.json");
  const types = JSON.parse(readFileSync(file, "utf8")) as readonly NodeType[];
  return types.map((type) => ({ ...type, name: `${name}.${type.name}` }));
});

/** Editors of parameters that are run. */
const RUN = /^(js|code|codeNode|sql)Editor$/;

/** n8n makes a tool of a type that may be one; no file names it. */
const MADE: readonly string[] = ["n8n-nodes-base.httpRequestTool"];

test("every type that is known is one of n8n's", () => {
  const names = new Set(TYPES.map(({ name }) => name));
  assert.deepEqual(
    KNOWN_TYPES.filter((type) => !names.has(type)),
    MADE,
  );
});

test("what counts as plain uses no credential, calls nobody, and runs no parameter but those that are looked at", () => {
  const plain = TYPES.filter(({ name }) => kindOf(name) === "plain");
  assert.ok(plain.length > 15);
  const odd = plain.filter(
    ({ name, credentials = [], requestDefaults, properties }) =>
      credentials.length > 0 ||
      requestDefaults !== undefined ||
      (properties.some(isRun) && !QUIET.has(name)),
  );
  assert.deepEqual(
    odd.map(({ name }) => name),
    [],
  );
});

test("what counts as a trigger runs no parameter", () => {
  const odd = TYPES.filter(
    ({ name, properties }) => kindOf(name) === "trigger" && properties.some(isRun),
  );
  assert.deepEqual(
    odd.map(({ name }) => name),
    [],
  );
});

function isRun({ typeOptions, options = [] }: Property): boolean {
  return (
    RUN.test(typeOptions?.editor ?? "") ||
    options.some((option) => isRun(option) || option.values?.some(isRun) === true)
  );
}
