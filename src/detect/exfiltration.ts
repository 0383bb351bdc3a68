/**
 * Data on its way out by places that are granted: canaries, URLs that carry data, many small sends, more than ever.
 *
 * @module
 */
import { addTo, isMany, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import {
  entropyOf,
  fieldOf,
  found,
  isReading,
  MODEL_SYSTEMS,
  numberOf,
  shown,
  textOf,
} from "./found.ts";

/**
 * Not a function over events, which hold no canary: the daemon and the gateway look for it in what a run says
 * (docs/decisions/0329) and refuse it. Here is what it is called.
 */
export const CANARY: DetectorAbout = {
  name: "canary",
  kind: "exfiltration",
  title: "The planted credential is used",
  explanation:
    "Each run finds a credential that is good for nothing, in two variables and one file of its HOME; only its digest is on record. Where it, in any usual spelling, stands in a request, a name, a statement, a mail or an argument, the run has read credentials and uses what it found. A request with it is refused. What a run shows to its own model is not looked at.",
  attack: ["T1552.001", "T1041", "T1567"],
  atlas: ["AML.T0055", "AML.T0083", "AML.T0086"],
  owasp: ["ASI02", "ASI03"],
  tuning: {},
};

const URLS: DetectorAbout = {
  name: "exfil.url",
  kind: "exfiltration",
  title: "Data in URLs of places that are only read",
  explanation:
    "Adds up long values like random text in queries and paths of requests that only read, per host. What a server handed out looks alike: values of signatures and cursors count a quarter, hashes and UUIDs as package registries have them not at all.",
  attack: ["T1567", "T1041"],
  atlas: ["AML.T0086"],
  owasp: ["ASI02", "ASI10"],
  tuning: {
    bytes: { value: 4096, unit: "bytes", meaning: "of different such values to one host" },
    values: { value: 3, unit: "values", meaning: "at least so many different ones" },
    chars: { value: 48, unit: "characters", meaning: "from which length a value counts" },
  },
};

const HOSTS_MAX = 64;
const VALUES_MAX = 128;
/** Names by which servers hand something out that comes back. */
const HANDED_OUT =
  /^(?:cursor|after|before|next|page[_-]?token|continuation|token|state|code|sig(?:nature)?|policy|expires|key-pair-id|se|sp|sv|x-amz-.*|x-goog-.*|awsaccesskeyid)$/i;
const HASH =
  /^(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{56}|[\da-f]{60}|[\da-f]{64}|[\da-f]{96}|[\da-f]{128})$/i;

interface Host {
  readonly seen: Set<string>;
  bytes: number;
  values: number;
}

export const exfilUrl = defineDetector<{
  readonly limit: { readonly bytes: number; readonly values: number; readonly chars: number };
  readonly hosts: Map<string, Host>;
}>({
  ...URLS,
  sees: ["action"],
  scope: "run",
  start: ({ bytes = 4096, values = 3, chars = 48 }) => ({
    limit: { bytes, values, chars },
    hosts: new Map(),
  }),
  observe({ limit, hosts }, event) {
    if (event.verdict !== "allow" || !isReading(event)) return [];
    const query = fieldOf(event, "query");
    const path = fieldOf(event, "path");
    if (query.length < limit.chars && path.length < limit.chars) return [];
    const host = fieldOf(event, "host");
    const state = touch<Host>(hosts, host, HOSTS_MAX, () => ({
      seen: new Set(),
      bytes: 0,
      values: 0,
    }));
    for (const [name, value] of [...pairsOf(query), ...segmentsOf(path)]) {
      if (value.length < limit.chars || !isRandom(value) || HASH.test(value)) continue;
      if (!addTo(state.seen, value, VALUES_MAX)) continue;
      state.values += 1;
      state.bytes += HANDED_OUT.test(name) ? value.length / 4 : value.length;
    }
    if (state.bytes < limit.bytes || state.values < limit.values) return [];
    const why = `${state.values} values like random text, about ${Math.round(state.bytes)} bytes, in URLs that ${shown(host)} is only read by`;
    state.bytes = 0;
    state.values = 0;
    return [found(URLS, event, 0.6, why)];
  },
});

function pairsOf(query: string): readonly (readonly [string, string])[] {
  return query.split("&", 64).map((pair): readonly [string, string] => {
    const at = pair.indexOf("=");
    return at < 0 ? ["", pair] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

function segmentsOf(path: string): readonly (readonly [string, string])[] {
  return path.split("/", 64).map((segment): readonly [string, string] => ["", segment]);
}

/** No words, no list of words: base64, hexadecimal, or what is encrypted. */
function isRandom(value: string): boolean {
  if (!/^[\w+/=%.~-]+$/.test(value) || entropyOf(value) <= 3.4) return false;
  const words = value.split(/[-_.%+~=/]/).filter((one) => /^[a-z]{2,12}$/i.test(one));
  return words.reduce((sum, one) => sum + one.length + 1, 0) < value.length / 2;
}

const SECRET: DetectorAbout = {
  name: "exfil.secret",
  kind: "exfiltration",
  title: "Something in the form of a secret leaves in a question",
  explanation:
    "Looks in requests that only read for texts that have a secret's own form (AWS, GitHub, Slack, Stripe keys, private keys and the like): in path, query, header fields and the body, percent-encoded, in hexadecimal, base64 or gzip, one inside of another, cut over up to eight neighbouring values of a request or of several to one host. A server that is only read has no use for one: EchoLeak (2025) took data out by an image's address at an allowed host. Where credentials are sent (Authorization, cookies, fields and parameters that are called key, token and the like, signed URLs) they do not count, and neither does what a model is told.",
  attack: ["T1041", "T1567"],
  atlas: ["AML.T0086"],
  owasp: ["ASI02", "ASI03"],
  tuning: {},
};

export const exfilSecret = defineDetector<object>({
  ...SECRET,
  sees: ["action"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const carries = event.data?.["carries"];
    if (!Array.isArray(carries) || event.verdict !== "allow" || !isReading(event)) return [];
    return carries.slice(0, CARRIES_MAX).map((one: unknown) => {
      const [what, where, digest] = [
        member(one, "what"),
        member(one, "where"),
        member(one, "digest"),
      ];
      const why = `something in the form of a ${shown(what)} in ${shown(where)} of a question to ${shown(fieldOf(event, "host"))}`;
      return { ...found(SECRET, event, 0.8, why), subject: keyOf(`${digest} ${where}`) };
    });
  },
});

const CARRIES_MAX = 8;

/** A text of an object; empty where there is none. */
function member(of: unknown, name: string): string {
  if (typeof of !== "object" || of === null) return "";
  const value: unknown = Reflect.get(of, name);
  return typeof value === "string" ? value : "";
}

const SMALL: DetectorAbout = {
  name: "exfil.small",
  kind: "exfiltration",
  title: "Many small sends to one place",
  explanation:
    "Counts allowed requests that change something at one system with a body of at most 2 KiB. Data that is cut small passes every limit of size; a program that fills a form row by row looks alike, so the score is low.",
  attack: ["T1041", "T1567"],
  atlas: ["AML.T0086"],
  owasp: ["ASI02"],
  tuning: {
    count: { value: 200, unit: "sends", meaning: "to one system within the time" },
    seconds: { value: 600, unit: "s", meaning: "the time" },
    bytes: { value: 2048, unit: "bytes", meaning: "at most in each" },
  },
};

export const exfilSmall = defineDetector<{
  readonly limit: { readonly count: number; readonly windowMs: number; readonly bytes: number };
  readonly writes: Set<string>;
  readonly systems: Map<string, number[]>;
}>({
  ...SMALL,
  sees: ["action", "outcome"],
  scope: "run",
  start: ({ count = 200, seconds = 600, bytes = 2048 }) => ({
    limit: { count, windowMs: seconds * 1000, bytes },
    writes: new Set(),
    systems: new Map(),
  }),
  observe({ limit, writes, systems }, event) {
    const { action = "", system = "" } = event;
    if (event.type === "action") {
      const isModel = MODEL_SYSTEMS.has(textOf(event, "kind"));
      if (event.verdict === "allow" && !isModel && !isReading(event)) addTo(writes, action, 1024);
      return [];
    }
    const bytes = numberOf(event, "bytesOut");
    if (!writes.delete(keyOf(action)) || bytes === 0 || bytes > limit.bytes) return [];
    const times = touch<number[]>(systems, system, HOSTS_MAX, () => []);
    if (!isMany(times, event.monoMs, limit.count, limit.windowMs)) return [];
    const why = `${limit.count} small sends to ${shown(system)} within ${limit.windowMs / 1000} s`;
    return [found(SMALL, event, 0.4, why)];
  },
});

const VOLUME: DetectorAbout = {
  name: "exfil.volume",
  kind: "exfiltration",
  title: "Far more sent than earlier runs of the task sent",
  explanation:
    "Adds up what connections of a run sent to each host and compares it with earlier runs of the same task, as long as the daemon lives: 8 times the most of at least 3 of them, and 20 MB at least. Without such runs 500 MB and 10 times what came in. An upload that is asked for looks alike.",
  attack: ["T1041", "T1048"],
  atlas: ["AML.T0086"],
  owasp: ["ASI02"],
  tuning: {
    floor: {
      value: 20_000_000,
      unit: "bytes",
      meaning: "at least, however little was sent before",
    },
    times: { value: 8, unit: "times", meaning: "the most of earlier runs" },
    unknown: { value: 500_000_000, unit: "bytes", meaning: "where no earlier runs are known" },
  },
};

const RUNS_MAX = 512;
const TASKS_MAX = 128;
const BEFORE_MIN = 3;

interface Sent {
  out: number;
  in: number;
  isTold: boolean;
}

interface Baseline {
  runs: number;
  readonly most: Map<string, { bytes: number }>;
}

export const exfilVolume = defineDetector<{
  readonly limit: { readonly floor: number; readonly times: number; readonly unknown: number };
  readonly runs: Map<string, { task: string; readonly hosts: Map<string, Sent> }>;
  readonly tasks: Map<string, Baseline>;
}>({
  ...VOLUME,
  sees: ["run.start", "flow.close", "run.end"],
  scope: "home",
  start: ({ floor = 2e7, times = 8, unknown = 5e8 }) => ({
    limit: { floor, times, unknown },
    runs: new Map(),
    tasks: new Map(),
  }),
  observe({ limit, runs, tasks }, event) {
    const { run = "", target = "" } = event;
    const state = touch(runs, run, RUNS_MAX, () => ({ task: "", hosts: new Map<string, Sent>() }));
    const task = touch<Baseline>(tasks, state.task, TASKS_MAX, () => ({
      runs: 0,
      most: new Map(),
    }));
    if (event.type === "run.start") {
      state.task = keyOf(textOf(event, "task"));
      return [];
    }
    if (event.type === "run.end") {
      task.runs += 1;
      for (const [host, { out }] of state.hosts) {
        const most = touch(task.most, host, HOSTS_MAX, () => ({ bytes: 0 }));
        most.bytes = Math.max(most.bytes, out);
      }
      runs.delete(keyOf(run));
      return [];
    }
    const sent = touch<Sent>(state.hosts, target, HOSTS_MAX, () => ({
      out: 0,
      in: 0,
      isTold: false,
    }));
    sent.out += numberOf(event, "upstreamOut");
    sent.in += numberOf(event, "upstreamIn");
    if (sent.isTold) return [];
    const isKnown = task.runs >= BEFORE_MIN;
    const before = task.most.get(keyOf(target))?.bytes ?? 0;
    const isMore = isKnown
      ? sent.out > Math.max(limit.floor, limit.times * before)
      : sent.out > limit.unknown && sent.out > 10 * sent.in;
    if (!isMore) return [];
    sent.isTold = true;
    const than = isKnown ? `; earlier runs of the task sent ${before} at most` : "";
    return [found(VOLUME, event, 0.5, `${sent.out} bytes sent to ${shown(target)}${than}`)];
  },
});
