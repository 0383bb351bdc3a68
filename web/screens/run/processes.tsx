/** The processes of a run as a tree: who started whom, what each reached, and where something was refused. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { StoryProcess } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  Badge,
  Button,
  countText,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import { Detail } from "./detail.tsx";
import type { PartProps } from "./parts.ts";
import { baseName, sinceText } from "./words.ts";
import styles from "./processes.module.css";
import split from "./timeline.module.css";

const ROW_PX = 32;
const INDENT_PX = 18;
const DEPTH_SHOWN = 16;
const EVERY_MS_MIN = 2000;

export function Processes({ run, place, go, everyMs }: PartProps) {
  const [refused, setRefused] = useState(false);
  const again = everyMs === undefined ? {} : { everyMs: Math.max(everyMs, EVERY_MS_MIN) };
  const asked = useCall("run.processes", { run, ...(refused ? { refused } : {}) }, again);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => openRows(asked.data?.rows ?? [], closed), [asked.data, closed]);
  if (asked.error !== null) return <Failure error={asked.error} />;
  if (asked.isPending) return <Loading what="Reading the processes" />;
  const { processes, left } = asked.data;
  if (processes === 0) {
    return (
      <Empty title="No process yet">
        Each program that the run executes stands here under the one that started it, with what it
        reached for.
      </Empty>
    );
  }
  const parents = asked.data.rows.filter(({ children }) => children > 0).map(({ id }) => id);
  return (
    <div className={place.item === undefined ? styles.box : `${styles.box} ${split.withDetail}`}>
      <div className={styles.head}>
        <span aria-live="polite">{plural(processes, "process", "processes")}</span>
        <label className={split.check}>
          <input
            type="checkbox"
            checked={refused}
            onChange={({ target }) => setRefused(target.checked)}
          />
          Only those with refusals or findings
        </label>
        <Button kind="quiet" onClick={() => setClosed(new Set(parents))}>
          Close all
        </Button>
        <Button kind="quiet" onClick={() => setClosed(new Set())}>
          Open all
        </Button>
        {left > 0 ? (
          <span className={styles.muted}>{countText(left)} more have no row here</span>
        ) : null}
      </div>
      <div className={split.split}>
        <Tree
          rows={rows}
          closed={closed}
          selected={place.item}
          onToggle={(id) => setClosed((before) => toggled(before, id))}
          onOpen={(id) => go({ item: id })}
        />
        {place.item === undefined ? null : (
          <Detail run={run} id={place.item} go={go} everyMs={everyMs} />
        )}
      </div>
    </div>
  );
}

function Tree(props: {
  readonly rows: readonly StoryProcess[];
  readonly closed: ReadonlySet<string>;
  readonly selected: string | undefined;
  readonly onToggle: (id: string) => void;
  readonly onOpen: (id: string) => void;
}) {
  const { rows, closed, selected, onToggle, onOpen } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const onKey = (event: KeyboardEvent) => {
    const row = rows[cursor];
    const isClosed = row !== undefined && closed.has(row.id);
    const to = { ArrowDown: cursor + 1, j: cursor + 1, ArrowUp: cursor - 1, k: cursor - 1 }[
      event.key
    ];
    if (to !== undefined) {
      const next = Math.min(Math.max(to, 0), rows.length - 1);
      setCursor(next);
      virtual.scrollToIndex(next);
    } else if (row === undefined) return;
    else if (event.key === "Enter") onOpen(row.id);
    else if (event.key === "ArrowRight" && isClosed) onToggle(row.id);
    else if (event.key === "ArrowLeft" && !isClosed && row.children > 0) onToggle(row.id);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={scroll}
      className={styles.tree}
      role="tree"
      aria-label="Processes"
      tabIndex={0}
      aria-activedescendant={rows[cursor] === undefined ? undefined : `process-${rows[cursor].id}`}
      onKeyDown={onKey}
    >
      <div className={split.tall} role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const hasBad = row.refused + row.findings > 0;
          return (
            <div
              key={row.id}
              id={`process-${row.id}`}
              role="treeitem"
              aria-level={row.depth + 1}
              aria-expanded={row.children > 0 ? !closed.has(row.id) : undefined}
              aria-selected={selected === row.id || cursor === index}
              className={`${styles.row} ${hasBad ? styles.bad : ""}`}
              style={{
                transform: `translateY(${start}px)`,
                paddingLeft: 8 + Math.min(row.depth, DEPTH_SHOWN) * INDENT_PX,
              }}
              onClick={() => {
                setCursor(index);
                onOpen(row.id);
              }}
            >
              <span
                className={styles.twist}
                aria-hidden="true"
                onClick={(event) => {
                  event.stopPropagation();
                  if (row.children > 0) onToggle(row.id);
                }}
              >
                {row.children === 0 ? "" : closed.has(row.id) ? "▸" : "▾"}
              </span>
              <span className={styles.pid}>{row.pid}</span>
              <b className={styles.exe}>
                <Untrusted text={baseName(row.exe)} />
              </b>
              <code className={styles.argv}>
                <Untrusted text={row.argv.slice(1).join(" ")} />
              </code>
              <Marks row={row} isClosed={closed.has(row.id)} />
              <span className={styles.when}>{sinceText(row.ms)}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Marks({ row, isClosed }: { row: StoryProcess; isClosed: boolean }) {
  const { below, refused, findings, count, cpu, callName, reached, actions } = row;
  const [inside, found] = isClosed ? [below.refused, below.findings] : [0, 0];
  return (
    <span className={styles.marks}>
      {count > 1 ? <Badge tone="calm">{`×${countText(count)}`}</Badge> : null}
      {isClosed && below.processes > 0 ? (
        <Badge tone="calm">{`+${countText(below.processes)}`}</Badge>
      ) : null}
      {cpu === undefined ? null : <Badge tone="info">{`${cpu} cores`}</Badge>}
      {reached.length === 0 ? null : (
        <span className={styles.reached}>
          <Untrusted text={reached[0] ?? ""} />
          {reached.length > 1 ? ` +${reached.length - 1}` : ""}
        </span>
      )}
      {actions > 0 ? <Badge tone="calm">{plural(actions, "action")}</Badge> : null}
      {callName === undefined || callName === "" ? null : (
        <span className={styles.call}>
          <Untrusted text={callName} />
        </span>
      )}
      {refused + inside > 0 ? (
        <Badge tone="bad">{`${countText(refused + inside)} refused`}</Badge>
      ) : null}
      {findings + found > 0 ? (
        <Badge tone="bad">{plural(findings + found, "finding")}</Badge>
      ) : null}
    </span>
  );
}

/** Rows whose parents are all open. */
function openRows(
  rows: readonly StoryProcess[],
  closed: ReadonlySet<string>,
): readonly StoryProcess[] {
  let shutAt = Infinity;
  return rows.filter(({ id, depth }) => {
    if (depth > shutAt) return false;
    shutAt = closed.has(id) ? depth : Infinity;
    return true;
  });
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}
