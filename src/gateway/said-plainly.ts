/**
 * Refusals in the form that the client of a system shows to whoever uses it.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { gitRefusalOf, type Entry } from "../catalog/index.ts";
import type { Denial, Problem } from "./denial.ts";
import type { CheckedRequest } from "./http-request.ts";

/** What `problem` is to the client of `request`. */
export type SayPlainly = (problem: Problem, denial: Denial, action: Action) => Problem;

const ALLOWED_SHOWN = 5;

/** How refusals of `request` are said. */
export function plainSpeech(
  entry: Entry | undefined,
  { method, path }: CheckedRequest,
  body: Uint8Array | undefined,
): SayPlainly {
  return (problem, denial, { summary }) => {
    const refusal = gitRefusalOf(entry, { method, path, body }, plainWords(denial, summary));
    if (refusal === undefined) return problem;
    const { status, contentType, body: bytes } = refusal;
    const headers = {
      ...problem.headers,
      "content-type": contentType,
      "content-length": String(bytes.length),
    };
    return { status, headers, body: bytes };
  };
}

/** A denial of what `summary` says, as git shows it: beside a ref, and as lines of the remote's. */
export function plainWords(
  { title, reason, rule, allowed }: Denial,
  summary?: string,
): { readonly short: string; readonly lines: readonly string[] } {
  return {
    short: `${title}: ${reason}`,
    lines: [
      `cofferdam: ${title} (${rule})`,
      ...(summary === undefined ? [] : [`cofferdam: ${summary}`]),
      `cofferdam: ${reason}`,
      ...allowed.slice(0, ALLOWED_SHOWN).map((one) => `cofferdam: allowed: ${one}`),
    ],
  };
}
