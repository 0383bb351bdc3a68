/**
 * What stands beside a text: how bad it could get, what it means, what its record says, what runs were started with. All of
 * it follows the text as it is typed; while the text has faults, what was last sound stays, and says so.
 *
 * @module
 */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { Answers, TaskPart, TaskProblem } from "../../../src/api/index.ts";
import { ApiFault, ask, keyOf, useCall } from "../../calls/index.ts";
import { Ago, Badge, Empty, Failure, Loading, plural, Tabs, Untrusted } from "../../parts/index.ts";
import { Numbers, useRadius, useSettled } from "../../radius/index.ts";
import { Advice } from "./advice.tsx";
import styles from "./tasks.module.css";

export interface Reading {
  readonly problems: readonly TaskProblem[];
  /** Of the last text that was sound. */
  readonly parts: readonly TaskPart[];
  readonly task: string | undefined;
  /** The last text that was sound. */
  readonly sound: string | undefined;
  /** Whether what is told is about the text as it stands. */
  readonly isCurrent: boolean;
}

type Checked = Answers<"task.check"> & { readonly source: string };

/** Reads `text` while it is typed. */
export function useReading(place: string, text: string): Reading {
  const source = useSettled(text);
  const check = useQuery<Checked, ApiFault>({
    queryKey: keyOf("task.check", { place, source }),
    queryFn: async ({ signal }) => ({
      ...(await ask("task.check", { place, source }, signal)),
      source,
    }),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
  const { data } = check;
  const [good, setGood] = useState<Checked>();
  useEffect(() => {
    if (data?.task !== undefined) setGood(data);
  }, [data]);
  const isCurrent = data?.source === text;
  return {
    problems: isCurrent ? data.problems : NO_PROBLEMS,
    parts: good?.parts ?? [],
    task: good?.task,
    sound: good?.source,
    isCurrent,
  };
}
const NO_PROBLEMS: readonly TaskProblem[] = [];

const VIEWS = [
  { id: "means", label: "What it means" },
  { id: "advice", label: "Proposals" },
  { id: "history", label: "History" },
] as const;

export function SideViews(props: {
  readonly place: string;
  readonly text: string;
  readonly reading: Reading;
  /** The text that changes are told against. */
  readonly saved?: string;
  readonly onLine?: (line: number) => void;
  /** Puts a text into the editor. */
  readonly onText?: (text: string) => void;
}) {
  const { place, text, reading, saved, onLine, onText } = props;
  const [view, setView] = useState<string>("means");
  return (
    <aside className={styles.side} aria-label="Beside the text">
      <Radius place={place} reading={reading} saved={saved} />
      <Tabs label="Beside the text" items={VIEWS} selected={view} onSelect={setView} />
      <div
        role="tabpanel"
        aria-label={VIEWS.find(({ id }) => id === view)?.label}
        className={styles.view}
      >
        {view === "means" ? (
          <Meaning reading={reading} onLine={onLine} />
        ) : view === "advice" ? (
          <Advice place={place} text={reading.sound ?? text} task={reading.task} onText={onText} />
        ) : (
          <History task={reading.task} />
        )}
      </div>
    </aside>
  );
}

function Radius(props: {
  readonly place: string;
  readonly reading: Reading;
  readonly saved: string | undefined;
}) {
  const { place, reading, saved } = props;
  const { sound, problems } = reading;
  const now = useRadius(
    sound === undefined ? undefined : { place, source: sound, picture: "none" },
  );
  const isOther = saved !== undefined && saved !== "" && saved !== sound;
  const before = useRadius(isOther ? { place, source: saved, picture: "none" } : undefined);
  return (
    <section aria-label="Blast radius" className={styles.radius} aria-busy={now.isFetching}>
      <header>
        <h2>Blast radius</h2>
        <span className={styles.state} role="status">
          {problems.length > 0
            ? "of the text before its faults"
            : now.isFetching
              ? "working it out…"
              : ""}
        </span>
        <Link href={`~/blast?${new URLSearchParams({ place }).toString()}`}>picture and ways</Link>
      </header>
      {now.data !== undefined ? (
        <>
          <Numbers
            outcomes={now.data.outcomes}
            before={isOther ? before.data?.outcomes : undefined}
          />
          {now.data.excesses.map(({ outcome, which }) => (
            <Badge key={`${outcome} ${which}`} tone="bad">{`over budget: ${outcome}`}</Badge>
          ))}
        </>
      ) : now.error !== null ? (
        <Failure error={now.error} />
      ) : sound === undefined ? (
        <p className={styles.none}>Known once the text reads as a task.</p>
      ) : (
        <Loading what="Working it out" />
      )}
    </section>
  );
}

function Meaning({
  reading,
  onLine,
}: {
  reading: Reading;
  onLine: ((line: number) => void) | undefined;
}) {
  const { parts, problems } = reading;
  return (
    <>
      <Problems problems={problems} onLine={onLine} />
      {parts.map((part) => (
        <Part key={part.about} part={part} onLine={onLine} />
      ))}
    </>
  );
}

export function Problems(props: {
  readonly problems: readonly TaskProblem[];
  readonly onLine: ((line: number) => void) | undefined;
}) {
  const { problems, onLine } = props;
  if (problems.length === 0) return null;
  return (
    <ul className={styles.problems} aria-label="Faults">
      {problems.map(({ line, column, message, hint }) => (
        <li key={`${line}:${column} ${message}`}>
          <button type="button" disabled={onLine === undefined} onClick={() => onLine?.(line)}>
            line {line}
          </button>
          <span>
            <Untrusted text={message} />
            {hint === "" ? null : (
              <small>
                <Untrusted text={hint} />
              </small>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Part({ part, onLine }: { part: TaskPart; onLine: ((line: number) => void) | undefined }) {
  const { about, sentences, line, verdicts } = part;
  return (
    <section className={styles.part} aria-label={about}>
      <header>
        <h3>
          <Untrusted text={verdicts === undefined ? about : `${about} (${verdicts.system})`} />
        </h3>
        {line === undefined || onLine === undefined ? null : (
          <button type="button" onClick={() => onLine(line)}>
            line {line}
          </button>
        )}
      </header>
      {sentences.map((sentence) => (
        <p key={sentence} data-warns={sentence.startsWith("Warning:") || undefined}>
          <Untrusted text={sentence} />
        </p>
      ))}
      {verdicts === undefined || verdicts.isUninspected ? null : (
        <dl className={styles.verdicts}>
          <Verbs tone="ok" label="passes" verbs={verdicts.allows} />
          <Verbs tone="wait" label="waits" verbs={verdicts.waits} />
          <Verbs tone="bad" label="denied" verbs={verdicts.denies} />
        </dl>
      )}
    </section>
  );
}

const VERBS_SHOWN = 10;

function Verbs({
  tone,
  label,
  verbs,
}: {
  tone: "ok" | "wait" | "bad";
  label: string;
  verbs: readonly string[];
}) {
  const [isAll, setAll] = useState(false);
  if (verbs.length === 0) return null;
  const shown = isAll ? verbs : verbs.slice(0, VERBS_SHOWN);
  return (
    <div>
      <dt>
        <Badge tone={tone}>{label}</Badge>
      </dt>
      <dd>
        <code>{shown.join(", ")}</code>
        {shown.length === verbs.length ? null : (
          <button type="button" onClick={() => setAll(true)}>
            and {verbs.length - shown.length} more
          </button>
        )}
      </dd>
    </div>
  );
}

function History({ task }: { task: string | undefined }) {
  const history = useCall("task.history", { task: task ?? "" }, { enabled: task !== undefined });
  if (task === undefined)
    return <p className={styles.none}>Known once the text reads as a task.</p>;
  if (history.isPending) return <Loading />;
  if (history.error !== null) return <Failure error={history.error} />;
  const { versions } = history.data;
  if (versions.length === 0) {
    return (
      <Empty title={`No run of ${task} yet`} command="cofferdam run --task FILE -- COMMAND">
        Each text that a run was started with is kept in the record, and listed here.
      </Empty>
    );
  }
  return (
    <ol className={styles.versions}>
      {versions.map(({ place, digest, file, at, runs }) => (
        <li key={digest}>
          <Link href={`~/tasks?${new URLSearchParams({ place }).toString()}`}>
            <code>{digest.slice(0, 12)}</code>
          </Link>{" "}
          <Untrusted text={file} />, <Ago at={at} />, {plural(runs.length, "run")}
        </li>
      ))}
    </ol>
  );
}
