/** One drill: its story, and what happens while it is run. */
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { DrillInfo } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { askStream } from "../../calls/index.ts";
import {
  Badge,
  Button,
  Command,
  Failure,
  plural,
  Untrusted,
  type Tone,
} from "../../parts/index.ts";
import { BEGINNING, told, type Course, type Result, type Tried, type Twin } from "./course.ts";
import styles from "./drills.module.css";

export function Watch({ drill }: { drill: DrillInfo }) {
  const { name, title, sentences, ids, incidents, lacks } = drill;
  const mayRun = useRole("operator");
  const { course, failure, isGoing, start, stop } = useDrill(name);
  return (
    <article className={styles.screen}>
      <header>
        <p>
          <Link to="/">All drills</Link>
        </p>
        <h1>{title}</h1>
        <p className={styles.story}>{sentences.join(" ")}</p>
        <p className={styles.note}>
          {ids.join(", ")} · after {incidents}
        </p>
      </header>
      <div className={styles.buttons}>
        {isGoing ? (
          <Button kind="danger" onClick={stop}>
            Stop the drill
          </Button>
        ) : (
          <Button kind="primary" onClick={() => void start()} disabled={!mayRun}>
            {course?.result === undefined ? "Run this drill" : "Run it again"}
          </Button>
        )}
        {mayRun ? null : <span className={styles.note}>Running one needs the role operator.</span>}
        {lacks === undefined ? null : <Badge tone="wait">{`not on this machine: ${lacks}`}</Badge>}
        <span role="status" className={styles.note}>
          {isGoing ? `${course?.progress ?? ""}…` : ""}
        </span>
      </div>
      {failure === undefined ? null : <Failure error={failure} />}
      {course?.result === undefined ? null : <Conclusion result={course.result} />}
      {course === undefined ? (
        <p className={styles.note}>
          It takes ten seconds to a minute. In a terminal:{" "}
          <Command line={`cofferdam drill ${name}`} />
        </p>
      ) : (
        <>
          <Attempts tried={course.tried} />
          <Twins twins={course.twins} />
        </>
      )}
    </article>
  );
}

/** Runs a drill for as long as the screen is there. */
function useDrill(name: string) {
  const [course, setCourse] = useState<Course>();
  const [failure, setFailure] = useState<unknown>();
  const [isGoing, setIsGoing] = useState(false);
  const ending = useRef<AbortController>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const start = async () => {
    const own = new AbortController();
    ending.current = own;
    setCourse(BEGINNING);
    setFailure(undefined);
    setIsGoing(true);
    try {
      for await (const event of askStream("drill.run", { name }, own.signal)) {
        setCourse((before) => told(before ?? BEGINNING, event));
      }
    } catch (error) {
      if (!own.signal.aborted) setFailure(error);
    } finally {
      setIsGoing(false);
    }
  };
  return { course, failure, isGoing, start, stop: () => ending.current?.abort() };
}

/** The honest sentence: what was shown, and what was not. */
function Conclusion({ result }: { result: Result }) {
  const { passed, skipped, failed, attempts, twins, ledgerIntact } = result;
  if (skipped !== undefined) {
    return (
      <p className={styles.wrong} role="status">
        <strong>Not run.</strong> {skipped}
      </p>
    );
  }
  const contained = attempts.filter(({ faults }) => faults.length === 0).length;
  const bare = attempts.filter(({ bareCrossed }) => bareCrossed).length;
  const fine = twins.filter((twin) => twin.passed).length;
  const escaped = attempts.filter(({ crossed, effect, harm }) => crossed || effect || harm);
  return (
    <div className={passed ? styles.good : styles.wrong} role="status">
      <strong>
        {passed
          ? "Contained, and shown to be."
          : escaped.length > 0
            ? `NOT contained: ${plural(escaped.length, "attempt")} got through.`
            : "Not shown to be contained."}
      </strong>{" "}
      {bare} of {attempts.length} attempts got through without Cofferdam; {contained} of{" "}
      {attempts.length} were contained with it, each on record with a proof where one is due; {fine}{" "}
      of {twins.length} pieces of ordinary work passed; the drill’s record is{" "}
      {ledgerIntact ? "intact" : "NOT intact"}.
      {failed === undefined ? null : <p>It was not carried out to its end: {failed}</p>}
    </div>
  );
}

function Attempts({ tried }: { tried: readonly Tried[] }) {
  if (tried.length === 0) return null;
  return (
    <section aria-label="Attempts">
      <h2>What is attempted</h2>
      <ol className={styles.tried}>
        {tried.map((one) => (
          <Attempt key={one.key} one={one} />
        ))}
      </ol>
    </section>
  );
}

function Attempt({ one }: { one: Tried }) {
  const { what, target, channel, bare, noticed, judged, going } = one;
  const [tone, word] = stateOf(one);
  const last = noticed[0];
  return (
    <li data-state={word}>
      <Badge tone={tone}>{word}</Badge>
      <div>
        <h3>
          {what} to <code>{target}</code>
          {channel === "command" ? null : <small> led by a {channel}</small>}
        </h3>
        <p className={styles.note}>
          Without Cofferdam:{" "}
          {bare === undefined ? (going === "bare" ? "being tried" : "not tried yet") : bare.told}
        </p>
        {judged?.stoppedBy === undefined ? (
          last === undefined ? null : (
            <p>
              Stopped by <b>{last.rule ?? last.type}</b>, entry {last.entry}:{" "}
              <Untrusted text={last.detail} />
              {noticed.length > 1 ? <small> and {noticed.length - 1} more</small> : null}
            </p>
          )
        ) : (
          <p>
            Stopped by <b>{judged.stoppedBy}</b>
            {judged.noticedMs === undefined ? null : `, noticed after ${judged.noticedMs} ms`}
            {judged.stoppedMs === undefined ? null : `, over after ${judged.stoppedMs} ms`}
            {judged.entry === undefined ? null : `; entry ${judged.entry}`}
            {judged.proved ? ", whose proof holds" : null}
            {judged.by.length === 0 ? null : (
              <small className={styles.by}>
                by <Untrusted text={judged.by.slice(0, 3).join(" ‹ ").slice(0, 160)} />
              </small>
            )}
          </p>
        )}
        {judged?.silent === undefined ? null : <p>Nothing need be on record: {judged.silent}</p>}
        {judged?.spared === undefined ? null : <p>{judged.spared}</p>}
        {judged?.faults.map((fault) => (
          <p key={fault} className={styles.fault}>
            {fault}
          </p>
        ))}
      </div>
    </li>
  );
}

function stateOf({ going, bare, contained, noticed, judged }: Tried): readonly [Tone, string] {
  if (judged !== undefined) {
    if (judged.faults.length === 0) return ["ok", "contained"];
    const isOut = judged.crossed || judged.effect || judged.harm;
    return ["bad", isOut ? "GOT THROUGH" : "not shown"];
  }
  if (contained?.crossed === true) return ["bad", "got through"];
  if (contained !== undefined) return ["ok", "nothing arrived"];
  if (going === "contained") return noticed.length > 0 ? ["ok", "refused"] : ["info", "in a run"];
  if (noticed.length > 0) return ["ok", "refused"];
  if (going === "bare") return ["wait", "bare"];
  if (bare !== undefined) return bare.crossed ? ["wait", "bare: through"] : ["calm", "bare: no"];
  return ["calm", "planned"];
}

const TWINS: Readonly<Record<Twin["state"], readonly [Tone, string]>> = {
  waits: ["calm", "planned"],
  goes: ["info", "at work"],
  passed: ["ok", "passed"],
  failed: ["bad", "failed"],
};

function Twins({ twins }: { twins: readonly Twin[] }) {
  if (twins.length === 0) return null;
  return (
    <section aria-label="Ordinary work">
      <h2>Ordinary work, in the same run</h2>
      <p className={styles.note}>It has to pass: a wall that stops this, too, is of no use.</p>
      <ul className={styles.tried}>
        {twins.map(({ name, state, detail }) => {
          const [tone, word] = TWINS[state];
          return (
            <li key={name}>
              <Badge tone={tone}>{word}</Badge>
              <div>
                <h3>{name}</h3>
                {detail === "" ? null : (
                  <p className={styles.fault}>
                    <Untrusted text={detail} />
                  </p>
                )}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
