/** Plays a recording: as it was, faster, without the pauses, from any moment; its text can be searched. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { RecordingInfo } from "../../../src/api/index.ts";
import { Button, Failure, Loading, useKeys } from "../../parts/index.ts";
import { readCast, searchable, type Cast } from "./cast.ts";
import { Screen, type Line } from "./screen.ts";
import styles from "./recordings.module.css";

const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
/** A pause longer than that is cut to it where pauses are skipped, seconds. */
const IDLE_SECONDS = 1;
const STEP_SECONDS = 5;
/** Just before what was found, so that one sees it come. */
const LEAD_SECONDS = 0.05;

export function Player({ run, recording }: { run: string; recording: RecordingInfo }) {
  const [cast, setCast] = useState<Cast>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const leaving = new AbortController();
    readCast(run, recording.id, leaving.signal).then(setCast, (failed: unknown) => {
      if (!leaving.signal.aborted) setError(failed);
    });
    return () => leaving.abort();
  }, [run, recording.id]);
  if (error !== undefined) return <Failure error={error} />;
  if (cast === undefined) return <Loading what="Reading the recording" />;
  return <Played cast={cast} />;
}

function Played({ cast }: { cast: Cast }) {
  const length = cast.events.at(-1)?.seconds ?? 0;
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [seconds, setSeconds] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(1);
  const [skipsIdle, setSkipsIdle] = useState(true);
  const screen = useRef<Screen>(undefined);
  const wanted = useRef(0);

  useEffect(() => {
    const own = new Screen(cast);
    screen.current = own;
    const leaving = new AbortController();
    let shown = -1;
    // One at a time: what is asked for meanwhile is shown next.
    const show = async () => {
      while (!leaving.signal.aborted) {
        const to = wanted.current;
        if (to === shown) return;
        const next = await own.seek(to);
        shown = to;
        if (!leaving.signal.aborted) setLines(next);
      }
    };
    let running: Promise<void> | undefined;
    const timer = setInterval(() => {
      running ??= show().finally(() => (running = undefined));
    }, 30);
    return () => {
      leaving.abort();
      clearInterval(timer);
      own.close();
    };
  }, [cast]);

  const seek = (to: number) => {
    wanted.current = Math.min(Math.max(to, 0), length);
    setSeconds(wanted.current);
  };
  useEffect(() => {
    if (!isPlaying) return undefined;
    let last = performance.now();
    let frame = requestAnimationFrame(function tick(now) {
      let to = wanted.current + ((now - last) / 1000) * speed;
      last = now;
      const next = screen.current?.nextSeconds;
      if (skipsIdle && next !== undefined && next - to > IDLE_SECONDS) to = next - IDLE_SECONDS;
      wanted.current = Math.min(to, length);
      setSeconds(wanted.current);
      if (wanted.current >= length) setPlaying(false);
      else frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, speed, skipsIdle, length]);

  const play = () => {
    if (!isPlaying && seconds >= length) seek(0);
    setPlaying(!isPlaying);
  };
  useKeys({
    " ": ({ target }) => (target instanceof HTMLButtonElement ? false : play()),
    ArrowRight: () => seek(wanted.current + STEP_SECONDS),
    ArrowLeft: () => seek(wanted.current - STEP_SECONDS),
  });
  return (
    <div className={styles.player}>
      <ScreenView lines={lines} columns={cast.columns} />
      {cast.isCut ? (
        <p className={styles.muted}>It is longer than a page holds: this is its beginning.</p>
      ) : null}
      <div className={styles.controls} role="group" aria-label="Playing">
        <Button kind="primary" onClick={play}>
          {isPlaying ? "Pause" : "Play"}
        </Button>
        <input
          type="range"
          className={styles.seek}
          aria-label="Moment"
          aria-valuetext={`${clockText(seconds)} of ${clockText(length)}`}
          min={0}
          max={Math.max(length, 0.001)}
          step="any"
          value={seconds}
          onChange={({ target }) => seek(Number(target.value))}
        />
        <span className={styles.clock}>
          {clockText(seconds)} / {clockText(length)}
        </span>
        <label>
          Speed{" "}
          <select value={speed} onChange={({ target }) => setSpeed(Number(target.value))}>
            {SPEEDS.map((one) => (
              <option key={one} value={one}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={skipsIdle}
            onChange={({ target }) => setSkipsIdle(target.checked)}
          />{" "}
          Skip pauses
        </label>
        <Search
          cast={cast}
          seconds={seconds}
          onFound={(at) => {
            setPlaying(false);
            seek(at + LEAD_SECONDS);
          }}
        />
      </div>
    </div>
  );
}

function ScreenView({ lines, columns }: { lines: readonly Line[]; columns: number }) {
  return (
    <div className={styles.screen} tabIndex={0} role="region" aria-label="What the terminal showed">
      <pre style={{ minWidth: `${columns}ch` }}>
        {lines.map((line, y) => (
          <div key={y}>
            {line.map(({ text, fore, back, isBold, isDim, isUnderlined, isInverse }, x) => (
              <span
                key={x}
                style={{
                  color: isInverse ? (back ?? "#101619") : fore,
                  background: isInverse ? (fore ?? "#d5dddf") : back,
                  fontWeight: isBold ? 700 : undefined,
                  opacity: isDim ? 0.6 : undefined,
                  textDecoration: isUnderlined ? "underline" : undefined,
                }}
              >
                {text}
              </span>
            ))}
            {"\n"}
          </div>
        ))}
      </pre>
    </div>
  );
}

function Search(props: {
  readonly cast: Cast;
  readonly seconds: number;
  readonly onFound: (seconds: number) => void;
}) {
  const { cast, seconds, onFound } = props;
  const all = useMemo(() => searchable(cast), [cast]);
  const [text, setText] = useState("");
  const [isMissing, setMissing] = useState(false);
  const find = () => {
    const wanted = text.toLowerCase();
    if (wanted === "") return;
    // The next after this moment, and from the beginning again.
    let first = -1;
    for (let at = all.text.indexOf(wanted); at >= 0; at = all.text.indexOf(wanted, at + 1)) {
      const time = all.timeAt(at);
      if (first < 0) first = time;
      if (time > seconds) {
        first = time;
        break;
      }
    }
    setMissing(first < 0);
    if (first >= 0) onFound(first);
  };
  return (
    <form
      role="search"
      className={styles.find}
      onSubmit={(event) => {
        event.preventDefault();
        find();
      }}
    >
      <input
        type="search"
        aria-label="Find what was shown"
        placeholder="Find what was shown"
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setMissing(false);
        }}
      />
      <Button type="submit">Next</Button>
      <span role="status" className={styles.muted}>
        {isMissing ? "never shown" : ""}
      </span>
    </form>
  );
}

function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
