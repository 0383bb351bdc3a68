/** Leave for more of the same in this run, within limits, with what it would make possible beside it. */
import { useState } from "react";
import { Field, spelledText, Untrusted } from "../../parts/index.ts";
import { Deliberate } from "./deliberate.tsx";
import type { YesAct } from "./approve.ts";
import { Consequence } from "./consequence.tsx";
import { LeaveOf } from "./widens.tsx";
import type { Shown } from "./words.ts";
import styles from "./approvals.module.css";

const MINUTE_MS = 60_000;

export function Allow(props: {
  readonly shown: Shown;
  readonly heldBy: () => string | undefined;
  readonly yes: YesAct;
  readonly onCancel: () => void;
}) {
  const { shown, heldBy, yes, onCancel } = props;
  const { id, code, verb, action } = shown;
  const reached = action.impact?.recipients?.length ?? 0;
  const currency = action.impact?.amount?.currency;
  const [count, setCount] = useState("5");
  const [minutes, setMinutes] = useState("30");
  const [recipients, setRecipients] = useState(String(reached));
  const [amount, setAmount] = useState("");
  const problems = {
    count: within(count, 1, 1000),
    minutes: within(minutes, 1, 7 * 24 * 60),
    recipients: reached === 0 ? undefined : within(recipients, 1, 10_000),
    amount:
      currency === undefined || /^\d{1,12}(\.\d{1,6})?$/.test(amount)
        ? undefined
        : "how much in all",
  };
  const problem = Object.values(problems).find((one) => one !== undefined);
  const allowance = {
    count: Number(count),
    forMs: Number(minutes) * MINUTE_MS,
    ...(reached === 0 ? {} : { recipients: Number(recipients) }),
    ...(currency === undefined ? {} : { amount: { currency, value: amount } }),
  };
  return (
    <Deliberate
      label={spelledText(`Approve this and up to ${count || "0"} more: ${verb}`)}
      kind="primary"
      heldBy={() => (problem === undefined ? heldBy() : `not yet: ${problem}`)}
      isBusy={yes.isPending}
      onPress={() =>
        yes.mutate({ id, code, digest: action.digest, allowance }, { onSettled: onCancel })
      }
      onCancel={onCancel}
    >
      <Consequence shown={shown} />
      <div className={styles.allow}>
        <Field
          label="How many more"
          inputMode="numeric"
          value={count}
          problem={problems.count}
          onChange={(event) => setCount(event.target.value)}
        />
        <Field
          label="For how many minutes"
          inputMode="numeric"
          value={minutes}
          problem={problems.minutes}
          onChange={(event) => setMinutes(event.target.value)}
        />
        {reached === 0 ? null : (
          <Field
            label="Different recipients in all"
            inputMode="numeric"
            value={recipients}
            problem={problems.recipients}
            onChange={(event) => setRecipients(event.target.value)}
          />
        )}
        {currency === undefined ? null : (
          <Field
            label="How much in all"
            hint={<Untrusted text={currency} />}
            inputMode="decimal"
            value={amount}
            problem={problems.amount}
            onChange={(event) => setAmount(event.target.value)}
          />
        )}
      </div>
      <section aria-label="Change of the blast radius" className={styles.aside}>
        <h3>What that makes possible at worst</h3>
        <LeaveOf id={id} />
      </section>
    </Deliberate>
  );
}

function within(text: string, min: number, max: number): string | undefined {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? undefined : `a number from ${min} to ${max}`;
}
