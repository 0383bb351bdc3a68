/** Everything that a run did, in time: a strip to zoom by, lanes, filters, rows, and one thing in detail. */
import { useState } from "react";
import { useCall } from "../../calls/index.ts";
import { countText, Empty, Failure, Loading } from "../../parts/index.ts";
import { Detail } from "./detail.tsx";
import { Filters } from "./filters.tsx";
import { Lanes, Strip } from "./strip.tsx";
import type { PartProps } from "./parts.ts";
import { Rows } from "./rows.tsx";
import styles from "./timeline.module.css";

const BUCKETS = 240;
const FOLDING_MS = 500;

export function Timeline(props: PartProps) {
  const { run, place, go } = props;
  // A long run is told in parts: one asks again until it is whole.
  const [isWhole, setWhole] = useState(false);
  const everyMs = props.everyMs ?? (isWhole ? undefined : FOLDING_MS);
  const { from, to, filter, item } = place;
  const again = everyMs === undefined ? {} : { everyMs };
  const whole = useCall("run.strip", { run, filter: {}, buckets: BUCKETS }, again);
  const window = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const part = useCall("run.strip", { run, ...window, filter, buckets: BUCKETS }, again);
  const [last, setLast] = useState(part.data);
  if (part.data !== undefined && part.data !== last) setLast(part.data);
  if (whole.data !== undefined && whole.data.isWhole !== isWhole) setWhole(whole.data.isWhole);
  if (whole.error !== null) return <Failure error={whole.error} />;
  if (whole.isPending) return <Loading what="Folding the record" />;
  if (whole.data.through < 0 && whole.data.isWhole) {
    return (
      <Empty title="Nothing on record yet">
        As soon as the run does something, it stands here: what its model says, the tools that it
        calls, the processes that run, and what they reach for.
      </Empty>
    );
  }
  const shown = part.data ?? last ?? whole.data;
  return (
    <div className={item === undefined ? styles.split : `${styles.split} ${styles.withDetail}`}>
      <div className={styles.timeline}>
        <Strip strip={whole.data} from={from} to={to} go={go} />
        <Lanes strip={shown} lanes={filter.lanes} go={go} />
        <Filters filter={filter} strip={whole.data} go={go} run={run} />
        {part.error === null ? null : <Failure error={part.error} />}
        {isWhole ? null : (
          <p className={styles.folding} role="status">
            Reading the record: entry {countText(Math.max(0, whole.data.through))} so far…
          </p>
        )}
        <Rows {...props} isFolding={!isWhole} />
      </div>
      {item === undefined ? null : <Detail run={run} id={item} go={go} everyMs={everyMs} />}
    </div>
  );
}
