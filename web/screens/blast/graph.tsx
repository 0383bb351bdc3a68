/**
 * The picture: boxes that the server placed, moved and zoomed by pointer and keys. What is lit stays bright; what hovers or
 * has the focus is told below. Far away boxes keep their colours and lose their texts.
 *
 * @module
 */
import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from "react";
import type { BlastNode, BlastPicture } from "../../../src/api/index.ts";
import { Badge, Button, Untrusted } from "../../parts/index.ts";
import { neighbour } from "./neighbour.ts";
import styles from "./graph.module.css";

interface View {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

const ZOOM_MIN = 0.08;
const ZOOM_MAX = 2.5;
const ZOOM_STEP = 1.25;
const PAN_STEP = 60;
const MARGIN = 12;
/** Smaller, and texts are no longer read. */
const FAR = 0.42;
const LINE_HEIGHT = 15;
const PADDING = 9;

export function Graph(props: {
  readonly picture: BlastPicture;
  readonly lit: ReadonlySet<string>;
  /** What needs a yes stands back. */
  readonly isAlone: boolean;
  /** An outcome was pressed. */
  readonly onChoose: (name: string) => void;
}) {
  const { picture, lit, isAlone, onChoose } = props;
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const fitted = useMemo(() => fit(picture, size), [picture, size]);
  const [moved, setMoved] = useState<View>();
  const view = moved ?? fitted;
  const [current, setCurrent] = useState<string>();
  const [hovered, setHovered] = useState<string>();
  const zoom = useCallback(
    (factor: number, at = { x: size.width / 2, y: size.height / 2 }) =>
      setMoved((old) => zoomed(old ?? fitted, factor, at)),
    [size, fitted],
  );
  useWheel(frame, zoom);
  const drag = useDrag(view, setMoved);
  const pan = (x: number, y: number) => setMoved({ ...view, x: view.x + x, y: view.y + y });

  const onKey = (event: KeyboardEvent) => {
    const act = keyAct(event.key, { zoom, pan, fit: () => setMoved(undefined) });
    const node = (event.target as Element).closest<SVGGElement>("[data-id]");
    if (node !== null && event.key.startsWith("Arrow") && !event.shiftKey) {
      const next = neighbour(picture, node.dataset["id"] ?? "", event.key);
      event.preventDefault();
      if (next !== undefined) focusNode(frame.current, next);
      return;
    }
    const id = node?.dataset["kind"] === "outcome" ? node.dataset["id"] : undefined;
    if (event.key === "Enter" && id !== undefined) onChoose(id);
    if (act === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  };
  const onFocus = useCallback(
    (id: string) => {
      setCurrent(id);
      const node = picture.nodes.find((one) => one.id === id);
      if (node !== undefined) setMoved((old) => showing(old ?? fitted, node, size));
    },
    [picture, fitted, size],
  );
  const told = picture.nodes.find(({ id }) => id === (hovered ?? current));
  const stop = current ?? picture.nodes[0]?.id;
  return (
    <div className={styles.graph}>
      <div
        ref={frame}
        className={styles.frame}
        data-dragged={drag.isOn || undefined}
        onKeyDown={onKey}
        onDoubleClick={(event) => {
          const node = (event.target as Element).closest<SVGGElement>('[data-kind="outcome"]');
          const id = node?.dataset["id"];
          if (id !== undefined) onChoose(id);
        }}
        {...drag.handlers}
      >
        <svg
          width="100%"
          height="100%"
          role="group"
          aria-label="What leads to what, from left to right"
        >
          <g
            transform={`translate(${view.x} ${view.y}) scale(${view.k})`}
            data-far={view.k < FAR || undefined}
            data-lit={lit.size > 0 || undefined}
            data-alone={isAlone || undefined}
          >
            <Drawn picture={picture} lit={lit} stop={stop} onHover={setHovered} onFocus={onFocus} />
          </g>
        </svg>
        <div className={styles.zoom} role="group" aria-label="Zoom">
          <Button aria-label="Zoom in" onClick={() => zoom(ZOOM_STEP)}>
            +
          </Button>
          <Button aria-label="Zoom out" onClick={() => zoom(1 / ZOOM_STEP)}>
            −
          </Button>
          <Button onClick={() => setMoved(undefined)}>Fit</Button>
          <Button disabled={lit.size === 0} onClick={() => setMoved(around(picture, lit, size))}>
            The way
          </Button>
        </div>
      </div>
      <Legend />
      <Told node={told} />
    </div>
  );
}

interface Acts {
  readonly zoom: (factor: number) => void;
  readonly pan: (x: number, y: number) => void;
  readonly fit: () => void;
}

function keyAct(key: string, { zoom, pan, fit: onFit }: Acts): (() => void) | undefined {
  const acts: Readonly<Record<string, () => void>> = {
    "+": () => zoom(ZOOM_STEP),
    "=": () => zoom(ZOOM_STEP),
    "-": () => zoom(1 / ZOOM_STEP),
    "0": onFit,
    ArrowLeft: () => pan(PAN_STEP, 0),
    ArrowRight: () => pan(-PAN_STEP, 0),
    ArrowUp: () => pan(0, PAN_STEP),
    ArrowDown: () => pan(0, -PAN_STEP),
  };
  return acts[key];
}

function focusNode(frame: HTMLElement | null, id: string): void {
  frame?.querySelector<SVGGElement>(`[data-id="${CSS.escape(id)}"]`)?.focus();
}

/** Boxes and arrows; drawn anew only where they change, not while one moves. */
const Drawn = memo(function Drawn(props: {
  readonly picture: BlastPicture;
  readonly lit: ReadonlySet<string>;
  readonly stop: string | undefined;
  readonly onHover: (id: string | undefined) => void;
  readonly onFocus: (id: string) => void;
}) {
  const { picture, lit, stop, onHover, onFocus } = props;
  return (
    <>
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7.5"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {picture.edges.map(({ from, to, persons, curve }) => (
        <path
          key={`${from} ${to}`}
          className={styles.arrow}
          d={curve}
          markerEnd="url(#tip)"
          data-yes={persons > 0 || undefined}
          data-on={(lit.has(from) && lit.has(to)) || undefined}
        />
      ))}
      {picture.nodes.map((node) => (
        <Box
          key={node.id}
          node={node}
          isLit={lit.has(node.id)}
          isStop={node.id === stop}
          onHover={onHover}
          onFocus={onFocus}
        />
      ))}
    </>
  );
});

function Box(props: {
  readonly node: BlastNode;
  readonly isLit: boolean;
  readonly isStop: boolean;
  readonly onHover: (id: string | undefined) => void;
  readonly onFocus: (id: string) => void;
}) {
  const { node, isLit, isStop, onHover, onFocus } = props;
  const { id, kind, persons, x, y, width, height, label, lines, told, isAssumed } = node;
  const [left, top] = [-width / 2, -height / 2];
  return (
    <g
      className={styles.node}
      transform={`translate(${x} ${y})`}
      data-id={id}
      data-kind={kind}
      data-yes={persons > 0 || undefined}
      data-assumed={isAssumed || undefined}
      data-on={isLit || undefined}
      role="img"
      aria-label={[label, ...(told === undefined ? [] : [told])].join(", ")}
      tabIndex={isStop ? 0 : -1}
      onPointerEnter={() => onHover(id)}
      onPointerLeave={() => onHover(undefined)}
      onFocus={() => onFocus(id)}
    >
      {kind === "all" ? (
        <>
          <circle r={width / 2} />
          <text className={styles.mark} y={4}>
            &amp;
          </text>
        </>
      ) : (
        <>
          <rect
            x={left}
            y={top}
            width={width}
            height={height}
            rx={kind === "start" ? height / 2 : 6}
          />
          {[...lines, ...(told === undefined ? [] : [told])].map((line, at) => (
            <text
              key={at}
              x={left + PADDING + 3}
              y={top + PADDING + LINE_HEIGHT * at + 11}
              data-told={at === lines.length || undefined}
            >
              {line}
            </text>
          ))}
        </>
      )}
    </g>
  );
}

function Legend() {
  return (
    <p className={styles.legend}>
      <span data-kind="alone">nobody is asked</span>
      <span data-kind="yes">somebody must say yes first</span>
      <span data-kind="all">needs all of its arrows</span>
      <span className={styles.keys}>
        drag moves, <kbd>Ctrl</kbd> and wheel or <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>0</kbd> fits;
        in a box arrows go along
      </span>
    </p>
  );
}

function Told({ node }: { node: BlastNode | undefined }) {
  if (node === undefined) {
    return (
      <p className={styles.told}>
        Point at a box, or move into it by Tab, to see what it rests on.
      </p>
    );
  }
  return (
    <div className={styles.told} aria-live="polite">
      <strong>
        <Untrusted text={node.label} />
      </strong>{" "}
      {node.persons > 0 ? <Badge tone="wait">needs a yes</Badge> : null}
      {node.isAssumed ? <Badge tone="info">assumed</Badge> : null}
      <ul>
        {node.facts.slice(0, FACTS_SHOWN).map((fact) => (
          <li key={fact}>
            <Untrusted text={fact} />
          </li>
        ))}
        {node.facts.length > FACTS_SHOWN ? (
          <li>and {node.facts.length - FACTS_SHOWN} more</li>
        ) : null}
      </ul>
    </div>
  );
}
const FACTS_SHOWN = 6;

interface Size {
  readonly width: number;
  readonly height: number;
}

function useSize(frame: RefObject<HTMLDivElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 800, height: 480 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const read = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return size;
}

function fit({ width, height }: BlastPicture, size: Size): View {
  return showingAll({ left: 0, top: 0, right: width, bottom: height }, size);
}

/** The boxes of a way, as large as they fit. */
function around({ nodes }: BlastPicture, lit: ReadonlySet<string>, size: Size): View {
  const own = nodes.filter(({ id }) => lit.has(id));
  const least = (at: (node: BlastNode) => number) => Math.min(...own.map(at));
  const most = (at: (node: BlastNode) => number) => Math.max(...own.map(at));
  const area = {
    left: least(({ x, width }) => x - width / 2),
    top: least(({ y, height }) => y - height / 2),
    right: most(({ x, width }) => x + width / 2),
    bottom: most(({ y, height }) => y + height / 2),
  };
  return showingAll(area, size);
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function showingAll({ left, top, right, bottom }: Area, size: Size): View {
  const [width, height] = [right - left, bottom - top];
  const k = Math.max(
    ZOOM_MIN,
    Math.min(1, (size.width - 2 * MARGIN) / width, (size.height - 2 * MARGIN) / height),
  );
  return {
    k,
    x: (size.width - width * k) / 2 - left * k,
    y: (size.height - height * k) / 2 - top * k,
  };
}

/** `at` stays where it is. */
function zoomed(view: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const k = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, view.k * factor));
  const by = k / view.k;
  return { k, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** Moved just so far that `node` is seen whole. */
function showing(view: View, node: BlastNode, size: Size): View {
  const into = (middle: number, half: number, end: number) => {
    const [from, to] = [middle - half - MARGIN, middle + half + MARGIN];
    return from < 0 ? -from : to > end ? end - to : 0;
  };
  const x = into(node.x * view.k + view.x, (node.width / 2) * view.k, size.width);
  const y = into(node.y * view.k + view.y, (node.height / 2) * view.k, size.height);
  return x === 0 && y === 0 ? view : { ...view, x: view.x + x, y: view.y + y };
}

/** With Ctrl, as a pinch is told, too; without, the page scrolls. */
function useWheel(
  frame: RefObject<HTMLDivElement | null>,
  zoom: (factor: number, at: { x: number; y: number }) => void,
): void {
  useEffect(() => {
    const element = frame.current;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left = 0, top = 0 } = element?.getBoundingClientRect() ?? {};
      zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - left, y: event.clientY - top });
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [frame, zoom]);
}

function useDrag(view: View, onMove: (view: View) => void) {
  const from = useRef<{ readonly x: number; readonly y: number; readonly view: View }>(undefined);
  const [isOn, setOn] = useState(false);
  const end = () => {
    from.current = undefined;
    setOn(false);
  };
  return {
    isOn,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0 || (event.target as Element).closest("button") !== null) return;
        from.current = { x: event.clientX, y: event.clientY, view };
        event.currentTarget.setPointerCapture(event.pointerId);
        setOn(true);
      },
      onPointerMove: (event: PointerEvent) => {
        if (from.current === undefined) return;
        const { x, y, view: old } = from.current;
        onMove({ ...old, x: old.x + event.clientX - x, y: old.y + event.clientY - y });
      },
      onPointerUp: end,
      onPointerCancel: end,
    },
  };
}
