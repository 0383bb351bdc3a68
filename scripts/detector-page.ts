/**
 * `npm run docs`: docs/reference/detectors.md, made from the table of detectors.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DETECTOR_ABOUTS, EVERY_ABOUT, type DetectorAbout } from "../src/detect/index.ts";

export const DETECTOR_PAGE = join(import.meta.dirname, "..", "docs", "reference", "detectors.md");

type About = DetectorAbout & { readonly scope?: string };

/** The page's text. */
export function detectorPage(): string {
  const abouts = [...DETECTOR_ABOUTS.values()];
  const flows = [...EVERY_ABOUT.values()].filter(({ name }) => !DETECTOR_ABOUTS.has(name));
  const rows = abouts.map(rowOf);
  return `${[
    "# Detectors",
    "<!-- Made by `npm run docs` from src/detect; a test compares. -->",
    `What is noticed in the stream of events of a run, and becomes a finding: \`cofferdam log\` shows it with \`data.detector\`,
\`data.score\` (0 to 1: how sure) and the identifiers below; \`respond:\` of a [task file](task-file.md) says by \`kind\` what it does
to the run. What the gateway stops while it happens (a tunnel's or a miner's first bytes, a scan, a metadata address) is found there too.
The same about the same is told once in ten minutes, unless it is surer, and of one detector at most 20 times in them.`,
    `A task file sets a detector by its name: thresholds, to between a hundredth and a hundred times what they are, or \`off\`, which
\`cofferdam check\` says as a warning. One of all runs can only be off, and then only for the runs of that task.`,
    "```yaml\ndetect:\n  dns.tunnel: { bytes: 3000 }\n  beacon: off\n```",
    ["| detector | kind | what |", "|---|---|---|", ...rows].join("\n"),
    ...abouts.map(sectionOf),
    "# Detectors of flows",
    `What a connection carries, by its first bytes and the sizes of its pieces: \`cofferdam detect --pcap FILE\` judges captures by them,
and the gateway the connections of \`opaque\` grants. How good they are: [detection-quality.md](detection-quality.md). A task file
cannot set them.`,
    ["| detector | kind | what |", "|---|---|---|", ...flows.map(rowOf)].join("\n"),
    ...flows.map(sectionOf),
  ].join("\n\n")}\n`;
}

function rowOf({ name, kind, title }: About): string {
  return `| [${name}](#${anchorOf(name)}) | ${kind} | ${title} |`;
}

function sectionOf({
  name,
  title,
  explanation,
  attack,
  atlas,
  owasp,
  tuning,
  scope,
}: About): string {
  const over = scope === "home" ? " Over all runs of this daemon." : "";
  const thresholds = Object.entries(tuning).map(
    ([key, { value, unit, meaning }]) => `| \`${key}\` | ${value} ${unit} | ${meaning} |`,
  );
  const ids = [
    ["ATT&CK", attack],
    ["ATLAS", atlas],
    ["OWASP Agentic 2026", owasp],
  ] as const;
  const named = ids
    .filter(([, list]) => list.length > 0)
    .map(([of, list]) => `${of}: ${list.join(", ")}`);
  return [
    `## ${name}`,
    `**${title}.** ${explanation}${over}`,
    `${named.join(". ")}.`,
    ...(thresholds.length === 0
      ? []
      : [["| threshold | default | |", "|---|---|---|", ...thresholds].join("\n")]),
  ].join("\n\n");
}

/** As renderers make anchors of a heading. */
function anchorOf(name: string): string {
  return name.replaceAll(".", "");
}

if (import.meta.main) writeFileSync(DETECTOR_PAGE, detectorPage());
