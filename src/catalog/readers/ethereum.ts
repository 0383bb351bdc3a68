/**
 * Ethereum's JSON-RPC: what the transaction of a call moves, and to whom. The entry says what its method
 * means; here are read the raw bytes of eth_sendRawTransaction and the object that a wallet is asked to sign.
 * What cannot be read has an unknown recipient and does all that a transaction can.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { shifted, type Amount } from "../amount.ts";
import type { Readable, Reading } from "../reader.ts";
import { readTransaction, type Transaction } from "./ethereum-transaction.ts";

/** Methods whose first parameter is a transaction's bytes, and those where it is an object. */
const RAW = new Set(["eth_sendRawTransaction", "eth_sendRawTransactionSync"]);
const OBJECT = new Set([
  "eth_sendTransaction",
  "eth_signTransaction",
  "personal_sendTransaction",
  "personal_signTransaction",
]);

const UNREAD: Reading = {
  effects: ["spend", "execute", "administer"],
  summary: "Send a transaction that cannot be read",
  impact: { recipients: ["unknown"] },
};

/** Leaves calls that carry no transaction as the entry says. */
export function readEthereum({ values }: Readable): Reading {
  const [method] = values("body.method");
  if (typeof method !== "string" || (!RAW.has(method) && !OBJECT.has(method))) return {};
  const [parameters] = values("body.params");
  const [first]: readonly unknown[] = Array.isArray(parameters) ? parameters : [];
  const transaction = RAW.has(method) ? rawOf(first) : objectOf(first);
  return transaction === undefined ? UNREAD : readingOf(transaction, method);
}

function rawOf(value: unknown): Transaction | undefined {
  return isHex(value) ? readTransaction(Buffer.from(value.slice(2), "hex")) : undefined;
}

/** The object form (execution-apis, GenericTransaction); names that it does not have make it unread. */
function objectOf(value: unknown): Transaction | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const {
    to,
    value: wei = "0x0",
    input,
    data,
    chainId,
    authorizationList,
    ...rest
  } = value as Record<string, unknown>;
  if (Object.keys(rest).some((name) => !PLAIN_NAMES.has(name))) return undefined;
  const bytes = input ?? data ?? "0x";
  if ((input !== undefined && data !== undefined && input !== data) || !isHex(bytes))
    return undefined;
  if (typeof wei !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(wei)) return undefined;
  const hasTo = to !== undefined && to !== null;
  if (hasTo && (typeof to !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(to))) return undefined;
  const isChain = typeof chainId === "string" && /^0x[0-9a-fA-F]{1,16}$/.test(chainId);
  if (chainId !== undefined && !isChain) return undefined;
  return {
    type: authorizationList === undefined ? 2 : 4,
    value: BigInt(wei),
    data: Buffer.from(bytes.slice(2), "hex"),
    ...(isChain ? { chain: BigInt(chainId) } : {}),
    ...(hasTo ? { to: to.toLowerCase() } : {}),
  };
}

const PLAIN_NAMES = new Set(
  "type nonce from gas gasPrice maxFeePerGas maxPriorityFeePerGas accessList".split(" "),
);

function isHex(value: unknown): value is string {
  return typeof value === "string" && /^0x(?:[0-9a-fA-F]{2})*$/.test(value);
}

function readingOf(transaction: Transaction, method: string): Reading {
  const { type, to, value, data, chain } = transaction;
  const call = tokenCallOf(data);
  const isPlain = data.length === 0 && to !== undefined;
  // EIP-7702: an account gives its authority to a contract.
  const effects: readonly Effect[] = [
    "spend",
    ...(isPlain || call?.isTransfer === true ? [] : (["execute"] as const)),
    ...(type === 4 || call?.isTransfer === false ? (["administer"] as const) : []),
  ];
  const native: Amount = { currency: currencyOf(chain), value: shifted(value.toString(), 18) };
  const token: Amount = { currency: to ?? "unknown", value: (call?.value ?? 0n).toString() };
  // Of money and a token at once neither alone is the amount.
  const amount = call === undefined ? native : value === 0n ? token : undefined;
  const recipients = [to ?? "a new contract", ...(call === undefined ? [] : [call.to])];
  const unread = isPlain || call !== undefined ? [] : ["unknown"];
  return {
    effects,
    summary: `${sentenceOf(transaction, call, amount)} (${method})`,
    impact: {
      recipients: [...new Set([...recipients, ...unread])],
      ...(amount === undefined ? {} : { amount }),
    },
    fields: {
      transaction: {
        type,
        to: to ?? null,
        value: `${native.value} ${native.currency}`,
        chain: chain?.toString() ?? null,
        data: `0x${Buffer.from(data).toString("hex").slice(0, 2000)}`,
      },
    },
  };
}

function sentenceOf(
  { to }: Transaction,
  call: TokenCall | undefined,
  amount: Amount | undefined,
): string {
  const money = amount === undefined ? "money and tokens" : `${amount.value} ${amount.currency}`;
  if (call !== undefined)
    return `${call.isTransfer ? "Move" : "Let be moved:"} ${money}, smallest units of a token, ${call.isTransfer ? "to" : "by"} ${call.to}`;
  return to === undefined ? `Make a contract with ${money}` : `Move ${money} to ${to}`;
}

interface TokenCall {
  readonly to: string;
  readonly value: bigint;
  /** `false`: an allowance. */
  readonly isTransfer: boolean;
}

/** Calls of ERC-20 by their selectors: transfer, approve, transferFrom. */
function tokenCallOf(data: Uint8Array): TokenCall | undefined {
  const hex = Buffer.from(data).toString("hex");
  const [, selector, words] =
    /^(a9059cbb|095ea7b3|23b872dd)((?:[0-9a-f]{64}){2,3})$/.exec(hex) ?? [];
  if (selector === undefined || words === undefined) return undefined;
  const isFrom = selector === "23b872dd";
  if (words.length !== (isFrom ? 192 : 128)) return undefined;
  const address = isFrom ? words.slice(64, 128) : words.slice(0, 64);
  if (!address.startsWith("0".repeat(24))) return undefined;
  return {
    to: `0x${address.slice(24)}`,
    value: BigInt(`0x${words.slice(-64)}`),
    isTransfer: selector !== "095ea7b3",
  };
}

/** Chains whose own money is ether: the main one, and Optimism, Arbitrum and Base above it. */
const ETHER_CHAINS: ReadonlySet<bigint> = new Set([1n, 10n, 42_161n, 8453n]);

function currencyOf(chain: bigint | undefined): string {
  return chain === undefined || ETHER_CHAINS.has(chain) ? "ETH" : `money of chain ${chain}`;
}
