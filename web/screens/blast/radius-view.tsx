/**
 * One text's blast radius: what is chosen in the list is lit in the picture and told step by step beside it.
 *
 * @module
 */
import { useMemo, useState } from "react";
import type { BlastCut, BlastOutcome } from "../../../src/api/index.ts";
import {
  Badge,
  Button,
  countText,
  Empty,
  Failure,
  Loading,
  Panel,
  Tabs,
  Untrusted,
} from "../../parts/index.ts";
import {
  amountText,
  DiffText,
  Numbers,
  Steps,
  useRadius,
  type Radius,
  type WhatIf,
  type Which,
} from "../../radius/index.ts";
import { Graph } from "./graph.tsx";
import { GraphTable } from "./graph-table.tsx";
import { WhatIfPanel } from "./what-if.tsx";
import styles from "./blast.module.css";

const VIEWS = [
  { id: "unattended", label: "Unattended" },
  { id: "approverFooled", label: "Approver fooled" },
  { id: "without", label: "Without Cofferdam" },
] as const;

/** A change that is tried: its text stands in for the file's. */
interface Tried {
  readonly says: string;
  readonly source: string;
}

export function RadiusView(props: {
  readonly place: string;
  readonly source: string;
  readonly onCompare: () => void;
  readonly onEdit: (source: string, line?: number) => void;
}) {
  const { place, source, onCompare, onEdit } = props;
  const [which, setWhich] = useState<Which>("unattended");
  const [whatIf, setWhatIf] = useState<WhatIf>({});
  const [tried, setTried] = useState<Tried>();
  const [name, setName] = useState<string>();
  const shown = tried?.source ?? source;
  const [isWhole, setWhole] = useState(false);
  const detail = isWhole ? "all" : "overview";
  const base = useRadius({ place, source, cuts: true });
  const isPlain = tried === undefined && which !== "without" && !isWhole && isNothing(whatIf);
  const asked = useRadius(
    isPlain
      ? undefined
      : { place, source: shown, whatIf, detail, picture: which === "without" ? "without" : "task" },
  );
  const now = isPlain ? base : asked;
  if (base.error !== null) return <Failure error={base.error} />;
  if (base.data === undefined) return <Loading what="Working out what could happen" />;
  const radius = now.data ?? base.data;
  const isOther = tried !== undefined || !isNothing(whatIf);
  const before = isOther ? base.data.outcomes : undefined;
  const chosen = chosenOf(radius, name, which);
  return (
    <>
      {now.error === null ? null : <Failure error={now.error} />}
      <p className={styles.sentence} aria-live="polite">
        {radius.sentence}
      </p>
      <Excesses radius={radius} />
      <div className={styles.tools}>
        <div role="group" aria-label="What is looked at" className={styles.views}>
          {VIEWS.map(({ id, label }) => (
            <button key={id} type="button" aria-pressed={id === which} onClick={() => setWhich(id)}>
              {label}
            </button>
          ))}
        </div>
        <Button onClick={onCompare}>Compare</Button>
        <Button onClick={() => onEdit(shown)}>
          {tried === undefined ? "Edit this task" : "Take into the editor"}
        </Button>
        <span className={styles.busy} role="status">
          {now.isFetching ? "working it out…" : ""}
        </span>
      </div>
      {tried === undefined ? null : (
        <div className={styles.tried} role="status">
          <span>
            Tried, not saved: <strong>{tried.says}</strong>
          </span>
          <Button onClick={() => setTried(undefined)}>Back to the file</Button>
        </div>
      )}
      <div className={styles.columns}>
        <Panel title="What could happen">
          <Numbers
            outcomes={radius.outcomes}
            before={before}
            which={which}
            chosen={chosen?.name}
            onChoose={setName}
          />
        </Panel>
        <Way
          radius={radius}
          outcome={chosen}
          which={which}
          onPlace={(line) => onEdit(shown, line)}
          onWithout={(fact) =>
            setWhatIf({ ...whatIf, withoutFacts: [...(whatIf.withoutFacts ?? []), fact] })
          }
        />
      </div>
      <Pictures
        radius={radius}
        which={which}
        chosen={chosen}
        isOld={now.isFetching}
        isWhole={isWhole}
        onWhole={setWhole}
        onChoose={setName}
      />
      <div className={styles.columns}>
        <Cuts cuts={base.data.cuts} isTried={tried?.source} onTry={setTried} />
        <WhatIfPanel radius={base.data} whatIf={whatIf} onChange={setWhatIf} />
      </div>
      <Assumptions radius={radius} />
    </>
  );
}

function isNothing(whatIf: WhatIf): boolean {
  const { withoutGrants = [], withoutFacts = [], leave = [], approver = "asked" } = whatIf;
  return withoutGrants.length + withoutFacts.length + leave.length === 0 && approver === "asked";
}

/** What was chosen, else the first that could happen. */
function chosenOf(
  radius: Radius,
  name: string | undefined,
  which: Which,
): BlastOutcome | undefined {
  const { outcomes } = radius;
  return (
    outcomes.find((one) => one.name === name) ??
    outcomes.find((one) => one[which] !== 0) ??
    outcomes.find((one) => one.approverFooled !== 0)
  );
}

function Excesses({ radius }: { radius: Radius }) {
  if (radius.excesses.length === 0) return null;
  return (
    <ul className={styles.excesses}>
      {radius.excesses.map(({ outcome, which, most, found, from }) => (
        <li key={`${outcome} ${which} ${from}`}>
          <Badge tone="bad">over budget</Badge> {outcome},{" "}
          {which === "unattended" ? "unattended" : "with an approver fooled"}: {amountText(found)},
          and at most {amountText(most)} (<Untrusted text={from} />)
        </li>
      ))}
    </ul>
  );
}

function Pictures(props: {
  readonly radius: Radius;
  readonly which: Which;
  readonly chosen: BlastOutcome | undefined;
  readonly isOld: boolean;
  readonly isWhole: boolean;
  readonly onWhole: (isWhole: boolean) => void;
  readonly onChoose: (name: string) => void;
}) {
  const { radius, which, chosen, isOld, isWhole, onWhole, onChoose } = props;
  // A phone shows the list: a picture of layers needs width.
  const [tab, setTab] = useState(() =>
    globalThis.matchMedia("(max-width: 720px)").matches ? "table" : "picture",
  );
  const lit = useMemo(
    () => new Set(which === "approverFooled" ? chosen?.fooledBoxes : chosen?.boxes),
    [which, chosen],
  );
  const { picture } = radius;
  return (
    <section className={styles.pictures} aria-label="What leads to what" aria-busy={isOld}>
      <Tabs
        label="How it is shown"
        items={[
          { id: "picture", label: "Picture" },
          { id: "table", label: "As a table", count: picture?.nodes.length ?? 0 },
        ]}
        selected={tab}
        onSelect={setTab}
      />
      {picture === undefined || (picture.whole === picture.nodes.length && !isWhole) ? null : (
        <label className={styles.whole}>
          <input type="checkbox" checked={isWhole} onChange={() => onWhole(!isWhole)} />
          every step by itself ({countText(picture.whole)} boxes)
        </label>
      )}
      {picture === undefined || picture.nodes.length < 2 ? (
        <Empty title="Nothing leads anywhere">
          No outcome is possible: neither alone nor with an approver fooled.
        </Empty>
      ) : tab === "picture" ? (
        <Graph picture={picture} lit={lit} isAlone={which === "unattended"} onChoose={onChoose} />
      ) : (
        <GraphTable picture={picture} lit={lit} />
      )}
    </section>
  );
}

function Way(props: {
  readonly radius: Radius;
  readonly outcome: BlastOutcome | undefined;
  readonly which: Which;
  readonly onPlace: (line: number) => void;
  readonly onWithout: (fact: string) => void;
}) {
  const { radius, outcome, which, onPlace, onWithout } = props;
  if (outcome === undefined) return null;
  const { path, fooledPath, withoutPath, objects } = outcome;
  const steps =
    which === "without" ? withoutPath : which === "unattended" ? path : (fooledPath ?? path);
  const more = objects.slice(1, OBJECTS_SHOWN + 1);
  const needsYes =
    which === "unattended" && outcome.unattended === 0 && outcome.approverFooled !== 0;
  return (
    <Panel title={`The shortest way: ${outcome.says}`}>
      {needsYes ? (
        <p className={styles.note}>Nobody gets there alone: this way needs somebody to say yes.</p>
      ) : null}
      {steps.length === 0 ? (
        <p className={styles.note}>This cannot happen.</p>
      ) : (
        <Steps path={steps} places={radius.places} onPlace={onPlace} onWithout={onWithout} />
      )}
      {which === "without" || more.length === 0 ? null : (
        <div className={styles.also}>
          <h3>Also</h3>
          <ul>
            {more.map(({ object, approverFooled, persons }) => (
              <li key={object}>
                <Untrusted text={object} />
                {approverFooled === "unbounded" ? "" : ` (${amountText(approverFooled)})`}
                {persons > 0 ? ", after a yes" : ""}
              </li>
            ))}
            {objects.length - 1 > more.length ? (
              <li>and {objects.length - 1 - more.length} more</li>
            ) : null}
          </ul>
        </div>
      )}
    </Panel>
  );
}
const OBJECTS_SHOWN = 8;

function Cuts(props: {
  readonly cuts: readonly BlastCut[];
  readonly isTried: string | undefined;
  readonly onTry: (tried: Tried) => void;
}) {
  const { cuts, isTried, onTry } = props;
  return (
    <Panel title="What would make it smaller">
      {cuts.length === 0 ? (
        <p className={styles.note}>No single change of the file makes it smaller.</p>
      ) : (
        <ol className={styles.cuts}>
          {cuts.map(({ says, diff, source, cuts: smaller, takes, asks }) => (
            <li key={diff}>
              <header>
                <h3>
                  <Untrusted text={says} />
                </h3>
                <Button
                  aria-pressed={isTried === source}
                  aria-label={`Try it: ${says}`}
                  onClick={() => onTry({ says, source })}
                >
                  Try it
                </Button>
              </header>
              <ul>
                {smaller
                  .flatMap((cut) => linesOf(cut))
                  .map((line) => (
                    <li key={line}>{line}</li>
                  ))}
                {takes.length === 0 ? null : <li>the task loses {listText(takes)}</li>}
                {asks.length === 0 ? null : <li>a person is asked more often: {listText(asks)}</li>}
              </ul>
              <details>
                <summary>The change</summary>
                <DiffText diff={diff} label={`The change: ${says}`} />
              </details>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function linesOf({ says, before, after, places }: BlastCut["cuts"][number]): readonly string[] {
  return (["unattended", "approverFooled"] as const).flatMap((which) => {
    const what = `${says}, ${which === "unattended" ? "unattended" : "with an approver fooled"}`;
    if (before[which] !== after[which]) {
      return [`${what}: ${amountText(before[which])} → ${amountText(after[which])}`];
    }
    const [was, is] = [places.before[which], places.after[which]];
    return was === is ? [] : [`${what}: at ${was} places → at ${is}`];
  });
}

function listText(words: readonly string[]): string {
  const shown = words.slice(0, WORDS_SHOWN).join(", ");
  return words.length > WORDS_SHOWN ? `${shown} and ${words.length - WORDS_SHOWN} more` : shown;
}
const WORDS_SHOWN = 8;

function Assumptions({ radius }: { radius: Radius }) {
  const { assumptions } = radius;
  if (assumptions.length === 0) return null;
  return (
    <Panel title="Not known, and counted at its worst">
      <ul className={styles.assumptions}>
        {assumptions.map((one) => (
          <li key={one}>
            <Untrusted text={one} />
          </li>
        ))}
      </ul>
      <p className={styles.note}>
        <code>cofferdam probe TASK</code> asks the systems themselves.
      </p>
    </Panel>
  );
}
