/** SQL: the statement, what it does to which table, and rows before and after. */
import type { LookAct, LookOf, LookTable } from "../../../../src/api/index.ts";
import { EffectBadge, plural, Untrusted } from "../../../parts/index.ts";
import { FileContent } from "./file.tsx";
import { Lines, LongText } from "../text.tsx";
import styles from "../approvals.module.css";

export function SqlView({ look }: { look: LookOf<"sql"> }) {
  const { statement, database, parameters, acts, rows, table, notTried, note, plan, input } = look;
  return (
    <>
      {look.problem === undefined ? null : (
        <p className={styles.warning}>
          <Untrusted text={look.problem} />
        </p>
      )}
      <section aria-label="Statement" className={styles.code}>
        <LongText text={statement} />
      </section>
      {database === undefined ? null : (
        <p className={styles.quiet}>
          in database <Untrusted text={database} />
        </p>
      )}
      {parameters.length === 0 ? null : (
        <section aria-label="Parameters">
          <h3>Parameters</h3>
          <Lines items={parameters} />
        </section>
      )}
      <Acts acts={acts} label="What it does" separator="." />
      <section aria-label="Rows">
        <h3>{rows === undefined ? "Rows" : plural(rows, "row is touched", "rows are touched")}</h3>
        {notTried === undefined ? null : (
          <p className={styles.warning}>
            Not tried before: <Untrusted text={notTried} />
          </p>
        )}
        {table === undefined ? null : <Rows table={table} total={rows} />}
        {note === undefined ? null : (
          <p className={styles.quiet}>
            <Untrusted text={note} />
          </p>
        )}
      </section>
      {plan.length === 0 ? null : (
        <details>
          <summary>How the server would do it</summary>
          <div className={styles.code}>
            <LongText text={plan.join("\n")} />
          </div>
        </details>
      )}
      {input === undefined ? null : <FileContent content={input} label="What it is given" />}
    </>
  );
}

function Rows({
  table: { columns, rows },
  total,
}: {
  table: LookTable;
  total: number | undefined;
}) {
  return (
    <>
      <div className={styles.scroll} tabIndex={0} role="group" aria-label="Rows before and after">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">When</span>
              </th>
              {columns.map((column, at) => (
                <th scope="col" key={at}>
                  <Untrusted text={column} />
                </th>
              ))}
            </tr>
          </thead>
          {rows.map(({ before, after }, at) => (
            <tbody key={at}>
              {before === undefined ? null : (
                <Row
                  name={after === undefined ? "goes" : "before"}
                  cells={before}
                  other={after}
                  tone={styles.goes}
                />
              )}
              {after === undefined ? null : (
                <Row
                  name={before === undefined ? "comes" : "after"}
                  cells={after}
                  other={before}
                  tone={styles.comes}
                />
              )}
            </tbody>
          ))}
        </table>
      </div>
      {total === undefined || total <= rows.length ? null : (
        <p className={styles.quiet}>{`${rows.length} of ${total} rows are shown`}</p>
      )}
    </>
  );
}

type Cells = readonly (string | null)[];

function Row(props: {
  name: string;
  cells: Cells;
  other: Cells | undefined;
  tone: string | undefined;
}) {
  const { name, cells, other, tone } = props;
  return (
    <tr>
      <th scope="row">{name}</th>
      {cells.map((cell, at) => (
        <td key={at} className={other === undefined || other[at] !== cell ? tone : undefined}>
          {cell === null ? <em className={styles.quiet}>NULL</em> : <Untrusted text={cell} />}
        </td>
      ))}
    </tr>
  );
}

export function Acts(props: { acts: readonly LookAct[]; label: string; separator: string }) {
  const { acts, label, separator } = props;
  if (acts.length === 0) return null;
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      <ul className={styles.acts}>
        {acts.map(({ verb, effects, object, count }, at) => (
          <li key={at}>
            <strong>{verb}</strong> <Untrusted text={object.join(separator)} />{" "}
            {count > 1 ? <span>{`${count} times`} </span> : null}
            {effects.map((effect) => (
              <EffectBadge key={effect} effect={effect} />
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
