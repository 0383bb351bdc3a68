/**
 * `node scripts/ocsf-schema.ts CLONE`: writes test/fixtures/ocsf.json anew, out of a clone of
 * https://github.com/ocsf/ocsf-schema that holds the commit below: the classes and objects that this repository
 * writes, with each attribute's requirement, type and permitted values, and no words of the schema's own.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** "v1.8.0 prep (#1592)", of 16 March 2026: the release. */
const COMMIT = "3dcb905d26523ce4d5d0ba3c28c8507e2c859407";
const NOTICE =
  "Derived from the Open Cybersecurity Schema Framework, https://github.com/ocsf/ocsf-schema. Copyright OCSF a Series of LF Projects, LLC. Licensed under the Apache License, Version 2.0 (see LICENSE of this repository). Changed: reduced to the classes and objects used here, inheritance resolved, descriptions left out.";
const CLASSES: readonly string[] = [
  "system/process_activity",
  "findings/detection_finding",
  "findings/incident_finding",
  "network/network_activity",
  "network/http_activity",
  "network/dns_activity",
  "network/ssh_activity",
  "application/api_activity",
  "application/datastore_activity",
];
/** What stands in an attribute of another object is refused by the validator. */
const OBJECTS: readonly string[] = [
  ...["actor", "ai_model", "analytic", "api", "attack", "database", "device", "dns_answer"],
  ...["dns_query", "evidences", "file", "finding_info", "fingerprint", "firewall_rule", "group"],
  ...["http_request", "http_response", "message_context", "metadata", "network_connection_info"],
  ...[
    "network_endpoint",
    "network_traffic",
    "object",
    "policy",
    "process",
    "product",
    "remediation",
  ],
  ...["related_event", "request", "response", "service", "sub_technique", "table", "tactic"],
  ...["technique", "url", "query_info"],
];

type Attribute = Record<string, unknown> & { enum?: Record<string, unknown>; $include?: unknown };
interface Source {
  readonly uid?: number;
  readonly name: string;
  readonly extends?: string;
  readonly category?: string;
  readonly constraints?: Record<string, readonly string[]>;
  readonly attributes?: Record<string, Attribute>;
}

const [clone] = process.argv.slice(2);
if (clone === undefined) throw new Error("usage: node scripts/ocsf-schema.ts CLONE");
const git = (...words: string[]) =>
  execFileSync("git", ["-C", clone, ...words], { encoding: "utf8", maxBuffer: 64 << 20 });
const read = (path: string) => JSON.parse(git("show", `${COMMIT}:${path}`)) as Source;
const files = git("ls-tree", "-r", "--name-only", COMMIT, "events", "objects").split("\n");
/** Classes and objects may have one name: `events/application`, `objects/application`. */
const byName = new Map(
  files.map((file) => [
    file.replace(/\/.*\/|\/|\.json$/g, (one) => (one === ".json" ? "" : "/")),
    file,
  ]),
);
const dictionary = read("dictionary.json") as Source & {
  readonly types: { readonly attributes: Record<string, Record<string, unknown>> };
};
const categories = read("categories.json").attributes ?? {};

/** All of `name` with what it inherits and includes; attributes of a profile say which. */
function resolve(name: string): Source {
  const [kind] = name.split("/");
  const file = byName.get(name);
  if (file === undefined) throw new Error(`no ${name}`);
  const own = read(file);
  const above = own.extends === undefined ? undefined : resolve(`${kind}/${own.extends}`);
  const attributes: Record<string, Attribute> = { ...above?.attributes };
  for (const path of [own.attributes?.["$include"] ?? []].flat() as unknown[] as string[]) {
    const profile = read(path);
    for (const [key, value] of Object.entries(profile.attributes ?? {})) {
      attributes[key] = merge(attributes[key], { profile: profile.name, ...value });
    }
  }
  for (const [key, value] of Object.entries(own.attributes ?? {})) {
    if (key !== "$include") attributes[key] = merge(attributes[key], value);
  }
  return { ...above, ...own, attributes };
}

function merge(above: Attribute = {}, own: Attribute): Attribute {
  const values = { ...above.enum, ...own.enum };
  return { ...above, ...own, ...(Object.keys(values).length === 0 ? {} : { enum: values }) };
}

/** `[requirement, type, more]`: permitted values, the profile that it comes with, whether it is a list. */
function brief(name: string, value: Attribute) {
  const known = merge(dictionary.attributes?.[name], value);
  const type = String(known["type"]);
  const isObject = !(type in dictionary.types.attributes);
  const isOpen = isObject && !OBJECTS.includes(type);
  const more = {
    ...(known["is_array"] === true ? { list: true } : {}),
    ...(typeof known["profile"] === "string" ? { profile: known["profile"] } : {}),
    ...(known.enum === undefined ? {} : { values: Object.keys(known.enum) }),
  };
  const requirement = typeof known["requirement"] === "string" ? known["requirement"] : "optional";
  return [requirement, isOpen ? `left out: ${type}` : type, more];
}

function reduce(source: Source) {
  const { attributes = {}, constraints } = source;
  return {
    ...(constraints === undefined ? {} : { constraints }),
    attributes: Object.fromEntries(
      Object.keys(attributes)
        .sort()
        .map((key) => [key, brief(key, attributes[key] ?? {})]),
    ),
  };
}

const classes = CLASSES.map((path) => {
  const source = resolve(`events/${path.replace(/^.*\//, "")}`);
  const category = Number(categories[source.category ?? ""]?.["uid"]);
  const uid = category * 1000 + (source.uid ?? 0);
  return [uid, { name: source.name, category, ...reduce(source) }] as const;
});
const objects = OBJECTS.map((name) => [name, reduce(resolve(`objects/${name}`))] as const);
const types = Object.entries(dictionary.types.attributes).map(([name, type]) => {
  const { regex, range, max_len: max } = type;
  return [name, { base: type["type"] ?? name, regex, range, max }] as const;
});
const all = {
  notice: NOTICE,
  version: (read("version.json") as unknown as { readonly version: string }).version,
  commit: COMMIT,
  types: Object.fromEntries(types),
  classes: Object.fromEntries(classes),
  objects: Object.fromEntries(objects),
};
const file = join(import.meta.dirname, "..", "test", "fixtures", "ocsf.json");
writeFileSync(file, `${JSON.stringify(all)}\n`);
