/**
 * Whether an event is one of OCSF 1.8.0: by the requirements, types, permitted values and constraints of the published
 * schema (test/fixtures/ocsf.json, made by scripts/ocsf-schema.ts).
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const attributeSchema = z.tuple([
  z.enum(["required", "recommended", "optional"]),
  z.string(),
  z.object({
    list: z.boolean().optional(),
    profile: z.string().optional(),
    values: z.array(z.string()).optional(),
  }),
]);
const shapeSchema = z.object({
  constraints: z.record(z.string(), z.array(z.string())).optional(),
  attributes: z.record(z.string(), attributeSchema),
});
const schema = z
  .object({
    version: z.string(),
    types: z.record(
      z.string(),
      z.object({
        base: z.string(),
        regex: z.string().optional(),
        range: z.tuple([z.number(), z.number()]).optional(),
        max: z.number().optional(),
      }),
    ),
    classes: z.record(z.string(), shapeSchema.extend({ name: z.string(), category: z.number() })),
    objects: z.record(z.string(), shapeSchema),
  })
  .parse(
    JSON.parse(readFileSync(join(import.meta.dirname, "..", "fixtures", "ocsf.json"), "utf8")),
  );
type Shape = z.infer<typeof shapeSchema>;
type Attribute = z.infer<typeof attributeSchema>;
type Members = Readonly<Record<string, unknown>>;

const regexes = new Map<string, RegExp>();

/** What is wrong with `event`, each with its place; empty where nothing is. */
export function flawsOfOcsf(event: unknown): readonly string[] {
  if (!isMembers(event)) return ["it is no object"];
  const { class_uid: uid, category_uid: category, activity_id: activity, type_uid: type } = event;
  const shape = schema.classes[String(uid)];
  if (shape === undefined) return [`there is no class ${String(uid)}`];
  const metadata = isMembers(event["metadata"]) ? event["metadata"] : {};
  const profiles = Array.isArray(metadata["profiles"]) ? metadata["profiles"].map(String) : [];
  return [
    ...(category === shape.category ? [] : [`category_uid is not ${shape.category}`]),
    ...(type === Number(uid) * 100 + Number(activity)
      ? []
      : ["type_uid is not that of class and activity"]),
    ...(metadata["version"] === schema.version ? [] : ["metadata.version is another"]),
    ...flawsOf(event, shape, new Set(profiles), ""),
  ];
}

function flawsOf(
  value: Members,
  shape: Shape,
  profiles: ReadonlySet<string>,
  at: string,
): string[] {
  const flaws: string[] = [];
  for (const [name, one] of Object.entries(value)) {
    const attribute = shape.attributes[name];
    const { profile } = attribute?.[2] ?? {};
    if (attribute === undefined) flaws.push(`${at}${name} is no attribute`);
    else if (profile !== undefined && !profiles.has(profile)) {
      flaws.push(`${at}${name} comes with the profile ${profile}`);
    } else flaws.push(...flawsOfAttribute(one, attribute, profiles, `${at}${name}`));
  }
  for (const [name, [requirement, , { profile }]] of Object.entries(shape.attributes)) {
    const isThere = Object.hasOwn(value, name);
    const isMeant = profile === undefined || profiles.has(profile);
    if (requirement === "required" && isMeant && !isThere) flaws.push(`${at}${name} is missing`);
  }
  for (const [kind, names] of Object.entries(shape.constraints ?? {})) {
    const count = names.filter((name) => Object.hasOwn(value, name)).length;
    const holds = kind === "just_one" ? count === 1 : count > 0;
    if (names.length > 0 && !holds) flaws.push(`${at}: ${kind} of ${names.join(", ")}`);
  }
  return flaws;
}

function flawsOfAttribute(
  value: unknown,
  [, type, { list, values }]: Attribute,
  profiles: ReadonlySet<string>,
  at: string,
): string[] {
  if (list === true) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((one, n) => {
      return flawsOfAttribute(
        one,
        ["optional", type, { ...(values && { values }) }],
        profiles,
        `${at}[${n}]`,
      );
    });
  }
  if (type === "object") return isMembers(value) ? [] : [`${at} is no object`];
  const object = schema.objects[type];
  if (object !== undefined) {
    return isMembers(value) ? flawsOf(value, object, profiles, `${at}.`) : [`${at} is no object`];
  }
  const flaws = flawsOfType(value, type, at);
  const isIdentity = at === "class_uid" || at === "category_uid";
  if (values !== undefined && !isIdentity && !values.includes(String(value))) {
    flaws.push(`${at} is ${String(value)}, which is not permitted`);
  }
  return flaws;
}

const WHOLE: ReadonlySet<string> = new Set(["integer_t", "long_t"]);

function flawsOfType(value: unknown, type: string, at: string): string[] {
  const known = schema.types[type];
  if (known === undefined) return [`${at} is of ${type}, which the reduced copy does not have`];
  const base = schema.types[known.base] === undefined ? type : known.base;
  const root = base === "long_t" ? "long_t" : base;
  if (type === "json_t") return [];
  if (type === "boolean_t") return typeof value === "boolean" ? [] : [`${at} is no boolean`];
  if (type === "float_t") return typeof value === "number" ? [] : [`${at} is no number`];
  if (WHOLE.has(root)) {
    if (!Number.isSafeInteger(value)) return [`${at} is no whole number`];
    const [least, most] = known.range ?? [-Infinity, Infinity];
    const number = Number(value);
    return number >= least && number <= most ? [] : [`${at} is out of range`];
  }
  if (typeof value !== "string") return [`${at} is no text`];
  if (known.max !== undefined && value.length > known.max) return [`${at} is too long`];
  if (known.regex === undefined) return [];
  const regex = regexes.get(type) ?? new RegExp(known.regex);
  regexes.set(type, regex);
  return regex.test(value) ? [] : [`${at} is no ${type}: ${value}`];
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
