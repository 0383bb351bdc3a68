/**
 * What a request to a system of the catalog does: its verb, effects, target, a sentence, and all that a
 * person needs to decide. Pure; what depends on the system's present state is asked for as look-ups first.
 *
 * @module
 */
import { amountOf, sumOf } from "./amount.ts";
import type { Action, Effect, Impact, Json } from "../action/index.ts";
import { readContent, type Content, type Pair } from "./content.ts";
import { BATCH_VERB, HOLE, UNKNOWN_VERB, type Case, type Entry, type Route } from "./entry.ts";
import { fieldsOf, hashed, placeOf, targetOf } from "./fields.ts";
import { hideInPath, visible } from "./secrets.ts";
import { hasShadow, METHOD_HEADERS } from "./shadow.ts";
import type { Description, HttpRequest } from "./http.ts";
import { readWith } from "./readers.ts";
import { readAddresses } from "../mail/index.ts";
import type { Reading, Unread } from "./reader.ts";
import { matchRoute, type Matched } from "./route.ts";
import { valuesAt, holds, textOf, type Facts, type Sources, phpName } from "./values.ts";

/** A request, with every way in which its path may be read: segments, decoded. */
export interface CatalogRequest extends HttpRequest {
  readonly readings: readonly (readonly string[])[];
  /** Where the system lives below its host: `/blog`. */
  readonly under?: string;
  /** The grant's `with:`, as written. */
  readonly options?: Json;
}

/** State that must be read before it can be told what a request does. */
export interface Lookup {
  readonly name: string;
  /** Path and query of a GET at the same origin. */
  readonly target: string;
}

/** What an action of a catalog system is made of. */
export interface Described extends Description {
  readonly parts?: Action["parts"];
  readonly impact?: Impact;
}

const VALUE_CHARS_MAX = 120; // In a sentence.
const MILD: ReadonlySet<Effect> = new Set(["read", "read-private", "write"]);

/** The look-ups that `request` needs; none where nothing depends on the system's state. */
export function lookupsOf(entry: Entry, request: CatalogRequest): readonly Lookup[] {
  const read = readRequest(entry, request);
  if (read === undefined) return [];
  const { route, sources, base } = read;
  return Object.entries(route.lookup ?? {}).flatMap(([name, template]) => {
    const target = fillTarget(template, sources);
    return target === undefined ? [] : [{ name, target: `${base}${target}` }];
  });
}

/** Describes `request`; `facts` is what its look-ups found. Never throws: what cannot be read is unknown. */
export function describeRequest(
  entry: Entry,
  request: CatalogRequest,
  facts: Facts = {},
): Described {
  const read = readRequest(entry, request, facts);
  if (read === undefined) return describeUnknown(entry, request);
  const judged = judge(entry, request, read);
  if (judged === undefined) return describeUnknown(entry, request);
  return "unread" in judged ? describeUnknown(entry, request, judged.unread) : judged;
}

/** A request with its route, and what stands in it. */
export interface Read extends Matched {
  readonly sources: Sources;
  /** What the names of the path stand for in every way to read it; `sources` has the first. */
  readonly paths: readonly Matched["path"][];
  readonly method: string;
  readonly base: string;
}

/** What `request` is to `entry`, where that can be told. */
export function readRequest(
  entry: Entry,
  request: CatalogRequest,
  facts: Facts = {},
): Read | undefined {
  if (request.upgrade !== undefined || hasShadow(request.headers)) return undefined;
  const content = readContent(request, entry.dialect, entry.speaks);
  if (content === undefined) return undefined;
  const method = methodOf(entry, request, content);
  const readings = readingsOf(entry, request, content);
  if (method === undefined || readings === undefined) return undefined;
  const matches = matchesOf(entry, method, readings);
  const [first] = matches;
  // Servers that read the path differently must still do the same.
  if (first === undefined || matches.some((other) => other?.route !== first.route))
    return undefined;
  if (!bodyForms(first.route, method).includes(content.form)) return undefined;
  const sources = { path: first.path, content, facts, dialect: entry.dialect };
  if (entry.dialect.includes("open-path") && isOutvoted(sources)) return undefined;
  if (entry.refuse.some((reference) => valuesAt(reference, sources).length > 0)) return undefined;
  const paths = matches.map((match) => match?.path ?? first.path);
  const base = `${request.under ?? ""}${baseOf(entry, request)}`;
  return { ...first, sources, paths, method, base };
}

/** The route of each reading; without those that only part what may hold an escaped slash. */
function matchesOf(
  entry: Entry,
  method: string,
  readings: CatalogRequest["readings"],
): readonly (Matched | undefined)[] {
  const matches = readings.map((segments) => matchRoute(entry, method, segments));
  const isParted = (segments: readonly string[]) =>
    readings.some((whole, at) => {
      const match = matches[at];
      const isSame = whole.length < segments.length && whole.join("/") === segments.join("/");
      return isSame && match !== undefined && isWhole(entry, match);
    });
  return matches.filter((match, at) => match !== undefined || !isParted(readings[at] ?? []));
}

/** Whether slashes within parts of the path stand only where the server takes them. */
function isWhole({ escaped_slash: names }: Entry, { path }: Matched): boolean {
  return (
    names.length > 0 &&
    Object.entries(path).every(([name, value]) => !value.includes("/") || names.includes(name))
  );
}

/** Whether a parameter says otherwise than the part of the path whose name it has. */
function isOutvoted(sources: Sources): boolean {
  return Object.entries(sources.path).some(([name, value]) =>
    valuesAt(`param.${name}`, sources).some((other) => textOf(other) !== value),
  );
}

function bodyForms({ body }: Route, method: string): readonly string[] {
  if (body !== undefined) return body;
  return method === "GET" || method === "HEAD" ? ["none"] : ["none", "json", "form"];
}

/** The method that the server will act on. */
function methodOf(entry: Entry, request: HttpRequest, content: Content): string | undefined {
  const { method: name, header } = entry.override;
  const headers = METHOD_HEADERS.flatMap((one) =>
    request.headers[one] === undefined ? [] : [[one, request.headers[one]] as const],
  );
  if (headers.some(([one, value]) => one !== header || typeof value !== "string")) return undefined;
  const inQuery = overridesIn(entry, content.query, name);
  // In a body it counts for some servers and not for others.
  if (overridesIn(entry, content.pairs ?? [], name).length > 0) return undefined;
  const given = [...inQuery, ...(headers as readonly Pair[])].map(([, value]) =>
    value.toUpperCase(),
  );
  return given.length > 1 ? undefined : (given[0] ?? request.method);
}

/** The pairs that the server takes for its override `name`, however they spell it. */
function overridesIn(
  { dialect }: Entry,
  pairs: readonly Pair[],
  name: string | undefined,
): readonly Pair[] {
  if (name === undefined) return [];
  return pairs.filter(([key]) => {
    const read = dialect.includes("php") ? phpName(key) : key;
    return (read.split("[", 1)[0] ?? "") === name;
  });
}

/** The paths that the server may act on, below where the system lives. */
function readingsOf(
  entry: Entry,
  request: CatalogRequest,
  content: Content,
): CatalogRequest["readings"] | undefined {
  const { path: name } = entry.override;
  const under = (request.under ?? "").split("/").slice(1);
  const below = request.readings.map((segments) =>
    under.every((segment, at) => segments[at] === segment)
      ? segments.slice(under.length)
      : undefined,
  );
  if (below.some((segments) => segments === undefined)) return undefined;
  const given = overridesIn(entry, [...content.query, ...(content.pairs ?? [])], name);
  const [route] = given;
  if (route === undefined) return below as CatalogRequest["readings"];
  // Said twice, or said beside a path that is a route of its own: servers choose.
  const isFront = below.every((segments) => /^(?:|index\.php)$/.test(segments?.join("/") ?? "?"));
  if (given.length > 1 || !isFront || !/^\/[A-Za-z0-9/_.~:@-]*$/.test(route[1])) return undefined;
  const base = (entry.base[0] ?? "").split("/").slice(1);
  const path = route[1].replace(/\/$/, "").slice(1).split("/");
  return path.some((segment) => /^\.*$/.test(segment)) ? undefined : [[...base, ...path]];
}

function baseOf(entry: Entry, { readings, under = "" }: CatalogRequest): string {
  const path = `/${(readings[0] ?? []).slice(under.split("/").length - 1).join("/")}`;
  return (
    entry.base.find((base) => path === base || path.startsWith(`${base}/`)) ?? entry.base[0] ?? ""
  );
}

function judge(entry: Entry, request: CatalogRequest, read: Read): Described | Unread | undefined {
  const { route, sources, method, path } = read;
  if (route.batch === true && Array.isArray(sources.content.json))
    return describeBatch(entry, request, read);
  const choices = read.paths.map((one) => chooseCase(route, { ...sources, path: one }));
  const [chosen] = choices;
  if (choices.some((other) => other !== chosen)) return undefined;
  let verb = chosen?.verb ?? route.verb;
  let effects: readonly Effect[] = chosen?.effects ?? route.effects;
  let reading: Reading = {};
  if (route.reader !== undefined) {
    const values = (reference: string) => valuesAt(reference, sources);
    const { content, facts } = sources;
    const { options } = request;
    const found = readWith(route.reader, { method, path, content, route, values, facts, options });
    if (found === undefined || "unread" in found) return found;
    reading = found;
    verb = found.verb ?? verb;
    effects = found.effects ?? effects;
  }
  let { parts } = reading;
  let impact = impactOf(route, chosen, effects, sources);
  if (route.children !== undefined) {
    const children = describeChildren(entry, request, route, sources);
    if (children === undefined) return undefined;
    parts = partsOf(children);
    effects = [...new Set([...effects, ...children.flatMap((child) => child.effects)])];
    impact = merged(impact, children);
  }
  const summary = reading.summary ?? fillSentence(chosen?.summary ?? route.summary, sources);
  return {
    verb,
    effects,
    target: targetOf(entry, request),
    summary: visible(summary),
    fields: {
      ...fieldsOf(entry, request, read.route, read.sources),
      ...(reading.fields as Record<string, Json> | undefined),
    },
    ...(parts === undefined
      ? {}
      : {
          parts: parts.map(({ verb: one, effects: does, object }) => ({
            ...{ verb: one, effects: [...does] },
            ...(object === undefined ? {} : { object: [...object] }),
          })),
        }),
    impact: { ...impact, ...defined(reading.impact ?? {}) },
  };
}

function chooseCase({ cases = [] }: Route, sources: Sources): Case | undefined {
  return cases.find((one) => caseHolds(one, sources));
}

function caseHolds({ when }: Case, sources: Sources): boolean {
  return Object.entries(when).every(([reference, test]) => {
    const { differs_from: other } = test;
    const others = other === undefined ? [] : valuesAt(other, sources);
    return canTell(reference, sources) && holds(test, valuesAt(reference, sources), others);
  });
}

/** Whether what is not found at `reference` is absent for certain; else no case may be milder for it. */
function canTell(reference: string, { content, facts }: Sources): boolean {
  const [root = "", name = "*"] = reference.split(".");
  if (root === "body" || root === "param") {
    // A list has no names, and a server that takes one does each of its items.
    const { json } = content;
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return json === undefined || isObject || /^(?:\*\*?|@)$/.test(name);
  }
  // A look-up that failed says nothing of what it would have found.
  return ["query", "path", "header"].includes(root) || Object.hasOwn(facts, root);
}

function impactOf(
  route: Route,
  chosen: Case | undefined,
  effects: readonly Effect[],
  sources: Sources,
): Impact {
  const recipients = (route.recipients ?? []).flatMap((reference) =>
    valuesAt(reference, sources).flatMap((value) =>
      Array.isArray(value) ? value.map(textOf) : [textOf(value)],
    ),
  );
  // One text can name several people where mail is sent.
  const reached =
    route.show === "mail"
      ? recipients.flatMap((text) => readAddresses(text) ?? [text])
      : recipients;
  const isMild = effects.every((effect) => MILD.has(effect));
  const amount = amountOf(route, sources);
  const takesEffectAt =
    route.takes_effect_at && instantOf(valuesAt(route.takes_effect_at, sources));
  return {
    ...(reached.length === 0 ? {} : { recipients: [...new Set(reached)] }),
    ...(amount === undefined ? {} : { amount }),
    reversible: chosen?.reversible ?? route.reversible ?? isMild,
    ...(takesEffectAt === undefined ? {} : { takesEffectAt }),
  };
}

/** A time as systems write it; one that names no zone is taken as UTC, wherever this runs. */
export function instantOf([value]: readonly unknown[]): string | undefined {
  const text = textOf(value);
  const zoned = /^\d{4}-\d\d-\d\d[T ][\d:.]+$/.test(text) ? `${text.replace(" ", "T")}Z` : text;
  const ms = /^\d{9,11}$/.test(text) ? Number(text) * 1000 : Date.parse(zoned);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** Every request within this one; `undefined` where one of them cannot be read. */
function describeChildren(
  entry: Entry,
  request: CatalogRequest,
  route: Route,
  sources: Sources,
): readonly Described[] | undefined {
  const { children } = route;
  if (children === undefined) return [];
  const items = valuesAt(children.items, sources).flat() as readonly unknown[];
  if (items.length === 0 || items.length > children.max) return undefined;
  const described: Described[] = [];
  for (const item of items) {
    const child = childOf(request, item, entry, children);
    if (child === undefined || overrides(entry, child)) return undefined;
    const read = readRequest(entry, child);
    // One level: a batch within a batch is nobody's honest request.
    if (read === undefined || read.route.children !== undefined) return undefined;
    const one = judge(entry, child, read);
    if (one === undefined || "unread" in one) return undefined;
    described.push(one);
  }
  return described;
}

/** An override counts for the request that came; whether also for one within it differs. */
function overrides(entry: Entry, child: CatalogRequest): boolean {
  const content = readContent(child, entry.dialect);
  return overridesIn(entry, content?.query ?? [], entry.override.method).length > 0;
}

const BATCH_MAX = 100; // Requests in one list.

/** A list of requests, each as if it came alone; `undefined` where one of them cannot be read. */
function describeBatch(entry: Entry, request: CatalogRequest, read: Read): Described | undefined {
  const items = read.sources.content.json as readonly Json[];
  if (items.length === 0 || items.length > BATCH_MAX) return undefined;
  const described: Described[] = [];
  for (const item of items) {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
    const child = { ...request, body: Buffer.from(JSON.stringify(item)) };
    const own = readRequest(entry, child, read.sources.facts);
    const one = own && judge(entry, child, own);
    if (one === undefined || "unread" in one) return undefined;
    described.push(one);
  }
  const parts = partsOf(described);
  const shared = fieldsOf(entry, request, read.route, read.sources);
  return {
    verb: BATCH_VERB,
    effects: [...new Set(parts.flatMap(({ effects }) => effects))],
    target: targetOf(entry, request),
    summary: visible(`Do ${described.length} things at once: ${sentencesOf(described)}`),
    fields: {
      ...shared,
      calls: described.map(({ verb, summary, fields }) => ({
        verb,
        summary,
        ...Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in shared))),
      })),
    },
    parts,
    impact: merged({ reversible: true }, described),
  };
}

function sentencesOf(described: readonly Described[]): string {
  const sentences = [...new Set(described.map(({ summary }) => summary))];
  const more = sentences.length > 3 ? ` and ${sentences.length - 3} more` : "";
  return `${sentences.slice(0, 3).join("; ")}${more}`;
}

function partsOf(children: readonly Described[]): NonNullable<Action["parts"]> {
  return children.flatMap(
    (child) => child.parts ?? { verb: child.verb, effects: [...child.effects] },
  );
}

function childOf(
  request: CatalogRequest,
  item: unknown,
  entry: Entry,
  names: NonNullable<Route["children"]>,
): CatalogRequest | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const member = (name: string): unknown =>
    Object.hasOwn(item, name) ? Reflect.get(item, name) : undefined;
  const method = member(names.method) ?? names.default_method;
  const path = member(names.path);
  const body = member(names.body);
  if (typeof method !== "string" || typeof path !== "string") return undefined;
  const [, route = "", query = ""] = /^([^?#]*)(?:\?([^#]*))?$/.exec(path) ?? [];
  if (!/^\/[A-Za-z0-9/_.~:@-]*$/.test(route)) return undefined;
  const segments = route.replace(/\/$/, "").slice(1).split("/");
  if (segments.some((segment) => /^\.*$/.test(segment))) return undefined;
  const { under: _, ...rest } = request;
  return {
    ...rest,
    method: method.toUpperCase(),
    path: route,
    query,
    readings: [[...(entry.base[0] ?? "").split("/").slice(1), ...segments]],
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
  };
}

function merged(own: Impact, children: readonly Described[]): Impact {
  const all = [own, ...children.flatMap(({ impact }) => impact ?? [])];
  const recipients = [...new Set(all.flatMap((impact) => impact.recipients ?? []))];
  const amount = sumOf(
    children
      .filter(({ effects, impact }) => effects.includes("spend") || impact?.amount !== undefined)
      .map(({ impact }) => impact?.amount),
  );
  return {
    ...own,
    reversible: all.slice(1).every((impact) => impact.reversible),
    ...(recipients.length === 0 ? {} : { recipients }),
    ...(amount === undefined ? {} : { amount }),
  };
}

function describeUnknown(entry: Entry, request: CatalogRequest, why?: string): Described {
  const { method, path } = request;
  const shown = hideInPath(path, entry.credential);
  return {
    verb: UNKNOWN_VERB,
    effects: entry.unknown,
    target: targetOf(entry, request),
    summary: visible(
      `Do something unknown at ${entry.title}: ${method.slice(0, 32)} ${shown.slice(0, 200)}${
        why === undefined ? "" : `: ${why.slice(0, 300)}`
      }`,
    ),
    fields: {
      ...placeOf(entry, request),
      ...(request.body === undefined || request.body.length === 0
        ? {}
        : { body: hashed(request.body) }),
    },
    impact: { reversible: false },
  };
}

function fillSentence(template: string, sources: Sources): string {
  return template.replaceAll(HOLE, (_, reference: string) => {
    const values = [...new Set(valuesAt(reference, sources).map(textOf))];
    const text =
      values.slice(0, 5).join(", ") + (values.length > 5 ? ` and ${values.length - 5} more` : "");
    return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}...` : text || "?";
  });
}

/**
 * A path with its holes filled, escaped; `undefined` where one has no single value, or one that would make it
 * another path.
 */
export function fillTarget(template: string, sources: Sources): string | undefined {
  let isWhole = true;
  const target = template.replaceAll(HOLE, (_, reference: string) => {
    const [value, ...others] = valuesAt(reference, sources).map(textOf);
    if (value === undefined || others.length > 0 || /^\.{0,2}$/.test(value)) isWhole = false;
    return encodeURIComponent(value ?? "");
  });
  return isWhole ? target : undefined;
}

function defined<Value extends object>(value: Value): Value {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Value;
}
