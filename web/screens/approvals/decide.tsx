/**
 * The bar under the card: yes, no, another, more of it. Each opens a step of its own; none of them is one key away.
 *
 * @module
 */
import { useState } from "react";
import { useRole } from "../../app/session.ts";
import { Button, Failure, spelledText, Untrusted, useKeys } from "../../parts/index.ts";
import { Allow } from "./allow.tsx";
import { useNo, useUndo, useYes, type YesAct } from "./approve.ts";
import { Consequence } from "./consequence.tsx";
import { Deliberate } from "./deliberate.tsx";
import { isWaiting } from "./inbox.ts";
import { quiet } from "./quiet.ts";
import { leftText } from "./undo.tsx";
import type { Shown } from "./words.ts";
import styles from "./approvals.module.css";

type Step = "none" | "yes" | "no" | "more";

export function DecideBar(props: {
  readonly shown: Shown;
  readonly heldBy: () => string | undefined;
  readonly isEdited: boolean;
  readonly onEdit: () => void;
  /** Nothing is being decided any more. */
  readonly onLeft: () => void;
  readonly onNext: (() => void) | undefined;
}) {
  const { shown, heldBy, isEdited, onEdit, onLeft, onNext } = props;
  const [step, setStep] = useState<Step>("none");
  const isApprover = useRole("approver");
  const yes = useYes();
  const no = useNo();
  const isOpen = isWaiting(shown) && isApprover && !isEdited;
  const begin = (next: Step) => {
    if (isOpen && step === "none") setStep(next);
  };
  const mayEdit = shown.isEditable;
  const { mayLeave } = shown;
  const close = () => {
    setStep("none");
    onLeft();
  };
  useKeys(
    quiet({
      a: () => begin("yes"),
      d: () => begin("no"),
      m: () => mayLeave && begin("more"),
      e: () => isOpen && mayEdit && step === "none" && onEdit(),
      Escape: () => (step === "none" ? false : close()),
    }),
  );
  const error = yes.error ?? no.error;
  if (isEdited) return null;
  return (
    <section className={styles.bar} aria-label="Decide">
      {error === null ? null : <Failure error={error} />}
      {!isWaiting(shown) ? (
        <Over shown={shown} onNext={onNext} />
      ) : !isApprover ? (
        <p className={styles.quiet}>You may look at this; who approves decides over it.</p>
      ) : step === "yes" ? (
        <Confirm shown={shown} heldBy={heldBy} yes={yes} onCancel={close} />
      ) : step === "more" ? (
        <Allow shown={shown} heldBy={heldBy} yes={yes} onCancel={close} />
      ) : step === "no" ? (
        <Deny
          isBusy={no.isPending}
          onPress={(reason) => no.mutate({ id: shown.id, reason }, { onSettled: close })}
          onCancel={close}
        />
      ) : (
        <>
          <FourEyes shown={shown} />
          <div className={styles.buttons}>
            <Button kind="primary" onClick={() => begin("yes")}>
              Approve… <kbd>a</kbd>
            </Button>
            <Button kind="danger" onClick={() => begin("no")}>
              Deny… <kbd>d</kbd>
            </Button>
            {mayEdit ? (
              <Button onClick={onEdit}>
                Edit <kbd>e</kbd>
              </Button>
            ) : null}
            {mayLeave ? (
              <Button onClick={() => begin("more")}>
                Allow more… <kbd>m</kbd>
              </Button>
            ) : null}
          </div>
        </>
      )}
    </section>
  );
}

function Confirm(props: {
  readonly shown: Shown;
  readonly heldBy: () => string | undefined;
  readonly yes: YesAct;
  readonly onCancel: () => void;
}) {
  const { shown, heldBy, yes, onCancel } = props;
  const { id, code, system, verb, action } = shown;
  return (
    <Deliberate
      label={spelledText(`Approve: ${verb} at ${system}`)}
      kind="primary"
      heldBy={heldBy}
      isBusy={yes.isPending}
      onPress={() => yes.mutate({ id, code, digest: action.digest }, { onSettled: onCancel })}
      onCancel={onCancel}
    >
      <Consequence shown={shown} />
    </Deliberate>
  );
}

function FourEyes({ shown: { id, needs, by } }: { shown: Shown }) {
  const undo = useUndo();
  if (needs < 2) return null;
  return (
    <div className={styles.eyes} role="status">
      {by.length === 0 ? (
        "Two persons have to say yes."
      ) : (
        <>
          <Untrusted text={by.join(", ")} /> said yes; another person has to, as well.
          <Button onClick={() => undo.mutate({ id })}>Take my yes back</Button>
        </>
      )}
      {undo.error === null ? null : <Failure error={undo.error} />}
    </div>
  );
}

const REASONS = [
  "Not now",
  "Not part of the task",
  "Wrong recipient",
  "Wrong content",
  "Ask me about it first",
] as const;

function Deny(props: {
  readonly isBusy: boolean;
  readonly onPress: (reason: string) => void;
  readonly onCancel: () => void;
}) {
  const [reason, setReason] = useState("");
  return (
    <form
      className={styles.deny}
      onSubmit={(event) => {
        event.preventDefault();
        if (!props.isBusy) props.onPress(reason);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onCancel();
      }}
    >
      <div className={styles.buttons} role="group" aria-label="Usual reasons">
        {REASONS.map((one) => (
          <Button key={one} aria-pressed={reason === one} onClick={() => setReason(one)}>
            {one}
          </Button>
        ))}
      </div>
      <label className={styles.reason}>
        Reason, told to the agent
        <input
          autoFocus
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <div className={styles.buttons}>
        <Button type="submit" kind="danger">
          Deny
        </Button>
        <Button kind="quiet" onClick={props.onCancel}>
          Cancel
        </Button>
        <span className={styles.quiet}>A no stays a no, however often it is asked again.</span>
      </div>
    </form>
  );
}

function Over({ shown, onNext }: { shown: Shown; onNext: (() => void) | undefined }) {
  const { state, by, reason, notBefore, mayBeginUntil } = shown;
  const until = mayBeginUntil ?? notBefore;
  return (
    <div className={styles.buttons} role="status">
      <p>
        <strong>{state}</strong>
        {by.length === 0 ? null : (
          <>
            {" "}
            by <Untrusted text={by.join(" and ")} />
          </>
        )}
        {reason === "" ? null : (
          <>
            : <Untrusted text={reason} />
          </>
        )}
        {state === "approved" && until !== undefined
          ? ` · ${leftText(Date.parse(until) - Date.now())} left`
          : null}
      </p>
      {onNext === undefined ? null : (
        <Button onClick={onNext}>
          Next <kbd>j</kbd>
        </Button>
      )}
    </div>
  );
}
