/**
 * Entries as events of the Open Cybersecurity Schema Framework, 1.8.0: one event for each entry, so that none is lost.
 * What a class has no attribute for stands in `unmapped`.
 *
 *   process.start            Process Activity 1007, Launch
 *   finding, response        Detection Finding 2004, Create and Update
 *   flow.*, denial           Network Activity 4001, or of ssh SSH Activity 4007
 *   dns                      DNS Activity 4003
 *   action, outcome, repeat  HTTP Activity 4002 of plain HTTP, SSH Activity 4007, Datastore Activity 6005 of databases,
 *                            API Activity 6003 of everything else
 *   all others               API Activity 6003 of Cofferdam itself, or of the model or tool that is named
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import { describeEntry, numberOf, textOf } from "./describe.ts";
import { aboutFinding, type DetectorLookup } from "./ids.ts";
import {
  actorPart,
  attackParts,
  endpointPart,
  processPart,
  unmapped,
  urlPart,
  type Part,
} from "./ocsf-parts.ts";
import { plain } from "./words.ts";

export const OCSF_VERSION = "1.8.0";
/** Actions whose outcome may still come; of a run that leaves more open, the oldest are forgotten. */
const ACTIONS_MAX = 10_000;

export interface OcsfOptions {
  readonly version: string;
  readonly detectorOf: DetectorLookup;
}

/** Makes events of entries, which are to come in their order: an outcome is told with what its action was. */
export interface OcsfWriter {
  event(entry: Entry): Part;
}

interface Shape {
  /** `class_uid`; the category is its thousands. */
  readonly uid: number;
  readonly activity: number;
  readonly severity?: number;
  readonly profiles?: readonly string[];
  readonly parts: Part;
}

const DATABASES: ReadonlySet<string> = new Set(["postgres", "mysql", "redis"]);
const HTTP_ACTIVITY: Readonly<Record<string, number>> = {
  ...{ CONNECT: 1, DELETE: 2, GET: 3, HEAD: 4, OPTIONS: 5, POST: 6, PUT: 7, TRACE: 8, PATCH: 9 },
};
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
const OTHER = 99;
const INFORMATIONAL = 1;
const DENIED = { action_id: 2, disposition_id: 2 };
const ALLOWED = { action_id: 1, disposition_id: 1 };

export function createOcsf({ version, detectorOf }: OcsfOptions): OcsfWriter {
  const actions = new Map<string, Entry>();
  const product = { name: "Cofferdam", vendor_name: "Cofferdam", version };
  return {
    event(entry) {
      const { seq, at, run, action, type } = entry;
      const of = action === undefined ? undefined : actions.get(action);
      if (type === "action" && action !== undefined) {
        actions.set(action, entry);
        for (const key of actions.keys()) {
          if (actions.size <= ACTIONS_MAX) break;
          actions.delete(key);
        }
      }
      const shape = shapeOf(entry, of, detectorOf);
      const { uid, activity, severity = INFORMATIONAL, profiles = [], parts } = shape;
      return {
        class_uid: uid,
        category_uid: Math.floor(uid / 1000),
        activity_id: activity,
        ...(activity === OTHER ? { activity_name: type } : {}),
        type_uid: uid * 100 + activity,
        severity_id: severity,
        time: Date.parse(at),
        message: plain(describeEntry(entry).what),
        metadata: {
          version: OCSF_VERSION,
          product,
          uid: String(seq),
          sequence: seq,
          event_code: type,
          log_name: "cofferdam.ledger",
          original_time: at,
          ...(run === undefined ? {} : { correlation_uid: run }),
          ...(profiles.length === 0 ? {} : { profiles: [...profiles] }),
        },
        ...parts,
        unmapped: unmapped(entry),
      };
    },
  };
}

function shapeOf(entry: Entry, of: Entry | undefined, detectorOf: DetectorLookup): Shape {
  switch (entry.type) {
    case "process.start":
      return processShape(entry);
    case "finding":
    case "response":
      return findingShape(entry, detectorOf);
    case "flow.open":
    case "flow.close":
    case "denial":
      return networkShape(entry);
    case "dns":
      return dnsShape(entry);
    case "action":
      return actionShape(entry, entry);
    case "outcome":
    case "repeat":
      return of === undefined ? apiShape(entry) : actionShape(entry, of);
    case "tool.call":
    case "tool.result":
    case "model":
      return modelShape(entry);
    default:
      return apiShape(entry);
  }
}

function processShape(entry: Entry): Shape {
  const { process, run = "none" } = entry;
  const { parent_process: parent, ...own } = processPart(process) ?? { pid: 0, name: "unknown" };
  return {
    uid: 1007,
    activity: 1,
    parts: {
      process: { ...own, ...(parent === undefined ? {} : { parent_process: parent }) },
      actor: parent === undefined ? { app_name: "Cofferdam" } : { process: parent },
      device: devicePart(run),
      launch_type_id: 3,
    },
  };
}

/** The run stands for the machine that things happen on. */
function devicePart(run: string): Part {
  return { type_id: OTHER, type: "Cofferdam run", uid: run, name: run };
}

function findingShape(entry: Entry, detectorOf: DetectorLookup): Shape {
  const { data, seq, type, target, process, at, run = "none" } = entry;
  const isResponse = type === "response";
  const kind = textOf(data, isResponse ? "kind" : "finding") || "unknown";
  const detector = textOf(data, "detector");
  const about = aboutFinding({ kind, detector, data }, detectorOf);
  const score = numberOf(data, "score");
  const endpoint = endpointPart(target);
  const of = processPart(process);
  const evidence = { ...(of && { process: of }), ...(endpoint && { dst_endpoint: endpoint }) };
  const number = isResponse ? (numberOf(data, "finding") ?? seq) : seq;
  const responses = Array.isArray(data?.["responses"]) ? data["responses"].map(String) : [];
  return {
    uid: 2004,
    activity: isResponse ? 2 : 1,
    severity: isResponse ? INFORMATIONAL : 4,
    parts: {
      finding_info: {
        uid: `${run}/${number}`,
        title: about.title,
        ...(isResponse ? {} : { desc: textOf(data, "detail"), created_time: Date.parse(at) }),
        types: [kind, ...about.owasp.map((id) => `OWASP Agentic 2026 ${id}`)],
        analytic: { name: detector || "gateway", type_id: 1, category: kind },
        attacks: attackParts(about),
      },
      is_alert: !isResponse,
      status_id: isResponse ? 2 : 1,
      device: devicePart(run),
      ...(score === undefined ? {} : { confidence_score: Math.round(score * 100) }),
      ...(Object.keys(evidence).length === 0 ? {} : { evidences: [evidence] }),
      ...(isResponse
        ? {
            remediation: {
              desc: responses.length === 0 ? "evidence was kept" : responses.join(", "),
            },
          }
        : {}),
    },
  };
}

/** Who and where, for classes of the network category: both come with the profile `host`. */
function networkParts(entry: Entry): Part {
  const { run = "none", process, target, data } = entry;
  const address = textOf(data, "address");
  const port = numberOf(data, "port");
  const said = endpointPart(target) ?? { name: "unknown" };
  const isIn = data?.["direction"] === "in";
  const to = {
    ...said,
    ...(address === "" || said["ip"] !== undefined
      ? {}
      : endpointPart(address)?.["ip"] && { ip: address }),
    ...(port === undefined ? {} : { port }),
  };
  return {
    actor: actorPart(process),
    device: devicePart(run),
    src_endpoint: isIn ? { name: "host" } : { uid: run, name: run },
    dst_endpoint: isIn ? { uid: run, name: run, ...(port === undefined ? {} : { port }) } : to,
    connection_info: { direction_id: isIn ? 1 : 2, protocol_name: "tcp" },
  };
}

const CONTROLLED = ["host", "security_control"];

function networkShape(entry: Entry): Shape {
  const { type, data, rule, flow } = entry;
  const parts = networkParts(entry);
  const isSsh = rule === "protocol.ssh";
  if (type === "denial") {
    return {
      uid: isSsh ? 4007 : 4001,
      activity: 5,
      severity: 3,
      profiles: CONTROLLED,
      parts: {
        ...parts,
        ...DENIED,
        ...(rule === undefined ? {} : { firewall_rule: { uid: rule, name: rule } }),
        status_id: 2,
        status_detail: textOf(data, "reason"),
        ...countPart(data),
      },
    };
  }
  const connection = { direction_id: data?.["direction"] === "in" ? 1 : 2, protocol_name: "tcp" };
  const link = { connection_info: { ...connection, ...(flow === undefined ? {} : { uid: flow }) } };
  if (type === "flow.open") {
    return { uid: 4001, activity: 1, profiles: ["host"], parts: { ...parts, ...link } };
  }
  const [out, back] = [numberOf(data, "upstreamOut"), numberOf(data, "upstreamIn")];
  const counted = out ?? numberOf(data, "bytesOut");
  const returned = back ?? numberOf(data, "bytesIn");
  const traffic = {
    ...(counted === undefined ? {} : { bytes_out: Math.round(counted) }),
    ...(returned === undefined ? {} : { bytes_in: Math.round(returned) }),
  };
  return {
    uid: 4001,
    activity: 2,
    profiles: ["host"],
    parts: {
      ...parts,
      ...link,
      traffic,
      ...durationPart(data),
      status_detail: textOf(data, "reason"),
    },
  };
}

function countPart(data: Entry["data"]): Part {
  const count = numberOf(data, "merged") ?? numberOf(data, "count");
  return count === undefined ? {} : { count: Math.round(count) };
}

function durationPart(data: Entry["data"]): Part {
  const duration = numberOf(data, "durationMs");
  return duration === undefined ? {} : { duration: Math.round(duration) };
}

function dnsShape(entry: Entry): Shape {
  const { data, target = "unknown", run = "none" } = entry;
  const type = textOf(data, "type") || "unknown";
  const answers = Array.isArray(data?.["answer"]) ? data["answer"].map(String) : [];
  const rcode = textOf(data, "rcode");
  const place = RCODES.indexOf(rcode);
  return {
    uid: 4003,
    activity: 6,
    profiles: ["host"],
    parts: {
      actor: actorPart(entry.process),
      device: devicePart(run),
      src_endpoint: { uid: run, name: run },
      dst_endpoint: { name: "cofferdam resolver" },
      query: { hostname: target, type },
      answers: answers.map((rdata) => ({ rdata, type })),
      ...(rcode === "" ? {} : { rcode, rcode_id: place < 0 ? OTHER : place }),
      ...countPart(data),
    },
  };
}

/** An action, or what became of it: `of` is the action's own entry. */
function actionShape(entry: Entry, of: Entry): Shape {
  const { type, verdict, rule, data } = entry;
  const kind = textOf(of.data, "kind");
  const isAction = type === "action";
  const control = verdict === "deny" ? DENIED : ALLOWED;
  const common = {
    ...(isAction
      ? {
          ...(verdict === "confirm"
            ? { action_id: OTHER, action: "confirm", disposition_id: 14 }
            : control),
          ...(rule === undefined ? {} : { firewall_rule: { uid: rule, name: rule } }),
        }
      : {}),
    ...statusPart(entry),
    ...countPart(data),
    ...durationPart(data),
  };
  const verb = textOf(of.data, "verb") || "unknown";
  const severity = verdict === "deny" ? 3 : INFORMATIONAL;
  const profiles = isAction ? CONTROLLED : ["host"];
  const target = of.target ?? entry.target;
  const end = endpointPart(target) ?? { name: "unknown" };
  const run = entry.run ?? "none";
  const url = urlPart(target);
  const who = {
    actor: actorPart(of.process),
    src_endpoint: { uid: run, name: run },
    dst_endpoint: end,
  };
  if (kind === "http" && url !== undefined) {
    const activity = HTTP_ACTIVITY[verb] ?? OTHER;
    // Only these are named by the schema; another method stands in what is unmapped.
    const method = activity === OTHER ? {} : { http_method: verb };
    const request = { http_request: { ...method, url } };
    const parts = { ...networkParts(of), ...request, ...responsePart(data), ...common };
    return { uid: 4002, activity, severity, profiles, parts };
  }
  if (kind === "ssh") {
    return {
      uid: 4007,
      activity: 6,
      severity,
      profiles,
      parts: { ...networkParts(of), ...common },
    };
  }
  if (DATABASES.has(kind)) {
    return {
      uid: 6005,
      activity: dataActivity(of),
      severity,
      profiles,
      parts: {
        ...who,
        device: devicePart(run),
        database: {
          name: of.system ?? kind,
          type_id: kind === "redis" ? 6 : 1,
          uid: target ?? kind,
        },
        type_id: 1,
        query_info: { name: verb, query_string: textOf(of.data, "summary") || verb },
        ...common,
      },
    };
  }
  return {
    uid: 6003,
    activity: apiActivity(of),
    severity,
    profiles,
    parts: {
      ...who,
      device: devicePart(run),
      api: { operation: verb, service: { name: of.system ?? "none", uid: kind || "none" } },
      ...responsePart(data),
      ...common,
    },
  };
}

function effectsOf({ data }: Entry): readonly string[] {
  return [data?.["effects"] ?? []].flat().map(String);
}

function apiActivity(of: Entry): number {
  const effects = effectsOf(of);
  if (effects.includes("delete")) return 4;
  if (effects.length > 0 && effects.every((effect) => effect.startsWith("read"))) return 2;
  return effects.includes("write") ? 3 : OTHER;
}

function dataActivity(of: Entry): number {
  const effects = effectsOf(of);
  if (textOf(of.data, "verb") === "session") return 3;
  if (effects.includes("delete")) return 7;
  return effects.every((effect) => effect.startsWith("read")) ? 1 : 2;
}

function responsePart(data: Entry["data"]): Part {
  const code = numberOf(data, "status");
  return code === undefined ? {} : { http_response: { code: Math.round(code) } };
}

function statusPart({ type, data, verdict }: Entry): Part {
  if (type === "action") return { status_id: verdict === "deny" ? 2 : 1 };
  const status = numberOf(data, "status");
  const code = textOf(data, "code") || textOf(data, "failed");
  if (status === undefined && code === "") return { status_id: 1 };
  const isFailure = code !== "" || (status ?? 0) >= 400;
  return { status_id: isFailure ? 2 : 1, status_code: code || String(status) };
}

function modelShape(entry: Entry): Shape {
  const { data, type, run = "none" } = entry;
  const provider = textOf(data, "provider") || "unknown";
  const model = textOf(data, "model");
  const { in: input, out: output } = tokensOf(data);
  const context = {
    service: { name: provider },
    ai_role_id: type === "tool.result" ? 3 : 2,
    ...(typeof input === "number" ? { prompt_tokens: Math.round(input) } : {}),
    ...(typeof output === "number" ? { completion_tokens: Math.round(output) } : {}),
  };
  const operation =
    type === "model" ? "model" : textOf(data, "name") || textOf(data, "call") || type;
  return {
    uid: 6003,
    activity: OTHER,
    profiles: ["host", "ai_operation"],
    parts: {
      actor: actorPart(entry.process),
      device: devicePart(run),
      src_endpoint: { uid: run, name: run },
      api: { operation, service: { name: type }, ...requestPart(data) },
      ...(model === "" ? {} : { ai_model: { name: model, ai_provider: provider } }),
      message_context: context,
      status_id: data?.["isError"] === true ? 2 : 1,
    },
  };
}

function tokensOf(data: Entry["data"]): { readonly [key: string]: unknown } {
  const tokens = data?.["tokens"];
  return typeof tokens === "object" && tokens !== null && !Array.isArray(tokens) ? tokens : {};
}

function requestPart(data: Entry["data"]): Part {
  const call = textOf(data, "call");
  return call === "" ? {} : { request: { uid: call } };
}

function apiShape(entry: Entry): Shape {
  const { type, run = "none", target } = entry;
  const end = endpointPart(target);
  return {
    uid: 6003,
    activity: OTHER,
    profiles: ["host"],
    parts: {
      actor: actorPart(entry.process),
      device: devicePart(run),
      src_endpoint: { uid: run, name: run },
      api: { operation: type, service: { name: "Cofferdam" } },
      ...(end === undefined ? {} : { dst_endpoint: end }),
      ...statusPart(entry),
      ...countPart(entry.data),
      ...durationPart(entry.data),
    },
  };
}
