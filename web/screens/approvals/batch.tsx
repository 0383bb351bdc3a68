/**
 * Alike ones as one list: each is shown whole with its code, and each is approved by that code, one after the other.
 * What is not alike is left out, and said.
 *
 * @module
 */
import { useQueries } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useRole } from "../../app/session.ts";
import { ApiFault, ask, keyOf } from "../../calls/index.ts";
import {
  Badge,
  Button,
  Failure,
  Loading,
  plural,
  spelledText,
  Untrusted,
} from "../../parts/index.ts";
import { Deliberate } from "./deliberate.tsx";
import { useYes } from "./approve.ts";
import { isWaiting } from "./inbox.ts";
import { LongText } from "./text.tsx";
import { doesText, isReversible, type Shown } from "./words.ts";
import styles from "./approvals.module.css";

/** As many as a person reads. */
const LIST_MAX = 20;

type Result = "approved" | ApiFault;

export function Batch({ chosen, onClose }: { chosen: readonly string[]; onClose: () => void }) {
  // Those that are approved leave the inbox; this list stays what was chosen.
  const [ids] = useState(() => chosen.slice(0, LIST_MAX));
  const cards = useQueries({
    queries: ids.map((id) => ({
      queryKey: keyOf("approvals.show", { id }),
      queryFn: async () => ask("approvals.show", { id }),
    })),
  });
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [isAsked, setAsked] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const yes = useYes();
  const isApprover = useRole("approver");
  const error = cards.find((card) => card.error !== null)?.error;
  const read = cards.flatMap(({ data }) => (data === undefined ? [] : [data]));
  // What was read is what is approved: nothing becomes another under the eyes, and by another's code.
  const [shown, setShown] = useState<readonly Shown[]>();
  if (shown === undefined && read.length === ids.length) setShown(read);
  if (error !== undefined && error !== null && shown === undefined)
    return <Failure error={error} />;
  if (shown === undefined) return <Loading what="Reading each of them" />;
  const { alike, odd } = sorted(shown);
  const open = alike.filter((one) => !results.has(one.id) && isWaiting(one));
  const [first] = alike;
  const approveEach = async () => {
    setAsked(false);
    for (const { id, code, action } of open) {
      const result = await yes.mutateAsync({ id, code, digest: action.digest }).then(
        () => "approved" as const,
        (fault: unknown) => fault as ApiFault,
      );
      setResults((now) => new Map(now).set(id, result));
    }
  };
  const heldBy = () => {
    const { current } = list;
    if (current === null) return undefined;
    if (current.querySelector("[data-cut]") !== null) return "some of it is not on the page yet";
    const left = current.scrollHeight - current.clientHeight - current.scrollTop;
    return left > 40 ? "go to the end of the list first" : undefined;
  };
  return (
    <article className={styles.card} aria-label="Alike ones as one list">
      <header className={styles.cardHead}>
        <button type="button" className={styles.back} onClick={onClose}>
          ← All that waits
        </button>
        <h2>{plural(alike.length, "alike one")}</h2>
        {first === undefined ? null : (
          <p className={styles.quiet}>
            <Untrusted text={`${first.system} · ${first.verb}, run ${first.run}`} />
          </p>
        )}
      </header>
      <div
        className={styles.scrolled}
        ref={list}
        tabIndex={0}
        role="group"
        aria-label="Each of them"
      >
        {odd.length === 0 ? null : (
          <p role="status" className={styles.warning}>
            {`Left out, since they are not alike or are decided alone: ${odd.map(({ id }) => id).join(", ")}.`}
          </p>
        )}
        {chosen.length > LIST_MAX ? (
          <p className={styles.warning}>{`These are the first ${LIST_MAX}.`}</p>
        ) : null}
        {alike.map((one) => (
          <section key={one.id} className={styles.part} aria-label={`One of them: ${one.id}`}>
            <h3>
              <Untrusted text={one.summary} /> <ResultBadge result={results.get(one.id)} />
            </h3>
            {/* Lines of the card are never broken: what was broken off would begin one without its mark. */}
            <div
              className={`${styles.code} ${styles.lined}`}
              tabIndex={0}
              role="group"
              aria-label={`Card of ${one.id}`}
            >
              <LongText text={one.card} />
            </div>
          </section>
        ))}
      </div>
      <section className={styles.bar} aria-label="Decide">
        {first === undefined || open.length === 0 ? (
          <div className={styles.buttons}>
            <p role="status">
              {first === undefined
                ? "Nothing here can be approved as a list."
                : `${[...results.values()].filter((one) => one === "approved").length} of ${alike.length} approved.`}
            </p>
            <Button onClick={onClose}>Close</Button>
          </div>
        ) : !isApprover ? (
          <p className={styles.quiet}>You may look at these; who approves decides over them.</p>
        ) : isAsked ? (
          <Deliberate
            label={spelledText(
              `Approve each of these ${open.length}: ${first.verb} at ${first.system}`,
            )}
            kind="primary"
            heldBy={heldBy}
            isBusy={yes.isPending}
            onPress={() => void approveEach()}
            onCancel={() => setAsked(false)}
          >
            <p>
              Each of them {doesText(first.effects)}.{" "}
              {isReversible(first) ? (
                "The system can undo it."
              ) : (
                <strong>It cannot be undone.</strong>
              )}
            </p>
          </Deliberate>
        ) : (
          <div className={styles.buttons}>
            <Button kind="primary" onClick={() => setAsked(true)}>
              {`Approve ${plural(open.length, "of these", "of these")}…`}
            </Button>
            <Button kind="quiet" onClick={onClose}>
              Cancel
            </Button>
          </div>
        )}
      </section>
    </article>
  );
}

/** Those that are like the first that may be one of many. */
function sorted(shown: readonly Shown[]) {
  const kind = shown.find((one) => one.alike !== undefined)?.alike;
  const isAlike = (one: Shown) => kind !== undefined && one.alike === kind;
  return { alike: shown.filter(isAlike), odd: shown.filter((one) => !isAlike(one)) };
}

function ResultBadge({ result }: { result: Result | undefined }) {
  if (result === undefined) return null;
  if (result === "approved") return <Badge tone="ok">approved</Badge>;
  return <Badge tone="bad">{spelledText(result.message)}</Badge>;
}
