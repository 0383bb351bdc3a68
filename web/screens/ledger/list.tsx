/**
 * The rows of a result, newest first, of which those that are seen are drawn.
 *
 * @module
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { Link } from "wouter";
import type { RecordRow } from "../../../src/api/index.ts";
import {
  Badge,
  countText,
  EffectBadge,
  Failure,
  Loading,
  Untrusted,
  VerdictBadge,
  type Tone,
} from "../../parts/index.ts";
import type { Rows } from "./rows.ts";
import styles from "./ledger.module.css";

const ROW_PX = 30;
/** Rows in one stretch of scrolling: browsers draw nothing beyond some 17 million pixels. */
export const STRETCH_ROWS = 500_000;

export const TYPE_TONES: Readonly<Record<string, Tone>> = {
  denial: "bad",
  finding: "bad",
  response: "wait",
  approval: "wait",
  action: "info",
  outcome: "info",
  "tool.call": "deep",
  "tool.result": "deep",
  model: "deep",
};

export interface ListProps {
  readonly rows: Rows;
  /** How many there are, and how many of the newest of them are passed over. */
  readonly count: number;
  readonly skipped: number;
  readonly selected: number | undefined;
  /** The address of an entry's pane. */
  readonly linkOf: (seq: number) => string;
  readonly onSelect: (seq: number) => void;
  readonly onSkip: (skipped: number) => void;
  /** Place among all, newest first, that is to be seen. */
  readonly goTo: { readonly place: number } | undefined;
}

export function List(props: ListProps) {
  const { rows, count, skipped, selected, onSelect, goTo } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const length = Math.min(STRETCH_ROWS, count - skipped);
  const virtual = useVirtualizer({
    count: length,
    estimateSize: () => ROW_PX,
    getScrollElement: () => scroller.current,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const offsetOf = (index: number) => count - 1 - skipped - index;
  const isThere = ({ index }: { index: number }) => rows.at(offsetOf(index)) !== undefined;
  const [first, last] = [items[0]?.index, items.at(-1)?.index];
  useEffect(() => {
    if (first === undefined || last === undefined || length === 0) return;
    rows.want(Math.max(0, offsetOf(Math.min(last, length - 1))), offsetOf(first));
  });
  useEffect(() => {
    if (goTo !== undefined) virtual.scrollToIndex(goTo.place - skipped, { align: "center" });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when somebody asks to go there
  }, [goTo]);
  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = items.find(({ index }) => rows.at(offsetOf(index))?.seq === selected)?.index;
    const next = Math.min(length - 1, Math.max(0, (at ?? (first ?? 0) - step) + step));
    const row = rows.at(offsetOf(next));
    virtual.scrollToIndex(next);
    if (row !== undefined) onSelect(row.seq);
  };
  const isComing = rows.failure === undefined && length > 0 && !items.some(isThere);
  return (
    <>
      {rows.failure === undefined ? null : <Failure error={rows.failure} />}
      {isComing ? (
        <div className={styles.reading}>
          <Loading what="Reading" />
        </div>
      ) : null}
      <div
        ref={scroller}
        className={styles.list}
        role="table"
        aria-label="Entries, newest first"
        aria-rowcount={count}
        tabIndex={0}
        onKeyDown={move}
      >
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {items.map(({ index, start }) => (
            <div
              key={index}
              role="row"
              aria-rowindex={skipped + index + 1}
              className={styles.place}
              style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
            >
              <Row row={rows.at(offsetOf(index))} {...props} />
            </div>
          ))}
        </div>
      </div>
      <Stretches {...props} />
    </>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };

function Row({
  row,
  selected,
  linkOf,
}: Pick<ListProps, "selected" | "linkOf"> & { row: RecordRow | undefined }) {
  if (row === undefined) return <span role="cell" className={styles.coming} aria-label="loading" />;
  const { seq, at, type, run, verdict, effects = [], system, target, finding, text } = row;
  return (
    <div role="presentation" className={seq === selected ? styles.chosen : styles.row}>
      <span role="cell">
        <Link to={linkOf(seq)} aria-current={seq === selected ? "true" : undefined}>
          {countText(seq)}
        </Link>
      </span>
      <span role="cell" className={styles.when}>
        <time dateTime={at} title={at}>
          {at.slice(5, 10)} {at.slice(11, 23)}
        </time>
      </span>
      <span role="cell">
        <Badge tone={TYPE_TONES[type] ?? "calm"}>{type}</Badge>
      </span>
      <span role="cell" className={styles.marks}>
        {verdict === undefined ? null : <VerdictBadge verdict={verdict} />}
        {finding === undefined ? null : <Badge tone="bad">{finding.slice(0, 24)}</Badge>}
        {effects.slice(0, 2).map((effect) => (
          <EffectBadge key={effect} effect={effect} />
        ))}
      </span>
      <span role="cell" className={styles.who}>
        {run ?? ""}
      </span>
      <span role="cell" className={styles.words}>
        {system === undefined ? null : (
          <b>
            <Untrusted text={system} />{" "}
          </b>
        )}
        {target === undefined || text.includes(target) ? null : (
          <span className={styles.target}>
            <Untrusted text={target} />{" "}
          </span>
        )}
        <Untrusted text={text} />
      </span>
    </div>
  );
}

/** Where a result is longer than one can scroll. */
function Stretches({ count, skipped, onSkip }: ListProps) {
  if (count <= STRETCH_ROWS) return null;
  const end = Math.min(count, skipped + STRETCH_ROWS);
  return (
    <p className={styles.stretches}>
      {countText(skipped + 1)} to {countText(end)} of {countText(count)}, newest first
      <button
        type="button"
        disabled={skipped === 0}
        onClick={() => onSkip(Math.max(0, skipped - STRETCH_ROWS))}
      >
        later
      </button>
      <button type="button" disabled={end === count} onClick={() => onSkip(skipped + STRETCH_ROWS)}>
        earlier
      </button>
    </p>
  );
}
