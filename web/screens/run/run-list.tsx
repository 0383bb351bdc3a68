/** All runs, the newest first. */
import { useState } from "react";
import { Link } from "wouter";
import { useCall } from "../../calls/index.ts";
import { Ago, Badge, countText, Empty, Failure, Loading, Untrusted } from "../../parts/index.ts";
import type { RunInfo } from "../../../src/api/index.ts";
import { RUN_TONES } from "./header.tsx";
import styles from "./run.module.css";

const EVERY_MS = 3000;
const SHOWN = 200;

export function RunList() {
  const runs = useCall("run.list", { all: true }, { everyMs: EVERY_MS });
  const [text, setText] = useState("");
  if (runs.isPending) return <Loading what="Reading the runs" />;
  if (runs.error !== null) return <Failure error={runs.error} />;
  if (runs.data.length === 0) {
    return (
      <Empty title="No run yet" command="cofferdam run -- claude">
        Each run has its place here: what its model said, what came of it, process by process and
        connection by connection, and what it changed.
      </Empty>
    );
  }
  const found = runs.data
    .toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1))
    .filter((one) => saysAll(one, text));
  return (
    <div className={styles.list}>
      <header className={styles.listHead}>
        <h1>Runs</h1>
        <input
          type="search"
          aria-label="Find a run"
          placeholder="Find by task, command, id"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      </header>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Runs">
        <table className={styles.table}>
          <thead>
            <tr>
              <th>State</th>
              <th>Run</th>
              <th>Task</th>
              <th>Command</th>
              <th className={styles.number}>Actions</th>
              <th className={styles.number}>Refused</th>
              <th className={styles.number}>Findings</th>
              <th>Started</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, SHOWN).map((one) => (
              <tr key={one.run}>
                <td>
                  <Badge tone={RUN_TONES[one.state]}>{one.state}</Badge>
                </td>
                <td>
                  <Link href={`/${one.run}`}>
                    <code>{one.run}</code>
                  </Link>
                </td>
                <td>
                  <Untrusted text={one.task} />
                </td>
                <td className={styles.command}>
                  <code>
                    <Untrusted text={one.command.join(" ").slice(0, 300)} />
                  </code>
                </td>
                <td className={styles.number}>{countText(one.counts.actions)}</td>
                <td className={styles.number}>{countText(one.counts.denials)}</td>
                <td className={styles.number}>
                  {one.counts.findings > 0 ? (
                    <strong className={styles.bad}>{countText(one.counts.findings)}</strong>
                  ) : (
                    "0"
                  )}
                </td>
                <td>
                  <Ago at={one.startedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > SHOWN ? (
        <p className={styles.muted}>{countText(found.length - SHOWN)} more: find them by name.</p>
      ) : null}
    </div>
  );
}

function saysAll({ run, task, command, state }: RunInfo, text: string): boolean {
  const said = `${run} ${task} ${command.join(" ")} ${state}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}
