/** Incidents: runs in which something was refused or noticed, and the report of each, to read and to publish. */
import { useState } from "react";
import { Link, Route } from "wouter";
import { useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  Button,
  countText,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import { Report } from "./report.tsx";
import styles from "./incidents.module.css";

const PAGE = 50;

export function IncidentsScreen() {
  return (
    <>
      <Route path="/">
        <Incidents />
      </Route>
      <Route path="/:run">{({ run }) => <Report key={run} run={run} />}</Route>
    </>
  );
}

function Incidents() {
  const [offset, setOffset] = useState(0);
  const { data, error } = useCall("incident.list", { offset, limit: PAGE }, { everyMs: 10_000 });
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <Loading what="Reading the record" />;
  const { total, runs } = data;
  if (total === 0) {
    return (
      <Empty title="No incident" command="cofferdam drill d04">
        A run in which something was refused or noticed stands here, with a report of what was
        attempted, what became of it and what held, with proofs. To see what one looks like without
        waiting for it, run a drill:
      </Empty>
    );
  }
  return (
    <div className={styles.screen}>
      <header>
        <h1>Incidents</h1>
        <p className={styles.note}>
          {plural(total, "run")} in which something was refused or noticed, newest first.
        </p>
      </header>
      <ul className={styles.runs}>
        {runs.map(({ run, task, purpose, state, startedAt, denials, findings, kinds }) => (
          <li key={run}>
            <div>
              <h2>
                <Link to={`/${run}`}>
                  <Untrusted text={task === "" ? run : task} />
                </Link>
              </h2>
              <p className={styles.note}>
                {run} · <Ago at={startedAt} />
                {state === "ended" ? "" : ` · ${state}`}
              </p>
              <p>
                <Untrusted text={purpose} />
              </p>
            </div>
            <p className={styles.kinds}>
              {kinds.slice(0, 5).map(({ kind, count }) => (
                <Badge key={kind} tone="bad">
                  {count === 1 ? kind : `${kind} ${countText(count)}`}
                </Badge>
              ))}
              <span>
                {plural(denials, "refusal")}, {plural(findings, "finding")}
              </span>
            </p>
          </li>
        ))}
      </ul>
      {total > PAGE ? (
        <p className={styles.buttons}>
          <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
            Later
          </Button>
          <Button disabled={offset + PAGE >= total} onClick={() => setOffset(offset + PAGE)}>
            Earlier
          </Button>
        </p>
      ) : null}
    </div>
  );
}
