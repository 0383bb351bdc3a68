/** What of a run is shown. */
import { useEffect, useRef, useState } from "react";
import type { Effect, Verdict } from "../../../src/action/index.ts";
import type { StoryFilter, StoryStrip } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import { countText, EFFECT_TONES, Untrusted, useKeys } from "../../parts/index.ts";
import type { Go } from "./place.ts";
import styles from "./timeline.module.css";

const EFFECTS = Object.keys(EFFECT_TONES) as readonly Effect[];
const VERDICTS: readonly Verdict[] = ["allow", "confirm", "deny"];
const VERDICT_NAMES: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  confirm: "asks a person",
  deny: "refused",
};
/** After the last key; each change is a question. */
const SETTLE_MS = 200;

export function Filters(props: {
  readonly run: string;
  readonly filter: StoryFilter;
  readonly strip: StoryStrip;
  readonly go: Go;
}) {
  const { run, filter, strip, go } = props;
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <div className={styles.filters} role="search" aria-label="Filter the timeline">
      <Text text={filter.text ?? ""} go={go} />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={filter.refused === true}
          onChange={({ target }) => go({ refused: target.checked ? "1" : undefined })}
        />
        Refused only
      </label>
      <Choice
        label="Verdict"
        name="verdict"
        all={VERDICTS.map((id) => ({ id, text: VERDICT_NAMES[id] }))}
        chosen={filter.verdicts}
        go={go}
      />
      <Choice
        label="Effect"
        name="effect"
        all={EFFECTS.map((id) => ({ id, text: id }))}
        chosen={filter.effects}
        go={go}
      />
      <Choice
        label="System"
        name="system"
        all={strip.systems.map(({ name, count }) => ({ id: name, text: name, count }))}
        chosen={filter.systems}
        go={go}
      />
      {filter.under === undefined ? null : <Under run={run} id={filter.under} go={go} />}
      {isFiltered ? (
        <button
          type="button"
          className={styles.plain}
          onClick={() =>
            go({
              ...{ q: undefined, lane: undefined, effect: undefined, verdict: undefined },
              ...{ system: undefined, refused: undefined, under: undefined },
            })
          }
        >
          Show all
        </button>
      ) : null}
    </div>
  );
}

function Text({ text, go }: { text: string; go: Go }) {
  const [typed, setTyped] = useState(text);
  const [before, setBefore] = useState(text);
  if (text !== before) {
    setBefore(text);
    setTyped(text);
  }
  const field = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => field.current?.focus() });
  useEffect(() => {
    if (typed === text) return undefined;
    const timer = setTimeout(() => go({ q: typed }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed, text, go]);
  return (
    <input
      ref={field}
      type="search"
      className={styles.search}
      aria-label="Find in the timeline"
      placeholder="Find: host, command, rule ( / )"
      value={typed}
      maxLength={200}
      onChange={({ target }) => setTyped(target.value)}
    />
  );
}

/** Any of several: a list of boxes that opens. */
function Choice(props: {
  readonly label: string;
  readonly name: string;
  readonly all: readonly { readonly id: string; readonly text: string; readonly count?: number }[];
  readonly chosen: readonly string[] | undefined;
  readonly go: Go;
}) {
  const { label, name, all, chosen = [], go } = props;
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const shut = (event: Event) => {
      const isInside = event.target instanceof Node && box.current?.contains(event.target) === true;
      if (!isInside && box.current !== null) box.current.open = false;
    };
    document.addEventListener("pointerdown", shut);
    return () => document.removeEventListener("pointerdown", shut);
  }, []);
  if (all.length === 0) return null;
  return (
    <details
      ref={box}
      className={styles.choice}
      onKeyDown={(event) => {
        if (event.key === "Escape" && box.current !== null) box.current.open = false;
      }}
    >
      <summary>
        {label}
        {chosen.length === 0 ? null : <b> {chosen.length}</b>}
      </summary>
      <ul>
        {all.map(({ id, text, count }) => (
          <li key={id}>
            <label className={styles.check}>
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                onChange={({ target }) =>
                  go({
                    [name]: target.checked ? [...chosen, id] : chosen.filter((one) => one !== id),
                  })
                }
              />
              <Untrusted text={text} />
              {count === undefined ? null : <small>{countText(count)}</small>}
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Under({ run, id, go }: { run: string; id: string; go: Go }) {
  const { data } = useCall("run.item", { run, id });
  return (
    <span className={styles.chip}>
      Only what came of{" "}
      <b>
        <Untrusted text={data?.item.name || data?.item.label.slice(0, 60) || id} />
      </b>
      <button type="button" aria-label="Show all again" onClick={() => go({ under: undefined })}>
        ×
      </button>
    </span>
  );
}
