/** What is done with the whole record: verify it, and take what matches elsewhere. */
import { useRef, useState } from "react";
import { Link } from "wouter";
import type { ExportForm, RecordQuery, VerifyEvent } from "../../../src/api/index.ts";
import { askStream } from "../../calls/index.ts";
import { Button, countText, Dialog, download, Failure, plural } from "../../parts/index.ts";
import styles from "./ledger.module.css";

export function Verify({ linkOf }: { linkOf: (seq: number) => string }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Verify…</Button>
      {isOpen ? (
        <Dialog title="Verify the record" onClose={() => setIsOpen(false)}>
          <Verification linkOf={linkOf} onClose={() => setIsOpen(false)} />
        </Dialog>
      ) : null}
    </>
  );
}

type Progress = Extract<VerifyEvent, { event: "progress" }>;
type Verdict = Extract<VerifyEvent, { event: "verdict" }>;

function Verification(props: { linkOf: (seq: number) => string; onClose: () => void }) {
  const [progress, setProgress] = useState<Progress>();
  const [verdict, setVerdict] = useState<Verdict>();
  const [failure, setFailure] = useState<unknown>();
  const ending = useRef<AbortController>(undefined);
  const start = async () => {
    ending.current = new AbortController();
    setVerdict(undefined);
    setFailure(undefined);
    try {
      for await (const one of askStream("ledger.verify", {}, ending.current.signal)) {
        if (one.event === "progress") setProgress(one);
        else setVerdict(one);
      }
    } catch (error) {
      if (!ending.current.signal.aborted) setFailure(error);
    } finally {
      setProgress(undefined);
    }
  };
  return (
    <div className={styles.verify}>
      <p>
        Every entry is hashed anew, every tile compared, and the tree’s root with the one that is
        signed. A change of one byte shows.
      </p>
      {progress === undefined ? null : (
        <div role="status">
          <progress
            aria-label="entries hashed"
            max={Math.max(1, progress.size)}
            value={progress.hashed}
          />
          <p className={styles.figure}>
            {countText(progress.hashed)} of {countText(progress.size)} entries hashed
          </p>
        </div>
      )}
      {failure === undefined ? null : <Failure error={failure} />}
      {verdict === undefined ? null : <VerdictText verdict={verdict} linkOf={props.linkOf} />}
      <div className={styles.buttons}>
        {progress === undefined ? (
          <Button kind="primary" onClick={() => void start()}>
            {verdict === undefined ? "Verify all of it" : "Once more"}
          </Button>
        ) : (
          <Button onClick={() => ending.current?.abort()}>Stop</Button>
        )}
        <Button
          onClick={() => {
            ending.current?.abort();
            props.onClose();
          }}
        >
          Close
        </Button>
      </div>
      <p className={styles.note}>
        What nobody sees from inside: a record put back whole to an earlier day. A checkpoint that
        you keep elsewhere shows it: <code>cofferdam verify --since FILE</code>.
      </p>
    </div>
  );
}

function VerdictText(props: { verdict: Verdict; linkOf: (seq: number) => string }) {
  const { ok, size, unsigned, problems, more, root } = props.verdict;
  if (ok) {
    return (
      <p className={styles.good} role="status">
        <strong>Intact.</strong> {plural(size, "entry", "entries")} hashed; the tree has the signed
        root <code title={root}>{root.slice(0, 12)}…</code>
        {unsigned === 0
          ? "."
          : ` ${plural(unsigned, "entry", "entries")} of the last moment wait for their signature.`}
      </p>
    );
  }
  return (
    <div className={styles.wrong} role="alert">
      <strong>Not intact: {plural(problems.length + more, "problem")}.</strong> Keep a copy of the
      home’s folder as it is now, and find out who could write to it.
      <ul>
        {problems.slice(0, 20).map(({ seq, file, what }) => (
          <li key={`${seq} ${file} ${what}`}>
            {seq === undefined ? (
              <code>{file}</code>
            ) : (
              <Link to={props.linkOf(seq)}>entry {countText(seq)}</Link>
            )}
            : {what}
          </li>
        ))}
      </ul>
    </div>
  );
}

const FORMS: readonly (readonly [ExportForm, string, string, string])[] = [
  ["raw", "JSON lines", "as `cofferdam log --json` prints it", "jsonl"],
  ["csv", "CSV", "for a spreadsheet", "csv"],
  ["ocsf", "OCSF 1.8", "for a SIEM", "ocsf.jsonl"],
  ["otlp", "OpenTelemetry", "OTLP JSON, logs and spans", "otlp.jsonl"],
];

/** A menu of forms; what matches the search is fetched piece by piece and saved. */
export function Export({ query, count }: { query: RecordQuery; count: number }) {
  const [taken, setTaken] = useState<number>();
  const [failure, setFailure] = useState<unknown>();
  const menu = useRef<HTMLDetailsElement>(null);
  const start = async (form: ExportForm, suffix: string) => {
    if (menu.current !== null) menu.current.open = false;
    setFailure(undefined);
    setTaken(0);
    try {
      const parts: string[] = [];
      for await (const { text, entries } of askStream("ledger.export", { query, form })) {
        parts.push(text);
        setTaken(entries);
      }
      download(`cofferdam-record.${suffix}`, parts, "text/plain");
    } catch (error) {
      setFailure(error);
    } finally {
      setTaken(undefined);
    }
  };
  if (taken !== undefined) return <span role="status">{countText(taken)} entries taken…</span>;
  return (
    <>
      <details ref={menu} className={styles.menu}>
        <summary>Export</summary>
        <div>
          <p>{plural(count, "entry", "entries")} that match:</p>
          {FORMS.map(([form, label, what, suffix]) => (
            <button key={form} type="button" onClick={() => void start(form, suffix)}>
              <b>{label}</b> <small>{what}</small>
            </button>
          ))}
        </div>
      </details>
      {failure === undefined ? null : <Failure error={failure} />}
    </>
  );
}
