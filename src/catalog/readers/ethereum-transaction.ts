/**
 * A signed Ethereum transaction: what it moves, and to whom. Layouts, each an RLP list:
 *
 *   legacy     [nonce, gasPrice, gas, to, value, data, v, r, s]; v says the chain (EIP-155)
 *   1 EIP-2930 [chain, nonce, gasPrice, gas, to, value, data, access, y, r, s]
 *   2 EIP-1559 [chain, nonce, tip, fee, gas, to, value, data, access, y, r, s]
 *   3 EIP-4844 [chain, nonce, tip, fee, gas, to, value, data, access, blobFee, blobs, y, r, s], on the network
 *              within a list with blobs, commitments and proofs
 *   4 EIP-7702 [chain, nonce, tip, fee, gas, to, value, data, access, authorizations, y, r, s]
 *
 * @module
 */
import { readRlp, type Rlp } from "./rlp.ts";

/** What a transaction does. `to` is absent where it makes a contract. Addresses are lower-case hex. */
export interface Transaction {
  readonly type: 0 | 1 | 2 | 3 | 4;
  readonly chain?: bigint;
  readonly to?: string;
  /** In wei. */
  readonly value: bigint;
  readonly data: Uint8Array;
}

/** Fields of each type, and where `to`, `value` and `data` begin. */
const LAYOUTS = [
  { fields: 9, to: 3 },
  { fields: 11, to: 4 },
  { fields: 12, to: 5 },
  { fields: 14, to: 5 },
  { fields: 13, to: 5 },
] as const;

/** Reads `bytes` as sent with eth_sendRawTransaction; `undefined` where they are none of these. */
export function readTransaction(bytes: Uint8Array): Transaction | undefined {
  const [first = 0] = bytes;
  const type = first >= 0xc0 ? 0 : first;
  if (type !== 0 && type !== 1 && type !== 2 && type !== 3 && type !== 4) return undefined;
  if (type === 0 && first < 0xc0) return undefined;
  let fields = readRlp(type === 0 ? bytes : bytes.subarray(1));
  if (type === 3 && Array.isArray(fields) && Array.isArray(fields[0])) fields = fields[0];
  const layout = LAYOUTS[type];
  if (!isList(fields) || fields.length !== layout.fields) return undefined;
  const [to, value, data] = fields.slice(layout.to, layout.to + 3);
  const chain = type === 0 ? chainOf(fields[6]) : integerOf(fields[0]);
  const wei = integerOf(value);
  if (isList(to) || isList(data) || wei === undefined || to === undefined || data === undefined)
    return undefined;
  // Blobs and authorizations need an address to go to.
  if (to.length !== 20 && (to.length !== 0 || type > 2)) return undefined;
  return {
    type,
    value: wei,
    data,
    ...(chain === undefined ? {} : { chain }),
    ...(to.length === 0 ? {} : { to: `0x${Buffer.from(to).toString("hex")}` }),
  };
}

function isList(value: Rlp | undefined): value is readonly Rlp[] {
  return Array.isArray(value);
}

function integerOf(value: Rlp | undefined): bigint | undefined {
  if (value === undefined || isList(value) || value.length > 32 || value[0] === 0) return undefined;
  return value.length === 0 ? 0n : BigInt(`0x${Buffer.from(value).toString("hex")}`);
}

/** 35 or 36 and twice the chain; 27 and 28 are of every chain. */
function chainOf(v: Rlp | undefined): bigint | undefined {
  const number = integerOf(v);
  return number === undefined || number < 35n ? undefined : (number - 35n) / 2n;
}
