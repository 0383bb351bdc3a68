/** Task files that there are, and the way to a new one. */
import { useState } from "react";
import type { ListedTask } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  Button,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import { isChanged, putDraft, useDrafts, type Draft } from "./drafts.ts";
import { NameDialog } from "./name-dialog.tsx";
import { fileNameOf } from "./names.ts";
import styles from "./tasks.module.css";

const GROUPS = [
  ["own", "Your own", "Files of this home that the console may write."],
  ["run", "Used by runs", "From elsewhere, as runs were started with them; to read and to copy."],
  ["profile", "Profiles", "They ship with Cofferdam; to read and to copy."],
] as const;

const BEGIN = `task: my-task
purpose: What it is for, in one sentence.
lifetime: 1h
grants: []
`;

export function TaskList({ onOpen }: { onOpen: (place: string) => void }) {
  const tasks = useCall("task.list", {});
  const drafts = useDrafts();
  const mayWrite = useRole("operator");
  const [isNaming, setNaming] = useState(false);
  if (tasks.isPending) return <Loading what="Looking for task files" />;
  if (tasks.error !== null) return <Failure error={tasks.error} />;
  const all = [...newOnes(drafts, tasks.data.tasks), ...tasks.data.tasks];
  return (
    <div className={styles.screen}>
      <header className={styles.bar}>
        <h1>Tasks</h1>
        {mayWrite ? (
          <Button kind="primary" onClick={() => setNaming(true)}>
            New task
          </Button>
        ) : null}
      </header>
      {GROUPS.map(([kind, title, says]) => {
        const some = all.filter((one) => one.kind === kind);
        return (
          <section key={kind} aria-label={title} className={styles.group}>
            <header>
              <h2>{title}</h2>
              <p>{says}</p>
            </header>
            {some.length > 0 ? (
              <Rows tasks={some} drafts={drafts} onOpen={onOpen} />
            ) : kind === "own" ? (
              <Empty
                title="No task file of your own yet"
                command="cofferdam run --task FILE -- COMMAND"
              >
                A task file says what an agent may reach. Begin one, or copy a profile below; files
                of {tasks.data.folder} are found here.
              </Empty>
            ) : (
              <p className={styles.none}>None yet.</p>
            )}
          </section>
        );
      })}
      {isNaming ? (
        <NameDialog
          title="A new task file"
          suggested=""
          onClose={() => setNaming(false)}
          onName={(name) => {
            const place = `tasks/${name}`;
            putDraft({ place, text: BEGIN, saved: "" });
            onOpen(place);
          }}
        />
      ) : null}
    </div>
  );
}

/** Begun, and not saved once. */
function newOnes(
  drafts: ReadonlyMap<string, Draft>,
  tasks: readonly ListedTask[],
): readonly ListedTask[] {
  const known = new Set(tasks.map(({ place }) => place));
  return [...drafts.values()]
    .filter(({ place }) => !known.has(place))
    .map(({ place }): ListedTask => ({ place, kind: "own", file: place, grants: 0, runs: 0 }));
}

function Rows(props: {
  readonly tasks: readonly ListedTask[];
  readonly drafts: ReadonlyMap<string, Draft>;
  readonly onOpen: (place: string) => void;
}) {
  return (
    <ul className={styles.rows}>
      {props.tasks.map(({ place, file, task, purpose, grants, runs, at }) => {
        const draft = props.drafts.get(place);
        return (
          <li key={place}>
            <button type="button" onClick={() => props.onOpen(place)}>
              <span className={styles.title}>
                <strong>
                  <Untrusted text={task ?? fileNameOf(file)} />
                </strong>
                {draft !== undefined && isChanged(draft) ? (
                  <Badge tone="wait">not saved</Badge>
                ) : task === undefined ? (
                  <Badge tone="bad">has faults</Badge>
                ) : null}
              </span>
              <span className={styles.purpose}>
                <Untrusted text={purpose ?? ""} />
              </span>
              <span className={styles.about}>
                {plural(grants, "grant")}, {plural(runs, "run")}
                {at === undefined ? null : (
                  <>
                    , <Ago at={at} />
                  </>
                )}
              </span>
              <span className={styles.file}>
                <Untrusted text={file} />
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
