/** Doctor: what this machine must have for runs to start, with the fix for what is missing. */
import { useCall } from "../../calls/index.ts";
import { Badge, Button, Command, Failure, Loading } from "../../parts/index.ts";
import styles from "./doctor.module.css";

/** What of a fix is a command: it stands between backticks. */
const COMMAND = /`([^`]+)`/g;

export function DoctorScreen() {
  const { data: checks, error, isFetching, refetch } = useCall("doctor.examine", {});
  const missing = checks?.filter(({ ok }) => !ok) ?? [];
  return (
    <div className={styles.screen}>
      <header className={styles.head}>
        <h1>Doctor</h1>
        <Button onClick={() => void refetch()} disabled={isFetching}>
          {isFetching ? "Examining…" : "Examine again"}
        </Button>
      </header>
      {error === null ? null : <Failure error={error} />}
      {checks === undefined && error === null ? <Loading what="Examining this machine" /> : null}
      {checks === undefined ? null : (
        <>
          <p role="status" className={missing.length === 0 ? styles.good : styles.wrong}>
            {missing.length === 0
              ? `All ${checks.length} prerequisites are there: runs can start.`
              : `${missing.length} of ${checks.length} prerequisites are missing. Mend them in this order.`}
          </p>
          <ul className={styles.checks}>
            {[...missing, ...checks.filter(({ ok }) => ok)].map(
              ({ name, ok, found, needed, fix }) => (
                <li key={name}>
                  <Badge tone={ok ? "ok" : "bad"}>{ok ? "ok" : "missing"}</Badge>
                  <div>
                    <h2>{name}</h2>
                    <dl>
                      <dt>found</dt>
                      <dd>{found}</dd>
                      <dt>needed</dt>
                      <dd>{needed}</dd>
                      {fix === "" ? null : (
                        <>
                          <dt>fix</dt>
                          <dd>
                            {fix.replaceAll("`", "")}
                            {[...fix.matchAll(COMMAND)].map(([, line = ""]) => (
                              <div key={line}>
                                <Command line={line} />
                              </div>
                            ))}
                          </dd>
                        </>
                      )}
                    </dl>
                  </div>
                </li>
              ),
            )}
          </ul>
          <p className={styles.note}>
            The same in a terminal, for a ticket: <Command line="cofferdam doctor --json" />
          </p>
        </>
      )}
    </div>
  );
}
