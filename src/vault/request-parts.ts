/**
 * The parts of a request that attaching reads and writes.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** A request as it will be written, less framing and Host. */
export interface AttachableRequest {
  readonly method: string;
  /** Origin form, as it will be sent. */
  readonly target: string;
  /** name, value, name, value, ... */
  readonly headers: readonly string[];
  /** The whole body; absent where there is none. Where `needsBody` says so it must be whole. */
  readonly body?: Uint8Array;
}

/**
 * `headers` with exactly one field `name`. To a CGI server `X_Api_Key` is `X-Api-Key` too, so both spellings go.
 *
 * @throws {Fault} `vault.attach` where the value would end the field or be read in two ways (RFC 9110, 5.5).
 */
export function withHeader(headers: readonly string[], name: string, value: string): string[] {
  if (!/^[!-~\x80-\xff]([ -~\x80-\xff]*[!-~\x80-\xff])?$/.test(value)) {
    throw new Fault("vault.attach", `the credential for ${name} holds what no header may`, {
      hint: "`cofferdam credential rotate` takes it anew",
    });
  }
  return [...withoutHeaders(headers, (one) => one === spelled(name)), name, value];
}

/** `headers` less those whose name, in lower case with `-` for `_`, is to go. */
export function withoutHeaders(
  headers: readonly string[],
  goes: (name: string) => boolean,
): string[] {
  return headers.filter((_, at) => !goes(spelled(headers[at - (at % 2)] ?? "")));
}

function spelled(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** The name of `name=value`, as a server would read it. */
export function nameOf(part: string): string {
  return decode((part.split("=", 1)[0] ?? "").replaceAll("+", " "));
}

/** Percent-decoded, or as it is where that is no UTF-8. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not UTF-8: no name or placeholder of ours.
  }
}
