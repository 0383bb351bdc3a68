/**
 * Help at a place of a task file: what the key there is for, and what may be written, from the schema, the catalog, the
 * protocols and the detectors.
 *
 * @module
 */
import { verbInfos } from "../catalog/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { taskFileJsonSchema } from "../policy/index.ts";
import { allProtocols } from "../protocols/index.ts";
import type { HomeSystems } from "../systems/index.ts";
import { printPath } from "../yaml/index.ts";
import { outlineOf, type Outline, type Path } from "./place-in-text.ts";

export interface HelpOption {
  readonly label: string;
  /** What the option is, in a few words. */
  readonly detail: string;
  /** More about it. */
  readonly says: string;
}

export interface Help {
  /** `grants[0].allow[1].verbs`, or what is around the key that is written. */
  readonly path: string;
  readonly isKey: boolean;
  /** The word that an option takes the place of. */
  readonly word: string;
  /** About what stands there; empty where nothing is known. */
  readonly says: string;
  readonly options: readonly HelpOption[];
}

/** JSON Schema, as far as task files use it. */
interface Part {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Part | boolean;
  readonly items?: Part;
  readonly anyOf?: readonly Part[];
  readonly enum?: readonly string[];
  readonly const?: string | boolean;
  readonly default?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Part>>;
}

/** Help for whoever writes at `line` and `column` (from 1) of `source`. */
export function helpAt(
  source: string,
  { line, column }: { readonly line: number; readonly column: number },
  systems: HomeSystems,
): Help {
  const outline = outlineOf(source, line, column);
  const { path, isKey, word } = outline.spot;
  const root = taskFileJsonSchema() as Part;
  const [part, says] = partAt(root, path);
  const isOfMap = isKey && mapsIn(part, root).length > 0;
  const here: Here = { root, part, outline, systems };
  const options = isOfMap ? keysAt(here) : valuesAt(here);
  const own = options.find(({ label }) => label === word);
  return { path: printPath(path), isKey: isOfMap, word, says: own?.says ?? says, options };
}

interface Here {
  readonly root: Part;
  readonly part: Part;
  readonly outline: Outline;
  readonly systems: HomeSystems;
}

/** The schema of what stands at `path`, and the nearest words about it. */
function partAt(root: Part, path: Path): readonly [Part, string] {
  let part = root;
  let says = root.description ?? "";
  for (const segment of path) {
    const next = stepsFrom(part, segment, root)[0];
    if (next === undefined) return [{}, says];
    part = next;
    says = part.description ?? says;
  }
  return [part, says];
}

function stepsFrom(part: Part, segment: string | number, root: Part): readonly Part[] {
  return formsOf(part, root).flatMap((form) => {
    if (typeof segment === "number") return form.items === undefined ? [] : [form.items];
    const own = form.properties?.[segment];
    if (own !== undefined) return [own];
    return typeof form.additionalProperties === "object" ? [form.additionalProperties] : [];
  });
}

/** What a value may be: the part itself, or each of its alternatives. */
function formsOf(part: Part, root: Part): readonly Part[] {
  const named = part.$ref?.replace("#/$defs/", "");
  if (named !== undefined) return formsOf(root.$defs?.[named] ?? {}, root);
  return part.anyOf === undefined ? [part] : part.anyOf.flatMap((one) => formsOf(one, root));
}

/** Maps that may stand here; where a list of them may, those of its entries. */
function mapsIn(part: Part, root: Part): readonly Part[] {
  return formsOf(part, root).flatMap((form) => {
    if (form.type === "object") return [form];
    return form.items === undefined ? [] : mapsIn(form.items, root);
  });
}

function keysAt({ root, part, outline, systems }: Here): readonly HelpOption[] {
  const { path } = outline.spot;
  if (path.length === 1 && path[0] === "detect") return detectorOptions();
  if (path[0] === "detect") return thresholdOptions(String(path[1]));
  // Whoever writes a list of maps writes its mark, too.
  const isList = formsOf(part, root).every(({ type }) => type === "array");
  return mapsIn(part, root).flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties)
      .filter(([key]) => !isForeign(key, outline, systems))
      .map(([key, { description = "", default: usual }]) => ({
        label: isList ? `- ${key}` : key,
        detail: required.includes(key) ? "required" : usual === undefined ? "" : usualOf(usual),
        says: description,
      })),
  );
}

function usualOf(usual: unknown): string {
  const text = JSON.stringify(usual);
  return text === "{}" || text === "[]" ? "" : `usually ${text}`;
}

/** Rules of http speak of methods and paths, all others of verbs. */
function isForeign(key: string, outline: Outline, systems: HomeSystems): boolean {
  const system = systemAt(outline);
  if (!outline.spot.path.includes("allow") || system === undefined) return false;
  if (system === "http") return key === "verbs" || key === "on" || key === "doing";
  return (
    systems.systems.has(system) &&
    (key === "methods" || key === "paths" || key === "websocket" || key === "opaque")
  );
}

/** What the grant around the cursor says that its system is. */
function systemAt({ spot: { path }, values }: Outline): string | undefined {
  return values.get(JSON.stringify([...path.slice(0, 2), "system"]));
}

const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;

function valuesAt(here: Here): readonly HelpOption[] {
  const { root, part, outline, systems } = here;
  const { path } = outline.spot;
  const key = path.findLast((segment) => typeof segment === "string");
  if (path[0] === "grants" && key === "system") return systemOptions(systems);
  if (path[0] === "grants" && key === "pairs") return grantOptions(outline);
  if (path[0] === "grants" && key === "verbs") return verbOptions(systemAt(outline), systems);
  if (key === "methods") return METHODS.map((label) => ({ label, detail: "", says: "" }));
  return plainOptions(part, root);
}

function plainOptions(part: Part, root: Part): readonly HelpOption[] {
  return formsOf(part, root).flatMap((form): readonly HelpOption[] => {
    if (form.items !== undefined) return plainOptions(form.items, root);
    const values = form.enum ?? (form.const === undefined ? [] : [`${form.const}`]);
    const all = form.type === "boolean" && values.length === 0 ? ["true", "false"] : values;
    return all.map((label) => ({ label, detail: "", says: form.description ?? "" }));
  });
}

function systemOptions({ systems, entryOf }: HomeSystems): readonly HelpOption[] {
  const known = [...systems.keys()].sort().map((label) => {
    const title = entryOf(label)?.title ?? allProtocols().get(label)?.title ?? "";
    return { label, detail: title, says: title };
  });
  return [
    {
      label: "http",
      detail: "by method and path",
      says: "Each request is judged by method and path.",
    },
    ...known.filter(({ label }) => label !== "http" && label !== "tcp"),
    {
      label: "tcp",
      detail: "not inspected",
      says: "Connections whose content nobody judges; needs splice or opaque.",
    },
  ];
}

function grantOptions({ values }: Outline): readonly HelpOption[] {
  return [...values]
    .filter(([path]) => /^\["grants",\d+,"name"\]$/.test(path))
    .map(([, label]) => ({ label, detail: "a grant", says: "" }));
}

function verbOptions(system: string | undefined, { entryOf }: HomeSystems): readonly HelpOption[] {
  if (system === undefined) return [];
  const entry = entryOf(system);
  const verbs = entry === undefined ? protocolVerbs(system) : verbInfos(entry);
  return verbs.map(({ verb, effects, summary }) => ({
    ...{ label: verb, detail: effects.join(", "), says: summary.replaceAll(/\{[^}]*\}/g, "…") },
  }));
}

function protocolVerbs(system: string) {
  const verbs = Object.entries(allProtocols().get(system)?.verbs ?? {});
  return verbs.map(([verb, { effects, summary }]) => ({ verb, effects, summary }));
}

function detectorOptions(): readonly HelpOption[] {
  return [...DETECTOR_ABOUTS.values()].map(({ name, title, explanation }) => ({
    ...{ label: name, detail: title, says: explanation },
  }));
}

function thresholdOptions(detector: string): readonly HelpOption[] {
  return Object.entries(DETECTOR_ABOUTS.get(detector)?.tuning ?? {}).map(
    ([label, { value, unit, meaning }]) => ({
      label,
      detail: `usually ${value} ${unit}`,
      says: meaning,
    }),
  );
}
