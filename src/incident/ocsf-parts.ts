/**
 * Objects of OCSF 1.8.0 that several classes hold.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Json, Process, ProcessNode } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import type { About } from "./ids.ts";

export type Part = { readonly [key: string]: Json };

/** Ancestors told; a run that nests deeper is told to this depth. */
const ANCESTORS_MAX = 8;
const SHA256 = 3;
const REGULAR_FILE = 1;

/** A process with its ancestors as parents; undefined where it is not known. */
export function processPart(of: Process | undefined): Part | undefined {
  if (of === undefined || of.pid === 0) return undefined;
  return nodePart([of, ...of.ancestors.slice(0, ANCESTORS_MAX)]);
}

function nodePart([node, ...above]: readonly ProcessNode[]): Part | undefined {
  if (node === undefined) return undefined;
  const { pid, exe, exeSha256, argv } = node;
  const name = exe.slice(exe.lastIndexOf("/") + 1) || "unknown";
  const hashes =
    exeSha256 === undefined ? {} : { hashes: [{ algorithm_id: SHA256, value: exeSha256 }] };
  const parent = nodePart(above);
  return {
    pid,
    name,
    cmd_line: argv.join(" "),
    file: { name, path: exe, type_id: REGULAR_FILE, ...hashes },
    ...(parent === undefined ? {} : { parent_process: parent }),
  };
}

/** Whoever did it: the process, or Cofferdam where none is behind it. */
export function actorPart(process: Process | undefined): Part {
  const of = processPart(process);
  return of === undefined ? { app_name: "Cofferdam" } : { process: of };
}

/** Where something goes, out of a target as entries name it: a URL, `host:port`, a host. */
export function endpointPart(target: string | undefined): Part | undefined {
  if (target === undefined || target === "") return undefined;
  const url = urlOf(target);
  if (url !== undefined) return hostPart(url.hostname.replace(/^\[|\]$/g, ""), portOf(url));
  const [, bracketed, name = target, port] =
    /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(target) ?? [];
  return hostPart(bracketed ?? name, port === undefined ? undefined : Number(port));
}

function hostPart(host: string, port: number | undefined): Part {
  const named =
    isIP(host) > 0 ? { ip: host } : HOSTNAME.test(host) ? { hostname: host } : { name: host };
  return { ...named, ...(port === undefined || port > 65_535 ? {} : { port }) };
}

const HOSTNAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i;
const PORTS: Readonly<Record<string, number>> = { "https:": 443, "http:": 80, "ssh:": 22 };

function portOf(url: URL): number | undefined {
  return url.port === "" ? PORTS[url.protocol] : Number(url.port);
}

function urlOf(target: string): URL | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(target) && URL.canParse(target)
    ? new URL(target)
    : undefined;
}

export function urlPart(target: string | undefined): Part | undefined {
  const url = urlOf(target ?? "");
  if (url === undefined || target === undefined) return undefined;
  return {
    url_string: target,
    scheme: url.protocol.replace(":", ""),
    hostname: url.hostname,
    path: url.pathname,
    ...(url.search === "" ? {} : { query_string: url.search.slice(1) }),
  };
}

/** What a finding is called elsewhere; OWASP's identifiers have no place in OCSF and stand in `types`. */
export function attackParts({ attack, atlas }: About): readonly Part[] {
  const version = (id: string) => (id.startsWith("AML.") ? "ATLAS 5.6" : "ATT&CK 17");
  return [...attack, ...atlas].map((id) => {
    const isSub = id.replace(/^AML\./, "").includes(".");
    return { version: version(id), [isSub ? "sub_technique" : "technique"]: { uid: id } };
  });
}

/** Of an entry what OCSF has no attribute for, whole: nothing of the record is lost on the way. */
export function unmapped(entry: Entry): Part {
  const { run, system, target, rule, verdict, flow, action, cause, data, monoMs } = entry;
  const all = { run, system, target, rule, verdict, flow, action, cause, data, mono_ms: monoMs };
  const there = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as Part;
}
