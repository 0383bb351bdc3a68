/** Layer 3: the append-only Merkle log of everything that happened: append, read, prove, verify. */
export {
  COMMIT_DELAY_MS,
  UNCOMMITTED_BYTES_MAX,
  openLedger,
  type Ledger,
  type LedgerOptions,
  type PruneOptions,
  type Recorded,
} from "./ledger.ts";
export { leafHash, TILE_WIDTH as BUNDLE_ENTRIES } from "./merkle.ts";
export { CUT_MEMBER, decodeEvent, ENTRY_BYTES_MAX } from "./entry.ts";
export {
  showProof,
  verifyInclusion,
  verifyProof,
  withholdEntry,
  type Proven,
  type ShownProof,
} from "./proof.ts";
export { LedgerReader } from "./reader.ts";
export { prunedFault, RANGES_AT_ONCE, RANGES_MAX, type Pruning, type Range } from "./pruned.ts";
export { LedgerSnapshot, renewProof } from "./snapshot.ts";
export { verifyLedger, type LedgerReport, type Problem, type VerifyOptions } from "./verify.ts";
