/**
 * Address lists of mail headers (RFC 5322, 3.4), read so that no reader of them finds an address more:
 * what another could read differently is not read at all.
 *
 * @module
 */

const ADDRESS = /^[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+$/;
const ADDRESSES_MAX = 2000;

/** The addresses of `list`, their domains in lower case; `undefined` where it cannot be read for certain. */
export function readAddresses(list: string): readonly string[] | undefined {
  const entries = splitEntries(list);
  if (entries === undefined || entries.length > ADDRESSES_MAX) return undefined;
  const addresses: string[] = [];
  for (const { words, angle } of entries) {
    const address = (angle ?? words).trim();
    if (address === "" && angle === undefined) continue;
    // Decoders that decode before they split would find addresses in an encoded word (RFC 2047, 5).
    if (!ADDRESS.test(address) || address.includes("=?")) return undefined;
    const at = address.lastIndexOf("@");
    addresses.push(address.slice(0, at) + address.slice(at).toLowerCase());
  }
  return addresses;
}

/** Reports whether `list` has a group: a name of its own, with addresses or none behind a colon (RFC 5322, 3.4). */
export function hasGroup(list: string): boolean {
  return tokensOf(list)?.includes(":") ?? false;
}

interface Entry {
  /** Outside quotes, comments and brackets. */
  words: string;
  /** Within `<...>`. */
  angle?: string;
  isQuoted: boolean;
}

function splitEntries(list: string): readonly Entry[] | undefined {
  const entries: Entry[] = [];
  let entry: Entry = { words: "", isQuoted: false };
  const tokens = tokensOf(list);
  if (tokens === undefined) return undefined;
  for (const token of tokens) {
    if (token === "," || token === ";") {
      entries.push(entry);
      entry = { words: "", isQuoted: false };
    } else if (token === ":") {
      // The name of a group: its members follow, up to `;`.
      if (entry.angle !== undefined) return undefined;
      entry = { words: "", isQuoted: false };
    } else if (token.startsWith("<")) {
      if (entry.angle !== undefined) return undefined;
      entry.angle = token.slice(1, -1);
    } else if (token.startsWith('"')) entry.isQuoted = true;
    else if (entry.angle !== undefined && token.trim() !== "") return undefined;
    else entry.words += token;
  }
  entries.push(entry);
  // A quoted local part is nobody's honest address, and readers differ on it.
  const isOdd = entries.some((one) => one.isQuoted && one.angle === undefined);
  return isOdd ? undefined : entries;
}

/** Quoted strings, `<...>`, marks and what stands between; comments are left out. */
function tokensOf(list: string): readonly string[] | undefined {
  const token = /"(?:[^"\\\r\n]|\\[^\r\n])*"|<[^<>"()]*>|\((?:[^()\\]|\\.)*\)|[,;:]|[^",;:<>()]+/gy;
  const tokens: string[] = [];
  let at = 0;
  while (at < list.length) {
    token.lastIndex = at;
    const [found] = token.exec(list) ?? [];
    if (found === undefined) return undefined;
    at = token.lastIndex;
    if (!found.startsWith("(")) tokens.push(found);
  }
  return tokens;
}
