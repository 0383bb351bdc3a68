/** The rows of a timeline: only those in sight are there, and only their pages are asked for. */
import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef, useState } from "react";
import type { Answers, Asks, StoryItem } from "../../../src/api/index.ts";
import { ask, keyOf, type ApiFault } from "../../calls/index.ts";
import {
  Badge,
  Button,
  countText,
  EffectBadge,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
  useKeys,
  VerdictBadge,
} from "../../parts/index.ts";
import { JumpDialog } from "./jump.tsx";
import type { PartProps } from "./parts.ts";
import { baseName, KIND_NAMES, sinceText, stateOf, tookText } from "./words.ts";
import styles from "./timeline.module.css";

const ROW_PX = 30;
const PAGE = 100;
const OVERSCAN = 12;
const FOLDING_MS = 500;
/** Nearer to the end than that one follows it. */
const AT_END_PX = 40;

type Page = Answers<"run.timeline">;
type Find = Asks<"run.locate">["find"];

export function Rows({ run, place, go, everyMs, isFolding }: PartProps & { isFolding: boolean }) {
  const { from, to, filter, item } = place;
  const window = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const question = { run, ...window, filter };
  const asked = JSON.stringify(question);
  const scroll = useRef<HTMLDivElement>(null);
  const [known, setMatched] = useState<number>();
  const matched = known ?? 0;
  const [cursor, setCursor] = useState<{ readonly index: number; readonly id: string }>();
  const [isAtEnd, setAtEnd] = useState(everyMs !== undefined && item === undefined);
  const [isJumping, setJumping] = useState(false);

  const virtual = useVirtualizer({
    count: matched,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  const inSight = virtual.getVirtualItems();
  const first = Math.floor((inSight[0]?.index ?? 0) / PAGE);
  const last = Math.floor((inSight.at(-1)?.index ?? 0) / PAGE);
  const pages = Array.from({ length: last - first + 1 }, (_, at) => (first + at) * PAGE);
  const answers = useQueries({
    queries: pages.map((offset) => {
      const asks: Asks<"run.timeline"> = { ...question, offset, limit: PAGE };
      return {
        queryKey: keyOf("run.timeline", asks),
        queryFn: async ({ signal }: { signal: AbortSignal }) => ask("run.timeline", asks, signal),
        placeholderData: keepPreviousData,
        refetchInterval: everyMs ?? (isFolding ? FOLDING_MS : (false as const)),
      };
    }),
  });
  const newest = answers.reduce<(typeof answers)[number] | undefined>(
    (best, one) =>
      one.data !== undefined && (best === undefined || one.dataUpdatedAt > best.dataUpdatedAt)
        ? one
        : best,
    undefined,
  );
  const found = newest?.data?.matched;
  if (found !== undefined && found !== known) setMatched(found);
  const rowAt = (index: number): StoryItem | undefined => {
    const page: Page | undefined = answers[Math.floor(index / PAGE) - first]?.data;
    return page?.offset === Math.floor(index / PAGE) * PAGE ? page.rows[index % PAGE] : undefined;
  };

  // Who reads the end goes on reading it; whoever looks at anything else is not moved.
  useEffect(() => {
    if (isAtEnd && everyMs !== undefined && matched > 0)
      virtual.scrollToIndex(matched - 1, { align: "end" });
  }, [matched, isAtEnd, everyMs, virtual]);

  // Another filter is another list; it begins at its beginning.
  useEffect(() => {
    scroll.current?.scrollTo({ top: 0 });
  }, [asked]);

  const show = (to: { readonly offset: number; readonly id: string }) => {
    setCursor({ index: to.offset, id: to.id });
    setAtEnd(false);
    virtual.scrollToIndex(to.offset, { align: "center" });
  };
  const locate = async (find: Find) => {
    const { at } = await ask("run.locate", { ...question, find });
    return at;
  };
  const jump = (find: Find) =>
    void locate(find).then((to) => {
      if (to === undefined) return;
      show(to);
      go({ item: to.id });
    });
  // An item that was opened elsewhere (a link, a step of a chain) is shown here, too.
  const sought = useRef("");
  useEffect(() => {
    if (item === undefined || item === cursor?.id || sought.current === `${item} ${asked}`) return;
    sought.current = `${item} ${asked}`;
    void locate({ item }).then((to) => to !== undefined && show(to));
  });

  const step = (by: number) => {
    const index = Math.min(Math.max((cursor?.index ?? -1) + by, 0), matched - 1);
    const row = rowAt(index);
    virtual.scrollToIndex(index, { align: "auto" });
    if (row === undefined) return;
    setAtEnd(false);
    setCursor({ index, id: row.id });
    if (item !== undefined) go({ item: row.id });
  };
  const of = cursor === undefined ? {} : { of: cursor.id };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: ({ target }) => {
      const isControl = target instanceof HTMLElement && target.matches("a, button, summary");
      if (isControl || cursor === undefined) return false;
      return go({ item: cursor.id });
    },
    Escape: () => (item === undefined ? false : go({ item: undefined })),
    "]": () => jump({ finding: "next", ...of }),
    "[": () => jump({ finding: "previous", ...of }),
    ":": () => setJumping(true),
  });

  const failed = answers.find(({ error }) => error !== null)?.error as ApiFault | undefined;
  if (failed !== undefined) return <Failure error={failed} />;
  if (known === undefined) return <Loading what="Reading" />;
  return (
    <div className={styles.rowsBox}>
      <div className={styles.rowsHead}>
        <span aria-live="polite">{plural(matched, "item")}</span>
        <span className={styles.keys}>
          <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>[</kbd> <kbd>]</kbd>{" "}
          findings, <kbd>:</kbd> jumps, <kbd>/</kbd> finds
        </span>
        <Button kind="quiet" onClick={() => setJumping(true)}>
          Jump to…
        </Button>
        {everyMs === undefined ? null : (
          <label className={styles.check}>
            <input
              type="checkbox"
              checked={isAtEnd}
              onChange={({ target }) => setAtEnd(target.checked)}
            />
            Follow
          </label>
        )}
      </div>
      {matched === 0 ? (
        <Empty title="Nothing matches">
          No item in this part of the run is as the filter says. Widen the window, or show all.
        </Empty>
      ) : (
        <div
          ref={scroll}
          className={styles.rows}
          role="listbox"
          aria-label="Timeline"
          tabIndex={0}
          aria-activedescendant={cursor === undefined ? undefined : `item-${cursor.id}`}
          onKeyDown={({ key }) => {
            if (key === "ArrowDown") step(1);
            if (key === "ArrowUp") step(-1);
          }}
          onWheel={() => setAtEnd(false)}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            if (everyMs !== undefined && scrollHeight - scrollTop - clientHeight < AT_END_PX)
              setAtEnd(true);
          }}
        >
          <div
            className={styles.tall}
            role="presentation"
            style={{ height: virtual.getTotalSize() }}
          >
            {inSight.map(({ index, start }) => (
              <Row
                key={index}
                row={rowAt(index)}
                index={index}
                matched={matched}
                start={start}
                isCursor={cursor?.index === index}
                onOpen={(row) => {
                  setCursor({ index, id: row.id });
                  setAtEnd(false);
                  go({ item: row.id });
                }}
              />
            ))}
          </div>
        </div>
      )}
      {isJumping ? (
        <JumpDialog
          onClose={() => setJumping(false)}
          onJump={(find) => {
            setJumping(false);
            jump(find);
          }}
        />
      ) : null}
    </div>
  );
}

interface RowProps {
  readonly row: StoryItem | undefined;
  readonly index: number;
  readonly matched: number;
  readonly start: number;
  readonly isCursor: boolean;
  readonly onOpen: (row: StoryItem) => void;
}

const Row = memo(
  function Row({ row, index, matched, start, isCursor, onOpen }: RowProps) {
    const where = { transform: `translateY(${start}px)` };
    if (row === undefined) {
      return <div className={styles.row} style={where} aria-hidden="true" />;
    }
    const isBad = row.refused > 0 || row.kind === "finding";
    return (
      <div
        id={`item-${row.id}`}
        role="option"
        aria-selected={isCursor}
        aria-setsize={matched}
        aria-posinset={index + 1}
        className={`${styles.row} ${isBad ? styles.isBad : ""}`}
        style={where}
        onClick={() => onOpen(row)}
      >
        <span className={styles.when}>{sinceText(row.ms)}</span>
        <span className={`${styles.dot} ${styles[`dot-${row.lane}`]}`} aria-hidden="true" />
        <span className={styles.kind}>{KIND_NAMES[row.kind]}</span>
        <span className={styles.label}>
          {row.name === undefined || row.name === "" ? null : (
            <b>
              <Untrusted text={row.name} />{" "}
            </b>
          )}
          <code>
            <Untrusted text={row.label} />
          </code>
        </span>
        <RowMarks row={row} />
        <span className={styles.by}>
          {row.by === undefined || row.kind === "process" ? null : (
            <Untrusted text={`${baseName(row.by.exe)} ${row.by.pid}`} />
          )}
        </span>
        <span className={styles.took}>{row.isOpen ? "open" : tookText(row.endMs - row.ms)}</span>
      </div>
    );
  },
  (one, other) =>
    one.row === other.row &&
    one.start === other.start &&
    one.isCursor === other.isCursor &&
    one.matched === other.matched,
);

/** What matters about an item, at a glance. */
export function RowMarks({ row }: { row: StoryItem }) {
  const state = stateOf(row);
  return (
    <span className={styles.marks}>
      {row.count > 1 ? <Badge tone="calm">{`×${countText(row.count)}`}</Badge> : null}
      {row.findings > 0 && row.kind !== "finding" ? (
        <Badge tone="bad">{plural(row.findings, "finding")}</Badge>
      ) : null}
      {row.kind === "model" && row.calls !== undefined ? (
        <Badge tone="info">{plural(row.calls, "call")}</Badge>
      ) : null}
      {row.kind === "model"
        ? null
        : row.effects?.map((one) => <EffectBadge key={one} effect={one} />)}
      {row.verdict === undefined || row.kind === "model" ? null : (
        <VerdictBadge verdict={row.verdict} />
      )}
      {state === undefined ? null : <Badge tone={state.tone}>{state.text.slice(0, 40)}</Badge>}
    </span>
  );
}
