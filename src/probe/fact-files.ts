/**
 * Rule files and fact files: what ships in rules/, what a person adds, and what probes found.
 *
 * ```
 * $COFFERDAM_HOME/rules/*.rules   rules and declarations of one's own
 * $COFFERDAM_HOME/facts/*.facts   what probes found, a file for each account; and what a person states beside
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { assert, readTextFile } from "../base/index.ts";
import { parseFacts, parseRules, printFact, type Fact, type Program } from "../blast/index.ts";

/** 50,000 facts are about 5 MB. */
const FILE_BYTES_MAX = 64 << 20;

const SHIPPED = join(packageRoot(import.meta.dirname), "rules");

function packageRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  assert(dirname(folder) !== folder, "this file lies inside the package");
  return packageRoot(dirname(folder));
}

/** The rules that ship, and those in `folder`. @throws {Fault} `blast.syntax`, `blast.rule` */
export function readRules(folder: string, more: readonly string[] = []): Program {
  const shipped = filesIn(SHIPPED, ".rules").map((path) => ({
    path,
    file: `rules/${basename(path)}`,
  }));
  const own = [...filesIn(folder, ".rules"), ...more].map((path) => ({ path, file: path }));
  return parseRules([...shipped, ...own].map(({ path, file }) => ({ file, text: read(path) })));
}

/** Facts of every file in `folder`, and of `more`. @throws {Fault} `blast.syntax`, `blast.fact` */
export function readFacts(
  folder: string,
  program: Program,
  more: readonly string[] = [],
): readonly Fact[] {
  const facts = [...filesIn(folder, ".facts"), ...more].flatMap((file) =>
    parseFacts({ file, text: read(file) }, program),
  );
  return settled(facts);
}

const OF_OBJECTS: ReadonlySet<string> = new Set(["label", "rows", "people", "money"]);

/**
 * What is stated of an object's data or size stands in place of what was assumed of it; and what a machine says of a place
 * that it serves in place of what was assumed of the machine by who logs in there.
 */
function settled(facts: readonly Fact[]): readonly Fact[] {
  const keyOf = ({ predicate, terms }: Fact) => JSON.stringify([predicate, terms[0]]);
  const isOfObject = ({ predicate }: Fact) => OF_OBJECTS.has(predicate);
  const stated = new Set(facts.filter((one) => isOfObject(one) && !one.isAssumed).map(keyOf));
  const of = (predicate: string) => facts.filter((one) => one.predicate === predicate);
  const served = new Set(of("serves").map(({ terms }) => terms[2]));
  const asked = new Set(
    of("at").flatMap(({ terms: [who, place] }) => (served.has(place) ? [who] : [])),
  );
  const isSettled = (one: Fact): boolean => {
    if (!one.isAssumed) return false;
    if (isOfObject(one)) return stated.has(keyOf(one));
    if (one.predicate === "runs_on" || one.predicate === "unknown_reach")
      return asked.has(one.terms[0]);
    return one.predicate === "keeps" && served.has(one.terms[2]);
  };
  return facts.filter((one) => !isSettled(one));
}

/** Forgets what was found about `principal`: what it can do is then assumed again. */
export function forgetFacts(folder: string, principal: string): void {
  rmSync(fileOf(folder, principal), { force: true });
}

function fileOf(folder: string, principal: string): string {
  const name = principal.replaceAll(/[^A-Za-z0-9@.-]+/g, "_").slice(0, 80);
  const mark = createHash("sha256").update(principal).digest("hex").slice(0, 8);
  return join(folder, `${name}-${mark}.facts`);
}

/** Keeps what was found about `principal` in place of what was found before. */
export function writeFacts(
  folder: string,
  principal: string,
  at: string,
  facts: readonly Fact[],
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = fileOf(folder, principal);
  const text = `# What ${principal} can do, asked ${at}. Written by \`cofferdam probe\`: changes are lost.\n${facts.map(printFact).join("\n")}\n`;
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

function filesIn(folder: string, suffix: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(folder, name));
}

function read(file: string): string {
  return readTextFile(file, { mayWait: true, bytesMax: FILE_BYTES_MAX });
}
