/**
 * Precision and recall of every flow detector: on captures of others, on those that test/captures/make made, and on the
 * conversations of the tests, which are there always. `npm run captures` and the bench tell the same figures.
 *
 * @module
 */
import { existsSync, globSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { judgeCapture, type CaptureReport } from "../../src/cli/capture.ts";
import { FLOW_DETECTORS, SERIES_DETECTORS } from "../../src/detect/index.ts";
import { framesOf, pcapOf } from "../support/capture-kit.ts";
import { BENIGN } from "../support/benign-flows.ts";
import type { FlowCase } from "../support/flow-case.ts";
import { POSITIVE } from "../support/flow-cases.ts";
import { isKnown, labelOf, STATED, type Label } from "./labels.ts";

/** Where captures lie once they were fetched and made. */
export const CAPTURES = resolve(import.meta.dirname, "../../build/captures");

/** What was judged. */
export interface Corpus {
  readonly name: string;
  /** By others, by programs that ran here, or written down in the tests. */
  readonly source: "fetched" | "made" | "committed";
  readonly captures: number;
  readonly flows: number;
}

export interface DetectorQuality {
  readonly name: string;
  readonly cases: number;
  readonly hits: number;
  readonly misses: number;
  /** Findings where there is nothing. */
  readonly wrong: number;
  /** 0 to 1; null where nothing was found, or there was nothing to find. */
  readonly precision: number | null;
  readonly recall: number | null;
  /** The least recall that is claimed. */
  readonly stated: number;
  readonly holds: boolean;
}

export interface Quality {
  readonly corpora: readonly Corpus[];
  /** Flows with payload and without a label, and findings in them. */
  readonly benignFlows: number;
  readonly wrongFlows: number;
  readonly detectors: readonly DetectorQuality[];
  /** What was missed and what was wrong, a line each. */
  readonly notes: readonly string[];
}

/** Is told of each capture that has a label, and of each conversation without one. */
export interface Peer {
  compare(path: string, detector: string, cases: number, ours: number): void;
  compareBenign(path: string, name: string): void;
}

interface Tally {
  cases: number;
  hits: number;
  wrong: number;
}

/** Judges the captures in `folders`, each a corpus of labels.ts or a folder of several, and those of the tests. */
export async function measureQuality(folders: readonly string[], peer?: Peer): Promise<Quality> {
  const measuring = new Measuring(peer);
  const corpora: Corpus[] = [];
  for (const folder of folders.flatMap(corporaIn)) corpora.push(await measuring.corpus(folder));
  corpora.push(await measuring.tables());
  return { corpora, ...measuring.result() };
}

/** The folder itself, or the folders in it: `build/captures` holds several. */
function corporaIn(folder: string): readonly string[] {
  if (isKnown(basename(resolve(folder)))) return [folder];
  if (!existsSync(folder)) return [];
  const inside = readdirSync(folder, { withFileTypes: true });
  return inside.flatMap(({ name }) => (isKnown(name) ? join(folder, name) : []));
}

class Measuring {
  readonly #peer: Peer | undefined;
  readonly #tallies = new Map<string, Tally>();
  readonly #notes: string[] = [];
  #benignFlows = 0;
  #wrongFlows = 0;

  constructor(peer: Peer | undefined) {
    this.#peer = peer;
  }

  async corpus(folder: string): Promise<Corpus> {
    const name = basename(resolve(folder));
    const files = globSync("**/*.{pcap,pcapng,trace,cap,gz}", { cwd: folder }).sort();
    let flows = 0;
    for (const file of files) {
      const path = join(folder, file);
      const report = await reportOf(path);
      if (report === undefined) continue;
      flows += report.flows;
      this.#judge({ report, path, title: `${name}/${file}`, label: labelOf(name, file) });
    }
    const source = name === "made" ? "made" : "fetched";
    return { name, source, captures: files.length, flows };
  }

  async tables(): Promise<Corpus> {
    const path = join(tmpdir(), `cofferdam-quality-${process.pid}.pcap`);
    const cases: readonly FlowCase[] = [...POSITIVE, ...BENIGN];
    let flows = 0;
    for (const it of cases) {
      writeFileSync(path, pcapOf(framesOf(it)));
      const report = await judgeCapture(path);
      flows += report.flows;
      const label: Label = it.expect === undefined ? {} : { [it.expect]: 1 };
      this.#judge({ report, path, title: `tables: ${it.name}`, label, isTable: true });
      if (it.expect === undefined) this.#peer?.compareBenign(path, it.name);
    }
    rmSync(path, { force: true });
    return { name: "tables", source: "committed", captures: cases.length, flows };
  }

  #judge({ report, path, title, label, isTable = false }: Judged): void {
    const found = new Map<string, number>();
    for (const { detector } of report.findings) found.set(detector, (found.get(detector) ?? 0) + 1);
    let labelled = 0;
    const inAll = report.flows - report.silent;
    const casesOf = (detector: string) =>
      label[detector] === "each" ? inAll : (label[detector] ?? 0);
    for (const detector of Object.keys(label)) {
      const cases = casesOf(detector);
      const hits = Math.min(cases, found.get(detector) ?? 0);
      const tally = this.#tally(detector);
      tally.cases += cases;
      tally.hits += hits;
      labelled += cases;
      if (hits < cases)
        this.#notes.push(`missed  ${detector}: ${cases - hits} of ${cases} in ${title}`);
      this.#peer?.compare(path, detector, cases, hits);
    }
    // A table's case may show to a second detector too: chisel is SSH inside a WebSocket.
    const isMisuse = isTable && labelled > 0;
    for (const [detector, count] of found) {
      const wrong = count - casesOf(detector);
      if (wrong <= 0 || isMisuse) continue;
      this.#tally(detector).wrong += wrong;
      this.#wrongFlows += wrong;
      this.#notes.push(`wrong   ${detector}: ${wrong} in ${title}`);
    }
    this.#benignFlows += Math.max(0, inAll - labelled);
  }

  #tally(detector: string): Tally {
    const known = this.#tallies.get(detector) ?? { cases: 0, hits: 0, wrong: 0 };
    this.#tallies.set(detector, known);
    return known;
  }

  result(): Omit<Quality, "corpora"> {
    const detectors = [...FLOW_DETECTORS, ...SERIES_DETECTORS].map(({ name }): DetectorQuality => {
      const { cases, hits, wrong } = this.#tallies.get(name) ?? { cases: 0, hits: 0, wrong: 0 };
      const recall = cases === 0 ? null : hits / cases;
      const precision = hits + wrong === 0 ? null : hits / (hits + wrong);
      const stated = STATED[name] ?? 1;
      const holds = wrong === 0 && (recall === null || recall >= stated);
      return { name, cases, hits, misses: cases - hits, wrong, precision, recall, stated, holds };
    });
    return {
      benignFlows: this.#benignFlows,
      wrongFlows: this.#wrongFlows,
      detectors,
      notes: this.#notes,
    };
  }
}

interface Judged {
  readonly report: CaptureReport;
  readonly path: string;
  readonly title: string;
  readonly label: Label;
  readonly isTable?: boolean;
}

/** `undefined` where the file is no capture: corpora have such on purpose. */
async function reportOf(path: string): Promise<CaptureReport | undefined> {
  try {
    return await judgeCapture(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "wire.capture")
      return undefined;
    throw error;
  }
}
