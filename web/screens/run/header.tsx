/** What a run is, how it stands, and what a person may do about it. */
import { useState } from "react";
import type { RunInfo } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { useAct, useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  Button,
  countText,
  Dialog,
  Failure,
  plural,
  spanText,
  Untrusted,
  type Tone,
} from "../../parts/index.ts";
import styles from "./run.module.css";

export const RUN_TONES: Readonly<Record<RunInfo["state"], Tone>> = {
  starting: "info",
  running: "ok",
  paused: "wait",
  ended: "calm",
};
const STALE = ["run.show", "run.list", "run.timeline", "run.strip"] as const;

export function RunHeader({ info }: { info: RunInfo }) {
  const { run, state, task, purpose, command, counts, end, pauseReason } = info;
  return (
    <header className={styles.header}>
      <div className={styles.title}>
        <h1>
          <Untrusted text={task} />
        </h1>
        <Badge tone={RUN_TONES[state]}>{state}</Badge>
        {info.attempt === undefined ? null : <Badge tone="info">{`attempt ${info.attempt}`}</Badge>}
        {info.narrowed === true ? <Badge tone="wait">narrowed</Badge> : null}
        <code className={styles.muted}>{run}</code>
        <RunActions info={info} />
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

function RunActions({ info: { run, state } }: { info: RunInfo }) {
  const mayOperate = useRole("operator");
  const [asking, setAsking] = useState<"kill" | "revoke">();
  const pause = useAct("run.pause", STALE);
  const resume = useAct("run.resume", STALE);
  if (!mayOperate || state === "ended") return null;
  const failed = pause.error ?? resume.error;
  return (
    <div className={styles.actions}>
      {state === "paused" ? (
        <Button kind="primary" disabled={resume.isPending} onClick={() => resume.mutate({ run })}>
          Resume
        </Button>
      ) : (
        <Button disabled={pause.isPending} onClick={() => pause.mutate({ run })}>
          Pause
        </Button>
      )}
      <Button onClick={() => setAsking("revoke")}>Revoke a grant</Button>
      <Button kind="danger" onClick={() => setAsking("kill")}>
        Kill
      </Button>
      {failed === null ? null : <Failure error={failed} />}
      {asking === "kill" ? <KillDialog run={run} onClose={() => setAsking(undefined)} /> : null}
      {asking === "revoke" ? <RevokeDialog run={run} onClose={() => setAsking(undefined)} /> : null}
    </div>
  );
}

function KillDialog({ run, onClose }: { run: string; onClose: () => void }) {
  const kill = useAct("run.kill", STALE);
  return (
    <Dialog title={`Kill ${run}?`} onClose={onClose}>
      <p>
        All its processes end at once, and its connections with them. What it changed in its
        workspace stays, and waits to be applied or discarded.
      </p>
      {kill.error === null ? null : <Failure error={kill.error} />}
      <div className={styles.buttons}>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="danger"
          disabled={kill.isPending}
          onClick={() => kill.mutate({ run }, { onSuccess: onClose })}
        >
          Kill the run
        </Button>
      </div>
    </Dialog>
  );
}

/** Grants go by the name of their system; those that the run used are offered. */
function RevokeDialog({ run, onClose }: { run: string; onClose: () => void }) {
  const revoke = useAct("run.revoke", STALE);
  const strip = useCall("run.strip", { run, filter: {}, buckets: 1 });
  const [grant, setGrant] = useState("");
  const used = strip.data?.systems ?? [];
  return (
    <Dialog title="Take back a grant" onClose={onClose}>
      <p>
        From now on the run may not use it, and its connections are cut. This cannot be undone for
        this run.
      </p>
      <label className={styles.stack}>
        Grant
        <input
          list="used-systems"
          value={grant}
          onChange={({ target }) => setGrant(target.value)}
          autoComplete="off"
        />
      </label>
      <datalist id="used-systems">
        {used.map(({ name, count }) => (
          <option key={name} value={name} label={plural(count, "entry", "entries")} />
        ))}
      </datalist>
      {revoke.error === null ? null : <Failure error={revoke.error} />}
      <div className={styles.buttons}>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="danger"
          disabled={grant === "" || revoke.isPending}
          onClick={() => revoke.mutate({ run, grant }, { onSuccess: onClose })}
        >
          Take it back
        </Button>
      </div>
    </Dialog>
  );
}
