/** Drills: real incidents replayed harmlessly, watched while they are stopped. */
import { Link, Route } from "wouter";
import { useRole } from "../../app/session.ts";
import { useCall } from "../../calls/index.ts";
import { Failure, Loading } from "../../parts/index.ts";
import { Watch } from "./watch.tsx";
import styles from "./drills.module.css";

export function DrillsScreen() {
  const { data: drills, error } = useCall("drill.list", {});
  if (error !== null) return <Failure error={error} />;
  if (drills === undefined) return <Loading what="Reading the catalogue" />;
  return (
    <>
      <Route path="/">
        <Catalogue drills={drills} />
      </Route>
      <Route path="/:name">
        {({ name }) => {
          const drill = drills.find((one) => one.name === name);
          return drill === undefined ? (
            <Failure error={new Error(`there is no drill ${name}`)} />
          ) : (
            <Watch key={drill.name} drill={drill} />
          );
        }}
      </Route>
    </>
  );
}

type Drills = NonNullable<ReturnType<typeof useCall<"drill.list">>["data"]>;

function Catalogue({ drills }: { drills: Drills }) {
  const mayRun = useRole("operator");
  return (
    <div className={styles.screen}>
      <header>
        <h1>Drills</h1>
        <p className={styles.note}>
          Each replays a real incident: once with nothing in its way, once in a run. All of it
          happens in network namespaces of its own, with a home of its own; no packet leaves this
          machine.
          {mayRun ? "" : " Running one needs the role operator."}
        </p>
      </header>
      <ul className={styles.cards}>
        {drills.map(({ name, ids, title, sentences, incidents, lacks }) => (
          <li key={name}>
            <h2>
              <Link to={`/${name}`}>{title}</Link>
            </h2>
            <p>{sentences.join(" ")}</p>
            <p className={styles.note}>
              {ids.join(", ")} · after {incidents.includes(",") ? "incidents" : "incident"}{" "}
              {incidents}
              {lacks === undefined ? "" : ` · not on this machine: ${lacks}`}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
