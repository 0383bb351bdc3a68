/** Commands: each in its place in the line that is sent, with what it does. */
import type { LookOf } from "../../../../src/api/index.ts";
import { EffectBadge, Untrusted } from "../../../parts/index.ts";
import { FileContent } from "./file.tsx";
import { LongText } from "../text.tsx";
import styles from "../approvals.module.css";

/** What cannot be taken back, or makes more possible. */
const GRAVE: ReadonlySet<string> = new Set(["delete", "administer", "send", "spend"]);

export function CommandView({ look }: { look: LookOf<"command"> }) {
  const { sent, asked, pieces, acts, script, isTerminal, input } = look;
  const isSplit = pieces.length > 1 || pieces[0]?.act !== undefined;
  return (
    <>
      <section aria-label="Command" className={styles.code}>
        {isSplit ? (
          <pre className={styles.command}>
            {pieces.map(({ text, act }, at) => {
              const effects = act === undefined ? [] : (acts[act]?.effects ?? []);
              const isGrave = effects.some((effect) => GRAVE.has(effect));
              return (
                <span
                  key={at}
                  className={
                    act === undefined ? styles.joint : isGrave ? styles.grave : styles.piece
                  }
                >
                  <Untrusted text={text} />
                </span>
              );
            })}
          </pre>
        ) : (
          <LongText text={sent} />
        )}
      </section>
      {script === undefined ? null : (
        <p className={styles.warning}>
          Read as a script, which may do anything: <Untrusted text={script} />
        </p>
      )}
      {isTerminal ? <p className={styles.warning}>It runs at a terminal.</p> : null}
      {acts.length === 0 ? null : (
        <section aria-label="What it does">
          <h3>What it does, one after the other</h3>
          <ol className={styles.acts}>
            {acts.map(({ verb, effects, object }, at) => (
              <li key={at}>
                <span className={styles.words}>
                  {object.map((word, n) => (
                    <code key={n}>
                      <Untrusted text={word === "" ? "''" : word} />
                    </code>
                  ))}
                </span>
                {verb === "exec" ? null : <strong>{verb}</strong>}
                {effects.map((effect) => (
                  <EffectBadge key={effect} effect={effect} />
                ))}
              </li>
            ))}
          </ol>
        </section>
      )}
      {asked === undefined || asked === sent ? null : (
        <details>
          <summary>As the agent wrote it</summary>
          <div className={styles.code}>
            <LongText text={asked} />
          </div>
        </details>
      )}
      {input === undefined ? null : <FileContent content={input} label="What it is given" />}
    </>
  );
}
