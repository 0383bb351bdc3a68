/**
 * What no single value of a task file can tell: rules that an earlier one covers, names that clash,
 * permissions that have run out. Each part is read on its own, so that one slip hides no other.
 *
 * @module
 */
import { effectsOfMethod, OWN_HOST, OWN_SYSTEM, type Effect } from "../action/index.ts";
import { parseExpiryMs } from "./expiry.ts";
import {
  coversPattern,
  parseHostPattern,
  printHostPattern,
  type HostPattern,
} from "./host-pattern.ts";
import { coversGlob, parsePathGlob, type PathGlob } from "./path-glob.ts";
import { portsOf, tlsOf, type Systems } from "./task.ts";
import { grantSchema, ruleSchema, type RuleSource } from "./task-schema.ts";
import type { DataPath } from "../yaml/index.ts";

/** Effects that wait for a person even where a grant allows them. */
export const CONFIRMED_EFFECTS: ReadonlySet<Effect> = new Set([
  "publish",
  "send",
  "execute",
  "delete",
  "administer",
  "spend",
]);

const LIST_MAX = 100; // As in task-schema.ts, which reports what is longer.
// Comparing is quadratic: per grant, methods times paths; per file, hosts times ports.
const METHOD_PATHS_MAX = 500;
const HOST_PORTS_MAX = 2000;
const UNATTENDED_MS_MAX = 366 * 864e5; // A year: what nobody looks at again must not hold for ever.

/** Something wrong at a path of the data. */
export interface Finding {
  readonly path: DataPath;
  readonly message: string;
  readonly hint: string;
}

/** A grant as far as it could be read; `undefined` where a part is broken. */
interface GrantView {
  readonly at: number;
  readonly name: string | undefined;
  readonly hosts: readonly (HostPattern | undefined)[];
  readonly ports: readonly number[];
  readonly tls: boolean | undefined;
  readonly ca: boolean;
  readonly proxy: boolean;
  readonly pairs: readonly (string | undefined)[];
  readonly rules: readonly (RuleSource | undefined)[];
}

/** Every finding in `grants`, which is what stands under that key, however broken. */
export function checkGrants(grants: unknown, nowMs: number, systems: Systems): readonly Finding[] {
  const views = listOf(grants).map((grant, at) => viewOf(grant, at, systems));
  return [
    ...views.flatMap((view) => checkRules(view, nowMs)),
    ...views.flatMap(checkTls),
    ...checkNames(views),
    ...checkOwn(views),
    ...checkHosts(views),
    ...checkPairs(views),
  ];
}

function viewOf(grant: unknown, at: number, systems: Systems): GrantView {
  const { name, hosts, ports, tls, ca, pairs, upstream_proxy: proxy } = grantSchema.shape;
  const field = (key: string): unknown =>
    typeof grant === "object" && grant !== null && Object.hasOwn(grant, key)
      ? Reflect.get(grant, key)
      : undefined;
  return {
    at,
    name: name.safeParse(field("name")).data,
    hosts: listOf(field("hosts")).map((host) => {
      const known = hosts.safeParse([host]).data?.[0];
      return known === undefined ? undefined : parseHostPattern(known);
    }),
    ports:
      field("ports") === undefined
        ? portsOf({ system: String(field("system")) }, systems)
        : (ports.safeParse(field("ports")).data ?? []),
    tls: tls.safeParse(field("tls")).data,
    ca: ca.safeParse(field("ca")).data !== undefined,
    proxy: proxy.safeParse(field("upstream_proxy")).data !== undefined,
    pairs: listOf(field("pairs")).map((pair) => pairs.safeParse([pair]).data?.[0]),
    rules: listOf(field("allow")).map((rule) => ruleSchema.safeParse(rule).data),
  };
}

function checkRules(view: GrantView, nowMs: number): readonly Finding[] {
  const size = view.rules.reduce(
    (sum, rule) => sum + (rule?.methods?.length ?? 0) * (rule?.paths?.length ?? 0),
    0,
  );
  if (size > METHOD_PATHS_MAX) {
    return [
      {
        path: ["grants", view.at, "allow"],
        message: `has ${size} pairs of method and path; at most ${METHOD_PATHS_MAX} can be compared`,
        hint: "use wildcards, or split the grant",
      },
    ];
  }
  const findings: Finding[] = [];
  const earlier = new Map<string, PathGlob[]>(); // By method.
  for (const [index, rule] of view.rules.entries()) {
    if (rule === undefined) continue;
    const path = ["grants", view.at, "allow", index];
    if (rule.verbs !== undefined) {
      findings.push(...checkEnd(rule, path, nowMs)); // The rest of it: see kind-checks.ts.
      continue;
    }
    findings.push(...checkCoverage(rule, path, earlier));
    findings.push(...checkEffects(rule, path), ...checkUnattended(rule, path, nowMs));
    findings.push(...checkWebSocket(rule, path));
  }
  return findings;
}

/** Reports what `earlier` leaves nothing of, then adds the rule to it. */
function checkCoverage(
  rule: RuleSource,
  path: DataPath,
  earlier: Map<string, PathGlob[]>,
): readonly Finding[] {
  const covered = (method: string, glob: PathGlob) =>
    (earlier.get(method) ?? []).some((other) => coversGlob(other, glob));
  const dead: Finding[] = [];
  const { methods = [], paths = [] } = rule;
  for (const [at, source] of paths.entries()) {
    const glob = parsePathGlob(source);
    const fresh = methods.filter((method) => !covered(method, glob));
    if (fresh.length === 0) {
      dead.push({
        path: [...path, "paths", at],
        message: `can never match: what stands before it in this grant already covers ${source}`,
        hint: "the first rule that matches decides; move the narrower one up, or remove it",
      });
    }
    for (const method of fresh) earlier.set(method, [...(earlier.get(method) ?? []), glob]);
  }
  if (dead.length < paths.length || dead.length === 0) return dead;
  return [
    {
      path,
      message: "can never match: the rules before it in this grant cover all of it",
      hint: "the first rule that matches decides; move the narrower one up, or remove it",
    },
  ];
}

const READS: ReadonlySet<Effect> = new Set(["read", "read-private"]);
const REMOVALS: ReadonlySet<Effect> = new Set(["delete", "administer", "spend"]);

function checkEffects(rule: RuleSource, path: DataPath): readonly Finding[] {
  const { effects, methods = [] } = rule;
  if (effects === undefined) return [];
  const finding = (message: string, hint: string) => [
    { path: [...path, "effects"], message, hint },
  ];
  if (methods.includes("DELETE") && !effects.some((effect) => REMOVALS.has(effect))) {
    return finding(
      "leaves out `delete`, which is what DELETE does",
      "add delete; where no person is needed, say so under `unattended`",
    );
  }
  const changing = methods.find((method) => method === "PUT" || method === "PATCH");
  if (changing !== undefined && effects.every((effect) => READS.has(effect))) {
    return finding(
      `says that ${changing} only reads, which it cannot`,
      "add write, or what it does",
    );
  }
  return [];
}

function checkWebSocket(rule: RuleSource, path: DataPath): readonly Finding[] {
  const { websocket, opaque, methods = [], effects } = rule;
  if (opaque === true && websocket !== true) {
    return [
      {
        path: [...path, "opaque"],
        message: "is for the messages of a WebSocket, and this rule opens none",
        hint: "remove it, or add websocket: true",
      },
    ];
  }
  if (websocket === true && !methods.includes("GET")) {
    return [
      {
        path: [...path, "websocket"],
        message: "can never match: a WebSocket is opened by GET",
        hint: "add GET to methods, or remove it",
      },
    ];
  }
  return websocket === true && effects?.every((effect) => READS.has(effect)) === true
    ? [
        {
          path: [...path, "effects"],
          message: "says that a WebSocket only reads, and it carries messages both ways",
          hint: "leave effects out, add write, or write a rule of its own for the WebSocket",
        },
      ]
    : [];
}

function checkUnattended(rule: RuleSource, path: DataPath, nowMs: number): readonly Finding[] {
  const { unattended } = rule;
  if (unattended === undefined) return [];
  const effects = rule.effects ?? (rule.methods ?? []).flatMap(effectsOfMethod);
  const at = [...path, "unattended"];
  if (!effects.some((effect) => CONFIRMED_EFFECTS.has(effect))) {
    const all = [...new Set(effects)].join(", ");
    return [
      {
        path: at,
        message: `is not needed: ${all} never waits for a person`,
        hint: "remove it, so that it lifts nothing later by surprise",
      },
    ];
  }
  return checkEnd(rule, path, nowMs);
}

/** Leave ends, and within a year. */
function checkEnd({ unattended }: RuleSource, path: DataPath, nowMs: number): readonly Finding[] {
  if (unattended === undefined) return [];
  const at = [...path, "unattended"];
  const expiresMs = parseExpiryMs(unattended.expires) ?? 0;
  const hint = "look at the rule again and give a new end, at most a year ahead";
  if (expiresMs <= nowMs) {
    return [{ path: [...at, "expires"], message: "is over, so this lifts nothing any more", hint }];
  }
  return expiresMs > nowMs + UNATTENDED_MS_MAX
    ? [{ path: [...at, "expires"], message: "is more than a year ahead", hint }]
    : [];
}

function checkTls({ at, ca, proxy, tls, ports }: GrantView): readonly Finding[] {
  if (ports.length === 0 || tlsOf({ tls, ports })) return [];
  const hint = "remove it, or set tls: true";
  const of = (key: string, message: string) => ({ path: ["grants", at, key], message, hint });
  return [
    ...(ca ? [of("ca", "is never used, since this grant speaks no TLS")] : []),
    ...(proxy
      ? [of("upstream_proxy", "needs TLS: without it the proxy could read and change everything")]
      : []),
  ];
}

function checkNames(views: readonly GrantView[]): readonly Finding[] {
  const seen = new Map<string, number>();
  return views.flatMap(({ at, name }) => {
    if (name === undefined) return [];
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, at);
      return [];
    }
    return [
      {
        path: ["grants", at, "name"],
        message: `is the name of grants[${first}] already, so the log could not tell them apart`,
        hint: "choose another name",
      },
    ];
  });
}

/** Nobody else can be Cofferdam's own service, which every run has. */
function checkOwn(views: readonly GrantView[]): readonly Finding[] {
  const hint =
    "every run can ask Cofferdam about itself without a grant; remove it, or choose another";
  return views.flatMap(({ at, name, hosts }) => [
    ...(name === OWN_SYSTEM
      ? [{ path: ["grants", at, "name"], message: `(${OWN_SYSTEM}) is Cofferdam's own name`, hint }]
      : []),
    ...hosts.flatMap((host, n) =>
      host !== undefined && printHostPattern(host) === OWN_HOST
        ? [{ path: ["grants", at, "hosts", n], message: `(${OWN_HOST}) is Cofferdam itself`, hint }]
        : [],
    ),
  ]);
}

/** The first grant that has host and port decides, so a later one must have something left. */
function checkHosts(views: readonly GrantView[]): readonly Finding[] {
  const size = views.reduce((sum, view) => sum + view.hosts.length * view.ports.length, 0);
  if (size > HOST_PORTS_MAX) {
    return [
      {
        path: ["grants"],
        message: `has ${size} pairs of host and port; at most ${HOST_PORTS_MAX} can be compared`,
        hint: "use wildcards, or split the task",
      },
    ];
  }
  const earlier: { readonly grant: number; readonly port: number; readonly host: HostPattern }[] =
    [];
  const findings: Finding[] = [];
  for (const view of views) {
    for (const [at, host] of view.hosts.entries()) {
      if (host === undefined || view.ports.length === 0) continue;
      const covering = view.ports.map((port) =>
        earlier.find((other) => other.port === port && coversPattern(other.host, host)),
      );
      const [first] = covering;
      if (first !== undefined && covering.every((other) => other !== undefined)) {
        findings.push({
          path: ["grants", view.at, "hosts", at],
          message: `can never match: grants[${first.grant}] has this host on the same port before it`,
          hint: "the first grant that has host and port decides; move the narrower one up, or remove it",
        });
      }
      earlier.push(...view.ports.map((port) => ({ grant: view.at, port, host })));
    }
  }
  return findings;
}

function checkPairs(views: readonly GrantView[]): readonly Finding[] {
  return views.flatMap((view) =>
    view.pairs.flatMap((pair, at) => {
      if (pair === undefined) return [];
      const path = ["grants", view.at, "pairs", at];
      const other = views.find(({ name }) => name === pair);
      const broken = other?.rules.includes(undefined) === true;
      const isPrivate = other?.rules.some(
        (rule) => rule?.verbs !== undefined || rule?.effects?.includes("read-private") === true,
      );
      if (other === undefined) {
        return [
          { path, message: "is no grant of this file", hint: "write the `name` of another grant" },
        ];
      }
      if (other.at === view.at) {
        return [{ path, message: "is this grant itself, which needs no pair", hint: "remove it" }];
      }
      return isPrivate === true || broken
        ? []
        : [
            {
              path,
              message: "reads nothing private, so this pair lifts nothing",
              hint: "remove it",
            },
          ];
    }),
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, LIST_MAX) : [];
}
