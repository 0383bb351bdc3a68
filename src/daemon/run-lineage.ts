/**
 * One run's side of its lineages: what they say of what it does, and what it does that is theirs.
 *
 * @module
 */
import type { Action, Event, LineageKey } from "../action/index.ts";
import type { Decision, DeniedAttempt } from "../policy/index.ts";
import type { Canary } from "./canary.ts";
import type { Lineages } from "./lineages.ts";

/** Denied targets of which a run is told once that others had tried them. */
const TOLD_MAX = 512;

export class RunLineage {
  readonly keys: readonly LineageKey[];
  readonly #lineages: Lineages;
  readonly #run: string;
  readonly #told = new Set<string>();

  constructor(lineages: Lineages, run: string, keys: readonly LineageKey[]) {
    this.#lineages = lineages;
    this.#run = run;
    this.keys = keys;
  }

  /** What is planted in it. */
  createCanary(): Canary {
    return this.#lineages.canaries.create(this.#run);
  }

  /** Denies what a budget has no room for. @throws {Fault} `lineage.store`: then nothing passes. */
  judge(action: Action, decision: Decision): Decision {
    if (decision.verdict !== "allow") return decision;
    const lack = this.#lineages.admit(this.keys, action);
    if (lack === undefined) return decision;
    const hint = "a person can raise it in lineages.yaml";
    return { ...decision, verdict: "deny", rule: "lineage.budget", reason: lack, hint };
  }

  /** Whether a budget counts its requests one by one: then none passes unasked because another did. */
  get isCounted(): boolean {
    return this.#lineages.countRequests(this.keys);
  }

  /** Counts what is known only when it happened. */
  note(event: Event): void {
    this.#lineages.note(this.#run, event);
  }

  /** What there is to say, once, where a target was tried by several ways by runs of one lineage. */
  denied(attempt: DeniedAttempt, isOwn: boolean): string | undefined {
    const lineage = this.#lineages.denied(this.#run, attempt, isOwn);
    if (isOwn) {
      return `${attempt.target} was denied, and then tried by three or more distinct routes`;
    }
    if (lineage === undefined || this.#told.has(attempt.target)) return undefined;
    this.#told.add(attempt.target);
    const [oldest = ""] = this.#told;
    if (this.#told.size > TOLD_MAX) this.#told.delete(oldest);
    return `${attempt.target} was denied, and tried by several ways by runs of ${lineage}`;
  }

  /** In which other runs what `said` holds was planted, for a sentence; each that lives is told who uses it. */
  planted(said: string): string {
    const others = this.#lineages.canaries.whose(said).filter((run) => run !== this.#run);
    for (const other of others) this.#lineages.tell(other, this.#run);
    return others.length === 0 ? "" : `; it was planted in ${others.join(" and ")}`;
  }
}
