/**
 * Solana's JSON-RPC: what the transaction of a call moves, and to whom. A transaction is
 *
 *   count, signatures of 64 bytes; message: [0x80 | version], header of 3 bytes, count, accounts of 32 bytes,
 *   blockhash of 32 bytes, count, instructions (program index, count, account indices, count, data),
 *   and in version 0: count, address tables
 *
 * where a count is 1 to 3 bytes of 7 bits each. Source: solana.com/docs/core/transactions. Only transfers of
 * the system program are read; whatever else a program is asked makes the recipient unknown.
 *
 * @module
 */
import { shifted } from "../amount.ts";
import type { Readable, Reading } from "../reader.ts";

const TRANSACTION_BYTES_MAX = 1232; // A packet of IPv6, less its headers.
const SYSTEM = "11111111111111111111111111111111";
/** Programs that move nothing: fees and remarks. */
const HARMLESS = new Set([
  "ComputeBudget111111111111111111111111111111",
  "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
]);

const UNREAD: Reading = {
  effects: ["spend", "execute", "administer"],
  summary: "Send a transaction that cannot be read",
  impact: { recipients: ["unknown"] },
};

/** Leaves calls that carry no transaction as the entry says. */
export function readSolana({ values }: Readable): Reading {
  const [method] = values("body.method");
  if (method !== "sendTransaction") return {};
  const [parameters] = values("body.params");
  if (!Array.isArray(parameters)) return UNREAD;
  const [text, options] = parameters as readonly unknown[];
  const bytes = typeof text === "string" ? decode(text, encodingOf(options)) : undefined;
  const instructions = bytes && readInstructions(bytes);
  return instructions === undefined ? UNREAD : readingOf(instructions);
}

function encodingOf(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return "base58";
  return Object.hasOwn(options, "encoding") ? Reflect.get(options, "encoding") : "base58";
}

function decode(text: string, encoding: unknown): Uint8Array | undefined {
  if (text.length > TRANSACTION_BYTES_MAX * 2) return undefined;
  // The second is an old name of the first.
  if (encoding === "base58" || encoding === "binary") return fromBase58(text);
  const isBase64 =
    encoding === "base64" &&
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  return isBase64 ? Buffer.from(text, "base64") : undefined;
}

interface Instruction {
  readonly program: string;
  /** `undefined` stands for one that an address table names. */
  readonly accounts: readonly (string | undefined)[];
  readonly data: Uint8Array;
}

/** The instructions of a transaction; `undefined` where its bytes are none, or not all of it. */
function readInstructions(bytes: Uint8Array): readonly Instruction[] | undefined {
  if (bytes.length > TRANSACTION_BYTES_MAX) return undefined;
  const cursor = createCursor(bytes);
  cursor.take(cursor.count() * 64);
  const isVersioned = (cursor.peek() & 0x80) !== 0;
  if (isVersioned && cursor.byte() !== 0x80) return undefined;
  cursor.take(3);
  const accounts = Array.from({ length: cursor.count() }, () => toBase58(cursor.take(32)));
  cursor.take(32);
  const instructions = Array.from({ length: cursor.count() }, () => {
    const program = accounts[cursor.byte()];
    const named = [...cursor.take(cursor.count())].map((index) => accounts[index]);
    return { program: program ?? "unknown", accounts: named, data: cursor.take(cursor.count()) };
  });
  if (isVersioned) {
    const tables = cursor.count();
    for (let table = 0; table < tables; table += 1) {
      cursor.take(32);
      cursor.take(cursor.count());
      cursor.take(cursor.count());
    }
  }
  return cursor.isWholeAndDone() ? instructions : undefined;
}

interface Cursor {
  byte(): number;
  peek(): number;
  take(length: number): Uint8Array;
  count(): number;
  isWholeAndDone(): boolean;
}

/** Reads on; past the end it gives zeros and remembers. Counts are small there, so that loops end. */
function createCursor(bytes: Uint8Array): Cursor {
  let at = 0;
  let isBroken = false;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) isBroken = true;
    const taken = isBroken ? new Uint8Array(Math.min(length, 32)) : bytes.subarray(at, at + length);
    at += length;
    return taken;
  };
  const byte = (): number => take(1)[0] ?? 0;
  return {
    byte,
    take,
    peek: () => bytes[at] ?? 0,
    count() {
      let value = 0;
      for (const [index, shift] of [0, 7, 14].entries()) {
        const part = byte();
        value |= (part & 0x7f) << shift;
        if ((part & 0x80) === 0) {
          // Each number has one encoding: no empty last byte.
          if (part === 0 && index > 0) isBroken = true;
          break;
        }
        if (index === 2) isBroken = true;
      }
      if (value > bytes.length) isBroken = true;
      return isBroken ? 0 : value;
    },
    isWholeAndDone: () => !isBroken && at === bytes.length,
  };
}

function readingOf(instructions: readonly Instruction[]): Reading {
  const moves = instructions.filter(({ program }) => !HARMLESS.has(program)).map(transferOf);
  const transfers = moves.filter((move) => move !== undefined);
  const isRead = moves.length > 0 && transfers.length === moves.length;
  const lamports = transfers.reduce((sum, one) => sum + one.lamports, 0n);
  const recipients = [...new Set(transfers.map(({ to }) => to))];
  const value = shifted(lamports.toString(), 9);
  return {
    effects: isRead ? ["spend"] : ["spend", "execute"],
    summary: isRead
      ? `Move ${value} SOL to ${recipients.join(", ")}`
      : `Send a transaction with instructions to ${[...new Set(instructions.map(({ program }) => program))].join(", ")}`,
    impact: {
      recipients: isRead ? recipients : [...recipients, "unknown"],
      ...(isRead ? { amount: { currency: "SOL", value } } : {}),
    },
    fields: {
      instructions: instructions.map(({ program, accounts, data }) => ({
        program,
        accounts: accounts.map((account) => account ?? "of an address table"),
        data: Buffer.from(data).toString("hex"),
      })),
    },
  };
}

/** A transfer of the system program: a number of 4 bytes (2), lamports of 8, both little-endian. */
function transferOf({
  program,
  accounts,
  data,
}: Instruction): { readonly to: string; readonly lamports: bigint } | undefined {
  const to = accounts[1];
  if (program !== SYSTEM || data.length !== 12 || to === undefined) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return view.getUint32(0, true) === 2 ? { to, lamports: view.getBigUint64(4, true) } : undefined;
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Base 58 as Bitcoin writes it: each leading 1 is a zero byte. */
export function toBase58(bytes: Uint8Array): string {
  let rest = BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (; rest > 0n; rest /= 58n) text = (ALPHABET[Number(rest % 58n)] ?? "") + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}

function fromBase58(text: string): Uint8Array | undefined {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 58n + BigInt(digit);
  }
  const zeros = /^1*/.exec(text)?.[0].length ?? 0;
  const hex = value === 0n ? "" : value.toString(16);
  return Buffer.from("00".repeat(zeros) + (hex.length % 2 === 1 ? `0${hex}` : hex), "hex");
}
