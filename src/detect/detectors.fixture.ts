/** Events for tests of detectors, and one detector shown a list of them. */
import { hash } from "node:crypto";
import type { Effect, Event, Process } from "../action/index.ts";
import { createDetections } from "./detection.ts";
import type { Detection, Tuning } from "./detector.ts";
import { DETECTORS } from "./detectors.ts";

export type Draft = Omit<Event, "at" | "monoMs"> & { readonly monoMs?: number };

/** A process with its ancestors, parent first, each a command line whose first word is its path. */
export function processOf(
  argv: readonly string[],
  ...above: readonly (readonly string[])[]
): Process {
  const node = (words: readonly string[]) => ({ pid: 2, exe: words[0] ?? "", argv: [...words] });
  return { ...node(argv), knownBy: "seccomp", ancestors: above.map(node) };
}

/** A program is started. */
export function exec(argv: readonly string[], ...above: readonly (readonly string[])[]): Draft {
  const process = processOf(argv, ...above);
  return { type: "process.start", run: "r-a", target: process.exe, process };
}

/** A shell is given a text. */
export const shell = (text: string) => exec(["/usr/bin/bash", "-c", text]);

let ids = 0;

/** An action: `GET http://host/path?query`, or of a session where `fields` say more. */
export function action(
  effects: readonly Effect[],
  url: string,
  more: Partial<Omit<Draft, "data">> & {
    readonly data?: Draft["data"];
    readonly fields?: object;
  } = {},
): Draft {
  const { host, pathname, search, protocol } = new URL(url);
  const { data, fields, ...rest } = more;
  ids += 1;
  return {
    type: "action",
    run: "r-a",
    verdict: "allow",
    system: "site",
    target: `${protocol}//${host}${pathname}`,
    action: `a-${ids}`,
    ...rest,
    data: {
      kind: "http",
      verb: "GET",
      digest: `d-${ids}`,
      effects: [...effects],
      fields: { host, path: pathname, query: search.slice(1), ...fields } as never,
      ...data,
    },
  };
}

/** An operation of a session protocol. */
export function operation(
  effects: readonly Effect[],
  verb: string,
  fields: Readonly<Record<string, string>>,
  more: Partial<Draft> = {},
): Draft {
  ids += 1;
  return {
    type: "action",
    run: "r-a",
    verdict: "allow",
    system: "web",
    target: `ssh://web.test ${fields["command"] ?? fields["path"] ?? ""}`,
    action: `a-${ids}`,
    ...more,
    data: {
      kind: "ssh",
      verb,
      digest: `d-${ids}`,
      effects: [...effects],
      fields: { host: "web.test", ...fields },
    },
  };
}

/** A connection is refused. */
export function refused(target: string, port: number, more: Partial<Draft> = {}): Draft {
  const data = { route: JSON.stringify(["", "", port, "tcp", ""]), title: "", reason: "" };
  return { type: "denial", run: "r-a", verdict: "deny", rule: "no-grant", target, data, ...more };
}

/** A question to the resolver. */
export const dns = (name: string, type = "A"): Draft => ({
  type: "dns",
  run: "r-a",
  target: name,
  data: { name, type, rcode: "NOERROR", answer: [], transport: "udp" },
});

/** `count` events, one every `everyMs`. */
export function every(
  everyMs: number,
  count: number,
  make: (n: number) => Draft,
): readonly Draft[] {
  return Array.from({ length: count }, (_, n) => ({ monoMs: n * everyMs, ...make(n) }));
}

/** What detector `name` notices in `drafts`, a second apart where they say no time. */
export function notice(
  name: string,
  drafts: readonly Draft[],
  tuning?: Tuning,
): readonly Detection[] {
  const only = DETECTORS.filter((detector) => detector.name === name);
  const detections = createDetections(only, tuning === undefined ? {} : { [name]: tuning });
  return drafts.flatMap((draft, at) =>
    detections.observe({ at: "2026-11-27T00:00:00.000Z", monoMs: at * 1000, ...draft }),
  );
}

let drawn = 0;
/** Like random, and the same each time: rare values would fail a test by chance. */
function drawBytes(count: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(count / 32) }, () =>
    hash("sha256", `${(drawn += 1)}`, "buffer"),
  );
  return Buffer.concat(blocks).subarray(0, count);
}
export const random = (bytes: number) => drawBytes(bytes).toString("base64url");
export const hex = (bytes: number) => drawBytes(bytes).toString("hex");

/** What became of an action. */
export const outcome = (of: Draft, data: Draft["data"] = {}): Draft => ({
  type: "outcome",
  run: of.run ?? "r-a",
  system: of.system ?? "",
  action: of.action ?? "",
  data: { status: 200, bytesOut: 100, ...data },
});
/** An action and what became of it, `count` times. */
export const done = (
  count: number,
  make: (n: number) => Draft,
  data?: Draft["data"],
): readonly Draft[] =>
  Array.from({ length: count }, (_, n) => make(n)).flatMap((one) => [one, outcome(one, data)]);
