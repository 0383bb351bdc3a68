/** What a run uses, beside its limits. */
import type { Budget, RunCard } from "../../../src/api/index.ts";
import { bytesText, countText, spanText, useNow } from "../../parts/index.ts";
import styles from "./now.module.css";

const SHARE_FULL = 0.9;

const LABELS: Readonly<Record<Budget["what"], string>> = {
  tokens: "Tokens",
  money: "Spent",
  cpu: "CPU",
  memory: "Memory",
  disk: "Disk",
  processes: "Processes",
  gpu: "GPU",
  sent: "Sent",
  received: "Received",
};

export function Budgets({ card }: { card: RunCard }) {
  return (
    <dl className={styles.budgets}>
      <TimeBudget card={card} />
      {card.budgets.map((budget) => (
        <Meter
          key={`${budget.what} ${budget.currency ?? ""}`}
          label={LABELS[budget.what]}
          text={textOf(budget)}
          share={shareOf(budget)}
        />
      ))}
    </dl>
  );
}

function TimeBudget({ card }: { card: RunCard }) {
  const now = useNow();
  const end = card.endedAt === undefined ? now : Date.parse(card.endedAt);
  const lived = Math.max(0, end - Date.parse(card.startedAt));
  const { lifetimeMs } = card;
  const text =
    lifetimeMs === undefined ? spanText(lived) : `${spanText(lived)} of ${spanText(lifetimeMs)}`;
  return <Meter label="Time" text={text} share={lifetimeMs && lived / lifetimeMs} />;
}

/** An amount, and how much of what is allowed that is: 1 is all. */
export function Meter({
  label,
  text,
  share,
}: {
  label: string;
  text: string;
  share: number | undefined;
}) {
  const tone = share !== undefined && share >= SHARE_FULL ? styles.full : "";
  return (
    <div className={`${styles.meter} ${tone}`}>
      <dt>{label}</dt>
      <dd>
        {text}
        {share === undefined ? null : (
          <svg viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
            <rect className={styles.track} width="100" height="3" />
            <rect className={styles.fill} width={Math.min(100, share * 100)} height="3" />
          </svg>
        )}
      </dd>
    </div>
  );
}

function shareOf({ what, used, now, limit }: Budget): number | undefined {
  if (limit === undefined) return undefined;
  return (what === "cpu" ? (now ?? 0) : used) / limit;
}

function textOf({ what, used, limit, now, currency }: Budget): string {
  switch (what) {
    case "memory":
    case "disk":
      return limit === undefined ? bytesText(used) : ofText(bytesText(used), bytesText(limit));
    case "sent":
    case "received":
      return bytesText(used);
    case "cpu":
      return limit === undefined
        ? `${fraction(now ?? 0)} cores`
        : `${fraction(now ?? 0)} of ${limit}`;
    case "gpu":
      return limit === undefined ? fraction(used) : `${fraction(used)} of ${limit}`;
    case "money":
      return `${fraction(used)} ${currency ?? ""}`.trim();
    case "tokens":
      return used >= 1e6
        ? `${fraction(used / 1e6)} M`
        : used >= 1e4
          ? `${Math.round(used / 1e3)} k`
          : countText(used);
    default:
      return limit === undefined ? countText(used) : `${countText(used)} of ${countText(limit)}`;
  }
}

/** `516 MiB of 1 GiB`; the unit once where it is the same. */
function ofText(used: string, limit: string): string {
  const [value, unit] = used.split(" ");
  const whole = limit.replace(/\.0(?= )/, "");
  return whole.endsWith(` ${unit}`) ? `${value} of ${whole}` : `${used} of ${whole}`;
}

function fraction(value: number): string {
  return value >= 100
    ? String(Math.round(value))
    : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}
