/** The proof of an entry: why it holds, step by step, and how anybody checks it without us. */
import type { ShownProof } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import { Button, Command, countText, download, Failure, Loading } from "../../parts/index.ts";
import styles from "./proof.module.css";

export function Proof({ seq }: { seq: number }) {
  const { data, error, isPending } = useCall("ledger.proof", { seq });
  if (isPending) return <Loading what="Proving" />;
  if (error !== null) return <Failure error={error} />;
  const { origin, size, proof, key, steps } = data;
  const file = `entry-${seq}.tlog-proof`;
  return (
    <div className={styles.proof}>
      <p>
        <strong>Proven.</strong> Entry {countText(seq)} is in the record <code>{origin}</code>,
        which had {countText(size)} entries when it was signed. {steps.length} hashes lead from the
        entry to the signed root: to change it unseen, all of these would have to be others.
      </p>
      <Way proof={data} />
      <h3>For somebody who does not trust this console</h3>
      <p>
        Give them the proof, and have them take the key from where you keep a copy of it: that it is
        this record’s, only such a copy shows.
      </p>
      <Command line={`cofferdam verify --proof ${file} --key ledger.vkey`} />
      <div className={styles.files}>
        <Button onClick={() => download(file, [proof], "text/plain")}>Download the proof</Button>
        <Button onClick={() => download("ledger.vkey", [`${key}\n`], "text/plain")}>
          Download the key
        </Button>
      </div>
      <details>
        <summary>The signed checkpoint</summary>
        <pre>{data.checkpoint}</pre>
      </details>
    </div>
  );
}

/** From the root down to the entry; at each step both halves, ours marked. */
function Way({ proof: { root, steps, leaf, seq } }: { proof: ShownProof }) {
  const down = steps
    .map((step, at) => ({ ...step, ours: steps[at - 1]?.node ?? leaf }))
    .toReversed();
  return (
    <ol className={styles.way} aria-label="From the signed root to the entry">
      <li className={styles.root}>
        <Hash text={root} label="signed root" />
      </li>
      {down.map(({ node, sibling, side, ours }, at) => (
        <li key={node} className={styles.pair}>
          {side === "left" ? <Hash text={sibling} label="beside it" /> : null}
          <Hash text={ours} label={at === down.length - 1 ? `entry ${seq}` : ""} isOurs />
          {side === "right" ? <Hash text={sibling} label="beside it" /> : null}
        </li>
      ))}
    </ol>
  );
}

function Hash({ text, label, isOurs = false }: { text: string; label: string; isOurs?: boolean }) {
  return (
    <span className={isOurs ? styles.ours : styles.hash} title={text}>
      <code>
        {text.slice(0, 6)}…{text.slice(-4)}
      </code>
      {label === "" ? null : <small>{label}</small>}
    </span>
  );
}
