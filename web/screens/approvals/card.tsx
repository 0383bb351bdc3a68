/**
 * The card: what will happen in its system's own look, why, how far it reaches, and every byte of it. It scrolls
 * between a head and a bar that are ours: no content reaches those.
 *
 * @module
 */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "wouter";
import {
  Badge,
  Button,
  EffectBadge,
  Failure,
  Loading,
  Untrusted,
  useNow,
} from "../../parts/index.ts";
import { Bytes } from "./bytes.tsx";
import { Cause } from "./cause.tsx";
import { DecideBar } from "./decide.tsx";
import { Edit } from "./edit.tsx";
import { isWaiting } from "./inbox.ts";
import { Content, doubtsOf } from "./looks/content.tsx";
import { Person } from "./looks/mail.tsx";
import { useCard } from "./open-card.ts";
import { Difference, JsonText, Lines, LongText } from "./text.tsx";
import { leftText } from "./undo.tsx";
import { Widens } from "./widens.tsx";
import { doesText, isReversible, requestText, type Shown } from "./words.ts";
import styles from "./approvals.module.css";

export function CardPane(props: {
  readonly id: string;
  readonly onBack: () => void;
  readonly onNext: (() => void) | undefined;
}) {
  const { id, onBack, onNext } = props;
  const { shown, error, ...card } = useCard(id);
  if (shown === undefined) {
    return (
      <div className={styles.card}>
        <Back onBack={onBack} />
        {error === null ? <Loading what="Opening the card" /> : <Failure error={error} />}
      </div>
    );
  }
  // Another digest is another card (a code is six digits of it): nothing of the old one stays open.
  return <Card key={shown.action.digest} shown={shown} {...card} onBack={onBack} onNext={onNext} />;
}

function Card(props: {
  readonly shown: Shown;
  readonly renew: (() => void) | undefined;
  readonly adopt: () => void;
  readonly onBack: () => void;
  readonly onNext: (() => void) | undefined;
}) {
  const { shown, renew, adopt, onBack, onNext } = props;
  const [isEdited, setEdited] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(end, body);
  // Keys of the browser scroll what has the focus: that is the card, unless something of it is being decided.
  const rest = () => body.current?.focus({ preventScroll: true });
  useEffect(rest, []);
  /** Why a yes is not taken yet. */
  const heldBy = () => {
    if (renew !== undefined) return "it is another by now: look at what it is";
    if (body.current?.querySelector("[data-cut]") !== null) {
      return "some of it is not on the page yet: show all of it first";
    }
    return shown.isWhole || isSeen.current
      ? undefined
      : "this card does not show all that is sent: go to its end, and look at the bytes";
  };
  return (
    <article className={styles.card} aria-label={`Approval ${shown.id}`}>
      <Head shown={shown} onBack={onBack} />
      <div
        className={styles.scrolled}
        ref={body}
        tabIndex={0}
        role="group"
        aria-label="What will happen"
      >
        {renew === undefined ? null : (
          <div role="alert" className={styles.stale}>
            Somebody changed what is asked for since you opened this.{" "}
            <Button kind="primary" onClick={renew}>
              Show what it is now
            </Button>
          </div>
        )}
        {isEdited ? (
          <Edit shown={shown} onClose={() => setEdited(false)} onSaved={adopt} />
        ) : (
          <Sections shown={shown} />
        )}
        <div ref={end} className={styles.end}>
          End of the card · code <code>{shown.code}</code>
        </div>
      </div>
      <DecideBar
        shown={shown}
        heldBy={heldBy}
        isEdited={isEdited}
        onEdit={() => setEdited(true)}
        onLeft={rest}
        onNext={onNext}
      />
    </article>
  );
}

function Head({ shown, onBack }: { shown: Shown; onBack: () => void }) {
  const now = useNow();
  const { id, system, verb, effects, state, summary, target, expiresAt, run, task } = shown;
  return (
    <header className={styles.cardHead}>
      <Back onBack={onBack} />
      <p className={styles.line}>
        <Badge tone={toneOf(state)}>{state}</Badge>
        <strong>
          <Untrusted text={`${system} · ${verb}`} />
        </strong>
        {effects.map((effect) => (
          <EffectBadge key={effect} effect={effect} />
        ))}
        <span className={styles.quiet}>
          {isWaiting(shown) ? `answer within ${leftText(Date.parse(expiresAt) - now)}` : null}
        </span>
      </p>
      <h2>
        <Untrusted text={summary} />
      </h2>
      <p className={`${styles.quiet} ${styles.place}`}>
        <Untrusted text={target} /> · {id} · run <Link href={`~/runs/${run}`}>{run}</Link>, task{" "}
        <Untrusted text={task} />
      </p>
    </header>
  );
}

function Back({ onBack }: { onBack: () => void }) {
  return (
    <button type="button" className={styles.back} onClick={onBack}>
      ← All that waits
    </button>
  );
}

function toneOf(state: string) {
  if (state === "performed" || state === "approved") return "ok" as const;
  return state === "requested" || state === "shown" ? ("wait" as const) : ("bad" as const);
}

function Sections({ shown }: { shown: Shown }) {
  const { id, look, isWhole, body, changed, note, deeds, strangers, variantOf } = shown;
  const doubts = doubtsOf(shown);
  const others = look.more.filter(({ isShown }) => !isShown);
  const { recipients = [], amount, takesEffectAt } = shown.action.impact ?? {};
  return (
    <>
      {doubts.length === 0 ? null : (
        <Part title="Look twice" tone={styles.warning}>
          <Lines items={doubts} />
        </Part>
      )}
      {variantOf === undefined ? null : (
        <p className={styles.warning}>
          <Link href={`/${variantOf}`}>{variantOf}</Link> asks for the same with other content.
        </p>
      )}
      {changed.length === 0 ? null : (
        <Part title="Edited">
          <p className={styles.quiet}>
            <Untrusted text={note} />
          </p>
          <Difference lines={changed} label="What a person changed" />
        </Part>
      )}
      <Part title="What will happen">
        <Content shown={shown} />
        <Rest look={look} />
        <section className={styles.fact} aria-label="Request">
          <h3>Request</h3>
          <LongText text={requestText(shown)} />
        </section>
        {look.change.length === 0 ? null : (
          <section aria-label="Change">
            <h3>Change</h3>
            <Difference lines={look.change} label="Change" />
          </section>
        )}
        {look.now.length === 0 ? null : (
          <section aria-label="Now">
            <h3>Now</h3>
            <Lines items={look.now} />
          </section>
        )}
        {others.map(({ name, value }) => (
          <details key={name}>
            <summary>
              <Untrusted text={name} />
            </summary>
            <JsonText value={value} />
          </details>
        ))}
      </Part>
      {look.hidden.length === 0 && look.conversation === undefined ? null : (
        <Part title="Not shown above" tone={styles.warning}>
          <Lines items={look.conversation === undefined ? look.hidden : [look.conversation]} />
        </Part>
      )}
      <Part title="How far it reaches">
        <p>
          It {doesText(shown.effects)}.{" "}
          {isReversible(shown) ? "The system can undo it." : <strong>It cannot be undone.</strong>}
        </p>
        {amount === undefined || look.content.kind === "payment" ? null : (
          <p className={styles.money}>
            <Untrusted text={`${amount.value} ${amount.currency}`} />
          </p>
        )}
        {takesEffectAt === undefined ? null : (
          <p>
            It takes effect at <Untrusted text={takesEffectAt} />.
          </p>
        )}
        {recipients.length === 0 || look.content.kind === "payment" ? null : (
          <details open={recipients.length <= 10}>
            <summary>{`Reaches ${recipients.length}`}</summary>
            {recipients.map((one) => (
              <Person key={one} address={one} sender="" id={id} strangers={strangers} />
            ))}
          </details>
        )}
        <Widens id={id} mayLeave={shown.mayLeave} />
      </Part>
      <Part title="Why">
        <Cause shown={shown} />
      </Part>
      <Part title="What else this run did">
        <Lines items={deeds} />
      </Part>
      <Part title="All bytes">
        {isWhole ? (
          <details>
            <summary>Look at all that is sent</summary>
            <Bytes base64={body} name={`${id}.bin`} />
          </details>
        ) : (
          <Bytes base64={body} name={`${id}.bin`} />
        )}
      </Part>
    </>
  );
}

/** What of the body its kind does not show; of a workflow that is its connections, which are drawn. */
function Rest({ look: { content, rest } }: Pick<Shown, "look">) {
  if (rest === undefined || content.kind === "raw") return null;
  const isDrawn = content.kind === "workflow" && content.edges !== undefined;
  return (
    <details open={!isDrawn}>
      <summary>{content.kind === "call" ? "Content" : "Also sent"}</summary>
      <JsonText value={rest} />
    </details>
  );
}

function Part(props: { title: string; tone?: string | undefined; children: ReactNode }) {
  const { title, tone = "", children } = props;
  return (
    <section className={`${styles.part} ${tone}`} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Whether the end of the card was in sight once. */
function useSeen(
  end: React.RefObject<HTMLDivElement | null>,
  root: React.RefObject<HTMLDivElement | null>,
): React.RefObject<boolean> {
  const seen = useRef(false);
  useEffect(() => {
    if (end.current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) seen.current = true;
      },
      { root: root.current },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [end, root]);
  return seen;
}
