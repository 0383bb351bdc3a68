/** What a run is, how it stands, and what a person may do about it. */
import type { RunInfo } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { Ago, Badge, countText, spanText, Untrusted, type Tone } from "../../parts/index.ts";
import { RunActions } from "../now/actions.tsx";
import { Budgets } from "../now/budgets.tsx";
import { useRuns } from "../now/runs.ts";
import styles from "./run.module.css";

export const RUN_TONES: Readonly<Record<RunInfo["state"], Tone>> = {
  starting: "info",
  running: "ok",
  paused: "wait",
  ended: "calm",
};

export function RunHeader({ info }: { info: RunInfo }) {
  const card = useRuns().data?.cards.find((one) => one.run === info.run);
  const mayOperate = useRole("operator");
  const { run, state, task, purpose, command, counts, end, pauseReason } = info;
  return (
    <header className={styles.header}>
      <div className={styles.title}>
        <h1>
          <Untrusted text={task === "" ? run : task} />
        </h1>
        <Badge tone={RUN_TONES[state]}>{state}</Badge>
        {info.attempt === undefined ? null : <Badge tone="info">{`attempt ${info.attempt}`}</Badge>}
        {info.narrowed === true ? <Badge tone="wait">narrowed</Badge> : null}
        <code className={styles.muted}>{run}</code>
        {mayOperate && card !== undefined && state !== "ended" ? (
          <div className={styles.actions}>
            <RunActions card={card} />
          </div>
        ) : null}
      </div>
      <p className={styles.what}>
        <code>
          <Untrusted text={command.join(" ").slice(0, 600)} />
        </code>
      </p>
      {purpose === "" ? null : (
        <p className={styles.muted}>
          <Untrusted text={purpose.slice(0, 300)} />
        </p>
      )}
      <dl className={styles.facts}>
        {card === undefined ? null : (
          <div>
            <dt>Agent</dt>
            <dd>
              <Untrusted text={card.agent.name} />
            </dd>
          </div>
        )}
        <div>
          <dt>Started</dt>
          <dd>
            <Ago at={info.startedAt} />
          </dd>
        </div>
        <Lifetime info={info} />
        <div>
          <dt>Flows</dt>
          <dd>{countText(counts.flows)}</dd>
        </div>
        <div>
          <dt>Actions</dt>
          <dd>{countText(counts.actions)}</dd>
        </div>
        <div>
          <dt>Refused</dt>
          <dd>{countText(counts.denials)}</dd>
        </div>
        <div>
          <dt>Findings</dt>
          <dd className={counts.findings > 0 ? styles.bad : undefined}>
            {countText(counts.findings)}
          </dd>
        </div>
        {end === undefined ? null : (
          <div>
            <dt>End</dt>
            <dd>
              <Untrusted text={endText(end)} />
            </dd>
          </div>
        )}
        {pauseReason === undefined || state !== "paused" ? null : (
          <div>
            <dt>Paused, since</dt>
            <dd>
              <Untrusted text={pauseReason} />
            </dd>
          </div>
        )}
      </dl>
      {card === undefined || state === "ended" ? null : (
        <div className={styles.budgets}>
          <Budgets card={card} />
        </div>
      )}
    </header>
  );
}

function endText({ reason, code, signal, detail }: NonNullable<RunInfo["end"]>): string {
  const how = code === undefined ? (signal ?? "") : `code ${code}`;
  return [reason, how, detail ?? ""].filter(Boolean).join(", ");
}

/** How long it took, or how much of its time is used. */
function Lifetime({ info }: { info: RunInfo }) {
  const until = info.endedAt === undefined ? undefined : Date.parse(info.endedAt);
  if (until === undefined) return null;
  return (
    <div>
      <dt>Took</dt>
      <dd>{spanText(until - Date.parse(info.startedAt))}</dd>
    </div>
  );
}
