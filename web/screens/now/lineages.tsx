/** What several runs are of: one job, one agent, one secret. Paused, resumed and ended as one thing. */
import { useState } from "react";
import type { ApiName, LineageInfo } from "../../../src/api/index.ts";
import { useAct, useCall } from "../../calls/index.ts";
import { Badge, Button, Dialog, Failure, plural, Untrusted } from "../../parts/index.ts";
import { Meter } from "./budgets.tsx";
import styles from "./now.module.css";

const STALE: readonly ApiName[] = ["lineage.list", "now.show", "run.list", "run.show"];
const EVERY_MS = 3000;
/** A job of its own for each rollout would hide the runs. */
const SHOWN_MAX = 20;

export function Lineages({ isOperator }: { isOperator: boolean }) {
  const { data, error } = useCall("lineage.list", {}, { everyMs: EVERY_MS });
  if (data === undefined) return error === null ? null : <Failure error={error} />;
  const all = data.filter(isShown).toSorted(byWeight);
  if (all.length === 0) return null;
  return (
    <section className={styles.lineages} aria-labelledby="lineages">
      <h2 id="lineages">Together</h2>
      <ul>
        {all.slice(0, SHOWN_MAX).map((one) => (
          <Row key={one.lineage} one={one} isOperator={isOperator} />
        ))}
      </ul>
      {all.length <= SHOWN_MAX ? null : (
        <p>{plural(all.length - SHOWN_MAX, "more lineage")}: cofferdam lineages</p>
      )}
    </section>
  );
}

/** What is more than its one run's card says. */
function isShown({ runs, paused, budget }: LineageInfo): boolean {
  return runs.length > 1 || paused !== undefined || budget !== undefined;
}

function byWeight(one: LineageInfo, other: LineageInfo): number {
  return (
    Number(other.paused !== undefined) - Number(one.paused !== undefined) ||
    (other.share ?? 0) - (one.share ?? 0) ||
    other.runs.length - one.runs.length
  );
}

function Row({ one, isOperator }: { one: LineageInfo; isOperator: boolean }) {
  const { lineage, names, runs, paused, share, budget } = one;
  return (
    <li data-lineage={lineage}>
      <div>
        <Untrusted text={names[0] ?? lineage} />
        {paused === undefined ? null : (
          <p className={styles.remark}>
            <Untrusted text={paused.why} />
          </p>
        )}
      </div>
      <span className={styles.number}>{plural(runs.length, "live run")}</span>
      <dl className={styles.budgets} title={budget?.join("\n")}>
        {share === undefined ? null : (
          <Meter label="Budget" text={`${Math.floor(share * 100)}% used`} share={share} />
        )}
      </dl>
      <Badge tone={paused === undefined ? "ok" : "wait"}>
        {paused === undefined ? "open" : "paused"}
      </Badge>
      {isOperator ? <LineageActions one={one} /> : null}
    </li>
  );
}

function LineageActions({ one: { lineage, names, runs, paused } }: { one: LineageInfo }) {
  const pause = useAct("lineage.pause", STALE);
  const resume = useAct("lineage.resume", STALE);
  const kill = useAct("lineage.kill", STALE);
  const [isKilling, setKilling] = useState(false);
  const isUnderWay = pause.isPending || resume.isPending;
  const error = (paused === undefined ? pause : resume).error;
  return (
    <div className={styles.actions}>
      <Button
        aria-busy={isUnderWay}
        onClick={() => {
          if (!isUnderWay) (paused === undefined ? pause : resume).mutate({ lineage });
        }}
      >
        {paused === undefined ? "Pause all" : "Resume all"}
      </Button>
      {runs.length === 0 ? null : (
        <Button kind="quiet" onClick={() => setKilling(true)}>
          Kill all…
        </Button>
      )}
      {error === null ? null : <Failure error={error} />}
      {isKilling ? (
        <Dialog
          title={
            <>
              Kill all of <Untrusted text={names[0] ?? lineage} />
            </>
          }
          onClose={() => setKilling(false)}
        >
          <div className={styles.stop}>
            <p>
              {plural(runs.length, "run")} ends with all of its processes; workspaces stay. It stays
              paused: no run of it begins until it is resumed.
            </p>
            <Button
              kind="danger"
              disabled={kill.isPending}
              onClick={() => kill.mutate({ lineage }, { onSuccess: () => setKilling(false) })}
            >
              Kill all
            </Button>
            {kill.error === null ? null : <Failure error={kill.error} />}
            <Button kind="quiet" onClick={() => setKilling(false)}>
              Close
            </Button>
          </div>
        </Dialog>
      ) : null}
    </div>
  );
}
