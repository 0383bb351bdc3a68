/** Why it is asked for: what the model asked of its tool, and the processes that followed. */
import { Badge, Untrusted } from "../../parts/index.ts";
import { JsonText } from "./text.tsx";
import type { Shown } from "./words.ts";
import styles from "./approvals.module.css";

/** How sure a tie is, in words. */
const TIES: Readonly<Record<string, string>> = {
  argv: "the process executes what the call asks for",
  lineage: "the process descends from one that executes the call",
  only: "no other call was open then",
  claim: "the agent says so, and nobody else",
  time: "the nearest of several in time",
};

export function Cause({ shown }: { shown: Shown }) {
  const { cause, call, action } = shown;
  const { exe, pid, argv, ancestors, knownBy } = action.cause;
  return (
    <>
      {cause?.call === undefined ? (
        <p className={styles.quiet}>No tool call of a model was seen behind it.</p>
      ) : (
        <section aria-label="Tool call">
          <h3>
            The model {call?.model === undefined ? null : <Untrusted text={call.model} />} asked for{" "}
            <Untrusted text={cause.call.name} />
          </h3>
          <p className={styles.quiet}>
            {TIES[cause.call.by] ?? cause.call.by}{" "}
            <Badge tone={cause.call.confidence >= 0.9 ? "ok" : "wait"}>
              {`${Math.round(cause.call.confidence * 100)} % sure`}
            </Badge>
          </p>
          {call === undefined ? null : <JsonText value={laidOut(call.input)} />}
          {call?.isCut === true ? <p className={styles.quiet}>This is its beginning.</p> : null}
        </section>
      )}
      {cause?.step === undefined ? null : (
        <p>
          <Untrusted
            text={`trajectory ${cause.step.trajectory}, episode ${cause.step.episode}, step ${cause.step.step}`}
          />
        </p>
      )}
      {knownBy === "unknown" ? (
        <p className={styles.quiet}>The process is not known.</p>
      ) : (
        <ol className={styles.processes} aria-label="Processes, the first one first">
          {[...ancestors].reverse().map((one, at) => (
            <li key={at}>
              <Untrusted text={one.argv.join(" ") || one.exe} />{" "}
              <span className={styles.quiet}>{one.pid}</span>
            </li>
          ))}
          <li>
            <strong>
              <Untrusted text={argv.join(" ") || exe} />
            </strong>{" "}
            <span className={styles.quiet}>
              {pid} <Untrusted text={exe} />
            </span>
          </li>
        </ol>
      )}
    </>
  );
}

function laidOut(input: string): string {
  try {
    return JSON.stringify(JSON.parse(input), undefined, 2);
  } catch {
    return input; // Free text, or the beginning of what was long.
  }
}
