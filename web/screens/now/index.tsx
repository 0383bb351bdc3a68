/** Now: whether anything needs a person, and each run as a card. */
import { useMemo, useRef } from "react";
import { Link } from "wouter";
import type { RunCard } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { useCall } from "../../calls/index.ts";
import { useConnection } from "../../live/index.ts";
import {
  Ago,
  Badge,
  countText,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
  useKeys,
  useNow,
} from "../../parts/index.ts";
import { Card } from "./card.tsx";
import { Lineages } from "./lineages.tsx";
import { needsIn, useRuns } from "./runs.ts";
import { StripLegend } from "./strip.tsx";
import styles from "./now.module.css";

export function NowScreen() {
  const runs = useRuns();
  const isOperator = useRole("operator");
  if (runs.isPending) return <Loading what="Reading the record" />;
  if (runs.error !== null && runs.data === undefined) return <Failure error={runs.error} />;
  const { cards } = runs.data;
  return (
    <>
      <Heading cards={cards} />
      <Lineages isOperator={isOperator} />
      {cards.length === 0 ? (
        <Empty title="No run yet" command="cofferdam run -- claude">
          Each run stands here as a card: what its agent does right now, what it uses, and whether
          it waits for you. Start one in a terminal:
        </Empty>
      ) : (
        <Cards cards={cards} isOperator={isOperator} />
      )}
    </>
  );
}

function Heading({ cards }: { cards: readonly RunCard[] }) {
  const needs = needsIn(cards);
  const looks = cards.filter(({ needs: own }) => own.some(({ level }) => level === "look")).length;
  const live = cards.filter(({ state }) => state !== "ended").length;
  const connection = useConnection();
  return (
    <header className={styles.heading}>
      <h1 className={needs === 0 ? styles.calm : styles.needed} aria-live="polite">
        {needs === 0
          ? "Nothing needs you"
          : `${plural(needs, "thing")} ${needs === 1 ? "needs" : "need"} you`}
      </h1>
      <p>
        {plural(live, "live run")}, {countText(cards.length - live)} ended
        {looks === 0 ? "" : `, ${countText(looks)} to look at`}
        {connection === "lost" ? (
          <strong role="status"> · not connected: what you see may be old</strong>
        ) : null}
        <Indexing />
      </p>
      <StripLegend />
    </header>
  );
}

/** While the index is first made, older runs are not known in full. */
function Indexing() {
  const status = useCall("ledger.status", {}, { everyMs: 5000 });
  const { indexed = 0, size = 0, fault } = status.data ?? {};
  if (fault !== undefined) return <strong role="alert"> · {fault}</strong>;
  if (size - indexed < 5000) return null;
  return <span> · reading the record: {Math.floor((100 * indexed) / size)}%</span>;
}

function Cards({ cards, isOperator }: { cards: readonly RunCard[]; isOperator: boolean }) {
  const now = Math.floor(useNow() / 1000);
  const grid = useRef<HTMLDivElement>(null);
  useCardKeys(grid);
  const shown = useMemo(() => cards.filter(isCard), [cards]);
  const over = useMemo(() => cards.filter((card) => !isCard(card)), [cards]);
  return (
    <div ref={grid}>
      {shown.length === 0 ? null : (
        <section className={styles.grid} aria-label="Runs">
          {shown.map((card) => (
            <Card key={card.run} card={card} now={now} isOperator={isOperator} />
          ))}
        </section>
      )}
      {over.length === 0 ? null : <Ended cards={over} />}
    </div>
  );
}

/** What lives, and what ended so that one should look. */
function isCard({ state, needs }: RunCard): boolean {
  return state !== "ended" || needs.length > 0;
}

function Ended({ cards }: { cards: readonly RunCard[] }) {
  return (
    <section className={styles.ended} aria-labelledby="ended">
      <h2 id="ended">Ended</h2>
      <ul>
        {cards.map((card) => (
          <li key={card.run} data-run={card.run}>
            <Link href={`/runs/${card.run}`} data-card-link="">
              <Untrusted text={card.task === "" ? card.run : card.task} />
            </Link>
            <span className={styles.agent}>
              <Untrusted text={card.agent.name} />
            </span>
            <span className={styles.endPurpose}>
              <Untrusted text={card.purpose} />
            </span>
            <span className={styles.number}>{plural(card.counts.actions, "action")}</span>
            <span className={`${styles.number} ${card.counts.deny > 0 ? styles.denied : ""}`}>
              {countText(card.counts.deny)} denied
            </span>
            <span>
              <EndBadge card={card} />
            </span>
            <span className={styles.number}>
              <Ago at={card.endedAt ?? card.last.at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function EndBadge({ card: { end } }: { card: RunCard }) {
  if (end?.reason === "exited" && end.code === 0) return <Badge tone="calm">done</Badge>;
  if (end?.reason === "exited") return <Badge tone="wait">{`exit ${end.code ?? "?"}`}</Badge>;
  return <Badge tone={end?.reason === "finding" ? "bad" : "calm"}>{end?.reason ?? "ended"}</Badge>;
}

/** `j` and `k` go from card to card, `p` pauses or resumes the one, `x` opens what stops it. */
function useCardKeys(grid: React.RefObject<HTMLDivElement | null>): void {
  const links = () => [...(grid.current?.querySelectorAll<HTMLElement>("[data-card-link]") ?? [])];
  const current = () => document.activeElement?.closest("[data-run]");
  const move = (step: number) => {
    const all = links();
    const at = all.findIndex((link) => current()?.contains(link) === true);
    all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))]?.focus();
  };
  const press = (act: string) => {
    const button = current()?.querySelector<HTMLButtonElement>(`[data-act="${act}"]`);
    button?.click();
    return button !== null && button !== undefined;
  };
  useKeys({ j: () => move(1), k: () => move(-1), p: () => press("pause"), x: () => press("more") });
}
