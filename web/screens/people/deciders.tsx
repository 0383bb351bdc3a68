/** Who may decide over what waits, as approvers.yaml has it. */
import { useCall } from "../../calls/index.ts";
import { Badge, Failure, Loading, Panel, Untrusted } from "../../parts/index.ts";
import styles from "./people.module.css";

export function Deciders() {
  const { data, error } = useCall("approvals.channels", {});
  return (
    <Panel title="Who decides">
      {error !== null ? <Failure error={error} /> : data === undefined ? <Loading /> : null}
      {data === undefined ? null : (
        <div className={styles.deciders}>
          {data.problem === undefined ? null : (
            <p role="alert" className={styles.problem}>
              Nobody decides now: <Untrusted text={data.problem} />
            </p>
          )}
          {data.approvers.length === 0 ? (
            <p className={styles.note}>
              Nobody is listed: whoever may use this Cofferdam decides, and counts as one person. A
              file <code>approvers.yaml</code> in its home lists people with their identities (
              <code>passkey:ada</code> is one).
            </p>
          ) : (
            <ul className={styles.names} aria-label="Approvers">
              {data.approvers.map((name) => (
                <li key={name}>{name}</li>
              ))}
            </ul>
          )}
          <p className={styles.note}>
            {data.needsProof ? (
              <>
                <Badge tone="ok">passkeys required</Badge> Only a decision that a passkey signed
                counts; the command line and chats decide nothing.
              </>
            ) : (
              <>
                <code>passkeys: required</code> in <code>approvers.yaml</code> lets only decisions
                count that a passkey signed.
              </>
            )}
          </p>
        </div>
      )}
    </Panel>
  );
}
