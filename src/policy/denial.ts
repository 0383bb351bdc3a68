/**
 * Sticky denial: who is refused and tries another way is not mistaken but searching.
 *
 * Three or more distinct routes (verb, spelling of the host, port, protocol, address) to the same
 * denied target, or to the same denied high-impact effect, within five minutes are one finding. The
 * same attempt repeated, denials of unrelated names (telemetry, update checks), and what clients ask a server before
 * they work (docs/decisions/0309) only count.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { CONFIRMED_EFFECTS } from "./task-checks.ts";
import type { DeniedAttempt, DeniedThing, PolicyState } from "./state.ts";

const WINDOW_MS = 5 * 60_000;
const STICKY_ROUTES = 3;
const THINGS_MAX = 512; // Denied things remembered; see forgetOne for which is forgotten first.
const ROUTES_MAX = 16; // Routes remembered for each; three are enough to stick.
const KEY_CHARS_MAX = 512; // A longer target is told apart by its start: no run can fill the memory.

/** What makes one way to a target another than the next. */
export interface RouteParts {
  readonly verb?: string | undefined;
  /** As the run spelled it. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: string | undefined;
  readonly address?: string | undefined;
}

/** The route as one string, equal where all parts are. */
export function routeOf({ verb, host, port, protocol, address }: RouteParts): string {
  return JSON.stringify([verb ?? "", host ?? "", port ?? 0, protocol ?? "", address ?? ""]);
}

/**
 * Whether `action`, an operation of a session, only asks what there is: it reads, and names no object. Clients probe
 * servers so before they work; the same of a named object is an attempt on that.
 */
export function isProbe({ effects, parts = [] }: Pick<Action, "effects" | "parts">): boolean {
  const isNamed = parts.some(({ object = [] }) => object.some((segment) => segment !== "*"));
  return !isNamed && effects.every((effect) => effect === "read");
}

/**
 * Notes a denial. `sticky` is true when this attempt brings or raises the number of distinct routes
 * to three or more; a repeated route never does.
 */
export function noteDenial(
  state: PolicyState,
  attempt: DeniedAttempt,
): { readonly state: PolicyState; readonly sticky: boolean } {
  let denied = state.denied;
  let sticky = false;
  for (const key of keysOf(attempt)) {
    const noted = noteThing(denied, key, attempt);
    denied = noted.denied;
    sticky ||= noted.sticky;
  }
  return { state: { ...state, denied }, sticky };
}

/** A low effect says nothing about intent: reads and writes are denied to telemetry all day. */
function keysOf({ target, effect }: DeniedAttempt): readonly string[] {
  const key = `target ${target.slice(0, KEY_CHARS_MAX)}`;
  return effect !== undefined && CONFIRMED_EFFECTS.has(effect) ? [key, `effect ${effect}`] : [key];
}

function noteThing(
  denied: readonly DeniedThing[],
  key: string,
  { route, monoMs }: DeniedAttempt,
): { readonly denied: readonly DeniedThing[]; readonly sticky: boolean } {
  const others = denied.filter((thing) => thing.key !== key);
  const before = denied.find((thing) => thing.key === key)?.routes ?? [];
  const recent = before.filter((old) => monoMs - old.monoMs <= WINDOW_MS);
  const name = route.slice(0, KEY_CHARS_MAX);
  const known = recent.some((old) => old.route === name);
  const routes = [...recent.filter((old) => old.route !== name), { route: name, monoMs }];
  return {
    denied: [...forgetOne(others, monoMs), { key, routes: routes.slice(-ROUTES_MAX) }],
    sticky: !known && routes.length >= STICKY_ROUTES,
  };
}

/**
 * Makes room: first what is out of the window, then the oldest with one route, then the oldest. So
 * nobody can push out a target that was tried two ways by naming many others once.
 */
function forgetOne(things: readonly DeniedThing[], monoMs: number): readonly DeniedThing[] {
  if (things.length < THINGS_MAX) return things;
  const current = things.filter(({ routes }) => monoMs - (routes.at(-1)?.monoMs ?? 0) <= WINDOW_MS);
  if (current.length < THINGS_MAX) return current;
  const victim = current.find(({ routes }) => routes.length === 1) ?? current[0];
  return current.filter((thing) => thing !== victim);
}
