/**
 * Questions to a web service, and answers that are believed only where they have the documented shape. What was refused,
 * is cut, is no JSON or has another shape is not told; the difference between *no* and *not told* is the documented
 * refusal.
 *
 * @module
 */
import { z } from "zod";
import { readJson } from "../../catalog/index.ts";
import type { ProbePorts, Question, Reply } from "../probe.ts";
import type { Findings, Told } from "./findings.ts";

/** A number of things, as systems write it. */
export const COUNT = z.number().int().nonnegative();

export interface Answer<Value> {
  /** Absent where it was not told. */
  readonly value?: Value;
  /** Whether the account may ask this: 2xx or the documented refusal. */
  readonly may: Told;
  readonly status: number;
  /** The question, as facts say it. */
  readonly where: string;
  /** A header of the answer: `undefined` where there is none, or several. */
  header(name: string): string | undefined;
}

/** Asks one service. */
export class Asker {
  readonly #ports: ProbePorts;
  readonly #findings: Findings;
  readonly #refusals: readonly number[];

  /** `refusals`: statuses by which the service says that an account may not. */
  constructor(ports: ProbePorts, findings: Findings, refusals: readonly number[] = [403]) {
    this.#ports = ports;
    this.#findings = findings;
    this.#refusals = refusals;
  }

  async get<Value>(target: string, schema: z.ZodType<Value>): Promise<Answer<Value>> {
    return this.ask({ request: `GET /${target}` }, schema);
  }

  async ask<Value>(
    question: Question & { readonly request: string },
    schema: z.ZodType<Value>,
  ): Promise<Answer<Value>> {
    const where = question.request;
    const reply = await this.#ports.ask(question);
    const { status } = reply;
    const header = (name: string) => headerOf(reply, name);
    if (this.#refusals.includes(status) && isRefusal(reply))
      return { may: false, status, where, header };
    const read = status >= 200 && status < 300 ? valueOf(reply, schema) : undefined;
    if (read === undefined || typeof read === "string") {
      this.#findings.note(`${where}: ${read ?? whyOf(reply)}; counts at its worst`);
      return { may: undefined, status, where, header };
    }
    return { value: read.value, may: true, status, where, header };
  }

  /**
   * Asks for page after page until one is not full, at most `pagesMax`. `isWhole` is false where there is more, or a
   * page was not told.
   */
  async pages<Item>(
    target: (page: number) => string,
    schema: z.ZodType<readonly Item[]>,
    { perPage, pagesMax }: { readonly perPage: number; readonly pagesMax: number },
  ): Promise<Pages<Item>> {
    const items: Item[] = [];
    for (let page = 1; page <= pagesMax; page += 1) {
      const answer = await this.get(target(page), schema);
      if (answer.value === undefined) {
        return { items, isWhole: false, may: answer.may, where: answer.where };
      }
      items.push(...answer.value.slice(0, perPage));
      if (answer.value.length < perPage)
        return { items, isWhole: true, may: true, where: answer.where };
    }
    const where = `GET /${target(1)}`;
    this.#findings.note(
      `${where}: more than ${pagesMax} pages; what is beyond counts at its worst`,
    );
    return { items, isWhole: false, may: true, where };
  }
}

export interface Pages<Item> {
  readonly items: readonly Item[];
  readonly isWhole: boolean;
  readonly may: Told;
  readonly where: string;
}

/** A whole number in a header: `X-WP-Total: 12`. */
export function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const LIMITED = /rate.?limit|quota|too many|abuse|retry|dailyLimit|notConfigured|captcha/i;
const LIMITED_BYTES_MAX = 20_000;

/**
 * Whether it is a service's own no. Gateways in front of it refuse with pages, and services say by the same status that
 * they were asked too often: neither tells what an account may.
 */
function isRefusal(reply: Reply): boolean {
  const { body, isCut } = reply;
  if (isCut || body.length > LIMITED_BYTES_MAX || readJson(body, false, true) === undefined)
    return false;
  if (headerOf(reply, "retry-after") !== undefined) return false;
  return headerOf(reply, "x-ratelimit-remaining") !== "0" && !LIMITED.test(body.toString("utf8"));
}

function headerOf({ headers = [] }: Reply, name: string): string | undefined {
  const values = headers.flatMap((one, at) =>
    at % 2 === 0 && one.toLowerCase() === name ? [headers[at + 1] ?? ""] : [],
  );
  return values.length === 1 ? values[0] : undefined;
}

function whyOf({ status, failure }: Reply): string {
  if (failure !== undefined) return failure;
  return status === 0 ? "nothing was answered" : `answered ${status}`;
}

/** The value, or why it is none. */
function valueOf<Value>(
  { body, isCut }: Reply,
  schema: z.ZodType<Value>,
): { readonly value: Value } | string {
  if (isCut) return "the answer was cut";
  // Names that stand twice are read differently by different readers; lost digits matter to none of these.
  const read = readJson(body, false, true);
  if (read === undefined) return "the answer is no JSON";
  const { success, data } = schema.safeParse(read.value);
  return success ? { value: data } : "the answer has another shape than is documented";
}
