/**
 * Before a text is saved it is seen: what changes in the file, and what that makes possible. Where somebody else saved
 * meanwhile, both texts are shown, and nothing is lost.
 *
 * @module
 */
import { useState } from "react";
import type { TaskText } from "../../../src/api/index.ts";
import { ApiFault, ask, useAct, useCall } from "../../calls/index.ts";
import { Badge, Button, Dialog, Failure, Loading } from "../../parts/index.ts";
import { amountText, changeTone } from "../../radius/index.ts";
import { Difference } from "./lazily.tsx";
import { putDraft, type Draft } from "./drafts.ts";
import styles from "./tasks.module.css";

export function SaveDialog({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const { place, text, saved, base } = draft;
  const name = place.slice("tasks/".length);
  const save = useAct("task.save", ["task.list", "task.read"]);
  const [theirs, setTheirs] = useState<TaskText>();
  const onSave = () =>
    save.mutate(
      { name, source: text, ...(base === undefined ? {} : { base }) },
      {
        onSuccess: ({ digest }) => {
          putDraft({ place, text, saved: text, base: digest });
          onClose();
        },
        onError: (error) => {
          if (isConflict(error)) void ask("task.read", { place }).then(setTheirs, () => {});
        },
      },
    );
  if (theirs !== undefined) return <Conflict draft={draft} theirs={theirs} onClose={onClose} />;
  return (
    <Dialog title={base === undefined ? `Make ${name}` : `Save ${name}`} onClose={onClose}>
      <div className={styles.form}>
        <Difference before={saved} after={text} label="What changes in the file" />
        <Changes place={place} before={saved} after={text} />
        {save.error === null ? null : <Failure error={save.error} />}
        <footer className={styles.buttons}>
          <Button onClick={onClose}>Write on</Button>
          <Button kind="primary" disabled={save.isPending} onClick={onSave}>
            Save
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiFault && error.code === "console.task_changed";
}

/** What the change makes possible, or impossible. */
function Changes({ place, before, after }: { place: string; before: string; after: string }) {
  const compared = useCall("blast.compare", { place, before, after }, { enabled: before !== "" });
  if (before === "") return null;
  // The text before may have had faults: then there is nothing to compare with.
  if (compared.error !== null)
    return <p className={styles.none}>What it changes is not known: {compared.error.message}</p>;
  if (compared.data === undefined) return <Loading what="Working out what it changes" />;
  const changes = compared.data.outcomes.flatMap(({ says, before: was, after: now }) =>
    (["unattended", "approverFooled"] as const)
      .filter((which) => was[which] !== now[which])
      .map((which) => ({
        says: `${says}, ${which === "unattended" ? "unattended" : "with an approver fooled"}`,
        numbers: `${amountText(was[which])} → ${amountText(now[which])}`,
        tone: changeTone(was[which], now[which]),
      })),
  );
  return (
    <section aria-label="What it makes possible" className={styles.changes}>
      {changes.length === 0 ? <p>Nothing that is possible at worst changes.</p> : null}
      <ul>
        {changes.map(({ says, numbers, tone }) => (
          <li key={says} data-tone={tone}>
            {says}: <strong>{numbers}</strong>
          </li>
        ))}
      </ul>
      {compared.data.excesses.map(({ outcome, which }) => (
        <p key={`${outcome} ${which}`}>
          <Badge tone="bad">over budget</Badge> {outcome}: a run of this file will not start
        </p>
      ))}
    </section>
  );
}

function Conflict(props: {
  readonly draft: Draft;
  readonly theirs: TaskText;
  readonly onClose: () => void;
}) {
  const { draft, theirs, onClose } = props;
  const { place, text } = draft;
  const based = { place, saved: theirs.source, base: theirs.digest };
  return (
    <Dialog title="Somebody else saved this file" onClose={onClose}>
      <div className={styles.form}>
        <p>Theirs is the file by now; struck lines are theirs alone, coloured lines are yours.</p>
        <Difference before={theirs.source} after={text} label="Their text, and yours" />
        <footer className={styles.buttons}>
          <Button
            onClick={() => {
              putDraft({ ...based, text: theirs.source });
              onClose();
            }}
          >
            Take theirs
          </Button>
          <Button
            kind="primary"
            onClick={() => {
              putDraft({ ...based, text });
              onClose();
            }}
          >
            Write on over theirs
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}
