/** A push: refs, what to look at, the log, and files with their differences. */
import type { LookOf } from "../../../../src/api/index.ts";
import { Badge, plural, Untrusted } from "../../../parts/index.ts";
import { Difference, Lines, LongText } from "../text.tsx";
import styles from "../approvals.module.css";

type Push = LookOf<"push">;

const NOTHING = /^0+$/;

export function PushView({ look }: { look: Push }) {
  const { repo, refs, findings, options, commits, tags, diffs, pack } = look;
  return (
    <>
      <p>
        to <Untrusted text={repo} />
      </p>
      <ul className={styles.acts} aria-label="Refs">
        {refs.map(({ ref, old, new: now, how }, at) => (
          <li key={at}>
            <strong>
              <Untrusted text={ref} />
            </strong>
            <code>
              {shortId(old)} → {shortId(now)}
            </code>
            <Badge tone={/delete|force|protected/.test(how) ? "bad" : "info"}>{how}</Badge>
          </li>
        ))}
      </ul>
      {findings.length === 0 ? null : (
        <section aria-label="Look at" className={styles.warning}>
          <h3>Look at</h3>
          <Lines items={findings} />
        </section>
      )}
      {options.length === 0 ? null : <Lines items={options} />}
      <section aria-label="Log">
        <h3>{plural(commits.length, "commit")}</h3>
        {commits.map((commit, at) => (
          <CommitView key={at} commit={commit} />
        ))}
      </section>
      {tags.map(({ id, text }, at) => (
        <section key={at} aria-label="Tag">
          <h3>Tag {shortId(id)}</h3>
          <LongText text={text} />
        </section>
      ))}
      {diffs.map(({ of, lines }, at) => (
        <section key={at} aria-label="Difference">
          <h3>
            Difference of <Untrusted text={of} />
          </h3>
          {filesOf(lines).map((file, n) => (
            <details key={n} open>
              <summary>
                <Untrusted text={file.name} />
              </summary>
              <Difference lines={file.lines} label={`Difference of file ${n + 1}`} />
            </details>
          ))}
        </section>
      ))}
      {pack === undefined ? null : (
        <p
          className={styles.quiet}
        >{`${pack.objects} objects, SHA-256 of the push ${pack.hash}`}</p>
      )}
    </>
  );
}

function CommitView({ commit }: { commit: Push["commits"][number] }) {
  const { id, author, committer, message, parents, changes, isKnown, isSigned } = commit;
  const [subject = "", ...rest] = message.trimEnd().split("\n");
  return (
    <article className={styles.commit}>
      <h4>
        <code>{shortId(id)}</code> <Untrusted text={subject} />
      </h4>
      {rest.length === 0 ? null : <LongText text={rest.join("\n").replace(/^\n/, "")} />}
      <p className={styles.quiet}>
        <Untrusted text={author === committer ? author : `${author}, put in by ${committer}`} />
        {parents.length === 0 ? " · without a parent" : null}
        {isKnown ? " · on the server already" : null}
        {isSigned ? " · carries a signature, not checked" : null}
      </p>
      <Lines items={changes} />
    </article>
  );
}

function shortId(id: string): string {
  return NOTHING.test(id) ? "nothing" : id.slice(0, 10);
}

/** A file's lines stand behind one that says what becomes of it: `changed src/a.ts`. */
function filesOf(lines: readonly string[]): readonly { name: string; lines: readonly string[] }[] {
  const files: { name: string; lines: string[] }[] = [];
  for (const line of lines) {
    const isHead = /^[a-z]/.test(line); // Lines of a difference begin with a sign or a space.
    if (isHead) files.push({ name: line, lines: [] });
    else if (files.length === 0) files.push({ name: "", lines: [line] });
    else files.at(-1)?.lines.push(line);
  }
  return files;
}
