/**
 * `npm run captures`: precision and recall of every flow detector, on captures that others made and on those that
 * test/captures/make made. Exits with 1 where a stated figure does not hold, or a benign flow is accused.
 *
 *     quality.ts FOLDER... [--markdown FILE]     FOLDER holds a corpus of labels.ts, or several; its last name is ndpi-4.2, ndpi, zeek, suricata, ja4 or made
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { judgeCapture } from "../../src/cli/capture.ts";
import { FLOW_DETECTORS, SERIES_DETECTORS } from "../../src/detect/index.ts";
import { framesOf, pcapOf } from "../support/capture-kit.ts";
import { BENIGN } from "../support/benign-flows.ts";
import { POSITIVE } from "../support/flow-cases.ts";
import { isKnown, labelOf, STATED } from "./labels.ts";

interface Tally {
  cases: number;
  hits: number;
  wrong: number;
}

const { values, positionals } = parseArgs({
  options: { markdown: { type: "string" } },
  allowPositionals: true,
});
const scratch = join(tmpdir(), `cofferdam-quality-${process.pid}`);
const hasPeer = spawnSync("ndpiReader", ["--help"]).error === undefined;

/** What nDPI calls what a detector finds, where it has a name for it. */
const PEER: readonly (readonly [RegExp, RegExp])[] = [
  [/^mining\.(?!peer)/, /Mining/],
  [/^vpn\.openvpn/, /OpenVPN/],
  [/^vpn\.wireguard/, /WireGuard/],
  [/^vpn\.tor/, /Tor/],
  [/^proxy\.socks/, /SOCKS/],
  [/^remote\.desktop/, /RDP|VNC/],
  [/^ssh\.(?:elsewhere|inside)/, /SSH/],
];

const tallies = new Map<string, Tally>();
const peers = new Map<string, { cases: number; hits: number; ours: number }>();
const peerWrong: string[] = [];
const notes: string[] = [];
const corpora: string[] = [];
let benignFlows = 0;
let wrongFlows = 0;

function tallyOf(detector: string): Tally {
  const known = tallies.get(detector) ?? { cases: 0, hits: 0, wrong: 0 };
  tallies.set(detector, known);
  return known;
}

for (const folder of positionals.flatMap(corporaIn)) {
  const corpus = basename(folder);
  const files = globSync("**/*.{pcap,pcapng,trace,cap,gz}", { cwd: folder }).sort();
  let flows = 0;
  for (const file of files) flows += await judge(corpus, join(folder, file), file);
  corpora.push(`${corpus}: ${files.length} captures, ${flows} flows`);
}
{
  let flows = 0;
  for (const it of [...POSITIVE, ...BENIGN]) {
    const path = `${scratch}.pcap`;
    writeFileSync(path, pcapOf(framesOf(it)));
    const label = it.expect === undefined ? {} : { [it.expect]: 1 };
    flows += await judgeLabelled(path, `tables: ${it.name}`, label, true);
    if (it.expect === undefined && namedByPeer(path, /Mining/) > 0) peerWrong.push(it.name);
  }
  rmSync(`${scratch}.pcap`, { force: true });
  corpora.push(
    `tables: ${POSITIVE.length + BENIGN.length} conversations of the tests, ${flows} flows`,
  );
}
report();

/** The folder itself, or the folders in it: `build/captures` holds several. */
function corporaIn(folder: string): readonly string[] {
  const inside = readdirSync(folder, { withFileTypes: true });
  const isCorpus = isKnown(basename(resolve(folder)));
  return isCorpus
    ? [folder]
    : inside.flatMap((one) => (isKnown(one.name) ? join(folder, one.name) : []));
}

async function judge(corpus: string, path: string, file: string): Promise<number> {
  return judgeLabelled(path, `${corpus}/${relative(".", file)}`, labelOf(corpus, file), false);
}

async function judgeLabelled(
  path: string,
  title: string,
  label: Readonly<Record<string, number>>,
  isTable: boolean,
): Promise<number> {
  let report;
  try {
    report = await judgeCapture(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "wire.capture") return 0;
    throw error;
  }
  const found = new Map<string, number>();
  for (const { detector } of report.findings) found.set(detector, (found.get(detector) ?? 0) + 1);
  let labelled = 0;
  for (const [detector, cases] of Object.entries(label)) {
    const tally = tallyOf(detector);
    const hits = Math.min(cases, found.get(detector) ?? 0);
    tally.cases += cases;
    tally.hits += hits;
    labelled += cases;
    if (hits < cases) notes.push(`missed  ${detector}: ${cases - hits} of ${cases} in ${title}`);
    compare(path, detector, cases, hits);
  }
  // A table's case may show to a second detector too: chisel is SSH inside a WebSocket.
  const isMisuse = isTable && labelled > 0;
  for (const [detector, count] of found) {
    const wrong = count - (label[detector] ?? 0);
    if (wrong <= 0 || isMisuse) continue;
    tallyOf(detector).wrong += wrong;
    wrongFlows += wrong;
    notes.push(`wrong   ${detector}: ${wrong} in ${title}`);
  }
  benignFlows += Math.max(0, report.flows - report.silent - labelled);
  return report.flows;
}

/** The same capture for Debian's ndpiReader. */
function compare(path: string, detector: string, cases: number, ours: number): void {
  const name = PEER.find(([pattern]) => pattern.test(detector))?.[1];
  if (!hasPeer || name === undefined) return;
  const named = namedByPeer(path, name);
  const family = detector.startsWith("mining.") ? "mining pools" : detector;
  const peer = peers.get(family) ?? { cases: 0, hits: 0, ours: 0 };
  peer.cases += cases;
  peer.hits += Math.min(cases, named);
  peer.ours += ours;
  peers.set(family, peer);
}

/** How many flows Debian's ndpiReader gives a name that is one of `names`. */
function namedByPeer(path: string, names: RegExp): number {
  if (!hasPeer) return 0;
  const csv = `${scratch}.csv`;
  spawnSync("ndpiReader", ["-i", path, "-q", "-C", csv], { stdio: "ignore", timeout: 60_000 });
  if (!existsSync(csv)) return 0; // It reads no capture of this kind.
  const [, ...rows] = readFileSync(csv, "utf8").split("\n");
  rmSync(csv);
  return rows.filter((row) => names.test(row.split(",")[10] ?? "")).length;
}

function report(): void {
  const rows = [...FLOW_DETECTORS, ...SERIES_DETECTORS].map(({ name }) => {
    const { cases, hits, wrong } = tallies.get(name) ?? { cases: 0, hits: 0, wrong: 0 };
    const recall = cases === 0 ? undefined : hits / cases;
    const precision = hits + wrong === 0 ? undefined : hits / (hits + wrong);
    const stated = STATED[name] ?? 1;
    const holds = wrong === 0 && (recall === undefined || recall >= stated);
    return { name, cases, hits, misses: cases - hits, wrong, precision, recall, stated, holds };
  });
  const percent = (value: number | undefined) =>
    value === undefined ? "-" : `${(value * 100).toFixed(1)} %`;
  const lines = [
    "| Detector | Cases | Hits | Misses | Wrong | Precision | Recall | Stated |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.name} | ${row.cases} | ${row.hits} | ${row.misses} | ${row.wrong} | ${percent(row.precision)} | ${percent(row.recall)} | ${percent(row.stated)} |`,
    ),
  ];
  const peerLines = [
    "| What | Cases | Cofferdam | ndpiReader |",
    "|---|---|---|---|",
    ...[...peers]
      .sort()
      .map(([name, { cases, ours, hits }]) => `| ${name} | ${cases} | ${ours} | ${hits} |`),
  ];
  const peerVersion = hasPeer
    ? (/Welcome to (nDPI \S+)/.exec(execFileSync("ndpiReader", ["--help"]).toString())?.[1] ??
      "nDPI")
    : undefined;
  const benign = `${benignFlows} benign flows with payload, ${wrongFlows} findings in them`;
  const text = [
    ...corpora.map((line) => `- ${line}`),
    `- together ${benign}`,
    "",
    ...lines,
    ...(peerVersion === undefined
      ? []
      : [
          "",
          `Beside ${peerVersion}, flows named for what they are:`,
          "",
          ...peerLines,
          "",
          `It calls mining what is none: ${peerWrong.join("; ") || "nothing"}.`,
        ]),
    "",
    ...(notes.length === 0 ? [] : ["```", ...notes, "```"]),
  ].join("\n");
  console.log(text);
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${text}\n`);
  const failed = rows.filter(({ holds }) => !holds);
  for (const { name, recall, stated, wrong } of failed) {
    console.log(
      `does not hold: ${name}: recall ${percent(recall)} of ${percent(stated)} stated, ${wrong} wrong`,
    );
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
}
