/** The report of one run as a page: what was attempted, what became of it, what held; all of it by the record. */
import { useState, type ReactNode } from "react";
import { Link } from "wouter";
import type { IncidentReport } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  Badge,
  Clock,
  Command,
  countText,
  EFFECT_TONES,
  Failure,
  Loading,
  plural,
  Tabs,
  type Tone,
} from "../../parts/index.ts";
import { Publish } from "./publish.tsx";
import { Blackened, Entries, Sentence } from "./words.tsx";
import styles from "./incidents.module.css";

export function Report({ run }: { run: string }) {
  const [persons, setPersons] = useState(false);
  const { data, error } = useCall("incident.report", { run, persons });
  return (
    <article className={styles.report}>
      <p>
        <Link to="/">All incidents</Link> · <Link to={`~/runs/${run}`}>the run</Link>
      </p>
      {error === null ? null : <Failure error={error} />}
      {data === undefined && error === null ? <Loading what="Making the report" /> : null}
      {data === undefined ? null : (
        <>
          <header className={styles.head}>
            <h1>
              <Sentence words={data.title} />
            </h1>
            <Publish run={run} persons={persons} />
          </header>
          <Redactions report={data} persons={persons} onPersons={setPersons} />
          <Body report={data} />
        </>
      )}
    </article>
  );
}

function Redactions(props: {
  readonly report: IncidentReport;
  readonly persons: boolean;
  readonly onPersons: (persons: boolean) => void;
}) {
  const { report, persons, onPersons } = props;
  const all = report.redactions.filter(({ places }) => places > 0);
  return (
    <div className={styles.redactions}>
      <label>
        <input
          type="checkbox"
          checked={persons}
          onChange={({ target }) => onPersons(target.checked)}
        />{" "}
        blacken persons and mail addresses, too
      </label>
      <span role="status">
        {all.length === 0
          ? "Nothing is blackened."
          : `Blackened: ${all.map(({ of, places, texts }) => `${of} in ${plural(places, "place")} (${countText(texts)} different)`).join(", ")}.`}{" "}
        Secrets always are; the same number is the same text.
      </span>
    </div>
  );
}

const ANSWERS = [
  ["attempted", "Attempted", "something was tried that is not granted, or looks like misuse"],
  ["crossed", "Crossed", "something of it reached a system outside"],
  ["effect", "Had an effect", "it worked there"],
  ["harm", "Did harm", "something of value was lost"],
] as const;
const ANSWER_TONES: Readonly<Record<"yes" | "no" | "unknown", Tone>> = {
  yes: "bad",
  no: "ok",
  unknown: "wait",
};

function Body({ report }: { report: IncidentReport }) {
  const { summary, answers, attempts, found, done, worst, kept, drills } = report;
  return (
    <>
      <div className={styles.summary}>
        {summary.map((sentence, at) => (
          <p key={at}>
            <Sentence words={sentence} />
          </p>
        ))}
      </div>
      <ul className={styles.answers} aria-label="Four separate answers">
        {ANSWERS.map(([name, label, meaning]) => (
          <li key={name}>
            <h2>{label}</h2>
            <Badge
              tone={
                name === "attempted" && answers[name].value === "yes"
                  ? "wait"
                  : ANSWER_TONES[answers[name].value]
              }
            >
              {answers[name].value}
            </Badge>
            <p className={styles.note}>{meaning}</p>
            <p>
              <Sentence words={answers[name].why} />
            </p>
          </li>
        ))}
      </ul>
      <Part
        title="What held"
        count={attempts.length}
        none="Nothing was refused and nothing was found."
      >
        {attempts.map((attempt, at) => (
          <Attempt key={at} attempt={attempt} />
        ))}
      </Part>
      <Part title="Findings" count={found.length} none="None.">
        {found.map((one) => (
          <li key={`${one.kind} ${one.detector}`}>
            <h3>
              {one.title} <Badge tone="bad">{one.kind}</Badge>
              {one.count > 1 ? ` ${countText(one.count)} times` : ""}
            </h3>
            {one.explanation === "" ? null : <p>{one.explanation}</p>}
            <p>
              On record: <Blackened text={one.detail} />
            </p>
            <p className={styles.note}>
              {one.score === undefined ? "By the gateway’s own rules" : `Score ${one.score}`}
              {one.detector === "" ? "" : ` by ${one.detector}`} · <Named {...one} /> · entries{" "}
              <Entries of={one.entries} />
            </p>
          </li>
        ))}
      </Part>
      <Timeline report={report} />
      <Part
        title="What it did by its grants"
        count={done.length}
        none="Nothing: no action was allowed."
      >
        {done.map((one) => (
          <li key={`${one.system} ${one.verb} ${one.first}`}>
            <Blackened text={`${one.system} ${one.verb}`} />{" "}
            {one.effects.map((effect) => (
              <Badge
                key={effect}
                tone={EFFECT_TONES[effect as keyof typeof EFFECT_TONES] ?? "calm"}
              >
                {effect}
              </Badge>
            ))}{" "}
            {countText(one.count)} times: {countText(one.succeeded)} succeeded,{" "}
            {countText(one.failed)} failed; first <Entries of={[one.first]} />
          </li>
        ))}
      </Part>
      <Part
        title="The worst that was possible"
        count={worst.length}
        none="The policy on record cannot be read any more."
      >
        {worst.map((one, at) => (
          <li key={at}>
            <Sentence words={one} />
          </li>
        ))}
      </Part>
      <Part
        title="Evidence beside the record"
        count={kept.length}
        none="The record names no file beside it."
      >
        {kept.map(({ what, name, sha256, entry }) => (
          <li key={`${name} ${entry}`}>
            {what} <Blackened text={name} />, SHA-256 <code>{sha256.slice(0, 16)}…</code>, entry{" "}
            <Entries of={[entry]} />
          </li>
        ))}
      </Part>
      <Part title="How to see it again" count={drills.length} none="No drill plays this.">
        {drills.map(({ drill, kinds }) => (
          <li key={drill}>
            <Command line={`cofferdam drill ${drill}`} /> plays {kinds.join(", ")} with harmless
            stand-ins
          </li>
        ))}
      </Part>
      <p className={styles.note}>
        Made of entries {countText(report.entries.first)} to {countText(report.entries.last)} (
        {countText(report.entries.count)} of this run) by templates, without a model.{" "}
        {countText(report.cited)} entries are cited; exporting proves each.
      </p>
    </>
  );
}

function Part(props: { title: string; count: number; none: string; children: ReactNode }) {
  return (
    <section className={styles.part}>
      <h2>{props.title}</h2>
      {props.count === 0 ? <p className={styles.note}>{props.none}</p> : <ul>{props.children}</ul>}
    </section>
  );
}

function Attempt({ attempt }: { attempt: IncidentReport["attempts"][number] }) {
  const { kind, targets, by, call, count, crossed, effect, harm, held } = attempt;
  const { noticedMs, stoppedMs, since, entries } = attempt;
  return (
    <li>
      <h3>
        <Blackened text={kind} />
        {count > 1 ? `, ${countText(count)} times` : ""}:{" "}
        <Blackened text={targets.slice(0, 3).join(", ")} />
        {targets.length > 3 ? ` and ${targets.length - 3} more` : ""}
      </h3>
      <p>
        by <Sentence words={by} />
        {call === undefined ? null : (
          <>
            {" "}
            for the tool call <Blackened text={call} />
          </>
        )}
      </p>
      <p className={styles.kinds}>
        {(
          [
            ["crossed", crossed],
            ["effect", effect],
            ["harm", harm],
          ] as const
        ).map(([name, { value }]) => (
          <Badge key={name} tone={ANSWER_TONES[value]}>{`${name}: ${value}`}</Badge>
        ))}
      </p>
      <p>
        {held.length === 0 ? (
          <strong>Nothing on record stopped it.</strong>
        ) : (
          held.slice(0, 4).map(({ entry, what }) => (
            <span key={entry} className={styles.held}>
              <Sentence words={what} /> <Entries of={[entry]} />
            </span>
          ))
        )}
      </p>
      <p className={styles.note}>
        {noticedMs === undefined
          ? "when it was noticed is not known"
          : `noticed ${noticedMs} ms after its ${since ?? "process"} began${stoppedMs === undefined ? "" : `, over after ${stoppedMs} ms`}`}{" "}
        · entries <Entries of={entries} />
      </p>
    </li>
  );
}

function Named(of: {
  readonly attack: readonly string[];
  readonly atlas: readonly string[];
  readonly owasp: readonly string[];
}) {
  const all = [
    ...of.attack.map((id) => `ATT&CK ${id}`),
    ...of.atlas.map((id) => `ATLAS ${id}`),
    ...of.owasp.map((id) => `OWASP ${id}`),
  ];
  return all.length === 0 ? "not known elsewhere" : all.join(", ");
}

const LANE_TONES: Readonly<Record<string, Tone>> = {
  refusal: "bad",
  finding: "bad",
  action: "info",
  tool: "deep",
  flow: "ok",
};

function Timeline({ report: { timeline } }: { report: IncidentReport }) {
  const [lane, setLane] = useState("all");
  const lanes = [...new Set(timeline.rows.map((row) => row.lane))];
  const rows = timeline.rows.filter((row) => lane === "all" || row.lane === lane);
  const items = ["all", ...lanes].map((id) => ({
    id,
    label: id,
    count:
      id === "all" ? timeline.rows.length : timeline.rows.filter((row) => row.lane === id).length,
  }));
  return (
    <section className={styles.part}>
      <h2>Timeline</h2>
      <Tabs label="What of the timeline" items={items} selected={lane} onSelect={setLane} />
      <div className={styles.wide} tabIndex={0} role="region" aria-label="Timeline">
        <table>
          <thead>
            <tr>
              <th>Entry</th>
              <th>Clock (UTC)</th>
              <th>After</th>
              <th>What</th>
              <th>By, and why</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.first}>
                <td>
                  <Entries of={[row.first]} />
                </td>
                <td>
                  <Clock at={row.at} />
                </td>
                <td className={styles.figure}>{row.ms.toFixed(1)} ms</td>
                <td>
                  <Badge tone={LANE_TONES[row.lane] ?? "calm"}>{row.lane}</Badge>{" "}
                  <Sentence words={row.what} />
                  {row.count > 1 ? ` (${countText(row.count)} times, up to ${row.last})` : ""}
                </td>
                <td>
                  <Sentence words={row.by} /> <Sentence words={row.cause} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {timeline.leftOut === 0 ? null : (
        <p className={styles.note}>
          {countText(timeline.leftOut)} rows were left out here, those that explain least first; the
          record has them all.
        </p>
      )}
    </section>
  );
}
