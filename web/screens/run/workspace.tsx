/** What the run changed: file by file, what others would execute of it, and the way back to the host's folder. */
import { useEffect, useState } from "react";
import type { Answers } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { useAct, useCall } from "../../calls/index.ts";
import {
  Badge,
  Button,
  countText,
  Dialog,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
  type Tone,
} from "../../parts/index.ts";
import type { PartProps } from "./parts.ts";
import { filesOf, type ChangedFile } from "./workspace-diff.ts";
import styles from "./workspace.module.css";

const FILES_SHOWN = 300;
const LINES_SHOWN = 400;
const KIND_TONES: Readonly<Record<string, Tone>> = {
  added: "ok",
  modified: "info",
  deleted: "bad",
};
const STALE = ["workspace.diff", "run.timeline", "run.strip"] as const;

type Diff = Answers<"workspace.diff">;
type Applied = Answers<"workspace.apply">;

export function Workspace({ run, info }: PartProps) {
  const hasLayer = info.workspaceMode === "overlay";
  const diff = useCall("workspace.diff", { run }, { enabled: hasLayer });
  const { refetch } = diff;
  const { state } = info;
  // What it did until it stood still is in no comparison of before.
  useEffect(() => {
    if (hasLayer && (state === "paused" || state === "ended")) void refetch();
  }, [hasLayer, state, refetch]);
  if (!hasLayer) {
    return (
      <Empty title="The workspace was read-only">
        This run could not change its folder, so there is nothing to take over.
      </Empty>
    );
  }
  if (diff.isPending) return <Loading what="Comparing the workspace" />;
  if (diff.error !== null) return <Failure error={diff.error} />;
  return <Changes run={run} info={info} diff={diff.data} onAgain={() => void diff.refetch()} />;
}

function Changes(props: {
  readonly run: string;
  readonly info: PartProps["info"];
  readonly diff: Diff;
  readonly onAgain: () => void;
}) {
  const { run, info, diff, onAgain } = props;
  const mayOperate = useRole("operator");
  const [confirmed, setConfirmed] = useState<ReadonlySet<string>>(new Set());
  const [isDiscarding, setDiscarding] = useState(false);
  const apply = useAct("workspace.apply", STALE);
  const files = filesOf(diff);
  const held = apply.data?.held ?? [];
  const executed = diff.changes.filter(({ executes }) => executes !== undefined);
  const isFrozen = info.state === "paused" || info.state === "ended";
  const { digest } = diff;
  const send = (partial: boolean) => {
    // Nothing else than what stands here is taken over.
    if (digest !== undefined) apply.mutate({ run, confirm: [...confirmed], partial, digest });
  };
  const toggle = (path: string) => setConfirmed((before) => toggled(before, path));
  const hasNothing = files.length === 0 && diff.commits.length === 0;
  return (
    <div className={styles.box}>
      <div className={styles.head}>
        <span>
          {plural(files.length, "change")} in <code>{info.workspace}</code>
        </span>
        <Button kind="quiet" onClick={onAgain}>
          Compare again
        </Button>
        {mayOperate && !hasNothing ? (
          <span className={styles.acts}>
            <Button
              kind="primary"
              disabled={!isFrozen || digest === undefined || apply.isPending}
              aria-describedby={isFrozen ? undefined : "not-frozen"}
              onClick={() => send(false)}
            >
              Apply
            </Button>
            <Button
              kind="danger"
              disabled={info.state !== "ended"}
              onClick={() => setDiscarding(true)}
            >
              Discard
            </Button>
          </span>
        ) : null}
      </div>
      {mayOperate && !hasNothing && !isFrozen ? (
        <p id="not-frozen" className={styles.muted}>
          Pause the run to apply what it changed; what it still writes could not be reviewed.
        </p>
      ) : null}
      {apply.error === null ? null : <Failure error={apply.error} />}
      {apply.data === undefined ? null : (
        <AppliedNote
          applied={apply.data}
          onPartial={() => send(true)}
          isPending={apply.isPending}
        />
      )}
      <ToConfirm
        remarks={[
          ...executed.map(({ path, executes = "" }) => ({ path, why: executes })),
          ...held.filter(({ path }) => !executed.some((one) => one.path === path)),
        ]}
        confirmed={confirmed}
        onToggle={mayOperate ? toggle : undefined}
      />
      <Radius radius={diff.radius} />
      <Commits commits={diff.commits} />
      {hasNothing ? (
        <Empty title="Nothing differs">
          The run changed nothing in its workspace, or what it changed was applied or discarded.
        </Empty>
      ) : null}
      {files.slice(0, FILES_SHOWN).map((file) => (
        <File key={`${file.change.kind} ${file.change.path}`} file={file} />
      ))}
      {files.length > FILES_SHOWN ? (
        <p className={styles.muted}>
          {countText(files.length - FILES_SHOWN)} more changes: <code>cofferdam diff {run}</code>
        </p>
      ) : null}
      {isDiscarding ? (
        <DiscardDialog run={run} count={files.length} onClose={() => setDiscarding(false)} />
      ) : null}
    </div>
  );
}

/** Paths that other programs execute: each is named and ticked by itself. */
function ToConfirm(props: {
  readonly remarks: readonly { readonly path: string; readonly why: string }[];
  readonly confirmed: ReadonlySet<string>;
  readonly onToggle: ((path: string) => void) | undefined;
}) {
  const { remarks, confirmed, onToggle } = props;
  if (remarks.length === 0) return null;
  return (
    <section className={styles.held} aria-label="Executed by others">
      <h2>Executed by other programs</h2>
      <p className={styles.muted}>
        What stands here runs something on this machine, or changes what may be done, once it is
        applied. Only what is ticked is applied; the rest of it is held.
      </p>
      <ul>
        {remarks.map(({ path, why }) => (
          <li key={path}>
            <label>
              <input
                type="checkbox"
                checked={confirmed.has(path)}
                disabled={onToggle === undefined}
                onChange={() => onToggle?.(path)}
              />
              <code>
                <Untrusted text={path} />
              </code>
              <span className={styles.muted}>
                <Untrusted text={why} />
              </span>
            </label>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AppliedNote(props: {
  readonly applied: Applied;
  readonly onPartial: () => void;
  readonly isPending: boolean;
}) {
  const { applied, held, conflicts, refused, notes } = props.applied;
  const stays = held.length + conflicts.length + refused.length;
  const isDone = applied.length > 0 || props.applied.commits.length > 0;
  // Where the host has changed meanwhile nothing is written, until one says so.
  const isStopped = !isDone && conflicts.length > 0;
  return (
    <section
      className={isDone ? styles.done : styles.held}
      role="status"
      aria-label="What was applied"
    >
      <h2>
        {isDone
          ? `${plural(applied.length, "change")} applied`
          : stays > 0
            ? "Nothing applied"
            : "Nothing to apply"}
      </h2>
      <Remarks title="Held: not ticked" remarks={held} />
      <Remarks title="In conflict: the host has another now" remarks={conflicts} />
      <Remarks title="Refused" remarks={refused} />
      <Remarks title="Applied, but not in full" remarks={notes} />
      {isStopped ? (
        <Button disabled={props.isPending} onClick={props.onPartial}>
          Apply the rest, without the conflicts
        </Button>
      ) : null}
    </section>
  );
}

function Remarks({ title, remarks }: { title: string; remarks: Applied["held"] }) {
  if (remarks.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {remarks.map(({ path, why }) => (
          <li key={path}>
            <code>
              <Untrusted text={path} />
            </code>{" "}
            <span className={styles.muted}>
              <Untrusted text={why} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Radius({ radius }: { radius: Diff["radius"] }) {
  if (radius.length === 0) return null;
  return (
    <section className={styles.held} aria-label="Blast radius">
      <h2>What would become possible</h2>
      {radius.map(({ path, lines }) => (
        <div key={path}>
          <code>
            <Untrusted text={path} />
          </code>
          <pre>
            <Untrusted text={lines.join("\n")} isBlock />
          </pre>
        </div>
      ))}
    </section>
  );
}

function Commits({ commits }: { commits: Diff["commits"] }) {
  if (commits.length === 0) return null;
  return (
    <section className={styles.commits} aria-label="Commits">
      <h2>Commits</h2>
      <ul>
        {commits.flatMap(({ repository, refs }) =>
          refs.map(({ name, commit, was }) => (
            <li key={`${repository} ${name}`}>
              <code>
                <Untrusted text={`${repository === "" ? "." : repository} ${name}`} />
              </code>{" "}
              <span className={styles.muted}>
                {was === "" ? "new" : was.slice(0, 10)} → {commit.slice(0, 10)}
              </span>
            </li>
          )),
        )}
      </ul>
    </section>
  );
}

function File({ file: { change, lines } }: { file: ChangedFile }) {
  const { path, kind, executes, detail } = change;
  const [isAll, setAll] = useState(false);
  const shown = isAll ? lines : lines.slice(0, LINES_SHOWN);
  return (
    <details className={styles.file} open={lines.length > 0 && lines.length < 60}>
      <summary>
        <Badge tone={KIND_TONES[kind] ?? "calm"}>{kind}</Badge>
        <code>
          <Untrusted text={path} />
        </code>
        <span className={styles.muted}>{detail}</span>
        {executes === undefined ? null : <Badge tone="deep">executed by others</Badge>}
      </summary>
      {lines.length === 0 ? (
        <p className={styles.muted}>No lines to show.</p>
      ) : (
        <pre className={styles.lines} tabIndex={0} aria-label={`Lines of ${path}`}>
          {shown.map((line, at) => (
            <div key={at} className={toneOf(line, at)}>
              <Untrusted text={line} isBlock />
            </div>
          ))}
        </pre>
      )}
      {shown.length < lines.length ? (
        <Button kind="quiet" onClick={() => setAll(true)}>
          {`Show ${countText(lines.length - shown.length)} more lines`}
        </Button>
      ) : null}
    </details>
  );
}

function toneOf(line: string, at: number): string | undefined {
  if (at < 2 || line.startsWith("@@")) return styles.hunk;
  if (line.startsWith("+")) return styles.plus;
  return line.startsWith("-") ? styles.minus : undefined;
}

function DiscardDialog({
  run,
  count,
  onClose,
}: {
  run: string;
  count: number;
  onClose: () => void;
}) {
  const discard = useAct("workspace.discard", STALE);
  return (
    <Dialog title={`Discard ${plural(count, "change")}?`} onClose={onClose}>
      <p>
        What the run wrote is thrown away and cannot be brought back. Your folder stays as it is.
      </p>
      {discard.error === null ? null : <Failure error={discard.error} />}
      <div className={styles.buttons}>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="danger"
          disabled={discard.isPending}
          onClick={() => discard.mutate({ run }, { onSuccess: onClose })}
        >
          Discard
        </Button>
      </div>
    </Dialog>
  );
}

function toggled(set: ReadonlySet<string>, path: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(path)) next.add(path);
  return next;
}
