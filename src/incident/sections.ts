/**
 * What stands in a report and in which order, for every format that people read.
 *
 * @module
 */
import type { Answer, Attempt } from "./attempts.ts";
import type { Found, Proofs, Report } from "./report.ts";
import type { Row } from "./timeline.ts";
import { listed, listedSome, words, type Words } from "./words.ts";

export interface Section {
  /** For the page's own anchors. */
  readonly id: string;
  readonly title: Words;
  readonly paragraphs?: readonly Words[];
  readonly items?: readonly Words[];
  readonly table?: {
    readonly head: readonly string[];
    readonly rows: readonly (readonly Words[])[];
  };
  readonly note?: Words;
}

const ANSWERS = [
  ["attempted", "Attempted", "something was tried that is not granted, or that looks like misuse"],
  ["crossed", "Crossed", "something of it reached a system outside of the run"],
  ["effect", "Had an effect", "it worked there"],
  ["harm", "Did harm", "something of value was lost"],
] as const;

/** Every section; the first is the head of the whole. */
export function sectionsOf(report: Report, proofs: Proofs | undefined): readonly Section[] {
  return [
    headOf(report, proofs),
    answersOf(report),
    attemptsOf(report),
    { id: "grants", title: ["What it did by its grants"], ...doneOf(report) },
    {
      id: "worst",
      title: ["The worst that was possible"],
      paragraphs: [
        [
          "Out of the policy on record, whatever the run did: a list of what was granted, not a forecast.",
        ],
      ],
      items: report.worst,
    },
    findingsOf(report),
    timelineOf(report),
    evidenceOf(report),
    proofsOf(report, proofs),
    redactionsOf(report),
    reproduceOf(report),
  ];
}

function headOf(report: Report, proofs: Proofs | undefined): Section {
  const { entries, version } = report;
  const broken = proofs?.broken ?? [];
  return {
    id: "summary",
    title: [...report.title, ": incident report"],
    paragraphs: [
      ...(broken.length === 0
        ? []
        : [
            words`WARNING: the record does not hold. ${broken.length} of its checks failed, so what stands here may not be what happened; see "Proofs".`,
          ]),
      report.summary.flatMap((sentence, at) => (at === 0 ? sentence : [" ", ...sentence])),
    ],
    note: words`Made by Cofferdam ${version} out of entries ${entries.first} to ${entries.last} of its record (${entries.count} of this run) by templates, without a model. Numbers in brackets are entries; times are those of the recorder, outside of the run.`,
  };
}

function answersOf({ answers }: Report): Section {
  const rows = ANSWERS.map(([name, label, meaning]) => [
    words`${[label]} (${[meaning]})`,
    [answers[name].value],
    answers[name].why,
  ]);
  return {
    id: "answers",
    title: ["What was attempted, and what became of it"],
    paragraphs: [["Four separate answers. What the record cannot tell is unknown."]],
    table: { head: ["Question", "Answer", "Because"], rows },
  };
}

function attemptsOf({ attempts }: Report): Section {
  const rows = attempts.map((attempt, at): readonly Words[] => [
    [String(at + 1)],
    words`${attempt.kind}${attempt.count > 1 ? words`, ${attempt.count} times` : []}: ${listedSome(attempt.targets, 3)}`,
    attempt.by,
    [[answered(attempt.crossed), answered(attempt.effect), answered(attempt.harm)].join(" / ")],
    heldOf(attempt),
    timesOf(attempt),
    cited(attempt.entries),
  ]);
  const head = [
    "",
    "What",
    "By",
    "Crossed / effect / harm",
    "What held",
    "Noticed, stopped",
    "Entries",
  ];
  return {
    id: "attempts",
    title: ["What held"],
    ...(rows.length === 0
      ? { paragraphs: [["Nothing was refused and nothing was found."]] }
      : { table: { head, rows } }),
    ...(rows.length === 0
      ? {}
      : {
          note: [
            "Times are from the start of the process, or of its connection, by the monotonic clock.",
          ],
        }),
  };
}

function answered({ value }: Answer): string {
  return value;
}

function heldOf({ held }: Attempt): Words {
  if (held.length === 0) return ["nothing on record stopped it"];
  return held
    .slice(0, 4)
    .flatMap(({ what, entry }, at) => [...(at === 0 ? [] : ["; "]), ...what, ` [${entry}]`]);
}

function timesOf({ noticedMs, stoppedMs, since }: Attempt): Words {
  if (noticedMs === undefined) return ["unknown"];
  const stopped = stoppedMs === undefined ? "not on record" : `${stoppedMs} ms`;
  return [`${noticedMs} ms, ${stopped} (since the ${since ?? "process"} began)`];
}

function cited(entries: readonly number[]): Words {
  return entries.length === 0 ? ["none"] : [entries.map((entry) => `[${entry}]`).join(" ")];
}

function doneOf({ done }: Report): Pick<Section, "table" | "paragraphs"> {
  if (done.length === 0) return { paragraphs: [["Nothing: no action was allowed."]] };
  const rows = done.map((one): readonly Words[] => [
    words`${one.system}`,
    words`${one.verb}`,
    listed(one.effects),
    [String(one.count)],
    [`${one.succeeded} / ${one.failed} / ${one.count - one.succeeded - one.failed}`],
    cited([one.first]),
  ]);
  const head = [
    "System",
    "Verb",
    "Effects",
    "Times",
    "Succeeded / failed / unknown",
    "First entry",
  ];
  return { table: { head, rows } };
}

function findingsOf({ found, attempts }: Report): Section {
  const rows = found.map((one): readonly Words[] => [
    words`${one.kind}${one.detector === "" ? [] : words` by ${one.detector}`}`,
    [one.score === undefined ? "by the gateway's own rules" : String(one.score)],
    words`${[one.title]}${one.explanation === "" ? [] : [`. ${one.explanation}`]}${[one.explanation.endsWith(".") ? "" : "."]} On record: ${one.detail}`,
    namedElsewhere(one),
    cited(one.entries),
  ]);
  const causes = attempts.filter(({ cause }) => cause !== undefined).length;
  return {
    id: "findings",
    title: ["Findings"],
    ...(rows.length === 0
      ? { paragraphs: [["None."]] }
      : {
          table: { head: ["Found", "Score", "What it is", "Elsewhere", "Entries"], rows },
          note: words`A tool call or training step is known behind ${causes} of ${attempts.length} attempts.`,
        }),
  };
}

function namedElsewhere({ attack, atlas, owasp }: Found): Words {
  const all = [
    ...attack.map((id) => `ATT&CK ${id}`),
    ...atlas.map((id) => `ATLAS ${id}`),
    ...owasp.map((id) => `OWASP Agentic 2026 ${id}`),
  ];
  return all.length === 0 ? ["not known elsewhere"] : listed(all.map((one) => [one]));
}

function timelineOf({ timeline }: Report): Section {
  const { rows, leftOut } = timeline;
  return {
    id: "timeline",
    title: ["Timeline"],
    table: {
      head: ["Entry", "Wall clock (UTC)", "Monotonic, ms", "What", "By", "Cause"],
      rows: rows.map(rowOf),
    },
    ...(leftOut === 0
      ? {}
      : {
          note: words`${leftOut} rows were left out here, those that explain least first; the record has them all.`,
        }),
  };
}

function rowOf({ first, last, count, at, ms, what, by, cause }: Row): readonly Words[] {
  const many = count > 1 ? words` (${count} times, up to entry ${last})` : [];
  return [[String(first)], words`${at}`, [ms.toFixed(1)], [...what, ...many], by, cause];
}

function evidenceOf({ kept }: Report): Section {
  const rows = kept.map((one): readonly Words[] => [
    [one.what],
    words`${one.name}`,
    words`${one.sha256}`,
    cited([one.entry]),
  ]);
  return {
    id: "evidence",
    title: ["Evidence"],
    ...(rows.length === 0
      ? { paragraphs: [["The record names no file beside it."]] }
      : {
          table: { head: ["What", "Name", "SHA-256 on record", "Entry"], rows },
          note: ["They are not part of this report: what they hold was not blackened."],
        }),
  };
}

function proofsOf(report: Report, proofs: Proofs | undefined): Section {
  const title = ["Proofs"];
  if (proofs === undefined) {
    return {
      id: "proofs",
      title,
      paragraphs: [["Nothing was proven: this text was made of entries alone."]],
    };
  }
  const { proven, broken, size, root, key } = proofs;
  const withheld = proven.filter((entry) => report.touched.has(entry)).length;
  return {
    id: "proofs",
    title,
    paragraphs: [
      words`Of ${report.cited.length} cited entries ${proven.length} were proven to be in the record that ${key} signs, whose size was ${size} and whose root ${root} when this was made.`,
      [
        "Each proof is a file proofs/ENTRY.tlog-proof (C2SP tlog-proof) beside this report, and the key is ledger.vkey: whose key that is, only a copy of it kept elsewhere shows. To check them without Cofferdam's home: cofferdam verify --report DIR --key KEYFILE.",
      ],
      ...(withheld === 0
        ? []
        : [
            words`${withheld} of them hold no more than the hash of their entry, since something in it was blackened here; whoever has the entry can compare.`,
          ]),
    ],
    ...(broken.length === 0
      ? {}
      : {
          items: broken.map(({ entry, why }) =>
            entry === undefined ? words`the record: ${why}` : words`entry ${entry}: ${why}`,
          ),
        }),
  };
}

function redactionsOf({ redactions }: Report): Section {
  return {
    id: "redactions",
    title: ["Blackened"],
    table: {
      head: ["Class", "Places", "Different texts"],
      rows: redactions.map(({ of, places, texts }) => [[of], [String(places)], [String(texts)]]),
    },
    note: [
      "Secrets are found by their shape; the credentials that a run is lent never enter the record. Mail addresses and persons are blackened with --redact persons only.",
    ],
  };
}

function reproduceOf({ drills }: Report): Section {
  return {
    id: "reproduce",
    title: ["How to see it again"],
    ...(drills.length === 0
      ? { paragraphs: [["No drill plays this."]] }
      : {
          items: drills.map(
            ({ drill, kinds }) =>
              words`${[`cofferdam drill ${drill}`]} plays ${listed(kinds)} with harmless stand-ins`,
          ),
        }),
  };
}
