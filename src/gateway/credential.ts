/**
 * Credentials on their way out, and what must not come back: attached to the very request that was judged,
 * as the last thing before it is sent, and looked for in all that is answered.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import {
  attach,
  createRedaction,
  type Lease,
  type Redaction,
  type Redactor,
} from "../vault/index.ts";
import { headerPairs, valuesOf, type RawHeaders } from "./http-headers.ts";
import type { CheckedRequest } from "./http-request.ts";

/** A credential for one request. */
export interface Credentialed {
  readonly lease: Lease;
  /** What stands for it in the run. */
  readonly placeholder: string;
  /** It is looked for in the answer, and not sent. */
  readonly bare?: true;
}

/**
 * `request` with the credential, unless that is only looked for. Its answer is asked for uncompressed, so that it can be looked through.
 *
 * @throws {Fault} `vault.attach`, `vault.sigv4`
 */
export function withCredential(
  request: CheckedRequest,
  body: Buffer | undefined,
  { lease, placeholder, bare }: Credentialed,
  nowMs: number,
): CheckedRequest {
  const { method, target } = request;
  const kept = headerPairs(request.headers).filter(([name]) => name !== "accept-encoding");
  const headers = [...kept.flat(), "accept-encoding", "identity"];
  if (bare === true) return { ...request, headers };
  const whole = body === undefined ? {} : { body };
  const attached = attach({ method, target, headers, ...whole }, lease, placeholder, nowMs);
  return { ...request, target: attached.target, headers: attached.headers };
}

/** Looks through one answer for what must never be echoed. */
export class AnswerScreen {
  readonly #redaction: Redaction;
  readonly #redactor: Redactor;
  /** As names of fields have them, which HTTP/2 writes small. */
  readonly #small: readonly string[];
  #inHead = 0;

  constructor({ secrets }: Lease) {
    this.#redaction = createRedaction(secrets);
    this.#small = secrets.filter((one) => one !== "").map((one) => one.toLowerCase());
    this.#redactor = this.#redaction.stream();
  }

  /** How many places were blackened. */
  get found(): number {
    return this.#inHead + this.#redactor.found;
  }

  /** @throws {Fault} `gateway.encoded_answer`: what cannot be looked through does not come in. */
  head(headers: RawHeaders): RawHeaders {
    const encodings = valuesOf(headers, "content-encoding").filter((one) => one !== "identity");
    if (encodings.length > 0) {
      // How is the server's word, and may be the credential.
      throw new Fault(
        "gateway.encoded_answer",
        "the answer came compressed unasked, and cannot be looked through for the credential",
      );
    }
    // One look at all of them first: nearly every head holds nothing.
    const all = headers.join("\n");
    const small = all.toLowerCase();
    if (this.#redaction.text(all) === all && !this.#small.some((one) => small.includes(one))) {
      return headers;
    }
    return headers.flatMap((name, at) => {
      if (at % 2 === 1) return [];
      // What is a field's name cannot be blackened and still be one: the field is left out.
      if (
        this.#text(name) !== name ||
        this.#small.some((one) => name.toLowerCase().includes(one))
      ) {
        this.#inHead += 1;
        return [];
      }
      const value = headers[at + 1] ?? "";
      const clean = this.#text(value);
      if (clean !== value) this.#inHead += 1;
      return [name, clean];
    });
  }

  /** The words beside a status, or a sentence on what went wrong: a server may have had a part in either. */
  words(text: string): string {
    const clean = this.#text(text);
    if (clean !== text) this.#inHead += 1;
    return clean;
  }

  #text(text: string): string {
    return this.#redaction.text(text);
  }

  push(chunk: Buffer): Buffer {
    return this.#redactor.push(chunk);
  }

  end(): Buffer {
    return this.#redactor.end();
  }

  whole(body: Buffer): Buffer {
    return Buffer.concat([this.push(body), this.end()]);
  }
}
