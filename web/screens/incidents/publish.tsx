/** Takes a report along: formats, with proofs that hold without this machine. */
import { useState } from "react";
import type { IncidentFormat } from "../../../src/api/index.ts";
import { useAct } from "../../calls/index.ts";
import { Button, Command, countText, Dialog, download, Failure } from "../../parts/index.ts";
import styles from "./incidents.module.css";

const FORMATS: readonly (readonly [IncidentFormat, string, string])[] = [
  ["html", "HTML", "one page with a picture of the timeline"],
  ["md", "Markdown", "for a repository or a ticket"],
  ["ocsf", "OCSF", "its events, for a SIEM"],
  ["aiid", "AI Incident Database", "a text for its form"],
  ["atlas", "MITRE ATLAS", "a case study in YAML"],
];

export function Publish({ run, persons }: { run: string; persons: boolean }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button kind="primary" onClick={() => setIsOpen(true)}>
        Export…
      </Button>
      {isOpen ? (
        <Dialog title="Export the report" onClose={() => setIsOpen(false)}>
          <Choice run={run} persons={persons} onClose={() => setIsOpen(false)} />
        </Dialog>
      ) : null}
    </>
  );
}

function Choice({ run, persons, onClose }: { run: string; persons: boolean; onClose: () => void }) {
  const [formats, setFormats] = useState<readonly IncidentFormat[]>(["html"]);
  const [proofs, setProofs] = useState(true);
  const act = useAct("incident.export");
  const start = async () => {
    const { name, base64 } = await act.mutateAsync({ run, persons, formats: [...formats], proofs });
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    download(name, [bytes], "application/octet-stream");
  };
  const isArchive = proofs || formats.length > 1;
  return (
    <div className={styles.publish}>
      <fieldset>
        <legend>Formats</legend>
        {FORMATS.map(([format, label, what]) => (
          <label key={format}>
            <input
              type="checkbox"
              checked={formats.includes(format)}
              onChange={({ target }) =>
                setFormats(
                  target.checked ? [...formats, format] : formats.filter((one) => one !== format),
                )
              }
            />{" "}
            {label} <small>{what}</small>
          </label>
        ))}
      </fieldset>
      <label>
        <input
          type="checkbox"
          checked={proofs}
          onChange={({ target }) => setProofs(target.checked)}
        />{" "}
        with a proof of each cited entry
      </label>
      <p className={styles.note}>
        {persons
          ? "Secrets, persons and mail addresses are blackened."
          : "Secrets are blackened; persons and mail addresses are not."}{" "}
        {isArchive ? "It comes as a tar archive." : ""} Every cited entry is proven and the whole
        record verified first.
      </p>
      {act.error === null ? null : <Failure error={act.error} />}
      {act.data === undefined ? null : <Outcome {...act.data} />}
      <div className={styles.buttons}>
        <Button
          kind="primary"
          disabled={formats.length === 0 || act.isPending}
          onClick={() => void start().catch(() => {})}
        >
          {act.isPending ? "Proving…" : "Export"}
        </Button>
        <Button onClick={onClose}>Close</Button>
      </div>
      {proofs ? (
        <p className={styles.note}>
          Whoever gets it checks it with{" "}
          <Command line={`cofferdam verify --report incident-${run} --key ledger.vkey`} />
        </p>
      ) : null}
    </div>
  );
}

function Outcome(of: {
  readonly cited: number;
  readonly proven: number;
  readonly broken: readonly { readonly entry?: number | undefined; readonly why: string }[];
}) {
  if (of.broken.length === 0) {
    return (
      <p className={styles.good} role="status">
        {countText(of.proven)} of {countText(of.cited)} cited entries proven, and the whole record
        is intact.
      </p>
    );
  }
  return (
    <div className={styles.wrong} role="alert">
      <strong>The record does not hold.</strong> The report says so, too.
      <ul>
        {of.broken.slice(0, 10).map(({ entry, why }) => (
          <li key={`${entry} ${why}`}>
            {entry === undefined ? "the record" : `entry ${entry}`}: {why}
          </li>
        ))}
      </ul>
    </div>
  );
}
