/**
 * Probing: counts the distinct destinations that a run was refused, and says when they are a scan.
 *
 * Only what nobody does by accident counts: raw addresses, and ports that are not granted. A refused
 * *name* on 80 or 443 (telemetry, update checks) never does, however many there are. Thresholds
 * (docs/decisions/0045):
 *
 * - 5 distinct private, link-local or metadata destinations in a minute: nothing tells a run about an
 *   internal network, so it is looking for one (the ROME case).
 * - 15 distinct destinations of any kind in a minute: Elastic's rule waits for 100 ports or 250 hosts
 *   because it sees answers too; here only refusals count.
 *
 * Pure: the clock comes in as a value.
 *
 * @module
 */
import { forbiddenAddress } from "./addresses.ts";

export const SCAN_WINDOW_MS = 60_000;
export const SCAN_INTERNAL_MIN = 5;
export const SCAN_TOTAL_MIN = 15;
const TRACKED_MAX = 64; // Distinct destinations that are remembered: enough for both thresholds.

/** What a run was refused within the window. */
export interface ScanState {
  readonly seen: readonly {
    readonly key: string;
    readonly internal: boolean;
    readonly monoMs: number;
  }[];
  /** When the last finding was made: one scan is one finding a window. */
  readonly foundMs: number | undefined;
}

export const INITIAL_SCAN: ScanState = { seen: [], foundMs: undefined };

/** One refused destination: an address, or a name with the port that was not granted. */
export interface Refused {
  readonly destination: string;
  readonly port: number;
  readonly monoMs: number;
}

/** The next state, and the sentence of a finding where this refusal makes one. */
export function noteRefused(
  state: ScanState,
  refused: Refused,
): { readonly state: ScanState; readonly finding?: string } {
  const { destination, port, monoMs } = refused;
  const key = `${destination} ${port}`;
  const fresh = state.seen.filter((one) => monoMs - one.monoMs < SCAN_WINDOW_MS && one.key !== key);
  // Names are neither: `forbiddenAddress` calls them "not an address", and private is what we mean.
  const reason = forbiddenAddress(destination);
  const internal = reason !== undefined && reason !== "not an address";
  const seen = [...fresh, { key, internal, monoMs }].slice(-TRACKED_MAX);
  const quiet = state.foundMs !== undefined && monoMs - state.foundMs < SCAN_WINDOW_MS;
  const internals = seen.filter((one) => one.internal).length;
  const isScan = internals >= SCAN_INTERNAL_MIN || seen.length >= SCAN_TOTAL_MIN;
  if (quiet || !isScan) return { state: { seen, foundMs: state.foundMs } };
  const examples = seen.slice(-3).map((one) => one.key.replace(" ", " port "));
  return {
    state: { seen, foundMs: monoMs },
    finding:
      `${seen.length} distinct destinations refused within ${SCAN_WINDOW_MS / 1000} s, ` +
      `${internals} of them internal; last: ${examples.join(", ")}`,
  };
}
