/** Two texts beside one another: what the second makes possible that the first does not, and the other way round. */
import { useState } from "react";
import type { Answers, ListedTask } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import { Badge, Button, Failure, Loading, Panel, Untrusted } from "../../parts/index.ts";
import { amountText, changeTone, Steps } from "../../radius/index.ts";
import { TaskPicker } from "./screen.tsx";
import styles from "./blast.module.css";

export function Compare(props: {
  readonly place: string;
  readonly source: string;
  readonly tasks: readonly ListedTask[];
  readonly onClose: () => void;
}) {
  const { place, source, tasks, onClose } = props;
  const [other, setOther] = useState(
    () => tasks.find((one) => one.place !== place)?.place ?? place,
  );
  const task = tasks.find((one) => one.place === place)?.task ?? "";
  const history = useCall("task.history", { task }, { enabled: task !== "" });
  const versions = (history.data?.versions ?? []).map((version): ListedTask => {
    const { place: at, file, runs, at: when } = version;
    const says = `${task} of ${when.slice(0, 16).replace("T", " ")}`;
    return { place: at, kind: "run", file, task: says, grants: 0, runs: runs.length };
  });
  const listed = new Set(versions.map((one) => one.place));
  return (
    <>
      <div className={styles.tools}>
        <TaskPicker
          label="Before"
          tasks={[...tasks.filter((one) => !listed.has(one.place)), ...versions]}
          place={other}
          onPlace={setOther}
        />
        <span>
          After: <code>{place}</code>
        </span>
        <Button onClick={onClose}>Back</Button>
      </div>
      <Difference place={place} other={other} after={source} />
    </>
  );
}

function Difference({ place, other, after }: { place: string; other: string; after: string }) {
  const text = useCall("task.read", { place: other });
  const before = text.data?.source;
  const compared = useCall(
    "blast.compare",
    { place, before: before ?? "", after },
    { enabled: before !== undefined },
  );
  const error = text.error ?? compared.error;
  if (error !== null) return <Failure error={error} />;
  if (compared.data === undefined) return <Loading what="Working both out" />;
  return <Told {...compared.data} />;
}

function Told({ sentences, outcomes, facts, excesses }: Answers<"blast.compare">) {
  const ways = outcomes.flatMap(({ says, paths }) => paths.map((way) => ({ says, ...way })));
  return (
    <>
      <div className={styles.columns}>
        <Panel title="Before">
          <p>{sentences.before}</p>
        </Panel>
        <Panel title="After">
          <p>{sentences.after}</p>
          {excesses.map(({ outcome, which }) => (
            <Badge key={`${outcome} ${which}`} tone="bad">{`over budget: ${outcome}`}</Badge>
          ))}
        </Panel>
      </div>
      <Panel title="Numbers">
        <table className={styles.compared}>
          <thead>
            <tr>
              <th scope="col">At worst</th>
              <th scope="col">unattended</th>
              <th scope="col">approver fooled</th>
            </tr>
          </thead>
          <tbody>
            {outcomes.map(({ name, says, before, after }) => (
              <tr key={name}>
                <th scope="row">{says}</th>
                {(["unattended", "approverFooled"] as const).map((which) => (
                  <td key={which} data-change={changeTone(before[which], after[which])}>
                    {before[which] === after[which]
                      ? amountText(after[which])
                      : `${amountText(before[which])} → ${amountText(after[which])}`}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      {ways.length === 0 ? null : (
        <Panel title="Ways that are new">
          {ways.map(({ says, object, which, before, after, path }) => (
            <details key={`${says} ${object}`} className={styles.ways} open={ways.length < 3}>
              <summary>
                {says}, {which === "unattended" ? "unattended" : "with an approver fooled"}:{" "}
                <Untrusted text={object} />: {amountText(before)} → {amountText(after)}
              </summary>
              <Steps path={path} />
            </details>
          ))}
        </Panel>
      )}
      {facts.length === 0 ? null : (
        <Panel title="Facts that made it so">
          <ul className={styles.facts}>
            {facts.map((fact) => (
              <li key={fact}>
                <code>
                  <Untrusted text={fact} />
                </code>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
