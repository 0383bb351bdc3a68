/** How dense a run is over time: the whole to zoom by, and the window lane by lane. */
import { useRef, useState, type PointerEvent } from "react";
import { STORY_LANES_SHOWN } from "./lanes.ts";
import type { StoryLane, StoryStrip } from "../../../src/api/index.ts";
import { countText } from "../../parts/index.ts";
import type { Go } from "./place.ts";
import { LANE_NAMES, sinceText } from "./words.ts";
import styles from "./timeline.module.css";

const HEIGHT = 44;
/** What is dragged over less than that was a click. */
const DRAG_PX = 4;

interface StripProps {
  readonly strip: StoryStrip;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly go: Go;
}

/** The whole run; drag over a part of it to look at that alone. */
export function Strip({ strip, from, to, go }: StripProps) {
  const { spanMs, findings } = strip;
  const box = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<readonly [number, number]>();
  const count = findings.length;
  const totals = findings.map((_, at) => totalAt(strip, at));
  const most = Math.max(1, ...totals);
  const at = (event: PointerEvent) => {
    const { left = 0, width = 1 } = box.current?.getBoundingClientRect() ?? {};
    return Math.min(1, Math.max(0, (event.clientX - left) / width));
  };
  const zoom = (start: number, end: number) =>
    go({ from: String(Math.max(0, Math.floor(start))), to: String(Math.ceil(end)) });
  const end = () => {
    const width = box.current?.getBoundingClientRect().width ?? 1;
    if (drag !== undefined && Math.abs(drag[1] - drag[0]) * width > DRAG_PX)
      zoom(Math.min(...drag) * spanMs, Math.max(...drag) * spanMs);
    setDrag(undefined);
  };
  const shown = drag?.toSorted((a, b) => a - b) ?? [
    (from ?? 0) / spanMs,
    Math.min(1, (to ?? spanMs) / spanMs),
  ];
  const [left = 0, right = 1] = shown.map((part) => part * count);
  const isPart = drag !== undefined || from !== undefined || to !== undefined;
  const [start, stop] = [from ?? 0, to ?? spanMs];
  const span = stop - start;
  return (
    <figure className={styles.strip}>
      <svg
        ref={box}
        viewBox={`0 0 ${count} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Density over ${sinceText(spanMs)}: ${summary(strip)}`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([at(event), at(event)]);
        }}
        onPointerMove={(event) => {
          if (drag !== undefined) setDrag([drag[0], at(event)]);
        }}
        onPointerUp={end}
        onPointerCancel={() => setDrag(undefined)}
      >
        {totals.map((total, x) =>
          total === 0 ? null : <Column key={x} {...{ strip, x, most }} />,
        )}
        {isPart ? (
          <>
            <rect
              className={styles.outside}
              x={0}
              y={0}
              width={Math.max(0, left)}
              height={HEIGHT}
            />
            <rect
              className={styles.outside}
              x={right}
              y={0}
              width={Math.max(0, count - right)}
              height={HEIGHT}
            />
          </>
        ) : null}
      </svg>
      <figcaption className={styles.stripFoot}>
        <span>{sinceText(start)}</span>
        <span className={styles.zoom} role="group" aria-label="Zoom">
          <button
            type="button"
            onClick={() => zoom(start - span / 2, stop - span / 2)}
            aria-label="Earlier"
          >
            ←
          </button>
          <button
            type="button"
            onClick={() => zoom(start + span / 4, stop - span / 4)}
            aria-label="Zoom in"
            disabled={span < 2}
          >
            +
          </button>
          <button
            type="button"
            onClick={() => zoom(start - span / 2, Math.min(spanMs, stop + span / 2))}
            aria-label="Zoom out"
            disabled={!isPart}
          >
            −
          </button>
          <button
            type="button"
            onClick={() => zoom(start + span / 2, stop + span / 2)}
            aria-label="Later"
          >
            →
          </button>
          <button
            type="button"
            disabled={!isPart}
            onClick={() => go({ from: undefined, to: undefined })}
          >
            All
          </button>
        </span>
        <span>{sinceText(stop)}</span>
      </figcaption>
    </figure>
  );
}

/** One bucket: what was refused lies on top of what waited, and that on what went. */
function Column({ strip, x, most }: { strip: StoryStrip; x: number; most: number }) {
  const { verdicts, findings } = strip;
  // A single refusal among thousands must be seen: heights grow by the square root.
  const height = (n: number) => (n === 0 ? 0 : Math.max(3, Math.sqrt(n / most) * (HEIGHT - 6)));
  const [deny, confirm] = [verdicts.deny[x] ?? 0, verdicts.confirm[x] ?? 0];
  const all = height(totalAt(strip, x));
  const bar = (name: string | undefined, tall: number) =>
    tall === 0 ? null : (
      <rect className={name} x={x + 0.1} width={0.8} y={HEIGHT - tall} height={tall} />
    );
  return (
    <>
      {bar(styles.barAll, all)}
      {bar(styles.barConfirm, Math.min(all, height(deny + confirm)))}
      {bar(styles.barDeny, Math.min(all, height(deny)))}
      {(findings[x] ?? 0) > 0 ? (
        <rect className={styles.barFinding} x={x - 0.2} width={1.4} y={0} height={4} />
      ) : null}
    </>
  );
}

function totalAt({ lanes }: StoryStrip, at: number): number {
  return STORY_LANES_SHOWN.reduce((sum, lane) => sum + (lanes[lane]?.[at] ?? 0), 0);
}

const sum = (all: readonly number[] | undefined) =>
  (all ?? []).reduce((one, other) => one + other, 0);

function summary({ verdicts, findings }: StoryStrip): string {
  return `${sum(verdicts.allow)} allowed, ${sum(verdicts.confirm)} to confirm, ${sum(verdicts.deny)} refused, ${sum(findings)} findings`;
}

/** The window, a row for each lane; its name shows that lane alone, and again all. */
export function Lanes(props: {
  readonly strip: StoryStrip;
  readonly lanes: readonly StoryLane[] | undefined;
  readonly go: Go;
}) {
  const { strip, lanes, go } = props;
  return (
    <div className={styles.lanes} role="group" aria-label="Lanes">
      {STORY_LANES_SHOWN.map((lane) => {
        const column = strip.lanes[lane] ?? [];
        const most = Math.max(1, ...column);
        const isOn = lanes === undefined || lanes.includes(lane);
        return (
          <div key={lane} className={styles.lane}>
            <button
              type="button"
              aria-pressed={lanes !== undefined && isOn}
              onClick={() => go({ lane: toggled(lanes, lane) })}
            >
              {LANE_NAMES[lane]} <small>{countText(sum(column))}</small>
            </button>
            <svg
              viewBox={`0 0 ${column.length} 1`}
              preserveAspectRatio="none"
              aria-hidden="true"
              className={isOn ? undefined : styles.off}
            >
              {column.map((n, x) =>
                n === 0 ? null : (
                  <rect
                    key={x}
                    className={styles[`lane-${lane}`]}
                    x={x}
                    width={1}
                    y={0}
                    height={1}
                    opacity={0.3 + 0.7 * Math.sqrt(n / most)}
                  />
                ),
              )}
            </svg>
          </div>
        );
      })}
    </div>
  );
}

function toggled(lanes: readonly StoryLane[] | undefined, lane: StoryLane): readonly string[] {
  if (lanes === undefined) return [lane];
  return lanes.includes(lane) ? lanes.filter((one) => one !== lane) : [...lanes, lane];
}
