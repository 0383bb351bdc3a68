/**
 * `correlate`: which steps of which runs caused these flows, as a firewall saw them.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Event } from "../../action/index.ts";
import { describeError, Fault, visibleLine } from "../../base/index.ts";
import {
  Correlator,
  createLineReader,
  FORMATS,
  parsePlace,
  parseTime,
  type Alert,
  type Found,
  type Told,
  type Unread,
} from "../../correlate/index.ts";
import { LedgerReader } from "../../ledger/index.ts";
import {
  EXIT,
  JSON_OPTION,
  listOption,
  textOption,
  type Command,
  type Context,
} from "../command.ts";

const WITHIN = "5s";
/** Lines and times that are looked for at once. */
const ALERTS_MAX = 1_000_000;
const UNREAD_SHOWN_MAX = 20;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const NOTHING =
  "nothing that a run of this home was let out matches: something outside of Cofferdam's runs, or another host";

export const correlateCommand: Command = {
  name: "correlate",
  usage:
    "[FILE...] [--at TIME]... [--between A/B]... [--to PLACE]... [--from ADDR:PORT]... [--json]",
  options: {
    at: { type: "string", multiple: true },
    between: { type: "string", multiple: true },
    to: { type: "string", multiple: true },
    from: { type: "string", multiple: true },
    within: { type: "string" },
    skew: { type: "string" },
    zone: { type: "string" },
    format: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    at: "a time at which something was seen; RFC 3339, an epoch, or as syslog writes it",
    between: "two times with a slash between them",
    to: "where it went: ADDR, ADDR:PORT, CIDR or NAME[:PORT]",
    from: "where it came from, ADDR or ADDR:PORT; leave it out where there is NAT between",
    within: `how far clocks may differ: 500ms, 5s, 2m; ${WITHIN} where it is not said`,
    skew: "how far the firewall's clock is ahead (-2s: behind), or auto: by lines with the very 5-tuple",
    zone: "of times that name none, as +02:00; UTC where it is not said",
    format: `of the files, one of ${FORMATS.join(", ")}; else each line is looked at`,
    json: "print JSON instead of text",
  },
  examples: [
    "cofferdam correlate alerts.log",
    "cofferdam correlate --at 2026-11-27T03:14:07Z --to 203.0.113.9:22",
    "journalctl -k -o short-iso | cofferdam correlate -",
    "cofferdam correlate eve.json --skew auto --json",
  ],
  positionals: [0, 100],
  async run(context) {
    const zoneMinutes = zoneOf(textOption(context.values, "zone") ?? "Z");
    const { alerts, unread } = await alertsOf(context, { zoneMinutes, nowMs: Date.now() });
    const withinMs = durationOf(textOption(context.values, "within") ?? WITHIN);
    const said = textOption(context.values, "skew") ?? "0s";
    const look = (skewMs: number) => {
      const correlator = new Correlator(alerts, { withinMs, skewMs });
      for (const entry of entriesOf(context.home.ledger)) correlator.observe(entry);
      return { correlator, skewMs };
    };
    let looked = look(said === "auto" ? 0 : durationOf(said));
    const skew = looked.correlator.skew();
    if (said === "auto" && skew.of > 0) looked = look(skew.ms);
    const found = looked.correlator.found();
    if (context.values["json"] === true) {
      context.out(
        `${JSON.stringify({ lines: found.map(asJson), unread, skewMs: looked.skewMs, steps: stepsOf(found) })}\n`,
      );
    } else show(context, found, unread);
    if (said === "auto")
      context.err(
        `cofferdam: the firewall's clock is ${looked.skewMs} ms ahead, by ${skew.of} lines with the very 5-tuple\n`,
      );
    const inferred = alerts.filter(({ isYearInferred }) => isYearInferred === true).length;
    if (inferred > 0)
      context.err(
        `cofferdam: the year of ${inferred} lines is inferred: the latest that is not to come\n`,
      );
    return unread.length === 0 && found.every(({ matches }) => matches.length > 0)
      ? EXIT.ok
      : EXIT.no;
  },
};

/** The record, read beside whoever writes it, less what was pruned. */
function* entriesOf(dir: string): Iterable<Event & { readonly seq: number }> {
  const reader = new LedgerReader(dir);
  for (let seq = reader.next(0); ; seq = reader.next(seq)) {
    const entries = reader.from(seq);
    if (entries.length === 0 && reader.next(seq) === seq) return; // Else it was pruned this moment.
    for (const bytes of entries) {
      yield { ...(JSON.parse(bytes.toString()) as Event), seq };
      seq += 1;
    }
  }
}

async function alertsOf(context: Context, times: { zoneMinutes: number; nowMs: number }) {
  const alerts: (Alert & { place?: ReturnType<typeof parsePlace> & {} })[] = asked(context, times);
  const unread: Unread[] = [];
  const said = textOption(context.values, "format");
  const format = FORMATS.find((one) => one === said);
  if (said !== undefined && format === undefined)
    throw new Fault(
      "cli.usage",
      `no format ${JSON.stringify(said)}; there is ${FORMATS.join(", ")}`,
    );
  for (const file of context.positionals) {
    const read = createLineReader(times, format);
    const input = file === "-" ? process.stdin : createReadStream(file);
    let number = 0;
    try {
      for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        number += 1;
        for (const one of [read(text, number) ?? []].flat()) {
          if ("why" in one) unread.push(one);
          else alerts.push(one);
        }
        if (alerts.length + unread.length > ALERTS_MAX)
          throw new Fault("cli.usage", `more than ${ALERTS_MAX} lines; split ${file} into several`);
      }
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault("cli.usage", `${file} cannot be read: ${describeError(error)}`);
    }
  }
  if (alerts.length === 0 && unread.length === 0 && context.positionals.length === 0)
    throw new Fault("cli.usage", "correlate needs a file of lines, or --at or --between, or --to", {
      hint: "`cofferdam help correlate` has examples",
    });
  return { alerts, unread };
}

/** What options ask for: each time with each place. */
function asked({ values }: Context, times: { zoneMinutes: number; nowMs: number }) {
  const timeOf = (text: string) => {
    const time = parseTime(text, times);
    if (time === undefined) throw new Fault("cli.usage", `not a time: ${JSON.stringify(text)}`);
    return time.atMs;
  };
  const placesOf = (name: string) =>
    listOption(values, name).map((text) => {
      const place = parsePlace(text);
      if (place === undefined)
        throw new Fault("cli.usage", `--${name} ${JSON.stringify(text)} is no place`);
      return place;
    });
  const [to, from] = [placesOf("to"), placesOf("from")];
  const spans = [
    ...listOption(values, "at").map((text) => ({ fromMs: timeOf(text), toMs: timeOf(text) })),
    ...listOption(values, "between").map((text) => {
      const cut = text.indexOf("/", text.indexOf(":"));
      const span = { fromMs: timeOf(text.slice(0, cut)), toMs: timeOf(text.slice(cut + 1)) };
      if (span.fromMs > span.toMs)
        throw new Fault("cli.usage", `--between ${JSON.stringify(text)} ends before it begins`);
      return span;
    }),
  ];
  if (spans.length === 0 && to.length + from.length === 0) return [];
  const when = spans.length === 0 ? [{ fromMs: 0, toMs: times.nowMs }] : spans;
  return when.flatMap((span) =>
    (to.length === 0 ? [undefined] : to).flatMap((place) =>
      (from.length === 0 ? [undefined] : from).map((source) => ({
        line: 0,
        ...span,
        ...(place === undefined ? {} : { place }),
        ...(source === undefined ? {} : { source }),
      })),
    ),
  );
}

function durationOf(text: string): number {
  const read = /^([+-]?)(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  if (read === null)
    throw new Fault("cli.usage", `not a duration: ${JSON.stringify(text)}; write 500ms, 5s or 2m`);
  const [, sign, number, unit = ""] = read;
  return (sign === "-" ? -1 : 1) * Number(number) * (UNIT_MS[unit] ?? 0);
}

function zoneOf(text: string): number {
  if (/^(Z|UTC)$/i.test(text)) return 0;
  const read = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (read === null)
    throw new Fault("cli.usage", `--zone ${JSON.stringify(text)} is not UTC or +02:00`);
  return (read[1] === "-" ? -1 : 1) * (Number(read[2]) * 60 + Number(read[3]));
}

const SURE = {
  exact: "exact: the very 5-tuple",
  address: "by address and time",
  name: "by name and time",
  time: "by time alone",
} as const;

function show({ out }: Context, found: readonly Found[], unread: readonly Unread[]): void {
  for (const { alert, matches, more } of found) {
    const what = alert.line === 0 ? "asked" : `line ${alert.line}`;
    if (matches.length === 0) out(`${what}: ${NOTHING}\n`);
    const several = matches.length > 1 ? ` (one of ${matches.length + more})` : "";
    const isSpan = alert.line === 0 && alert.fromMs !== alert.toMs; // Of which nothing is a time to be off.
    for (const { told, by, offMs } of matches) {
      const off = isSpan ? "" : `, ${offMs} ms off`;
      out(`${visibleLine(`${what}: ${whoOf(told)}  [${SURE[by]}${off}${several}]`)}\n`);
      out(`${visibleLine(`    ${detailOf(told)}`)}\n`);
    }
    if (more > 0) out(`    and ${more} more\n`);
  }
  if (found.length === 0 && unread.length === 0) out("no line to look for\n");
  for (const { line, why } of unread.slice(0, UNREAD_SHOWN_MAX))
    out(`line ${line}: not read: ${visibleLine(why)}\n`);
  if (unread.length > UNREAD_SHOWN_MAX)
    out(`and ${unread.length - UNREAD_SHOWN_MAX} more lines that were not read\n`);
  for (const { who, lines } of stepsOf(found))
    out(`${visibleLine(`${who} caused ${lines} of ${found.length} lines`)}\n`);
}

function whoOf({ run, task, cause }: Told): string {
  const { step } = cause ?? {};
  const at =
    step === undefined
      ? "no step was stated"
      : `trajectory ${step.trajectory}, episode ${step.episode}, step ${step.step}`;
  return `run ${run}${task === undefined ? "" : ` (${task})`}, ${at}`;
}

function detailOf({
  from,
  to,
  name,
  port,
  cause,
  argv,
  flow,
  entries,
  became,
  also,
}: Told): string {
  const call =
    cause?.call === undefined
      ? ""
      : `${cause.call.name} ${cause.call.id} (${cause.call.by}, ${cause.call.confidence}) -> `;
  const command = cause?.exec === undefined ? "" : `${cause.exec} -> `;
  const by = argv.length === 0 ? "a process that is not known" : argv.join(" ").slice(0, 200);
  const way =
    from === undefined || to === undefined
      ? `${name ?? ""}:${port}`
      : `${from.address}:${from.port} -> ${to.address}:${to.port} (${name ?? ""})`;
  const others = also.length > 1 ? `; also used by ${also.length - 1} other steps` : "";
  return `${call}${command}${by} -> ${flow ?? "no flow"} ${way}; ${became}${others}; entries ${entries.slice(0, 8).join(", ")}`;
}

function asJson({ alert, matches, more }: Found) {
  return {
    line: alert.line,
    from: new Date(alert.fromMs),
    matches: matches.map(({ told, by, offMs }) => ({
      by,
      offMs,
      ...told,
      toMs: Number.isFinite(told.toMs) ? told.toMs : null,
    })),
    more,
  };
}

/** Who caused how many lines: a line with several candidates of different steps counts for none. */
function stepsOf(found: readonly Found[]) {
  const counts = new Map<string, number>();
  for (const { matches } of found) {
    const all = new Set(matches.map(({ told }) => whoOf(told)));
    const [who] = all;
    if (who !== undefined) {
      const key = all.size === 1 ? who : "several steps, which nothing tells apart,";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([who, lines]) => ({ who, lines }));
}
