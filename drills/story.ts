/**
 * A drill told in the terminal: what happened in the real case, then a line or two for each attempt.
 *
 * @module
 */
import { faultsOf, isPassed, type AttemptRecord, type DrillRecord } from "./record.ts";

/** What a drill replays, for a reader who has never heard of it. */
export interface Story {
  readonly title: string;
  readonly sentences: readonly string[];
}

/** Ways to mark text; all of them identity where the terminal has no colours. */
export interface Ink {
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

/** Inks for a terminal with colours, or none. */
export function createInk(colours: boolean): Ink {
  const ink = (code: number) => (text: string) =>
    colours ? `\u001B[${code}m${text}\u001B[0m` : text;
  return { good: ink(32), bad: ink(31), faint: ink(2), strong: ink(1) };
}

/** The opening, before anything has run. */
export function tellOpening(story: Story, ink: Ink): readonly string[] {
  return [ink.strong(story.title), ...story.sentences.map((sentence) => `  ${sentence}`), ""];
}

/** All that was found, and the conclusion. */
export function tellDrill(drill: DrillRecord, ink: Ink): readonly string[] {
  const twins = drill.twins.map(({ name, passed, detail }) =>
    passed
      ? `  ${ink.good("passed")}  ${name}`
      : `  ${ink.bad("FAILED")}  ${name}${detail === "" ? "" : `: ${detail}`}`,
  );
  return [
    ...drill.attempts.flatMap((attempt) => tellAttempt(attempt, ink)),
    ink.strong("Ordinary work in the same kind of run"),
    ...twins,
    "",
    ...tellEnd(drill, ink),
  ];
}

function tellAttempt(attempt: AttemptRecord, ink: Ink): readonly string[] {
  const faults = faultsOf(attempt);
  const mark = faults.length === 0 ? ink.good("contained") : ink.bad("NOT SHOWN CONTAINED");
  const { stoppedBy, noticedMs, stoppedMs, entry, proved } = attempt;
  const lines = [
    `${mark}  ${ink.strong(`${attempt.what} to ${attempt.target}`)}`,
    ink.faint(`  without Cofferdam: ${attempt.bare}`),
  ];
  if (stoppedBy !== null) {
    lines.push(
      `  in a run: stopped by ${stoppedBy}; noticed after ${noticedMs ?? "?"} ms, over after ${stoppedMs ?? "?"} ms`,
    );
  }
  if (entry !== null) {
    const proof = proved ? "its proof holds" : "NO VALID PROOF";
    lines.push(`  ledger entry ${entry}, ${proof}; by ${tellProcess(attempt)}`);
  }
  return [...lines, ...faults.map((why) => `  ${ink.bad(why)}`), ""];
}

/** How much of a command line is shown, in characters: of the process itself, and of an ancestor. */
const PROCESS_CHARS_MAX = 72;
const ANCESTOR_CHARS_MAX = 24;

/** The process and its ancestors: `ssh[41] < sh[40] < node agent.mjs[12]`. */
function tellProcess({ process }: AttemptRecord): string {
  if (process === null || process.pid === 0) return "process unknown";
  const name = ({ argv, exe, pid }: (typeof process.ancestors)[number], chars: number) => {
    const line = argv.length === 0 ? exe : argv.join(" ");
    return `${line.length > chars ? `${line.slice(0, chars - 3)}...` : line} [${pid}]`;
  };
  const ancestors = process.ancestors.map((node) => name(node, ANCESTOR_CHARS_MAX));
  return [name(process, PROCESS_CHARS_MAX), ...ancestors].join(" < ");
}

function tellEnd(drill: DrillRecord, ink: Ink): readonly string[] {
  const { attempts, twins } = drill;
  const contained = attempts.filter((attempt) => faultsOf(attempt).length === 0).length;
  const bare = attempts.filter((attempt) => attempt.bareCrossed).length;
  const passed = twins.filter((twin) => twin.passed).length;
  const ledger = drill.ledgerIntact ? "the ledger is intact" : "the ledger is NOT intact";
  const counts =
    `${bare} of ${attempts.length} attempts got through without Cofferdam, ` +
    `${contained} of ${attempts.length} were contained with it, ` +
    `${passed} of ${twins.length} benign twins passed, ${ledger}.`;
  return [isPassed(drill) ? ink.good(counts) : ink.bad(counts)];
}
