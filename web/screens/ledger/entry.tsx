/** One entry beside the list: what it says, whole; where it belongs; its proof. */
import { useState } from "react";
import { Link } from "wouter";
import type { Entry } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  Button,
  countText,
  download,
  Failure,
  Loading,
  Tabs,
  Untrusted,
  VerdictBadge,
} from "../../parts/index.ts";
import { Json } from "./json.tsx";
import { TYPE_TONES } from "./list.tsx";
import { Proof } from "./proof.tsx";
import styles from "./ledger.module.css";

const TABS = [
  { id: "entry", label: "Entry" },
  { id: "proof", label: "Proof" },
];

export interface EntryPaneProps {
  readonly seq: number;
  readonly linkOf: (seq: number) => string;
  /** The list, searched for something of the entry's. */
  readonly searchOf: (text: string) => string;
  readonly close: string;
}

export function EntryPane({ seq, linkOf, searchOf, close }: EntryPaneProps) {
  const [tab, setTab] = useState("entry");
  const { data: entry, error, isPending } = useCall("ledger.entry", { seq });
  return (
    <aside className={styles.pane} aria-label={`Entry ${seq}`}>
      <header>
        <h2>Entry {countText(seq)}</h2>
        <nav aria-label="Neighbours">
          {seq === 0 ? null : <Link to={linkOf(seq - 1)}>before</Link>}
          <Link to={linkOf(seq + 1)}>after</Link>
          <Link to={close} className={styles.close}>
            close
          </Link>
        </nav>
      </header>
      <Tabs label="Of this entry" items={TABS} selected={tab} onSelect={setTab} />
      <div className={styles.inside} role="tabpanel" aria-label={tab} tabIndex={0}>
        {tab === "proof" ? <Proof seq={seq} /> : null}
        {tab === "entry" && isPending ? <Loading what="Reading" /> : null}
        {tab === "entry" && error !== null ? <Failure error={error} /> : null}
        {tab === "entry" && entry !== undefined ? (
          <EntryText entry={entry} searchOf={searchOf} />
        ) : null}
      </div>
    </aside>
  );
}

function EntryText({ entry, searchOf }: { entry: Entry; searchOf: (text: string) => string }) {
  const { seq, type, at, run, verdict, rule, system, target, flow, action, process, cause } = entry;
  const { data, ...rest } = entry;
  return (
    <>
      <p className={styles.marks}>
        <Badge tone={TYPE_TONES[type] ?? "calm"}>{type}</Badge>
        {verdict === undefined ? null : <VerdictBadge verdict={verdict} />}
        <Ago at={at} />
      </p>
      <dl className={styles.facts}>
        {run === undefined ? null : (
          <Fact name="run">
            <Link to={`~/runs/${run}`}>{run}</Link> ·{" "}
            <Link to={searchOf(`run:${run}`)}>its entries</Link>
          </Fact>
        )}
        {rule === undefined ? null : (
          <Fact name="rule">
            <Untrusted text={rule} />
          </Fact>
        )}
        {system === undefined ? null : (
          <Fact name="system">
            <Untrusted text={system} />
          </Fact>
        )}
        {target === undefined ? null : (
          <Fact name="target">
            <Untrusted text={target} />
          </Fact>
        )}
        {process === undefined || process.pid === 0 ? null : (
          <Fact name="process">
            <Untrusted text={process.argv.join(" ") || process.exe} />
            {[process, ...process.ancestors].slice(1, 6).map(({ pid, exe }) => (
              <small key={pid}>
                {" ‹ "}
                <Untrusted text={exe.split("/").at(-1) ?? exe} /> {pid}
              </small>
            ))}
          </Fact>
        )}
        {cause?.call === undefined ? null : (
          <Fact name="tool call">
            <Link to={searchOf(cause.call.id)}>
              <Untrusted text={`${cause.call.name} ${cause.call.id}`} />
            </Link>
          </Fact>
        )}
        {[
          ["flow", flow],
          ["action", action],
        ].map(([name = "", id]) =>
          id === undefined ? null : (
            <Fact key={name} name={name}>
              <Link to={searchOf(id)}>{id}: all of it</Link>
            </Fact>
          ),
        )}
      </dl>
      {data === undefined ? null : (
        <section aria-label="What it says">
          <Json value={data} />
        </section>
      )}
      <details>
        <summary>Everything, as it is on record</summary>
        <Json value={rest} />
      </details>
      <Button
        onClick={() =>
          download(`entry-${seq}.json`, [JSON.stringify(entry, undefined, 2)], "application/json")
        }
      >
        Download as JSON
      </Button>
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
