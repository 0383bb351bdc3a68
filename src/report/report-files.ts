/**
 * A report's folder: the report in its formats, and for each entry that it cites a proof that needs nothing else.
 *
 *   report.md report.html events.ocsf.jsonl aiid.txt atlas.yaml    what was asked for
 *   proofs/ENTRY.tlog-proof                                        C2SP tlog-proof
 *   proofs/ENTRY.leaf        where the entry is not told whole: the hash that stands for it
 *   ledger.vkey              the key that the record is signed with
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import { describeError, Fault, isFault } from "../base/index.ts";
import type { Proofs } from "../incident/index.ts";
import {
  BUNDLE_ENTRIES,
  verifyInclusion,
  verifyLedger,
  verifyProof,
  withholdEntry,
} from "../ledger/index.ts";
import type { Client } from "../client/index.ts";

const KEY_FILE = "ledger.vkey";
const PROOFS = "proofs";
const PROOF = /^(\d{1,16})\.tlog-proof$/;

/** A file of a report, by its path in the folder. */
export interface ReportFile {
  readonly path: string;
  readonly text: string;
}

/**
 * All entries of `run` that can be read. A bundle of the record that is damaged is passed over, and with it every entry
 * in it: what it is that is damaged, {@link proveEntries} tells of the whole record.
 */
export async function readRun(
  client: Client,
  run: string,
  ledger: string,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const { entries: size } = await client.call("daemon.status", {});
  let damaged: readonly number[] | undefined;
  for (let from = 0; from < size;) {
    try {
      const read = client.stream("log.read", { run, follow: false, from });
      for await (const entry of read) entries.push(entry);
      break;
    } catch (error) {
      // The daemon gives no entry that is not the one that was signed: it ends the answer.
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
      damaged ??= (await verifyLedger(ledger)).problems.flatMap(({ seq }) => seq ?? []);
      const reached = Math.max(from, (entries.at(-1)?.seq ?? -1) + 1);
      const bad = damaged.find((seq) => seq >= reached - (reached % BUNDLE_ENTRIES));
      if (bad === undefined) throw error;
      from = bad - (bad % BUNDLE_ENTRIES) + BUNDLE_ENTRIES;
    }
  }
  return entries;
}

export interface Proving {
  /** The entries to prove, as they were read. */
  readonly entries: readonly Entry[];
  /** Those of which a proof may not hold the bytes. */
  readonly withheld: ReadonlySet<number>;
  /** The ledger's folder, all of which is verified. */
  readonly ledger: string;
}

/** Proves `entries`; what does not hold is told, and proves nothing. */
export async function proveEntries(
  client: Client,
  { entries, withheld, ledger }: Proving,
): Promise<{ readonly proofs: Proofs; readonly files: readonly ReportFile[] }> {
  const files: ReportFile[] = [];
  const proven: number[] = [];
  const broken: Proofs["broken"][number][] = [];
  let key = "";
  for (const { seq, ...event } of entries) {
    try {
      const given = await client.call("ledger.prove", { seq });
      key = given.key;
      const shown = verifyProof(given.proof, key);
      if (shown.seq !== seq || !isSame(shown.event, event)) {
        throw new Fault("ledger.proof", "the proven entry is not the one that was read");
      }
      files.push(...filesOf(seq, given.proof, withheld.has(seq)));
      proven.push(seq);
    } catch (error) {
      if (!isFault(error)) throw error;
      broken.push({ entry: seq, why: describeError(error) });
    }
  }
  const report = await verifyLedger(ledger, key === "" ? {} : { publicKey: key });
  for (const { seq, file, what } of report.problems) {
    broken.push({ entry: seq, why: `${file}: ${what}` });
  }
  files.push({ path: KEY_FILE, text: `${key}\n` });
  return { proofs: { proven, broken, size: report.size, root: report.root, key }, files };
}

function filesOf(seq: number, proof: string, isWithheld: boolean): readonly ReportFile[] {
  const path = `${PROOFS}/${seq}.tlog-proof`;
  if (!isWithheld) return [{ path, text: proof }];
  const { proof: text, leaf } = withholdEntry(proof);
  return [
    { path, text },
    { path: `${PROOFS}/${seq}.leaf`, text: `${leaf}\n` },
  ];
}

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one as Json) === canonicalJson(other as Json);
}

/** Writes a report; nothing that is there is written over. @throws {Fault} `cli.out` */
export function writeReport(folder: string, files: readonly ReportFile[]): void {
  try {
    // Not with its parents: a mistyped path makes no tree (and in /proc, Node's own way to make one never ends).
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    if (readdirSync(folder).length > 0) {
      throw new Fault("cli.out", `the folder ${folder} is not empty`, {
        hint: "name one that is not there yet",
      });
    }
    mkdirSync(join(folder, PROOFS), { mode: 0o700 });
    for (const { path, text } of files) {
      writeFileSync(join(folder, path), text, { flag: "wx", mode: 0o600 });
    }
  } catch (error) {
    if (isFault(error)) throw error;
    throw new Fault("cli.out", `the report cannot be written: ${describeError(error)}`, {
      hint: "name a folder that you may write to",
    });
  }
}

/** What was found in the folder of a report. */
export interface ReportCheck {
  readonly ok: boolean;
  readonly proven: readonly number[];
  /** Of which only the hash is there. */
  readonly withheld: readonly number[];
  readonly problems: readonly { readonly entry: number; readonly what: string }[];
  readonly key: string;
  /** The key is the report's own: that it is the record's, only a copy kept elsewhere shows. */
  readonly isOwnKey: boolean;
}

/** Checks every proof of a report's folder, with nothing else at hand. @throws {Fault} `cli.report` */
export function checkReport(folder: string, keyFile: string | undefined): ReportCheck {
  const key = read(keyFile ?? join(folder, KEY_FILE)).trim();
  const proven: number[] = [];
  const withheld: number[] = [];
  const problems: { entry: number; what: string }[] = [];
  const names = list(join(folder, PROOFS));
  for (const name of names) {
    const entry = Number(PROOF.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(entry)) continue;
    const text = read(join(folder, PROOFS, name));
    const leaf = `${entry}.leaf`;
    try {
      const isWithheld = names.includes(leaf);
      const { seq } = isWithheld
        ? verifyInclusion(text, read(join(folder, PROOFS, leaf)).trim(), key)
        : verifyProof(text, key);
      if (seq !== entry) throw new Fault("ledger.proof", `it is a proof of entry ${seq}`);
      (isWithheld ? withheld : proven).push(entry);
    } catch (error) {
      if (!isFault(error)) throw error;
      problems.push({ entry, what: describeError(error) });
    }
  }
  const isSome = proven.length + withheld.length + problems.length > 0;
  if (!isSome) {
    throw new Fault("cli.report", `there is no proof in ${folder}`, {
      hint: "it is made by `cofferdam incident RUN --out DIR`",
    });
  }
  const ok = problems.length === 0;
  return { ok, proven, withheld, problems, key, isOwnKey: keyFile === undefined };
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(path: string, error: unknown): Fault {
  return new Fault("cli.report", `${path} cannot be read: ${describeError(error)}`, {
    hint: "it is made by `cofferdam incident RUN --out DIR`",
  });
}
