/** A file at a server: what is there, what will be, and the difference. */
import type { LookOf } from "../../../../src/api/index.ts";
import { bytesText, Untrusted } from "../../../parts/index.ts";
import { Difference, JsonText, LongText } from "../text.tsx";
import styles from "../approvals.module.css";

type Content = NonNullable<LookOf<"file">["content"]>;

export function FileView({ look }: { look: LookOf<"file"> }) {
  const { path, to, attributes, mode, target, content, before, there, difference } = look;
  const facts = [
    ["Path", path],
    ["To", to],
    ["Leads to", target],
    ["Is set", attributes],
    ["How", mode],
  ] as const;
  return (
    <>
      <dl className={styles.facts}>
        {facts.map(([label, value]) =>
          value === undefined ? null : (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                <Untrusted text={value} />
              </dd>
            </div>
          ),
        )}
      </dl>
      {difference.length === 0 ? null : (
        <section aria-label="Difference">
          <h3>Difference</h3>
          <Difference lines={difference} label="Difference" />
        </section>
      )}
      {content === undefined ? null : <FileContent content={content} label="Content" />}
      {before === undefined ? null : (
        <section aria-label="There now">
          <h3>There now</h3>
          <JsonText value={before} />
        </section>
      )}
      {there === undefined ? null : (
        <section aria-label="There now, at the other path">
          <h3>There now, at the other path</h3>
          <JsonText value={there} />
        </section>
      )}
    </>
  );
}

export function FileContent({ content, label }: { content: Content; label: string }) {
  const { bytes, sha256, text, isCut } = content;
  return (
    <section aria-label={label}>
      <h3>
        {label} <span className={styles.quiet}>{bytesText(bytes)}</span>
      </h3>
      {text === undefined ? null : (
        <div className={styles.code}>
          <LongText text={text} />
        </div>
      )}
      {isCut ? (
        <p className={styles.warning}>This is its beginning: all of it is under “All bytes”.</p>
      ) : null}
      {sha256 === undefined ? null : <code className={styles.sum}>SHA-256 {sha256}</code>}
    </section>
  );
}
