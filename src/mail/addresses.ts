/**
 * Address lists of mail headers (RFC 5322, 3.4), read so that no reader of them finds an address more:
 * what another could read differently is not read at all.
 *
 * @module
 */

const ADDRESS = /^[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+$/;
const ODD_DOTS = /(^|@)\.|\.(@|$)|\.\./;
const ADDRESSES_MAX = 2000;

/** The addresses of `list`, their domains in lower case; `undefined` where it cannot be read for certain. */
export function readAddresses(list: string): readonly string[] | undefined {
  const entries = splitEntries(list);
  if (entries === undefined || entries.length > ADDRESSES_MAX) return undefined;
  const addresses: string[] = [];
  for (const entry of entries) {
    const { words, angle, isQuoted } = entry;
    if (isEmpty(entry)) continue;
    const address = (angle ?? words).trim();
    // A quoted local part is nobody's honest address, and readers differ on it.
    if (angle === undefined ? isQuoted : !isName(entry, address)) return undefined;
    // Decoders that decode before they split would find addresses in an encoded word (RFC 2047, 5).
    if (!ADDRESS.test(address) || ODD_DOTS.test(address) || address.includes("=?"))
      return undefined;
    const at = address.lastIndexOf("@");
    addresses.push(address.slice(0, at) + address.slice(at).toLowerCase());
  }
  return addresses;
}

/**
 * Whether what stands before `address` in its brackets is a name and nothing else: some readers take an address
 * there for the one that counts. An address as its own name is one that programs write.
 */
function isName({ words, isQuoted }: Entry, address: string): boolean {
  const name = words.trim();
  if (name.startsWith(".")) return false;
  return !/[@[\]\\]/.test(name) || (name === address && !isQuoted);
}

function isEmpty({ words, angle, isQuoted }: Entry): boolean {
  return words.trim() === "" && angle === undefined && !isQuoted;
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
  /** It is what stands between the `;` of a group and the next comma: nothing. */
  isGroupEnd?: true;
}

/** Entries between commas; those of groups among the others. */
function splitEntries(list: string): readonly Entry[] | undefined {
  const tokens = tokensOf(list);
  if (tokens === undefined) return undefined;
  const entries: Entry[] = [];
  let entry: Entry = { words: "", isQuoted: false };
  let isGroup = false;
  const next = () => {
    entries.push(entry);
    entry = { words: "", isQuoted: false };
  };
  for (const token of tokens) {
    if (token === ",") next();
    else if (token === ":") {
      // The name of a group, of which the members follow up to `;`: it is not empty, and no address.
      const isNamed = entry.isQuoted || entry.words.trim() !== "";
      if (isGroup || !isNamed || entry.angle !== undefined || !isName(entry, "")) return undefined;
      isGroup = true;
      entry = { words: "", isQuoted: false };
    } else if (token === ";") {
      if (!isGroup) return undefined;
      isGroup = false;
      next();
      // Behind a group comes a comma, or nothing.
      entry.isGroupEnd = true;
    } else if (entry.angle !== undefined || entry.isGroupEnd) {
      if (token.trim() !== "") return undefined;
    } else if (token.startsWith("<")) entry.angle = token.slice(1, -1);
    else if (token.startsWith('"')) entry.isQuoted = true;
    else entry.words += token;
  }
  entries.push(entry);
  return isGroup ? undefined : entries.filter(({ isGroupEnd }) => isGroupEnd !== true);
}

/** Quoted strings, `<...>`, marks and what stands between; blanks for comments. */
function tokensOf(list: string): readonly string[] | undefined {
  const token = /"(?:[^"\\\r\n]|\\[^\r\n])*"|<[^<>"()]*>|\((?:[^()\\]|\\.)*\)|[,;:]|[^",;:<>()]+/gy;
  const tokens: string[] = [];
  let at = 0;
  while (at < list.length) {
    token.lastIndex = at;
    const [found] = token.exec(list) ?? [];
    if (found === undefined) return undefined;
    at = token.lastIndex;
    // A comment parts words as a blank does.
    tokens.push(found.startsWith("(") ? " " : found);
  }
  return tokens;
}
