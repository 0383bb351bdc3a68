/** What terminals of the run showed: played back, with what the record says of the file. */
import { useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  bytesText,
  Empty,
  Failure,
  Loading,
  spanText,
  Untrusted,
  type Tone,
} from "../../parts/index.ts";
import type { RecordingInfo } from "../../../src/api/index.ts";
import type { PartProps } from "./parts.ts";
import { Player } from "./player.tsx";
import styles from "./recordings.module.css";

const CHECKS: Readonly<Record<RecordingInfo["check"], readonly [Tone, string]>> = {
  ok: ["ok", "is what the record says"],
  changed: ["bad", "changed since it was recorded"],
  missing: ["bad", "missing"],
  unrecorded: ["wait", "the record knows nothing of it"],
  removed: ["calm", "removed with its run"],
  open: ["info", "still recording"],
};

export function Recordings({ run, place, go, everyMs }: PartProps) {
  const asked = useCall("recordings.list", { run }, everyMs === undefined ? {} : { everyMs: 5000 });
  if (asked.error !== null) return <Failure error={asked.error} />;
  if (asked.isPending) return <Loading what="Reading the recordings" />;
  if (asked.data.length === 0) {
    return (
      <Empty title="No recording">
        A terminal that the run opens on a host by SSH is recorded as it is shown, and can be played
        here. This run opened none.
      </Empty>
    );
  }
  const chosen = asked.data.find(({ id }) => id === place.recording) ?? asked.data[0];
  return (
    <div className={styles.box}>
      <ul className={styles.list} aria-label="Recordings">
        {asked.data.map((one) => {
          const [tone, text] = CHECKS[one.check];
          return (
            <li key={one.id}>
              <button
                type="button"
                aria-current={one.id === chosen?.id ? "true" : undefined}
                onClick={() => go({ rec: one.id })}
              >
                <b>
                  <Untrusted text={one.target} />
                </b>
                <span className={styles.muted}>
                  <Ago at={one.startedAt} />, {spanText(one.seconds * 1000)}, {bytesText(one.bytes)}
                </span>
                <Badge tone={tone}>{text}</Badge>
                {one.state === "incomplete" ? (
                  <span className={styles.muted}>
                    not complete: <Untrusted text={one.end ?? "it is not known why"} />
                  </span>
                ) : null}
              </button>
            </li>
          );
        })}
      </ul>
      {chosen === undefined ? null : chosen.check === "missing" || chosen.check === "removed" ? (
        <Empty title="The file is gone">
          The record still has its length and digest, in entry {chosen.entry ?? "unknown"}; what it
          showed is lost.
        </Empty>
      ) : (
        <Player key={chosen.id} run={run} recording={chosen} />
      )}
    </div>
  );
}
