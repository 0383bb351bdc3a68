/**
 * What has been read of one answer so far: every dialect tells it to this.
 *
 * @module
 */
import { head, type CallInput } from "./input.ts";
import { CALLS_MAX } from "./protocol.ts";

/** A tool call that a model made. */
export interface ModelCall {
  /** The id that the model gave; its name where the API gives none. */
  readonly id: string;
  readonly name: string;
  readonly input: CallInput;
  /** A tool of the provider's, which acts there and not in the run. */
  readonly hosted: boolean;
}

/** What an answer was, beside its calls. */
export interface Answered {
  readonly model?: string;
  readonly stop?: string;
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  /** Calls that it made, with those that are not told. */
  readonly calls: number;
  /** Why it, or a part of it, could not be read. */
  readonly unread?: string;
}

const NAME_CHARS_MAX = 200;

/** A name or an id of a peer's, in bounds. */
export function nameOf(value: unknown): string {
  return typeof value === "string" ? head(value, NAME_CHARS_MAX) : "";
}

/** Collects. */
export class Reading {
  model: string | undefined;
  stop: string | undefined;
  tokensIn: number | undefined;
  tokensOut: number | undefined;
  #unread: string | undefined;
  #count = 0;
  #calls: ModelCall[] = [];

  /** Something is not as the API has it: the first such thing is told. */
  doubt(why: string): void {
    this.#unread ??= why;
  }

  call(id: unknown, name: unknown, input: CallInput, hosted: boolean): void {
    this.#count += 1;
    if (this.#count > CALLS_MAX) return this.doubt(`more than ${CALLS_MAX} calls in one answer`);
    const own = nameOf(name);
    if (own === "") this.doubt("a call without a name");
    if (String(id).length > NAME_CHARS_MAX || String(name).length > NAME_CHARS_MAX) {
      this.doubt("a call with a long name");
    }
    this.#calls.push({ id: nameOf(id) || own, name: own, input, hosted });
  }

  /** The calls that were found since the last time. */
  take(): readonly ModelCall[] {
    if (this.#calls.length === 0) return NONE;
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /** Notes what is a text. */
  said(model: unknown, stop?: unknown): void {
    if (typeof model === "string") this.model = nameOf(model);
    if (typeof stop === "string") this.stop = nameOf(stop);
  }

  /** Notes what are counts. */
  used(tokensIn: unknown, tokensOut: unknown): void {
    if (isCount(tokensIn)) this.tokensIn = tokensIn;
    if (isCount(tokensOut)) this.tokensOut = tokensOut;
  }

  get answered(): Answered {
    const { model, stop, tokensIn, tokensOut } = this;
    return {
      ...(model === undefined ? {} : { model }),
      ...(stop === undefined ? {} : { stop }),
      ...(tokensIn === undefined ? {} : { tokensIn }),
      ...(tokensOut === undefined ? {} : { tokensOut }),
      calls: this.#count,
      ...(this.#unread === undefined ? {} : { unread: this.#unread }),
    };
  }
}

const NONE: readonly ModelCall[] = [];

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** One API's form of an answer. */
export interface Dialect {
  /** Takes one event of a stream, or an answer that came whole. */
  take(document: Readonly<Record<string, unknown>>): void;
  /** Nothing more comes: what is open is told as it is. */
  end(): void;
}

/** Calls of one answer that are open at a time; more is no model's answer. */
export const OPEN_MAX = 128;
