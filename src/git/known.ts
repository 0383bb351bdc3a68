/**
 * What was learnt of a server, as JSON that can be stored beside a push. It is believed only as far as it
 * proves itself: each object must have the name under which it stands.
 *
 * @module
 */
import {
  FORMATS,
  idOf,
  isObjectId,
  OBJECT_KINDS,
  type GitObject,
  type ObjectId,
} from "./object-format.ts";
import type { Known, Push } from "./push.ts";

/** The name of what was looked up, among the facts of a request or an operation. */
export const GIT_FACT = "git";

/** JSON. */
export interface Facts {
  /** Branch that HEAD names. */
  readonly head?: string;
  /** Branches that the judgement looks at. */
  readonly branches?: Readonly<Record<string, ObjectId>>;
  /** Branches that are another name of one. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** `commit BASE64` by name. */
  readonly objects?: Readonly<Record<ObjectId, string>>;
}

/** Of `known`, what `push` looked at. */
export function factsOf({ refs, objects }: Known, push: Push): Facts {
  const forks = new Set(push.refs.flatMap(({ fork }) => fork ?? []));
  const branches = [...(refs?.branches ?? [])].filter(
    ([name, id]) => name === refs?.head || forks.has(id),
  );
  const aliases = [...(refs?.aliases ?? [])].filter(([name]) =>
    push.refs.some(({ command }) => command.ref === name),
  );
  const used = [...push.store.used].sort();
  return {
    ...(refs?.head === undefined ? {} : { head: refs.head }),
    ...(refs === undefined ? {} : { branches: Object.fromEntries(branches) }),
    ...(aliases.length === 0 ? {} : { aliases: Object.fromEntries(aliases) }),
    objects: Object.fromEntries(
      used.flatMap((id) => {
        const object = objects.get(id);
        return object === undefined
          ? []
          : [[id, `${object.kind} ${object.data.toString("base64")}`]];
      }),
    ),
  };
}

/** Reads {@link Facts}; what is not as it should be is not known. */
export function readKnown(facts: unknown): Known {
  if (!isRecord(facts)) return { refs: undefined, objects: new Map() };
  const { head, branches, aliases, objects } = facts;
  const known = new Map<ObjectId, GitObject>();
  for (const [id, text] of Object.entries(isRecord(objects) ? objects : {})) {
    const object = typeof text === "string" ? readObject(text) : undefined;
    const format = id.length === 64 ? FORMATS.sha256 : FORMATS.sha1;
    if (object !== undefined && idOf(object, format) === id) known.set(id, object);
  }
  if (!isRecord(branches)) return { refs: undefined, objects: known };
  const named = Object.entries(branches).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" &&
      (isObjectId(entry[1], FORMATS.sha1) || isObjectId(entry[1], FORMATS.sha256)),
  );
  const others = Object.entries(isRecord(aliases) ? aliases : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const refs = {
    branches: new Map(named),
    aliases: new Map(others),
    ...(typeof head === "string" ? { head } : {}),
  };
  return { refs, objects: known };
}

function readObject(text: string): GitObject | undefined {
  const space = text.indexOf(" ");
  const kind = OBJECT_KINDS.find((one) => one === text.slice(0, space));
  return kind && { kind, data: Buffer.from(text.slice(space + 1), "base64") };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
