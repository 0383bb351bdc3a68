/** Who is signed in: one's own sessions, and to an operator everybody's; each can be ended at once. */
import type { SessionInfo } from "../../../src/api/index.ts";
import { useAct, useCall } from "../../calls/index.ts";
import { Ago, Button, Failure, Loading, Panel, Untrusted } from "../../parts/index.ts";
import styles from "./sessions.module.css";

export function Sessions() {
  const { data, error } = useCall("session.list", {});
  const revoke = useAct("session.revoke", ["session.list", "session.show"]);
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <Loading what="Who is signed in" />;
  return (
    <Panel title="Signed in">
      {revoke.error === null ? null : <Failure error={revoke.error} />}
      <ul className={styles.list}>
        {data.map((one) => (
          <li key={one.session}>
            <div>
              <strong>
                <Untrusted text={one.person} />
              </strong>{" "}
              <span className={styles.quiet}>{one.roles.join(", ")}</span>
              <p className={styles.quiet}>
                <Browser session={one} />
              </p>
            </div>
            <Button
              kind={one.isThis ? "quiet" : "danger"}
              disabled={revoke.isPending}
              aria-label={`End the session of ${one.person}${one.isThis ? ", which is this one" : ""}`}
              onClick={() => revoke.mutate({ session: one.session })}
            >
              End
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Browser({ session: { isThis, about, usedAt, startedAt } }: { session: SessionInfo }) {
  return (
    <>
      {isThis ? "this browser" : <Untrusted text={about === "" ? "unnamed browser" : about} />},
      since <Ago at={startedAt} />, used <Ago at={usedAt} />
    </>
  );
}
