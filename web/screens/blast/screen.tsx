/**
 * The blast radius of one task file: which one is in the address, so that it can be kept and sent.
 *
 * @module
 */
import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import type { Answers, ListedTask } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import { Empty, Failure, Loading } from "../../parts/index.ts";
import { Compare } from "./compare.tsx";
import { RadiusView } from "./radius-view.tsx";
import styles from "./blast.module.css";

export function BlastScreen() {
  const tasks = useCall("task.list", {});
  const [search, setSearch] = useSearchParams();
  if (tasks.isPending) return <Loading what="Looking for task files" />;
  if (tasks.error !== null) return <Failure error={tasks.error} />;
  const place = search.get("place") ?? firstOf(tasks.data)?.place;
  if (place === undefined) {
    return (
      <Empty title="No task file yet" command="cofferdam blast TASK.yaml">
        This screen shows how bad a task could get at worst. It needs a task file.
      </Empty>
    );
  }
  const onPlace = (next: string) => setSearch({ place: next });
  return (
    <div className={styles.screen}>
      <header className={styles.head}>
        <h1>Blast radius</h1>
        <TaskPicker label="Task" tasks={tasks.data.tasks} place={place} onPlace={onPlace} />
      </header>
      <OfPlace key={place} place={place} tasks={tasks.data.tasks} />
    </div>
  );
}

/** One's own first, else what runs used last. */
function firstOf({ tasks }: Answers<"task.list">): ListedTask | undefined {
  return tasks.find(({ kind, task }) => kind !== "profile" && task !== undefined) ?? tasks[0];
}

export function TaskPicker(props: {
  readonly label: string;
  readonly tasks: readonly ListedTask[];
  readonly place: string;
  readonly onPlace: (place: string) => void;
}) {
  const { label, tasks, place, onPlace } = props;
  const groups = [
    ["Your own", tasks.filter(({ kind }) => kind === "own")],
    ["Used by runs", tasks.filter(({ kind }) => kind === "run")],
    ["Profiles that ship", tasks.filter(({ kind }) => kind === "profile")],
  ] as const;
  const isListed = tasks.some((one) => one.place === place);
  return (
    <label className={styles.picker}>
      <span>{label}</span>
      <select value={place} onChange={(event) => onPlace(event.target.value)}>
        {isListed ? null : <option value={place}>{place}</option>}
        {groups.map(([name, some]) =>
          some.length === 0 ? null : (
            <optgroup key={name} label={name}>
              {some.map((one) => (
                <option key={one.place} value={one.place}>
                  {titleOf(one)}
                </option>
              ))}
            </optgroup>
          ),
        )}
      </select>
    </label>
  );
}

function titleOf({ task, file }: ListedTask): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return task === undefined ? `${name} (not a task)` : `${task} · ${name}`;
}

function OfPlace({ place, tasks }: { place: string; tasks: readonly ListedTask[] }) {
  const text = useCall("task.read", { place });
  const [isComparing, setComparing] = useState(false);
  const [, navigate] = useLocation();
  if (text.isPending) return <Loading what="Reading" />;
  if (text.error !== null) return <Failure error={text.error} />;
  const { source } = text.data;
  if (isComparing) {
    return (
      <Compare place={place} source={source} tasks={tasks} onClose={() => setComparing(false)} />
    );
  }
  return (
    <RadiusView
      place={place}
      source={source}
      onCompare={() => setComparing(true)}
      onEdit={(changed, line) => {
        const where = new URLSearchParams({
          place,
          ...(line === undefined ? {} : { line: `${line}` }),
        });
        navigate(`~/tasks?${where.toString()}`, { state: { place, source: changed } });
      }}
    />
  );
}
