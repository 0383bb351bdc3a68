/**
 * One change of a run to its workspace, and what stands in the way of applying it.
 *
 * @module
 */
import { matchExecutedBelow, matchExecutedPath } from "./executed-paths.ts";
import { pathText, splitRaw, type RawPath } from "./path-text.ts";
import type { Look } from "./tree.ts";

/** `mode` is a change of nothing else; `symlink` a link that is new or points elsewhere. */
export type ChangeKind =
  | "added"
  | "modified"
  | "deleted"
  | "typechange"
  | "mode"
  | "symlink"
  | "device"
  | "fifo"
  | "socket";

/** A difference between the host as it is and the run's view. */
export interface Change {
  /** As {@link pathText} spells it: this is what a person confirms. */
  readonly path: string;
  readonly raw: RawPath;
  readonly kind: ChangeKind;
  /** On the host, and in the run's view: absent where there is nothing. */
  readonly from?: Look;
  readonly to?: Look;
  /** Why other programs would execute it. */
  readonly executes?: string;
  /** Why it must be named before it is applied; only where it must. */
  readonly confirm?: string;
  /** What is named, held or refused as one: its own path, or the folder of a whole tree. */
  readonly unit: RawPath;
  /** How the host's copy has moved on since the start. */
  readonly conflict?: string;
  /** Why it is never applied. */
  readonly refused?: string;
  /** What is left out when it is applied. */
  readonly note?: string;
}

/** What the walk knows of a change beside the two looks. */
export interface Circumstances {
  readonly conflict?: string | undefined;
  readonly refused?: string | undefined;
  /** Whose the run's files are in `upper/`. */
  readonly runUid: number;
  /** The host's folder, to tell a link to an absolute path inside it. */
  readonly host: RawPath;
}

const NEVER_APPLIED: Readonly<Partial<Record<Look["type"], string>>> = {
  device: "device nodes are never applied",
  fifo: "named pipes are never applied",
  socket: "sockets are never applied",
};

/** Mode bits that a run may set on the host: none that lend rights or open a file to everybody. */
export function allowedMode(wanted: number, existing: Look | undefined): number {
  const before = existing === undefined || existing.type === "link" ? 0 : existing.mode;
  const special = existing?.type === "folder" ? before & 0o7000 : 0;
  return (wanted & 0o775) | (wanted & before & 0o002) | special;
}

/** Makes the change at `raw` from what was seen. */
export function describeChange(
  raw: RawPath,
  kind: ChangeKind,
  looks: { readonly from?: Look | undefined; readonly to?: Look | undefined },
  about: Circumstances,
): Change {
  const { from, to } = looks;
  const danger = dangerOf(raw, from, to, about);
  const note = to === undefined || to.type === "link" ? undefined : droppedBits(to, from);
  const refused = about.refused ?? danger.refused ?? refusalOf(kind, to, note, from, about.runUid);
  return {
    path: pathText(raw),
    raw,
    kind,
    ...(from && { from }),
    ...(to && { to }),
    ...(danger.executes !== undefined && { executes: danger.executes }),
    ...(danger.confirm !== undefined && { confirm: danger.confirm }),
    unit: danger.unit ?? raw,
    ...(about.conflict !== undefined && { conflict: about.conflict }),
    ...(refused !== undefined && { refused }),
    ...(note !== undefined && { note }),
  };
}

function refusalOf(
  kind: ChangeKind,
  to: Look | undefined,
  note: string | undefined,
  from: Look | undefined,
  runUid: number,
): string | undefined {
  if (to === undefined) return undefined;
  if (to.uid !== runUid) return `it belongs to user ${to.uid}, which is not the run's`;
  const type = NEVER_APPLIED[to.type];
  if (type !== undefined) return type;
  // Only bits that are left out differ: there is nothing to apply.
  const isBitsOnly =
    kind === "mode" && from !== undefined && allowedMode(to.mode, from) === from.mode;
  return isBitsOnly ? note : undefined;
}

function droppedBits(to: Look, from: Look | undefined): string | undefined {
  const dropped = to.mode & ~allowedMode(to.mode, from);
  const names = [
    ...((dropped & 0o4000) === 0 ? [] : ["set-user-id"]),
    ...((dropped & 0o2000) === 0 ? [] : ["set-group-id"]),
    ...((dropped & 0o1000) === 0 ? [] : ["sticky"]),
    ...((dropped & 0o002) === 0 ? [] : ["world-writable"]),
  ];
  return names.length === 0 ? undefined : `mode bits left out: ${names.join(", ")}`;
}

type Danger = Partial<Pick<Change, "executes" | "confirm" | "refused" | "unit">>;

function dangerOf(
  raw: RawPath,
  from: Look | undefined,
  to: Look | undefined,
  about: Circumstances,
): Danger {
  const isFolder = (from ?? to)?.type === "folder" && (to ?? from)?.type === "folder";
  const match = matchExecutedPath(raw, isFolder);
  if (match !== undefined) {
    const { unit, rule } = match;
    const { reason } = rule;
    if (rule.never === true) return { executes: reason, unit, refused: `${reason}; never copied` };
    return { executes: reason, unit, confirm: reason };
  }
  if (to?.type === "link") return dangerOfLink(raw, to.target ?? "", about);
  const isRun = to?.type === "file" && (to.mode & 0o111) !== 0;
  const wasRun = from?.type === "file" && (from.mode & 0o111) !== 0;
  if (!isRun || wasRun) return {};
  return executedAs("newly executable: its mode says so");
}

function executedAs(executes: string): Danger {
  return { executes, confirm: executes };
}

function dangerOfLink(raw: RawPath, target: RawPath, about: Circumstances): Danger {
  const inside = targetWithin(raw, target, about.host);
  if (inside === undefined) return { confirm: `a link that leads outside: ${pathText(target)}` };
  const below = matchExecutedBelow(raw);
  if (below !== undefined) {
    return executedAs(
      `a link, and what lies behind it would count as ${below.pattern}: ${below.reason}`,
    );
  }
  const match = matchExecutedPath(inside, false) ?? matchExecutedPath(`${inside}/x`, false);
  return match === undefined
    ? {}
    : executedAs(`a link to ${pathText(inside)}: ${match.rule.reason}`);
}

/**
 * Where a link at `raw` leads, as a raw path, or `undefined` where that is or may be outside the root:
 * `..` after a name is not resolved, since the name may itself be a link.
 */
export function targetWithin(raw: RawPath, target: RawPath, host: RawPath): RawPath | undefined {
  const isAbsolute = target.startsWith("/");
  const isBelow = target === host || target.startsWith(`${host}/`);
  if (isAbsolute && !isBelow) return undefined;
  const start = isAbsolute
    ? []
    : splitRaw(raw)[0]
        .split("/")
        .filter((one) => one !== "");
  const steps = (isAbsolute ? target.slice(host.length) : target).split("/");
  let isNamed = false;
  for (const step of steps) {
    if (step === "" || step === ".") continue;
    if (step !== "..") {
      isNamed = true;
      start.push(step);
    } else if (isNamed || start.pop() === undefined) {
      return undefined;
    }
  }
  return start.join("/");
}

/** What a person reads beside the path: sizes, modes, targets. */
export function changeDetail({ from, to, note, conflict, refused, confirm }: Change): string {
  const parts: string[] = [];
  if (from !== undefined && to !== undefined && from.type !== to.type)
    parts.push(`${from.type} -> ${to.type}`);
  else parts.push((to ?? from)?.type ?? "");
  if (to?.type === "link") parts.push(`-> ${pathText(to.target ?? "")}`);
  if (to?.type === "file")
    parts.push(from?.type === "file" ? `${from.size} -> ${to.size} bytes` : `${to.size} bytes`);
  if (from && to && from.type === to.type && from.type !== "link" && from.mode !== to.mode) {
    parts.push(`mode ${from.mode.toString(8)} -> ${to.mode.toString(8)}`);
  }
  const why = conflict ?? refused ?? confirm;
  return [parts.join(" "), ...(why ? [why] : []), ...(note && note !== why ? [note] : [])].join(
    "; ",
  );
}
