/**
 * A way, step by step: what somebody does, and what that rests on. Names in it come from systems.
 *
 * @module
 */
import type { BlastStep } from "../../src/api/index.ts";
import { Badge, Button, Untrusted } from "../parts/index.ts";
import styles from "./radius.module.css";

type Fact = BlastStep["facts"][number];

/** Facts that say what their step does. */
const OBVIOUS = /^(uses|principal|host|at|is_effect)\(/;

export function Steps(props: {
  readonly path: readonly BlastStep[];
  /** Names of places of the file. */
  readonly places?: Readonly<Record<string, { readonly says: string; readonly line: number }>>;
  readonly onPlace?: (line: number) => void;
  /** Asks what would be without a fact of a system. */
  readonly onWithout?: (fact: string) => void;
}) {
  return (
    <ol className={styles.steps}>
      {props.path.map((step) => (
        <li key={step.gives}>
          <p title={step.source}>
            <Untrusted text={capital(step.says)} />
          </p>
          <ul>
            {step.facts
              .filter(({ fact }) => !OBVIOUS.test(fact))
              .map((fact) => (
                <FactLine key={fact.fact} fact={fact} {...props} />
              ))}
          </ul>
          <small>{step.source}</small>
        </li>
      ))}
    </ol>
  );
}

function FactLine({
  fact,
  places,
  onPlace,
  onWithout,
}: { readonly fact: Fact } & Omit<Parameters<typeof Steps>[0], "path">) {
  const place = places?.[fact.change ?? ""];
  return (
    <li>
      <Untrusted text={fact.says} /> {fact.isAssumed ? <Badge tone="info">assumed</Badge> : null}
      {fact.persons > 0 ? (
        <Badge tone="wait">
          {fact.persons === 1 ? "needs a yes" : `needs ${fact.persons} yeses`}
        </Badge>
      ) : null}
      {place === undefined ? (
        fact.from === "" ? null : (
          <span className={styles.from}>
            <Untrusted text={fact.from} />
          </span>
        )
      ) : onPlace === undefined ? (
        <span className={styles.from}>{`${place.says}, line ${place.line}`}</span>
      ) : (
        <button type="button" className={styles.link} onClick={() => onPlace(place.line)}>
          {`${place.says}, line ${place.line}`}
        </button>
      )}
      {onWithout === undefined || !isOfSystem(fact) ? null : (
        <Button
          kind="quiet"
          className={styles.without ?? ""}
          onClick={() => onWithout(fact.fact)}
          aria-label={`what if not? ${fact.says}`}
        >
          what if not?
        </Button>
      )}
    </li>
  );
}

/** What a probe or a person states: it may be asked away. What the file says, or the rules, stands elsewhere. */
function isOfSystem({ change, isAssumed, from }: Fact): boolean {
  return (
    change === undefined && !isAssumed && !from.startsWith("rules/") && !from.startsWith("catalog ")
  );
}

/** What begins with a name stays as the name is written. */
function capital(text: string): string {
  return /^(?:as|by|from|have|it|its|keep|let|take|the|what)\b/.test(text)
    ? `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
    : text;
}
