/**
 * Which JSON messages belong to a mining pool's protocol.
 *
 * Most methods say so by name. `login`, `submit` and `job` are ordinary words: they count only with a
 * wallet address, an algorithm list or a job's shape beside them, so that a language server, an MCP
 * tool or a JSON-RPC service with a `login` of its own is left alone (docs/decisions/0031).
 *
 * @module
 */
import { asRecord, parseJson, topLevelStrings } from "./json-scan.ts";

/** Which family of pool protocol a message belongs to. */
export type MiningDialect = "stratum-v1" | "stratum-v2" | "monero" | "ethereum" | "getwork";

/** A message of a mining pool's protocol. */
export interface MiningMessage {
  readonly dialect: MiningDialect;
  /** The protocol's own name for the message: "mining.subscribe", "login". */
  readonly method: string;
  /** One sentence for a person, without the peer's data. */
  readonly detail: string;
}

const METHODS: ReadonlyMap<string, MiningDialect> = new Map(
  (
    [
      // Bitcoin-style pools and, by the same names, Zcash, Kaspa, ... ; EthereumStratum 1 and 2.
      ["mining.subscribe", "stratum-v1"],
      ["mining.configure", "stratum-v1"],
      ["mining.authorize", "stratum-v1"],
      ["mining.extranonce.subscribe", "stratum-v1"],
      ["mining.submit", "stratum-v1"],
      ["mining.suggest_difficulty", "stratum-v1"],
      ["mining.suggest_target", "stratum-v1"],
      ["mining.hello", "stratum-v1"],
      ["mining.noop", "stratum-v1"],
      ["mining.get_transactions", "stratum-v1"],
      // The pool's side.
      ["mining.notify", "stratum-v1"],
      ["mining.set", "stratum-v1"],
      ["mining.set_difficulty", "stratum-v1"],
      ["mining.set_target", "stratum-v1"],
      ["mining.set_extranonce", "stratum-v1"],
      ["mining.set_version_mask", "stratum-v1"],
      // Ethereum proxies; the plain queries of a node (eth_blockNumber, eth_call) are not here.
      ["eth_submitLogin", "ethereum"],
      ["eth_getWork", "ethereum"],
      ["eth_submitWork", "ethereum"],
      ["eth_submitHashrate", "ethereum"],
      // Solo mining against a node, over HTTP.
      ["getwork", "getwork"],
      ["getblocktemplate", "getwork"],
      ["get_block_template", "getwork"],
      ["submitblock", "getwork"],
      ["submit_block", "getwork"],
    ] as const
  ).map(([method, dialect]) => [method, dialect]),
);

// A Monero address is 95 (106 integrated) base58 characters; pools append ".worker", "+difficulty".
const WALLET = /^[1-9A-HJ-NP-Za-km-z]{90}/;
const HASHING_BLOB = /^[0-9a-f]{100,}$/i; // A block header to hash: 76 bytes and more.
const TARGET = /^[0-9a-f]{8,64}$/i; // 4 bytes compact, up to 32 in full.
const NONCE = /^[0-9a-f]{8,16}$/i;
const HASH = /^[0-9a-f]{64}$/i;

/** What mining message the JSON value `text` is; an array is judged message by message. */
export function miningMessage(text: string): MiningMessage | undefined {
  for (const [key, method] of topLevelStrings(text)) {
    const dialect = key === "method" ? METHODS.get(method) : undefined;
    if (dialect !== undefined) return { dialect, method, detail: `JSON-RPC method ${method}` };
  }
  const value = parseJson(text);
  for (const item of Array.isArray(value) ? value : [value]) {
    const message = asRecord(item);
    const found = message && moneroMessage(message);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The Monero pool dialect (XMRig and its kin), whose names alone prove nothing. */
function moneroMessage(message: Readonly<Record<string, unknown>>): MiningMessage | undefined {
  const params = asRecord(message["params"]);
  if (params !== undefined && message["method"] === "login") {
    if (matches(WALLET, params["login"])) return monero("login", "a login by wallet address");
    if (typeof params["login"] === "string" && isTextList(params["algo"])) {
      return monero("login", "a login that offers mining algorithms");
    }
  }
  if (params !== undefined && message["method"] === "submit") {
    const share = matches(NONCE, params["nonce"]) && matches(HASH, params["result"]);
    if (share && typeof params["job_id"] === "string") return monero("submit", "a share");
  }
  if (message["method"] === "job" && isJob(params)) return monero("job", "a job pushed by a pool");
  if (isJob(asRecord(asRecord(message["result"])?.["job"]))) {
    return monero("login", "a pool's answer that carries a job");
  }
  return undefined;
}

function isJob(job: Readonly<Record<string, unknown>> | undefined): boolean {
  return (
    job !== undefined &&
    typeof job["job_id"] === "string" &&
    matches(HASHING_BLOB, job["blob"]) &&
    matches(TARGET, job["target"])
  );
}

function monero(method: string, what: string): MiningMessage {
  return { dialect: "monero", method, detail: `JSON-RPC ${method}: ${what}` };
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === "string" && pattern.test(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === "string");
}
