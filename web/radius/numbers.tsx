/**
 * The outcomes with their numbers. One may be chosen; beside a `before` each number that is another says what it was.
 *
 * @module
 */
import type { BlastAmount, BlastOutcome } from "../../src/api/index.ts";
import { amountText, changeTone } from "./amount.ts";
import styles from "./radius.module.css";

export type Which = "unattended" | "approverFooled" | "without";

const COLUMNS: readonly (readonly [Which, string])[] = [
  ["unattended", "unattended"],
  ["approverFooled", "approver fooled"],
  ["without", "without Cofferdam"],
];

export function Numbers(props: {
  readonly outcomes: readonly BlastOutcome[];
  readonly before?: readonly BlastOutcome[] | undefined;
  /** The column that is looked at. */
  readonly which?: Which;
  readonly chosen?: string | undefined;
  readonly onChoose?: (name: string) => void;
}) {
  const { outcomes, before, which, chosen, onChoose } = props;
  return (
    <div className={styles.wide}>
      <table className={styles.numbers}>
        <caption className="visually-hidden">What could happen at worst</caption>
        <thead>
          <tr>
            <th scope="col">At worst</th>
            {COLUMNS.map(([name, label]) => (
              <th key={name} scope="col" data-looked={name === which || undefined}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {outcomes.map((outcome) => {
            const was = before?.find(({ name }) => name === outcome.name);
            return (
              <tr key={outcome.name} data-chosen={outcome.name === chosen || undefined}>
                <th scope="row">
                  {onChoose === undefined ? (
                    outcome.says
                  ) : (
                    <button
                      type="button"
                      aria-pressed={outcome.name === chosen}
                      onClick={() => onChoose(outcome.name)}
                    >
                      {outcome.says}
                    </button>
                  )}
                </th>
                {COLUMNS.map(([name]) => (
                  <Cell
                    key={name}
                    which={name}
                    now={outcome[name]}
                    was={was?.[name]}
                    isLooked={name === which}
                  />
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Cell(props: {
  readonly which: Which;
  readonly now: BlastAmount;
  readonly was: BlastAmount | undefined;
  readonly isLooked: boolean;
}) {
  const { which, now, was = now, isLooked } = props;
  const change = changeTone(was, now);
  return (
    <td
      data-which={now === 0 ? "none" : which}
      data-change={change === "same" ? undefined : change}
      data-looked={isLooked || undefined}
    >
      {change === "same" ? null : (
        <>
          <del>{amountText(was)}</del>
          <span aria-hidden="true"> → </span>
        </>
      )}
      {amountText(now)}
    </td>
  );
}
