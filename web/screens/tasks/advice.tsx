/**
 * What the task's record says of its file: what was never used, and what might pass without a person. Proposals only: a
 * person puts them into the editor, looks, and saves.
 *
 * @module
 */
import { useRole } from "../../app/session.ts";
import { useAct, useCall } from "../../calls/index.ts";
import { Badge, Button, Failure, Loading, plural, Untrusted } from "../../parts/index.ts";
import { DiffText } from "../../radius/index.ts";
import styles from "./tasks.module.css";

export function Advice(props: {
  readonly place: string;
  readonly text: string;
  readonly task: string | undefined;
  readonly onText: ((text: string) => void) | undefined;
}) {
  const { place, text, task, onText } = props;
  if (task === undefined)
    return <p className={styles.none}>Known once the text reads as a task.</p>;
  return (
    <>
      <Taken task={task} />
      <Tighter place={place} text={text} onText={onText} />
      <Autonomy place={place} text={text} onText={onText} />
    </>
  );
}

/** Leave that a finding took, and the way to give it back. */
function Taken({ task }: { task: string }) {
  const taken = useCall("autonomy.taken", { task });
  const restore = useAct("autonomy.restore", ["autonomy.taken"]);
  const mayRestore = useRole("operator");
  const what = taken.data?.taken;
  if (what === undefined) return null;
  return (
    <section className={styles.advice} aria-label="Leave that was taken">
      <h3>A finding took its leave</h3>
      <p>
        In {what.run}, at {what.at}: <Untrusted text={what.why} />. Everything waits for a person.
      </p>
      {mayRestore ? (
        <Button disabled={restore.isPending} onClick={() => restore.mutate({ task })}>
          Give it back
        </Button>
      ) : null}
      {restore.error === null ? null : <Failure error={restore.error} />}
    </section>
  );
}

type Given = Pick<Parameters<typeof Advice>[0], "place" | "text" | "onText">;

function Tighter({ place, text, onText }: Given) {
  const told = useCall("tighten.propose", { place, source: text });
  return (
    <section className={styles.advice} aria-label="Tighten">
      <h3>Tighten</h3>
      {told.isPending ? (
        <Loading what="Reading what its runs did" />
      ) : told.error !== null ? (
        <Failure error={told.error} />
      ) : told.data.runs.length === 0 ? (
        <p className={styles.none}>
          No run of {told.data.task} is on record: nothing is known of what it uses.
        </p>
      ) : (
        <>
          <p>
            {plural(told.data.runs.length, "run")} of {told.data.task} on record.{" "}
            {told.data.taken.length === 0 ? "Everything that it may was used." : ""}
          </p>
          <Lines title="Less" lines={told.data.taken} />
          <Lines title="Seen only once, and kept" lines={told.data.once} />
          <Lines title="Kept, since it is not known" lines={told.data.kept} />
          {told.data.taken.length === 0 ? null : (
            <Change
              says="Tighten"
              diff={told.data.diff}
              source={told.data.source}
              onText={onText}
            />
          )}
        </>
      )}
    </section>
  );
}

function Autonomy({ place, text, onText }: Given) {
  const told = useCall("autonomy.propose", { place, source: text });
  return (
    <section className={styles.advice} aria-label="Autonomy">
      <h3>Autonomy</h3>
      {told.isPending ? (
        <Loading what="Reading what persons decided" />
      ) : told.error !== null ? (
        <Failure error={told.error} />
      ) : (
        <>
          {told.data.proposals.length === 0 ? (
            <p className={styles.none}>
              Nothing to propose: {plural(told.data.runs, "run")} on record.
            </p>
          ) : null}
          {told.data.proposals.map(({ kind, says, evidence, diff, source, radius }) => (
            <section key={diff} aria-label={says}>
              <p>
                <Badge tone={kind === "take-back" ? "ok" : "wait"}>
                  {kind === "take-back" ? "take back" : "let through"}
                </Badge>{" "}
                <Untrusted text={says} />
              </p>
              <Lines title="Why" lines={evidence} />
              <Lines
                title="Blast radius"
                lines={radius.length === 0 ? ["stays as it is"] : radius}
              />
              <Change says={says} diff={diff} source={source} onText={onText} />
            </section>
          ))}
          <Lines
            title="Not yet"
            lines={told.data.waiting
              .filter(({ missing }) => missing.length > 0)
              .map(
                ({ grant, verb, approved, missing }) =>
                  `${grant}: ${verb}, approved ${approved} times; it needs ${missing.join("; ")}`,
              )}
          />
        </>
      )}
    </section>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul>
        {lines.map((line) => (
          <li key={line}>
            <Untrusted text={line} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Change(props: {
  readonly says: string;
  readonly diff: string;
  readonly source: string;
  readonly onText: ((text: string) => void) | undefined;
}) {
  const { says, diff, source, onText } = props;
  return (
    <>
      <DiffText diff={diff} label={`Change: ${says}`} />
      {onText === undefined ? null : (
        <Button onClick={() => onText(source)} aria-label={`Apply to the editor: ${says}`}>
          Apply to the editor
        </Button>
      )}
    </>
  );
}
