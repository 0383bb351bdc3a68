/** One thing of a run: what led to it, up to the model's words, what came of it, and what the record says of it. */
import { useEffect, useRef } from "react";
import { Link } from "wouter";
import type { Answers, Entry, StoryItem } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  bytesText,
  Clock,
  countText,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import type { Go } from "./place.ts";
import { RowMarks } from "./rows.tsx";
import { KIND_NAMES, LANE_NAMES, sinceText, tookText } from "./words.ts";
import styles from "./detail.module.css";

export function Detail(props: {
  readonly run: string;
  readonly id: string;
  readonly go: Go;
  readonly everyMs: number | undefined;
}) {
  const { run, id, go, everyMs } = props;
  const told = useCall("run.item", { run, id }, everyMs === undefined ? {} : { everyMs });
  const pane = useRef<HTMLElement>(null);
  useEffect(() => {
    pane.current?.scrollTo({ top: 0 });
  }, [id]);
  return (
    <aside ref={pane} className={styles.pane} aria-label="Detail" tabIndex={0}>
      <button
        type="button"
        className={styles.close}
        aria-label="Close the detail"
        onClick={() => go({ item: undefined })}
      >
        ×
      </button>
      {told.error === null ? null : <Failure error={told.error} />}
      {told.isPending ? <Loading what="Reading" /> : null}
      {told.data === undefined ? null : <Told told={told.data} go={go} />}
    </aside>
  );
}

function Told({ told, go }: { told: Answers<"run.item">; go: Go }) {
  const { item, chain, children, childrenLeft, entries } = told;
  return (
    <>
      <header className={styles.head}>
        <p className={styles.kind}>{KIND_NAMES[item.kind]}</p>
        <h2>
          <Untrusted text={titleOf(item)} />
        </h2>
        <RowMarks row={item} />
      </header>
      <Words item={item} entries={entries} />
      <section aria-label="How it came about">
        <h3>How it came about</h3>
        <Chain item={item} chain={chain} go={go} />
      </section>
      <Facts item={item} go={go} />
      {children.length === 0 ? null : (
        <section aria-label="What came of it">
          <h3>
            What came of it <small>{countText(children.length + childrenLeft)}</small>
          </h3>
          <ol className={styles.steps}>
            {children.map((one) => (
              <Step key={one.id} item={one} go={go} />
            ))}
          </ol>
          {childrenLeft > 0 ? (
            <p className={styles.note}>
              {countText(childrenLeft)} more: show only what came of it.
            </p>
          ) : null}
          <button
            type="button"
            className={styles.only}
            onClick={() => go({ tab: undefined, under: item.id, lane: undefined })}
          >
            Show only what came of it
          </button>
        </section>
      )}
      <section aria-label="On record">
        <h3>
          On record <small>{plural(item.entries.count, "entry", "entries")}</small>
        </h3>
        {item.entries.count > entries.length ? (
          <p className={styles.note}>
            The first and the last of them; the Ledger has all, from {item.entries.first} to{" "}
            {item.entries.last}.
          </p>
        ) : null}
        {entries.map((entry) => (
          <Raw key={entry.seq} entry={entry} />
        ))}
      </section>
    </>
  );
}

function titleOf({ lane, kind, name, label }: StoryItem): string {
  return lane === "run" ? KIND_NAMES[kind] : name || label.slice(0, 120) || KIND_NAMES[kind];
}

/** What was said, as far as the record has it. */
function Words({ item, entries }: { item: StoryItem; entries: readonly Entry[] }) {
  const of = (type: Entry["type"]) => entries.find((one) => one.type === type)?.data;
  if (item.kind === "model") {
    return (
      <p className={styles.note}>
        The record keeps no prose of a model. What it said that led to something are the tool calls
        in its answer: they stand below, with their input.
      </p>
    );
  }
  if (item.kind === "call") {
    const [call, result] = [of("tool.call"), of("tool.result")];
    return (
      <>
        <Block title="The model's words" text={textOf(call?.["input"]) || item.label} />
        {call?.["cut"] === true ? (
          <p className={styles.note}>
            Cut: the record keeps the beginning and the digest of all {textOf(call["bytes"])} bytes.
          </p>
        ) : null}
        {result === undefined ? null : (
          <>
            <Block title="What the agent said it gave" text={textOf(result["excerpt"])} />
            <p className={styles.note}>
              An excerpt of {textOf(result["bytes"])} bytes, as the agent told the model. Secrets
              are blackened.
            </p>
          </>
        )}
      </>
    );
  }
  if (item.kind === "finding" || item.kind === "denial") {
    return (
      <>
        <Block title={item.kind === "finding" ? "What was noticed" : "Refused"} text={item.label} />
        {item.kind === "denial" && item.state !== undefined ? (
          <Block title="Why" text={item.state} />
        ) : null}
      </>
    );
  }
  if (item.kind === "action") {
    const [action, denial] = [of("action"), of("denial")];
    const why = textOf(denial?.["reason"]) || textOf(action?.["reason"]);
    return (
      <>
        <Block title="What was asked" text={textOf(action?.["summary"]) || item.label} />
        {why === "" ? null : <Block title="Why so" text={why} />}
      </>
    );
  }
  return item.label === "" ? null : <Block title={LANE_NAMES[item.lane]} text={item.label} />;
}

function Block({ title, text }: { title: string; text: string }) {
  return (
    <div className={styles.block}>
      <h3>{title}</h3>
      <pre tabIndex={0}>
        <Untrusted text={text} isBlock />
      </pre>
    </div>
  );
}

function Facts({ item, go }: { item: StoryItem; go: Go }) {
  const { rule, system, by, bytesOut, bytesIn, tokens, approval, state, status, tie, call } = item;
  const took = tookText(item.endMs - item.ms);
  return (
    <dl className={styles.facts}>
      <Fact name="When">
        {sinceText(item.ms)}
        {took === "" ? "" : `, ${item.kind === "process" ? "seen for" : "took"} ${took}`}
      </Fact>
      {system === undefined ? null : (
        <Fact name="System">
          <Untrusted text={system} />
        </Fact>
      )}
      {rule === undefined ? null : (
        <Fact name="Rule">
          <code>
            <Untrusted text={rule} />
          </code>
        </Fact>
      )}
      {by === undefined ? null : (
        <Fact name="Process">
          <Untrusted text={`${by.exe} [${by.pid}]`} />
        </Fact>
      )}
      {bytesOut === undefined ? null : (
        <Fact name="Bytes">
          {bytesText(bytesOut)} reached the other side, {bytesText(bytesIn ?? 0)} came back
        </Fact>
      )}
      {status === undefined ? null : <Fact name="Answered">{status}</Fact>}
      {tokens === undefined ? null : (
        <Fact name="Tokens">
          {countText(tokens.in ?? 0)} in, {countText(tokens.out ?? 0)} out
        </Fact>
      )}
      {state === undefined || item.kind === "denial" ? null : (
        <Fact name="State">
          <Untrusted text={state} />
        </Fact>
      )}
      {tie === undefined || call === undefined ? null : (
        <Fact name="Tied">
          to its tool call by {tie.by}, {Math.round(tie.confidence * 100)} % sure{" "}
          <button
            type="button"
            className={styles.only}
            onClick={() => go({ tab: undefined, under: call, lane: undefined })}
          >
            Only this call
          </button>
        </Fact>
      )}
      {approval === undefined || approval === "" ? null : (
        <Fact name="Approval">
          <Link href={`~/approvals/${encodeURIComponent(approval)}`}>{approval}</Link>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** From the model's words down to this. */
function Chain(props: {
  readonly item: StoryItem;
  readonly chain: readonly StoryItem[];
  readonly go: Go;
}) {
  const { item, chain, go } = props;
  const hasCall = [item, ...chain].some(({ kind }) => kind === "call" || kind === "model");
  return (
    <>
      {hasCall || item.lane === "run" ? null : (
        <p className={styles.note}>
          The record ties it to no tool call:{" "}
          {item.kind === "name"
            ? "who asks for a name is not known."
            : "the agent, or what it started, did it by itself."}
        </p>
      )}
      <ol className={styles.steps}>
        {chain.toReversed().map((one) => (
          <Step key={one.id} item={one} go={go} />
        ))}
        <Step item={item} go={go} isThis />
      </ol>
    </>
  );
}

function Step({ item, go, isThis = false }: { item: StoryItem; go: Go; isThis?: boolean }) {
  return (
    <li className={`${styles.step} ${styles[`step-${item.lane}`] ?? ""}`}>
      <button
        type="button"
        aria-current={isThis ? "step" : undefined}
        onClick={() => go({ item: item.id })}
      >
        <span className={styles.stepKind}>
          {KIND_NAMES[item.kind]} <small>{sinceText(item.ms)}</small>
        </span>
        <span className={styles.stepText}>
          {item.name === undefined || item.name === "" ? null : (
            <b>
              <Untrusted text={item.name} />{" "}
            </b>
          )}
          <Untrusted text={item.label.slice(0, 200)} />
        </span>
        <RowMarks row={item} />
      </button>
    </li>
  );
}

function Raw({ entry }: { entry: Entry }) {
  return (
    <details className={styles.raw}>
      <summary>
        <code>{entry.seq}</code> {entry.type} <Clock at={entry.at} />
      </summary>
      <p>
        <Link href={`~/ledger/${entry.seq}`}>Its proof, in the Ledger</Link>
      </p>
      <pre tabIndex={0}>
        <Untrusted text={JSON.stringify(entry, null, 2)} isBlock />
      </pre>
    </details>
  );
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
