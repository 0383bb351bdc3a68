/**
 * What a finding can do to a run, by the run's own means and by what lies beyond it.
 *
 * @module
 */
import { join } from "node:path";
import type { LineageKey } from "../action/index.ts";
import { assert, describeError } from "../base/index.ts";
import { hasModels, type Entry } from "../catalog/index.ts";
import { keepEvidence } from "./evidence.ts";
import type { Means } from "./responses.ts";
import type { Run } from "./run.ts";

/** What lies beyond the run. */
export interface Beyond {
  /** Says it to the persons who decide, wherever they are. */
  alert(text: string): void;
  /** Revokes what was minted for it, and forgets what it was lent. */
  disown(run: string): Promise<void>;
  /** Pauses a lineage of it, for what was found of `run`. */
  pauseLineage(lineage: LineageKey, why: string): Promise<unknown>;
  /** What it has changed in its workspace. */
  changes(run: Run): Promise<unknown>;
  /** RFC 3339. */
  now(): string;
}

function isModel(entry: Entry | undefined): boolean {
  return entry !== undefined && hasModels(entry);
}

export function meansOf(run: Run, beyond: Beyond): Means {
  return {
    get responses() {
      return run.task.respond;
    },
    record: (event) => run.recorder.record(event),
    causeOf: (about) => run.recorder.causeOf(about),
    notice: (text) => run.console.notice(text),
    alert: (text) => beyond.alert(`${run.id} (${run.task.task}): ${text}`),
    confirmAll: (why) => {
      // What models say is no change, and without them the agent could not even ask.
      const models = run.task.grants.filter(({ system }) => isModel(run.entryOf(system)));
      return run.confirmAll(
        why,
        models.map(({ name }) => name),
      );
    },
    cut: (why) => run.cut(why),
    async revoke() {
      const lent = run.policy.grants.filter((grant) => grant.credential !== undefined);
      const names = lent.filter(({ revoked }) => !revoked).map(({ name }) => name);
      for (const name of names) await run.revoke(name);
      await beyond.disown(run.id);
      return names;
    },
    pause: (why) => run.standStill(why),
    async pauseLineage(why) {
      const { keys } = run.lineage;
      const key = keys.find((one) => one.startsWith("job:")) ?? keys[0];
      assert(key !== undefined, "every run is of an agent");
      await beyond.pauseLineage(key, `${run.id}: ${why}`);
    },
    async evidence(why) {
      const changes = await beyond.changes(run).catch((error: unknown) => ({
        unreadable: describeError(error),
      }));
      const scene = { run: run.id, at: beyond.now(), why, pids: run.pids(), changes };
      return keepEvidence(join(run.files.root, "evidence"), scene);
    },
    stop: (why) => run.stop("finding", why),
    failed: (error) => run.stop("ledger", `the record cannot be written: ${describeError(error)}`),
  };
}
