/**
 * What a look-up answered, as a value.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import { readJson } from "./strict-json.ts";

/** The JSON of an answer's body, or `undefined` where it is none that all read alike. */
export function readFact(body: Uint8Array): Json | undefined {
  return readJson(body)?.value;
}
