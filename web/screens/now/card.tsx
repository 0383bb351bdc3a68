/** A run on a card: who does what, what it needs, what it did in the last two minutes, what it uses. */
import { memo } from "react";
import { Link } from "wouter";
import type { Need, RunCard } from "../../../src/api/index.ts";
import {
  Ago,
  Badge,
  countText,
  plural,
  spelledText,
  Untrusted,
  type Tone,
} from "../../parts/index.ts";
import { RunActions } from "./actions.tsx";
import { Budgets } from "./budgets.tsx";
import { Strip } from "./strip.tsx";
import styles from "./now.module.css";

const STATE_TONES: Readonly<Record<RunCard["state"], Tone>> = {
  starting: "info",
  running: "ok",
  paused: "wait",
  ended: "calm",
};

export const Card = memo(function Card({
  card,
  now,
  isOperator,
}: {
  card: RunCard;
  /** Seconds since the epoch. */
  now: number;
  isOperator: boolean;
}) {
  const isUrgent = card.needs.some(({ level }) => level === "act");
  return (
    <article
      className={`${styles.card} ${isUrgent ? styles.urgent : ""}`}
      aria-label={spelledText(`${card.agent.name}, ${card.task}, ${card.state}`)}
      data-run={card.run}
    >
      <header className={styles.top}>
        <h3>
          <Link href={`/runs/${card.run}`} data-card-link="">
            <Untrusted text={card.task === "" ? card.run : card.task} />
          </Link>
        </h3>
        <span className={styles.agent}>
          <Untrusted text={card.agent.name} />
          {card.attempt === undefined ? null : `, start ${card.attempt}`}
        </span>
        <Badge tone={STATE_TONES[card.state]}>{card.state}</Badge>
      </header>
      <p className={styles.purpose} title={spelledText(card.purpose)}>
        <Untrusted text={card.purpose} />
      </p>
      {card.needs.map((need) => (
        <NeedLine key={need.why} need={need} card={card} />
      ))}
      {card.state === "paused" && card.needs.length === 0 ? (
        <p className={styles.remark}>
          Paused: <Untrusted text={card.pauseReason ?? "it stands still"} />
        </p>
      ) : null}
      <Strip strip={card.strip} now={card.state === "ended" ? card.strip.end : now} />
      <Counts card={card} />
      <Budgets card={card} />
      <footer className={styles.foot}>
        <Autonomy card={card} />
        {isOperator && card.state !== "ended" ? <RunActions card={card} /> : null}
      </footer>
    </article>
  );
});

function NeedLine({ need, card }: { need: Need; card: RunCard }) {
  const isApproval = need.why === "approval";
  const label = {
    approval: plural(card.waiting, "approval waits", "approvals wait"),
    paused: "Paused",
    finding: "Found",
    failed: "Failed",
  }[need.why];
  return (
    <p className={`${styles.need} ${need.level === "act" ? styles.act : styles.look}`}>
      <Link href={isApproval ? "/approvals" : `/runs/${card.run}`}>{label}</Link>{" "}
      <Untrusted text={need.text} /> <Ago at={need.since} />
    </p>
  );
}

function Counts({ card: { counts } }: { card: RunCard }) {
  return (
    <p className={styles.counts}>
      <span>{plural(counts.actions, "action")}</span>
      {counts.confirm === 0 ? null : <span>{countText(counts.confirm)} asked</span>}
      <span className={counts.deny === 0 ? "" : styles.denied}>
        {countText(counts.deny)} denied
      </span>
      {counts.findings === 0 ? null : (
        <span className={styles.denied}>{plural(counts.findings, "finding")}</span>
      )}
    </p>
  );
}

/** Whether anything passes without a person. */
function Autonomy({ card: { autonomy } }: { card: RunCard }) {
  const { rules, actions, taken } = autonomy;
  if (taken !== undefined) {
    return (
      <p className={styles.autonomy} title={spelledText(taken)}>
        Leave taken by a finding: all changes wait
      </p>
    );
  }
  if (rules === 0) return <p className={styles.autonomy}>Asks before each effect</p>;
  return (
    <p className={styles.autonomy}>
      {plural(actions, "action")} unattended, by {plural(rules, "rule")}
    </p>
  );
}
