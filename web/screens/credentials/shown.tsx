/** One credential: what it is but for its secret, where it was lent, and what can be done with it. */
import { useState } from "react";
import { Link } from "wouter";
import type { CredentialInfo, Lent } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  Ago,
  Badge,
  Button,
  countText,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import { Revoke, Rotate, Test } from "./forms.tsx";
import { placesOf } from "./index.tsx";
import styles from "./credentials.module.css";

export function Shown({ info, mayEdit }: { info: CredentialInfo; mayEdit: boolean }) {
  const [form, setForm] = useState<"rotate" | "revoke" | "test">();
  const { name, how, fingerprint, createdAt, rotatedAt, usedAt } = info;
  const { data: trail, error } = useCall("credential.trail", { name });
  const live = trail?.runs.filter(({ state }) => state !== "ended") ?? [];
  const close = () => setForm(undefined);
  const { kind, ...members } = how;
  return (
    <section className={styles.shown} aria-label={name}>
      <header className={styles.head}>
        <h2>{name}</h2>
        <Link to="/">close</Link>
      </header>
      <dl className={styles.facts}>
        <dt>may go to</dt>
        <dd>
          {placesOf(info).map((place) => (
            <code key={place}>{place}</code>
          ))}
        </dd>
        <dt>kind</dt>
        <dd>
          {kind}
          {Object.entries(members).map(([member, value]) => (
            <small key={member}>
              {" "}
              {member} <Untrusted text={value ?? ""} />
            </small>
          ))}
        </dd>
        <dt>fingerprint</dt>
        <dd>
          <code>{fingerprint}</code>
        </dd>
        <dt>added</dt>
        <dd>
          <Ago at={createdAt} />
          {rotatedAt === undefined ? null : (
            <>
              , rotated <Ago at={rotatedAt} />
            </>
          )}
        </dd>
        <dt>last used</dt>
        <dd>{usedAt === undefined ? "never" : <Ago at={usedAt} />}</dd>
      </dl>
      {mayEdit ? (
        <div className={styles.buttons}>
          <Button onClick={() => setForm("test")}>Test…</Button>
          <Button onClick={() => setForm("rotate")}>Rotate…</Button>
          <Button kind="danger" onClick={() => setForm("revoke")}>
            Revoke…
          </Button>
        </div>
      ) : (
        <p className={styles.note}>Changing it needs the role operator.</p>
      )}
      {form === "test" ? <Test info={info} onClose={close} /> : null}
      {form === "rotate" ? <Rotate info={info} onClose={close} /> : null}
      {form === "revoke" ? <Revoke info={info} live={live} onClose={close} /> : null}
      <h3>Lent to runs</h3>
      {error === null ? null : <Failure error={error} />}
      {trail === undefined && error === null ? <Loading what="Reading the record" /> : null}
      {trail === undefined ? null : <Runs runs={trail.runs} />}
      <h3>What was done to it</h3>
      <ul className={styles.events}>
        {trail?.events.map(({ entry, at, detail }) => (
          <li key={entry}>
            <Untrusted text={detail} /> <Ago at={at} />{" "}
            <Link to={`~/ledger/${entry}`}>entry {countText(entry)}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Runs({ runs }: { runs: readonly Lent[] }) {
  if (runs.length === 0) {
    return <p className={styles.note}>No task on record names it.</p>;
  }
  return (
    <ul className={styles.runs}>
      {runs.map(({ run, task, state, startedAt, grants, revoked, uses, last }) => (
        <li key={run}>
          <p>
            <Link to={`~/runs/${run}`}>
              <Untrusted text={task === "" ? run : task} />
            </Link>{" "}
            {state === "ended" ? null : <Badge tone="ok">{state}</Badge>}{" "}
            <small>
              {run} <Ago at={startedAt} />
            </small>
          </p>
          <p>
            by {grants.length === 0 ? "no grant any more" : `grant ${grants.join(", ")}`}
            {revoked.length === 0 ? "" : ` (taken back: ${revoked.join(", ")})`} ·{" "}
            {plural(uses, "request")}
            {last === undefined ? null : (
              <>
                , the last <Ago at={last.at} /> to{" "}
                <Link to={`~/ledger/${last.entry}`}>
                  <Untrusted text={last.target.slice(0, 120)} />
                </Link>
              </>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
