/** What an operator can do to a run at once: pause, resume, cut, revoke, kill. */
import { useId, useState } from "react";
import type { ApiName, RunCard } from "../../../src/api/index.ts";
import { useAct } from "../../calls/index.ts";
import { Button, Dialog, Failure, Untrusted } from "../../parts/index.ts";
import styles from "./now.module.css";

const STALE: readonly ApiName[] = ["now.show", "run.list", "run.show"];

export function RunActions({ card }: { card: RunCard }) {
  const pause = useAct("run.pause", STALE);
  const resume = useAct("run.resume", STALE);
  const [isMore, setMore] = useState(false);
  const isPaused = card.state === "paused";
  const isUnderWay = pause.isPending || resume.isPending;
  const error = (isPaused ? resume : pause).error;
  return (
    <div className={styles.actions}>
      {/* Never disabled while it is under way: a button that is loses the focus. */}
      <Button
        data-act="pause"
        aria-busy={isUnderWay}
        disabled={card.state === "starting"}
        onClick={() => {
          if (!isUnderWay) (isPaused ? resume : pause).mutate({ run: card.run });
        }}
      >
        {isPaused ? "Resume" : "Pause"}
      </Button>
      <Button kind="quiet" data-act="more" onClick={() => setMore(true)}>
        Stop…
      </Button>
      {error === null ? null : <Failure error={error} />}
      {isMore ? <StopDialog card={card} onClose={() => setMore(false)} /> : null}
    </div>
  );
}

/** What takes something from the run: its connections, a grant, its life. Each says what follows. */
function StopDialog({ card, onClose }: { card: RunCard; onClose: () => void }) {
  const cut = useAct("run.cut", STALE);
  const revoke = useAct("run.revoke", STALE);
  const kill = useAct("run.kill", STALE);
  const [wanted, setGrant] = useState("");
  const grant = card.grants.find((name) => name === wanted) ?? card.grants[0] ?? "";
  const id = useId();
  const error = cut.error ?? revoke.error ?? kill.error;
  const { run } = card;
  const title = (
    <>
      Stop <Untrusted text={card.agent.name} /> in{" "}
      <Untrusted text={card.task === "" ? run : card.task} />
    </>
  );
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={styles.stop}>
        <section>
          <h3>Cut its connections</h3>
          <p>
            What is open ends now. It goes on, and may connect anew to what its task grants.
            {cut.data === undefined ? null : <output> {cut.data.cut} were cut.</output>}
          </p>
          <Button disabled={cut.isPending} onClick={() => cut.mutate({ run })}>
            Cut
          </Button>
        </section>
        {card.grants.length === 0 ? null : (
          <section>
            <h3>
              <label htmlFor={id}>Take a grant back</label>
            </h3>
            <p>
              Its connections end, what waits for approval under it too. It cannot be given back.
              {revoke.data === undefined ? null : (
                <output> {revoke.variables.grant} was taken back.</output>
              )}
            </p>
            <select id={id} value={grant} onChange={(event) => setGrant(event.target.value)}>
              {card.grants.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            <Button
              disabled={revoke.isPending || grant === ""}
              onClick={() => revoke.mutate({ run, grant })}
            >
              Revoke
            </Button>
          </section>
        )}
        <section>
          <h3>Kill the run</h3>
          <p>All of its processes end. Its workspace stays, and can be looked at and applied.</p>
          <Button
            kind="danger"
            disabled={kill.isPending}
            onClick={() => kill.mutate({ run }, { onSuccess: onClose })}
          >
            Kill
          </Button>
        </section>
        {error === null ? null : <Failure error={error} />}
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}
