/**
 * What a grant of its kind needs and what has no place in it, and published ports that clash. Read off
 * the data as written, so that a slip elsewhere hides none of it.
 *
 * @module
 */
import { variableOf } from "./credential-ref.ts";
import type { Finding } from "./task-checks.ts";
import { coversAll, flawOfObjectGlob, parseObjectGlob } from "./object-glob.ts";
import { parsePublish } from "./publish.ts";
import { separatorOf, type Systems } from "./task.ts";
import { matchesVerb } from "./verb.ts";

const GRANTS_MAX = 100; // As in task-schema.ts, which reports what is longer.

/** Every finding about the kinds of `grants`, which is what stands under that key, however broken. */
export function checkKinds(grants: unknown, systems: Systems): readonly Finding[] {
  if (!Array.isArray(grants)) return [];
  return grants.slice(0, GRANTS_MAX).flatMap((grant: unknown, at) => {
    if (typeof grant !== "object" || grant === null) return [];
    const has = (key: string) => Object.hasOwn(grant, key);
    const is = (key: string, value: unknown) => Reflect.get(grant, key) === value;
    const dial: unknown = Reflect.get(grant, "dial");
    const isUnix = typeof dial === "string" && dial.startsWith("unix:");
    const system: unknown = Reflect.get(grant, "system");
    const found = is("system", "tcp")
      ? ofTcp(has, is)
      : is("system", "http")
        ? ofHttp(has, secretVariables(grant).length > 0)
        : typeof system === "string"
          ? [
              ...ofCatalog(system, systems, has),
              ...ofMint(grant, system, systems, has),
              ...ofOptions(grant, system, systems),
            ]
          : [];
    const stray = has("with") && (is("system", "tcp") || is("system", "http")) ? [NO_OPTIONS] : [];
    const rules = typeof system === "string" ? checkRules(grant, system, systems) : [];
    const both = isUnix && has("upstream_proxy") ? [PROXY_TO_PATH] : [];
    const placed = [...found, ...both, ...stray].map(({ key, ...rest }) => ({
      ...rest,
      path: ["grants", at, ...(key === undefined ? [] : [key])],
    }));
    return [
      ...placed,
      ...rules.map(({ path, ...rest }) => ({ ...rest, path: ["grants", at, ...path] })),
    ];
  });
}

/** Variables that a grant keeps outside, of `credential: $NAME`. */
function secretVariables(grant: object): readonly string[] {
  const written: unknown = Reflect.get(grant, "credential");
  return [written]
    .flat()
    .flatMap((one) => (typeof one === "string" ? (variableOf(one) ?? []) : []));
}

/** A variable that passes in is in the run's hands: a grant cannot keep it outside as well. */
export function checkSecrets(environment: unknown, grants: unknown): readonly Finding[] {
  if (!Array.isArray(environment) || !Array.isArray(grants)) return [];
  const kept = new Set(
    grants
      .slice(0, GRANTS_MAX)
      .flatMap((grant: unknown) =>
        typeof grant === "object" && grant !== null ? secretVariables(grant) : [],
      ),
  );
  return environment.slice(0, GRANTS_MAX).flatMap((name: unknown, at) =>
    typeof name === "string" && kept.has(name)
      ? [
          {
            path: ["environment", at],
            message: `(${name}) would pass in what a grant's credential keeps outside`,
            hint: "remove it here: the run's variable holds a placeholder",
          },
        ]
      : [],
  );
}

interface KindFinding {
  readonly key?: string;
  readonly message: string;
  readonly hint: string;
}
type Has = (key: string) => boolean;
type Is = (key: string, value: unknown) => boolean;

const PROXY_TO_PATH: KindFinding = {
  key: "upstream_proxy",
  message: "cannot lead to a socket of this machine",
  hint: "remove it, or the unix: path under dial",
};

const NO_OPTIONS: KindFinding = {
  key: "with",
  message: "is for systems that have something particular to them",
  hint: "remove it",
};

/** What its system says of `with:`. */
function ofOptions(grant: object, system: string, systems: Systems): readonly KindFinding[] {
  const known = systems.get(system);
  if (known === undefined) return [];
  const given: unknown = Reflect.get(grant, "with");
  if (known.flawsOfOptions === undefined) return given === undefined ? [] : [NO_OPTIONS];
  return known.flawsOfOptions(given ?? {}).map(({ path, message }) => ({
    key: "with",
    message: path === "" ? message : `(${path}) ${message}`,
    hint: `\`cofferdam grant-template ${system}\` shows what it takes`,
  }));
}

/** A system that is neither http nor tcp must be one that the catalog has. */
function ofCatalog(system: string, systems: Systems, has: Has): readonly KindFinding[] {
  const known = systems.get(system);
  if (known === undefined) {
    const names = ["http", "tcp", ...systems.keys()].join(", ");
    return [
      {
        key: "system",
        message: `is no system that is known: ${system}`,
        hint: `write one of ${names}`,
      },
    ];
  }
  const found: KindFinding[] = [];
  if (!has("hosts") && known.hosts === undefined) {
    found.push({
      message: 'has no "hosts", and its system has no place of its own',
      hint: "write where it is: hosts: [blog.example.com]",
    });
  }
  if (!has("allow")) {
    found.push({
      message: 'has no "allow", which says what may be asked of it',
      hint: 'a rule that lets it be read and drafted in: allow: [{ verbs: ["*"], doing: [read, write] }]',
    });
  }
  const ofHttpOnly = known.isSession === true ? ["under", "upstream_proxy"] : [];
  for (const key of ["splice", "opaque", "protocols", ...ofHttpOnly]) {
    if (has(key))
      found.push({
        key,
        message: "has no place in a grant of which every request is judged",
        hint: "remove it",
      });
  }
  return found;
}

/** Rules of the catalog's systems have verbs, those of http methods and paths. */
function checkRules(grant: object, system: string, systems: Systems): readonly Finding[] {
  const allow: unknown = Reflect.get(grant, "allow");
  const known = systems.get(system);
  if (!Array.isArray(allow) || (system !== "http" && known === undefined)) return [];
  return allow.slice(0, GRANTS_MAX).flatMap((rule: unknown, at) => {
    if (typeof rule !== "object" || rule === null) return [];
    const of = (key: string, message: string, hint: string) => ({
      path: ["allow", at, key],
      message,
      hint,
    });
    const has = (key: string) => Object.hasOwn(rule, key);
    const [needed, foreign] =
      known === undefined
        ? [
            ["methods", "paths"],
            ["verbs", "doing"],
          ]
        : [
            ["verbs"],
            [
              ...["methods", "paths", "websocket", "opaque"],
              // Only of what is named exactly may a file say itself what it does.
              ...(known.separators !== undefined && has("on") ? [] : ["effects"]),
              ...(known.separators === undefined ? ["on"] : []),
            ],
          ];
    const missing = needed.filter((key) => !has(key));
    const verbs: unknown = Reflect.get(rule, "verbs");
    const dead =
      known === undefined || !Array.isArray(verbs)
        ? []
        : verbs.filter(
            (verb: unknown) =>
              typeof verb === "string" &&
              !known.verbs.some((one) => matchesVerb(verb, one)) &&
              verb !== "unknown",
          );
    return [
      ...(missing.length === 0
        ? []
        : [
            {
              path: ["allow", at],
              message: `has no ${missing.join(" and no ")}`,
              hint:
                known === undefined
                  ? "write methods: [GET] and paths: [/v1/**]"
                  : 'write verbs: [post.list] or verbs: ["*"]',
            },
          ]),
      ...foreign
        .filter(has)
        .map((key) =>
          of(key, `is not for a grant of system ${system}`, `it takes ${needed.join(" and ")}`),
        ),
      ...(known === undefined ? [] : ofObjects(rule, known)).map((flaw) => of("on", ...flaw)),
      ...dead.map((verb) =>
        of(
          "verbs",
          `can never match: ${system} has no verb ${String(verb)}`,
          "`cofferdam catalog` lists them",
        ),
      ),
    ];
  });
}

/** Patterns over what is acted on. */
function ofObjects(
  rule: object,
  known: NonNullable<ReturnType<Systems["get"]>>,
): readonly (readonly [message: string, hint: string])[] {
  const on: unknown = Reflect.get(rule, "on");
  const verbs: unknown = Reflect.get(rule, "verbs");
  if (!Array.isArray(on) || !Array.isArray(verbs) || known.separators === undefined) return [];
  const patterns = verbs.filter((verb) => typeof verb === "string");
  const separator = separatorOf(patterns, known);
  if (separator === undefined) {
    return [
      [
        "cannot be told apart for these verbs: they act on different things, or on nothing that has a name",
        "write a rule for each kind of object",
      ],
    ];
  }
  const texts = on.slice(0, GRANTS_MAX).filter((text) => typeof text === "string");
  const flaws = texts.flatMap((text) => {
    const flaw = flawOfObjectGlob(text, separator);
    return flaw === undefined ? [] : [[`(${text}) ${flaw[0]}`, flaw[1]] as const];
  });
  const isAll = texts.some((text) => coversAll(parseObjectGlob(text, separator)));
  return Object.hasOwn(rule, "effects") && isAll
    ? [...flaws, ["covers everything, of which `effects` cannot be said", "name what it covers"]]
    : flaws;
}

/** `mint:` is for systems that make credentials, by one that is stored. */
function ofMint(grant: object, system: string, systems: Systems, has: Has): readonly KindFinding[] {
  if (!has("mint")) return [];
  const flaw = (message: string, hint: string) => [{ key: "mint", message, hint }];
  const { mints } = systems.get(system) ?? {};
  if (mints === undefined) {
    const able = [...systems].flatMap(([name, info]) => (info.mints === undefined ? [] : name));
    return flaw(
      `is nothing that ${system} does`,
      `those that make credentials: ${able.join(", ")}`,
    );
  }
  if (typeof Reflect.get(grant, "credential") !== "string" || secretVariables(grant).length > 0) {
    return flaw("needs one credential of the vault, by which others are made", "credential: NAME");
  }
  const asked: unknown = Reflect.get(grant, "mint");
  const keys = typeof asked === "object" && asked !== null ? Object.keys(asked) : [];
  const foreign = keys.filter((key) => !mints.includes(key));
  const missing = mints.length === 0 ? "nothing: mint: true" : mints.join(", ");
  return foreign.length === 0
    ? []
    : flaw(`has ${foreign.join(", ")}`, `${system} takes ${missing}`);
}

function ofHttp(has: Has, hasOwn: boolean): readonly KindFinding[] {
  const found: KindFinding[] = [];
  if (!has("hosts"))
    found.push({
      message: 'has no "hosts"',
      hint: "write the names that may be reached: hosts: [api.example.com]",
    });
  if (hasOwn)
    found.push({
      key: "credential",
      message: "names a variable, and nothing says where plain HTTP takes its value",
      hint: "write a system of the catalog, or put it into the vault: `cofferdam credential add`",
    });
  if (has("mint"))
    found.push({
      key: "mint",
      message: "is for systems of the catalog",
      hint: "remove it",
    });
  if (has("under"))
    found.push({
      key: "under",
      message: "is for systems of the catalog",
      hint: "write it into the paths of the rules",
    });
  if (!has("allow")) {
    found.push({
      message: 'has no "allow", which says what may be asked of these hosts',
      hint: 'a rule that lets everything be read: allow: [{ methods: [GET, HEAD], paths: ["/**"] }]',
    });
  }
  for (const key of ["splice", "opaque", "protocols"]) {
    if (!has(key)) continue;
    found.push({
      key,
      message: "has no place in a grant of system http, of which every request is judged",
      hint: "write system: tcp, and leave out allow: nobody sees what such a connection carries",
    });
  }
  return found;
}

function ofTcp(has: Has, is: Is): readonly KindFinding[] {
  const found: KindFinding[] = [];
  if (!has("hosts"))
    found.push({
      message: 'has no "hosts"',
      hint: "write the names that may be reached: hosts: [api.example.com]",
    });
  for (const key of ["credential", "mint", "variable", "under"]) {
    if (has(key))
      found.push({
        key,
        message: "is never used here: nobody looks into such a connection",
        hint: "remove it",
      });
  }
  if (has("splice") === has("opaque")) {
    found.push({
      message: "says not how its connections are carried",
      hint: "write one of splice: true (TLS to this name, not looked into) and opaque: true (any protocol)",
    });
  }
  if (has("allow")) {
    found.push({
      key: "allow",
      message: "can never match: nobody sees what is asked in such a connection",
      hint: "remove it, or write system: http without splice and opaque",
    });
  }
  if (has("ca") || has("upstream_proxy") || has("tls")) {
    const key = ["ca", "upstream_proxy", "tls"].find(has) ?? "tls";
    found.push({
      key,
      message: "is never used here: the gateway itself speaks no TLS in such a connection",
      hint: "remove it",
    });
  }
  if (has("protocols") && !is("opaque", true)) {
    found.push({
      key: "protocols",
      message: "belongs to an opaque grant: a spliced connection is TLS and nothing else",
      hint: "remove it, or write opaque: true",
    });
  }
  return found;
}

/** Two entries for one port of this machine, in whatever form. */
export function checkPublish(publish: unknown): readonly Finding[] {
  if (!Array.isArray(publish)) return [];
  const seen = new Set<number>();
  return publish.slice(0, GRANTS_MAX).flatMap((source: unknown, at) => {
    if (typeof source !== "string" && typeof source !== "number") return [];
    const parsed = parsePublish(source);
    if ("problem" in parsed) return [];
    const twice = seen.has(parsed.host) && !publish.slice(0, at).includes(source);
    seen.add(parsed.host);
    return twice
      ? [
          {
            path: ["publish", at],
            message: `takes port ${parsed.host} of this machine a second time`,
            hint: `choose another: ${parsed.host + 1}:${parsed.run}`,
          },
        ]
      : [];
  });
}
