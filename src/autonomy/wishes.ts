/**
 * What a run asked for and was refused, as things that a person may add to its task file: each names who asked, and offers
 * the least that would have let it through first.
 *
 * @module
 */
import { EFFECTS } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import {
  canonicalHost,
  matchesHost,
  parseHostPattern,
  type Host,
  type Systems,
  type Task,
  type TaskGrant,
} from "../policy/index.ts";
import type { YamlEdit } from "../yaml/index.ts";
import { textOf } from "./history.ts";
import { pathsLike } from "./patterns.ts";

/** One thing that was asked for. */
export interface Wish {
  /** `github.com port 443 (https), asked by /usr/bin/git, 3 times` */
  readonly says: string;
  /** What a person may say to it, by a key; none where more must be known than was asked. */
  readonly offers: readonly Offer[];
  /** What to do where there is no offer. */
  readonly hint?: string;
}

export interface Offer {
  readonly key: string;
  readonly says: string;
  readonly edits: readonly YamlEdit[];
}

interface Asked {
  readonly host: Host;
  readonly port: number;
  readonly protocol: string;
  readonly by: Set<string>;
  count: number;
}

interface Refused {
  readonly system: string;
  readonly verb: string;
  readonly kind: string;
  readonly paths: Set<string>;
  readonly by: Set<string>;
  readonly effects: readonly string[];
  count: number;
}

const WISHES_MAX = 100;

/** Wishes of one run, in the order in which they came up. */
export function wishesOf(entries: Iterable<Entry>, task: Task, systems: Systems): readonly Wish[] {
  const places = new Map<string, Asked>();
  const refused = new Map<string, Refused>();
  for (const entry of entries) {
    if (entry.verdict !== "deny") continue;
    if (entry.type === "denial" && entry.rule === "no-grant") notePlace(places, entry);
    if (entry.type === "action" && entry.rule?.startsWith("grants[") === true)
      noteRefused(refused, entry);
  }
  return [
    ...[...places.values()].map((one) => placeWish(one, task, systems)),
    ...[...refused.values()].flatMap((one) => refusedWish(one, task)),
  ].slice(0, WISHES_MAX);
}

function notePlace(places: Map<string, Asked>, { target = "", data = {}, process }: Entry): void {
  const host = canonicalHost(target);
  const [, , port, protocol] = routeParts(data["route"]);
  if (host === undefined || typeof port !== "number" || typeof protocol !== "string") return;
  const key = `${host}:${port}`;
  const known = places.get(key) ?? { host, port, protocol, by: new Set<string>(), count: 0 };
  known.count += 1;
  if (process !== undefined && process.exe !== "") known.by.add(process.exe);
  places.set(key, known);
}

function routeParts(route: unknown): readonly unknown[] {
  if (typeof route !== "string") return [];
  try {
    const parts: unknown = JSON.parse(route);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return []; // Of another form: it says no port.
  }
}

function noteRefused(
  refused: Map<string, Refused>,
  { system = "", data = {}, process }: Entry,
): void {
  const [verb, kind] = [textOf(data["verb"]), textOf(data["kind"])];
  const { effects, fields } = data;
  const key = `${system} ${verb}`;
  const all = Array.isArray(effects) ? effects.filter((one) => typeof one === "string") : [];
  const known = refused.get(key) ?? {
    system,
    verb,
    kind,
    paths: new Set<string>(),
    by: new Set<string>(),
    effects: all,
    count: 0,
  };
  known.count += 1;
  const path = textOf(Object(fields).path);
  if (path !== "") known.paths.add(path);
  if (process !== undefined && process.exe !== "") known.by.add(process.exe);
  refused.set(key, known);
}

function asker({
  by,
  count,
}: {
  readonly by: ReadonlySet<string>;
  readonly count: number;
}): string {
  const who = by.size === 0 ? "a process that could not be told" : [...by].slice(0, 3).join(", ");
  return `asked by ${who}${count === 1 ? "" : `, ${count} times`}`;
}

function placeWish(asked: Asked, task: Task, systems: Systems): Wish {
  const { host, port, protocol } = asked;
  const says = `${host} port ${port} (${protocol}), ${asker(asked)}`;
  const isWeb = protocol === "https" || protocol === "http";
  const session = [...systems].find(
    ([, one]) => one.isSession === true && one.ports?.includes(port) === true,
  );
  if (!isWeb && session !== undefined) {
    const [name] = session;
    return {
      says,
      offers: [],
      hint: `\`cofferdam grant-template ${name}\` prints a grant for it, to be filled in`,
    };
  }
  if (!isWeb) {
    return {
      says,
      offers: [],
      hint: "write a grant by hand where it is really needed: docs/reference/task-file.md",
    };
  }
  const name = freeName(host, task);
  const known = [...systems].find(
    ([, { hosts = [], isSession }]) =>
      isSession !== true && hosts.some((one) => matchesHost(parseHostPattern(one), host)),
  );
  return {
    says,
    offers:
      known === undefined
        ? plainOffers(asked, name, task)
        : systemOffers(asked, known[0], name, task),
  };
}

function plainOffers({ host, port, protocol }: Asked, name: string, task: Task): readonly Offer[] {
  const base = {
    system: "http",
    name,
    hosts: [host],
    ...(protocol === "http"
      ? { ports: [port], tls: false }
      : port === 443
        ? {}
        : { ports: [port] }),
  };
  const grant = (allow: object) => add(task, { ...base, allow: [allow] });
  return [
    {
      key: "r",
      says: "read there: GET and HEAD",
      edits: grant({ methods: ["GET", "HEAD"], paths: ["/**"] }),
    },
    {
      key: "w",
      says: "read and write there: GET, HEAD, POST, PUT, PATCH",
      edits: grant({ methods: ["GET", "HEAD", "POST", "PUT", "PATCH"], paths: ["/**"] }),
    },
  ];
}

function systemOffers({ host }: Asked, system: string, name: string, task: Task): readonly Offer[] {
  const grant = (doing: readonly string[]) =>
    add(task, { system, name, hosts: [host], allow: [{ verbs: ["*"], doing }] });
  return [
    { key: "r", says: `read there, as ${system}`, edits: grant(["read", "read-private"]) },
    {
      key: "w",
      says: `read and write there, as ${system}`,
      edits: grant(["read", "read-private", "write"]),
    },
    {
      key: "a",
      says: `ask for anything there, as ${system}: what does more than write waits for a person`,
      edits: grant(EFFECTS),
    },
  ];
}

function add(task: Task, grant: object): readonly YamlEdit[] {
  return task.grants.length === 0
    ? [{ set: ["grants"], value: [grant] }]
    : [{ insert: ["grants", task.grants.length], value: grant }];
}

function freeName(host: string, { grants }: Task): string {
  const labels = host.split(".");
  const base =
    (labels.length > 2 && labels[0] !== "www" ? labels.slice(0, -1) : labels.slice(-2, -1))
      .join("-")
      .replaceAll(/[^a-z0-9-]/g, "") || "site";
  const taken = new Set(grants.map(({ name }) => name));
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(name)) return name;
  }
}

function refusedWish(one: Refused, task: Task): readonly Wish[] {
  const at = task.grants.findIndex(({ name }) => name === one.system);
  const grant = task.grants[at];
  if (grant === undefined) return []; // Of a grant that is another by now.
  const { verb, effects, paths } = one;
  const what =
    grant.system === "http"
      ? `${verb} ${[...paths].slice(0, 3).join(" ")}`
      : `${verb} (${effects.join(", ")})`;
  return [{ says: `${grant.name}: ${what}, ${asker(one)}`, offers: refusedOffers(one, grant, at) }];
}

function refusedOffers(
  { verb, paths, effects }: Refused,
  grant: TaskGrant,
  at: number,
): readonly Offer[] {
  const rule = (value: object): readonly YamlEdit[] => [
    { insert: ["grants", at, "allow", grant.allow.length], value },
  ];
  if (grant.system !== "http") {
    return [{ key: "y", says: `let it ${verb}`, edits: rule({ verbs: [verb], doing: effects }) }];
  }
  const like = pathsLike([...paths], ["/**"]) ?? [];
  const said = verb === "DELETE" ? { effects: ["delete"] } : {};
  return [
    ...(like.length === 0
      ? []
      : [
          {
            key: "y",
            says: `let it ${verb} ${like.join(" ")}`,
            edits: rule({ methods: [verb], paths: like, ...said }),
          },
        ]),
    {
      key: "a",
      says: `let it ${verb} anything there`,
      edits: rule({ methods: [verb], paths: ["/**"], ...said }),
    },
  ];
}
