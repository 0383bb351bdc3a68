/**
 * A firewall's lines as flows that it saw. Each format is read as its own documentation has it:
 *
 * - Suricata EVE JSON: docs.suricata.io, "Eve JSON Format": `timestamp`, `src_ip`, `src_port`, `dest_ip`, `dest_port`.
 * - Suricata and Snort fast.log: `MM/DD/YYYY-hh:mm:ss.ffffff  [**] ... {TCP} A:P -> B:P`.
 * - Zeek conn.log and notice.log: docs.zeek.org, "Log Formats": `#fields` and tabs, or JSON; `ts`, `id.orig_h`, `id.resp_h`.
 * - Linux netfilter's LOG target, so iptables, nft and ufw: `SRC= DST= PROTO= SPT= DPT=` behind a syslog stamp.
 * - nfdump's CSV (`ts,te,td,sa,da,sp,dp,pr`) and any CSV with a header, by the names of its columns.
 * - AWS VPC flow logs: docs.aws.amazon.com/vpc, "Flow log records": the default format, or by its header.
 * - GCP VPC flow logs: docs.cloud.google.com/vpc, "About VPC Flow Logs records": `jsonPayload.connection`.
 * - Azure NSG and VNet flow logs: "flowTuples", comma-separated: time, source, destination, ports (one record a line).
 * - CEF (`src spt dst dpt rt`) and LEEF (`src srcPort dst dstPort devTime`).
 * - pf, as tcpdump prints pflog with -tttt: `STAMP rule N/0(match): block out on em0: A.P > B.P:`.
 *
 * A line that cannot be read is told with why, never left out.
 *
 * @module
 */
import { isIP } from "node:net";
import { canonical } from "./place.ts";
import { parseTime, type TimeContext } from "./times.ts";

/** A flow that somebody else saw. */
export interface Alert {
  /** Number of the line, from 1; 0 for what was asked by options. */
  readonly line: number;
  /** First and last time, in milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly source?: End;
  /** Absent where only a time is known. */
  readonly target?: End;
  readonly name?: string;
  readonly isYearInferred?: true;
}

/** `port` 0: not known. */
export interface End {
  readonly address: string;
  readonly port: number;
}

export interface Unread {
  readonly line: number;
  readonly why: string;
}

export const FORMATS = [
  ...(["eve", "fast", "zeek", "netfilter", "nfdump", "csv", "vpc", "gcp", "azure"] as const),
  ...(["cef", "leef", "pf", "json"] as const),
] as const;
export type Format = (typeof FORMATS)[number];
type Fields = ReadonlyMap<string, string>;
/** Longest line that is read. */
const LINE_CHARS_MAX = 1 << 20;
const AWS =
  "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/** Names that columns and members have, in small letters without `_`, `-`, `.` and spaces. */
const NAMES = {
  source: [
    "srcip",
    "src",
    "srcaddr",
    "sourceip",
    "source",
    "sa",
    "idorigh",
    "origh",
    "sourceaddress",
    "connectionsrcip",
    "jsonpayloadconnectionsrcip",
    "c6a2",
  ],
  sourcePort: [
    "srcport",
    "spt",
    "sp",
    "sport",
    "sourceport",
    "idorigp",
    "origp",
    "connectionsrcport",
    "jsonpayloadconnectionsrcport",
  ],
  target: [
    "destip",
    "dstip",
    "dst",
    "dest",
    "dstaddr",
    "destination",
    "destinationip",
    "da",
    "idresph",
    "resph",
    "destinationaddress",
    "connectiondestip",
    "jsonpayloadconnectiondestip",
    "c6a3",
  ],
  targetPort: [
    "destport",
    "dstport",
    "dpt",
    "dp",
    "dport",
    "destinationport",
    "idrespp",
    "respp",
    "connectiondestport",
    "jsonpayloadconnectiondestport",
  ],
  at: [
    "timestamp",
    "ts",
    "time",
    "start",
    "starttime",
    "firstseen",
    "tr",
    "rt",
    "devtime",
    "date",
    "datetime",
    "at",
    "jsonpayloadstarttime",
  ],
  until: ["te", "end", "endtime", "lastseen", "jsonpayloadendtime"],
  name: [
    "host",
    "hostname",
    "name",
    "query",
    "servername",
    "sni",
    "tlssni",
    "httphostname",
    "dhost",
    "domain",
    "dnsrrname",
    "destinationhostname",
  ],
} as const;

/** Reads lines in turn; `format` is detected for each line where it is not said. */
export function createLineReader(
  context: TimeContext,
  format?: Format,
): (text: string, line: number) => Alert | Unread | readonly (Alert | Unread)[] | undefined {
  let header: readonly string[] | undefined;
  let separator = "\t";
  return (text, line) => {
    if (text.length > LINE_CHARS_MAX) return { line, why: "it is longer than a mebibyte" };
    if (text.trim() === "") return undefined;
    if (text.startsWith("#")) {
      const fields = /^#fields\s(.*)$/.exec(text)?.[1];
      if (fields !== undefined) {
        separator = fields.includes("\t") ? "\t" : " ";
        header = fields.split(separator);
      }
      return undefined;
    }
    if (text.trimStart().startsWith("[{")) {
      return { line, why: "a JSON array: give one object a line, as `jq -c '.[]'` does" };
    }
    const kind = format ?? detect(text, header);
    if (kind === undefined) return { line, why: "no format that is known here" };
    if (kind === "azure") return azure(text, line, context);
    if (isHeader(kind, text, header)) {
      separator = kind === "vpc" ? " " : separatorOf(text);
      header = kind === "vpc" ? text.trim().split(/\s+/) : csvCells(text, separator);
      return undefined;
    }
    const fields = fieldsOf(kind, text, header, separator);
    // AWS: nothing passed in that time. Of SKIPDATA something did, and that is told as a line that names no flow.
    if (typeof fields !== "string" && kind === "vpc" && fields.get("logstatus") === "NODATA") {
      return undefined;
    }
    return typeof fields === "string" ? { line, why: fields } : alertOf(fields, line, context);
  };
}

function detect(text: string, header: readonly string[] | undefined): Format | undefined {
  if (text.trimStart().startsWith("{")) return text.includes('"flowTuples"') ? "azure" : "json";
  if (/\bCEF:\d/.test(text)) return "cef";
  if (/\bLEEF:\d/.test(text)) return "leef";
  if (/\[\*\*\].*\{\S+\}.* -> /.test(text)) return "fast";
  if (/\bSRC=\S+ .*\bDST=|\bSRC=\S+ DST=/.test(text)) return "netfilter";
  if (/\brule \S+.*: (?:block|pass|match) (?:in|out) on /.test(text)) return "pf";
  if (/^version account-id |^\d \S+ eni-\S+ /.test(text)) return "vpc";
  if (header !== undefined && text.includes("\t")) return "zeek";
  if (
    header !== undefined &&
    !text.includes(",") &&
    header.length === text.trim().split(/\s+/).length
  )
    return "vpc";
  return /[,;]/.test(text) ? "csv" : undefined;
}

function separatorOf(header: string): string {
  return header.includes(";") ? ";" : ",";
}

function isHeader(kind: Format, text: string, header: readonly string[] | undefined): boolean {
  if (kind === "vpc") return /[a-z]addr\b/.test(text);
  if ((kind !== "csv" && kind !== "nfdump") || header !== undefined) return false;
  // Any other first line is a line of which nothing can be said, and that is told.
  const named = new Map(csvCells(text, separatorOf(text)).map((cell) => [plain(cell), cell]));
  const has = (what: keyof typeof NAMES) => first(named, what) !== undefined;
  return has("at") && (has("target") || has("name"));
}

function fieldsOf(
  kind: Format,
  text: string,
  header: readonly string[] | undefined,
  separator: string,
): Fields | string {
  switch (kind) {
    case "eve":
    case "gcp":
    case "json":
      return jsonFields(text);
    case "zeek":
      if (text.trimStart().startsWith("{")) return jsonFields(text);
      if (header === undefined) return "no #fields line came before it";
      return columns(header, text.split(separator));
    case "csv":
    case "nfdump":
      if (header === undefined)
        return "no header came before it that names a time and a destination";
      return columns(header, csvCells(text, separator));
    case "vpc":
      return columns(header ?? AWS.split(" "), text.trim().split(/\s+/));
    case "cef":
    case "leef":
      return keyed(text, kind);
    case "netfilter":
      return netfilter(text);
    case "fast": {
      const read = /^(?:<\d+>)?(\S+)\s+\[\*\*\].*\{[^}]*\}\s+(\S+) -> (\S+)\s*$/.exec(text);
      return read === null ? "no line of a fast.log" : ends(read[1], read[2], read[3], ":");
    }
    case "pf": {
      const read =
        /^(.*?) rule \S+.*?: (?:block|pass|match) (?:in|out) on \S+: (?:IP6? )?(\S+) > (\S+?):(?:\s|$)/.exec(
          text,
        );
      return read === null ? "no line of pflog" : ends(read[1], read[2], read[3], ".");
    }
    case "azure":
      return "not read here";
  }
  const never: never = kind;
  return never;
}

/** `A:P` or `A.P`: the port is behind the last mark. */
function ends(at = "", source = "", target = "", mark = ":"): Fields {
  const split = (text: string) => {
    const cut = text.lastIndexOf(mark);
    const whole = cut < 0 || isIP(text) === 4;
    return whole ? [text, "0"] : [text.slice(0, cut), text.slice(cut + 1)];
  };
  const [src = "", spt = ""] = split(source);
  const [dst = "", dpt = ""] = split(target);
  return new Map(Object.entries({ at, src, spt, dst, dpt }));
}

function netfilter(text: string): Fields | string {
  const stamp =
    /^(?:<\d+>)?(?:\d )?([A-Z][a-z]{2}\s+\d{1,2}\s+(?:\d{4}\s+)?\d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\d[T ]\S+)/.exec(
      text,
    )?.[1];
  if (stamp === undefined)
    return "it has no time of day (a kernel's own log counts from its start): use `dmesg --time-format iso` or `journalctl -o short-iso`";
  const fields = new Map([["at", stamp]]);
  for (const [, key = "", value = ""] of text.matchAll(/\b(SRC|DST|SPT|DPT)=(\S+)/g))
    if (!fields.has(key.toLowerCase())) fields.set(key.toLowerCase(), value); // An ICMP error quotes another packet.
  return fields;
}

/** Keys and values of CEF (behind seven bars) and LEEF (behind five or six; tabs, or what its header says). */
function keyed(text: string, kind: "cef" | "leef"): Fields {
  const parts = text.split(/(?<!\\)\|/);
  const rest = parts.slice(kind === "cef" ? 7 : 5).join("|");
  const pairs =
    kind === "leef" && rest.includes("\t")
      ? rest.split(/\t|(?<=^[^=|]{1,6})\|/).map((pair) => /^([^=]+)=(.*)$/.exec(pair))
      : [...rest.matchAll(/(?:^|\s|\||\^)([A-Za-z0-9_]+)=(.*?)(?=(?:\s|\^)[A-Za-z0-9_]+=|$)/g)];
  const fields = new Map<string, string>();
  for (const pair of pairs)
    if (pair !== null) fields.set(plain(pair[1] ?? ""), (pair[2] ?? "").trim());
  const stamp = /^(?:<\d+>)?([A-Z][a-z]{2}\s+\d{1,2}\s+\d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+)/.exec(
    text,
  )?.[1];
  if (stamp !== undefined && first(fields, "at") === undefined) fields.set("at", stamp);
  return fields;
}

function jsonFields(text: string): Fields | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "no JSON";
  }
  const fields = new Map<string, string>();
  const walk = (of: unknown, path: string, depth: number) => {
    if (typeof of === "string" || typeof of === "number") fields.set(plain(path), String(of));
    else if (typeof of === "object" && of !== null && !Array.isArray(of) && depth < 4)
      for (const [key, one] of Object.entries(of))
        walk(one, path === "" ? key : `${path}.${key}`, depth + 1);
  };
  walk(value, "", 0);
  return fields;
}

function azure(text: string, line: number, context: TimeContext): readonly (Alert | Unread)[] {
  const tuples = [...text.matchAll(/"(\d{10,13}),([0-9a-fA-F.:]+),([0-9a-fA-F.:]+),(\d+),(\d+),/g)];
  if (tuples.length === 0) return [{ line, why: "no flow tuple in it" }];
  return tuples.map(([, at = "", src = "", dst = "", spt = "", dpt = ""]) =>
    alertOf(new Map(Object.entries({ at, src, dst, spt, dpt })), line, context),
  );
}

function columns(header: readonly string[], cells: readonly string[]): Fields | string {
  if (cells.length !== header.length)
    return `${cells.length} columns, and the header has ${header.length}`;
  return new Map(header.map((name, at) => [plain(name), cells[at] ?? ""]));
}

const CELL: Readonly<Record<string, RegExp>> = {
  ",": /(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*|([^,]*))/g,
  ";": /(?:^|;)(?:\s*"((?:[^"]|"")*)"\s*|([^;]*))/g,
};

/** RFC 4180, on one line; with semicolons where its header has them, as where the comma is a decimal mark. */
function csvCells(text: string, separator: string): readonly string[] {
  return [...text.trimEnd().matchAll(CELL[separator] ?? /^()(.*)$/g)].map(([, quoted, bare]) =>
    (quoted?.replaceAll('""', '"') ?? bare ?? "").trim(),
  );
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

function first(fields: Fields, what: keyof typeof NAMES): string | undefined {
  for (const name of NAMES[what]) {
    const value = fields.get(name);
    if (value !== undefined && value !== "" && value !== "-" && value !== "(empty)") return value;
  }
  return undefined;
}

function alertOf(fields: Fields, line: number, context: TimeContext): Alert | Unread {
  const said = first(fields, "at");
  if (said === undefined) return { line, why: "it names no time" };
  const at = parseTime(said, context);
  if (at === undefined) return { line, why: `not a time: ${JSON.stringify(said.slice(0, 60))}` };
  const until = parseTime(first(fields, "until") ?? "", context);
  const source = endOf(first(fields, "source"), first(fields, "sourcePort"));
  const target = endOf(first(fields, "target"), first(fields, "targetPort"));
  if (source === null || target === null) return { line, why: "not an address, or not a port" };
  const name = first(fields, "name");
  if (target === undefined && name === undefined) return { line, why: "it names no destination" };
  return {
    line,
    fromMs: at.atMs,
    toMs: Math.max(at.atMs, until?.atMs ?? at.atMs),
    ...(source === undefined ? {} : { source }),
    ...(target === undefined ? {} : { target }),
    ...(name === undefined ? {} : { name: canonical(name) }),
    ...(at.isInferred === true ? { isYearInferred: true as const } : {}),
  };
}

function endOf(address: string | undefined, port: string | undefined): End | undefined | null {
  if (address === undefined) return undefined;
  const read = canonical(address);
  const number = port === undefined ? 0 : Number(port);
  if (isIP(read) === 0 || !Number.isInteger(number) || number < 0 || number > 65_535) return null;
  return { address: read, port: number };
}
