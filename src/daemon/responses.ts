/**
 * What findings lead to: a run is told of, held to a person's word for everything, cut off, stripped of credentials,
 * frozen or ended, as its task file says. Out of band: nothing here waits for the agent, and what stops it comes first.
 *
 * INV-150: a response that fails is not left out. What cannot be done ends the run.
 *
 * @module
 */
import type { FindingKind } from "../action/index.ts";
import { describeError, type Clock } from "../base/index.ts";
import type { FindingSubject } from "../gateway/index.ts";
import type { Response } from "../policy/index.ts";
import type { RunEvent } from "./recorder.ts";
import { findingEvent } from "./run-events.ts";

/** What was found, by whom. */
export interface Finding {
  readonly kind: FindingKind;
  readonly detail: string;
  readonly of: FindingSubject;
}

/** What is done to a run. Each resolves when it holds. */
export interface Means {
  readonly responses: Readonly<Record<FindingKind, readonly Response[]>>;
  record(event: RunEvent): Promise<number>;
  /** Which call and step something is of. */
  causeOf(about: RunEvent): RunEvent["cause"];
  /** Says it where the run's output is seen. */
  notice(text: string): void;
  /** Says it to the persons who decide, wherever they are. */
  alert(text: string): void;
  /** Whatever changes something waits for a person from now on. */
  confirmAll(why: string): Promise<void>;
  /** Cuts every established flow; tells how many there were. */
  cut(why: string): Promise<number>;
  /** Takes every grant back that has a credential; tells their names. */
  revoke(why: string): Promise<readonly string[]>;
  /** Freezes it where it runs. */
  pause(why: string): Promise<void>;
  /** Freezes every run of its job, or else of its agent. */
  pauseLineage(why: string): Promise<void>;
  /** Keeps what it was doing; nothing where there is enough of it already. */
  evidence(why: string): Promise<Evidence | undefined>;
  /** Ends it. */
  stop(why: string): void;
  /** The record cannot be written, or a response failed. */
  failed(error: unknown): void;
}

/** What is kept of a run as it was when it was paused. */
export interface Evidence {
  readonly evidence: string;
  readonly evidenceSha256: string;
}

type Done = Readonly<Record<string, string | number>>;

interface Answer {
  readonly kind: FindingKind;
  readonly due: readonly Response[];
  readonly text: string;
  readonly of: FindingSubject;
  readonly sinceMs: number;
}

/** Findings that are always said where the output is seen. */
const NOTICED: ReadonlySet<FindingKind> = new Set([
  "tunnel",
  "mining",
  "scan",
  "metadata",
  "escape",
]);
/** In this order: what stops it first. */
const STOPPING: readonly Response[] = [
  "kill",
  "pause",
  "pause-lineage",
  "cut",
  "revoke",
  "confirm-all",
  "alert",
];

/** With these nothing leaves that was itself what was found. */
const WITHHOLDING: ReadonlySet<Response> = new Set(["kill", "pause", "pause-lineage", "cut"]);
const WITHHELD_MAX = 256;

/** Answers the findings of one run. */
export class Responder {
  readonly #means: Means;
  readonly #clock: Clock;
  /** Responses that hold already, so that a flood of findings repeats none. */
  readonly #holding = new Set<Response>();
  /** Actions that were themselves what was found. */
  readonly #withheld = new Set<string>();

  constructor(means: Means, clock: Clock) {
    this.#means = means;
    this.#clock = clock;
  }

  /** A person lets the run go on: what held it is over, and comes again with the next finding. */
  resumed(): void {
    this.#holding.delete("pause");
    this.#holding.delete("pause-lineage");
  }

  /** Whether `action` was found to be what stops the run: then it must not leave, though a rule allows it. */
  isWithheld(action: string): boolean {
    return this.#withheld.has(action);
  }

  /** INV-165: what is found again, and told no more, does not leave either. */
  again(kind: FindingKind, action: string | undefined): void {
    if (action === undefined || !this.#means.responses[kind].some((one) => WITHHOLDING.has(one)))
      return;
    this.#withheld.add(action);
    const [oldest = ""] = this.#withheld;
    if (this.#withheld.size > WITHHELD_MAX) this.#withheld.delete(oldest);
  }

  /** Records `finding`, and does what the task file says. */
  found({ kind, detail, of }: Finding): void {
    const means = this.#means;
    const responses = means.responses[kind];
    const sinceMs = this.#clock.now().monoMs;
    const recorded = means.record(findingEvent(kind, detail, responses, of));
    recorded.catch((error: unknown) => means.failed(error));
    this.again(kind, of.action);
    const text = `${kind}: ${detail}`;
    const due = STOPPING.filter((one) => responses.includes(one) && !this.#holding.has(one));
    if (NOTICED.has(kind) || due.length > 0) means.notice(text);
    if (due.length === 0) return;
    for (const one of due) if (one !== "alert" && one !== "cut") this.#holding.add(one);
    // All at once, whatever was begun before and is not done yet; nothing waits for another.
    const doing = due.map((one) => this.#do(one, text));
    this.#settle(recorded, Promise.all(doing), { kind, due, text, of, sinceMs }).catch(
      (error: unknown) => means.failed(error),
    );
  }

  /** Puts on record what holds now, and then what the run was doing when it was paused. */
  async #settle(
    recorded: Promise<number>,
    doing: Promise<readonly Done[]>,
    { kind, due, text, of, sinceMs }: Answer,
  ): Promise<void> {
    const done = await doing;
    const withinMs = Math.round(this.#clock.now().monoMs - sinceMs);
    const finding = await recorded;
    const responses = due.map(String);
    const { process, flow, action } = of;
    const about = {
      type: "response" as const,
      ...(process && { process }),
      ...(flow && { flow }),
      ...(action && { action }),
    };
    const cause = of.cause ?? this.#means.causeOf(about);
    const why = cause === undefined ? {} : { cause };
    await this.#means.record({
      type: "response",
      ...why,
      data: { finding, kind, responses, ...Object.assign({}, ...done), withinMs },
    });
    if (!due.includes("pause") && !due.includes("pause-lineage")) return;
    const evidence = await this.#means.evidence(text);
    if (evidence === undefined) return;
    await this.#means.record({ type: "response", ...why, data: { finding, kind, ...evidence } });
  }

  /** Does one; what fails ends the run, and says so. */
  async #do(response: Response, text: string): Promise<Done> {
    const means = this.#means;
    try {
      switch (response) {
        case "kill":
          means.stop(text);
          return {};
        case "pause":
          await means.pause(text);
          return {};
        case "pause-lineage":
          await means.pauseLineage(text);
          return {};
        case "cut":
          return { cut: await means.cut(text) };
        case "revoke":
          return { revoked: (await means.revoke(text)).join(", ") };
        case "confirm-all":
          await means.confirmAll(text);
          return {};
        case "alert":
          means.alert(text);
          return {};
        default:
          return {};
      }
    } catch (error) {
      means.stop(`${text}; and the response ${response} failed: ${describeError(error)}`);
      return { [`${response}Failed`]: describeError(error) };
    }
  }
}
