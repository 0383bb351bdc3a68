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
  return (problem, { title, reason, rule, allowed }, { summary }) => {
    const short = `${title}: ${reason}`;
    const lines = [
      `cofferdam: ${title} (${rule})`,
      `cofferdam: ${summary}`,
      `cofferdam: ${reason}`,
      ...allowed.slice(0, ALLOWED_SHOWN).map((one) => `cofferdam: allowed: ${one}`),
    ];
    const refusal = gitRefusalOf(entry, { method, path, body }, { short, lines });
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
