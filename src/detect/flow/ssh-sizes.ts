/**
 * How long SSH's encrypted messages are: sizes say what is asked for, since its first messages have fixed lengths.
 *
 * ```
 * packet = length u32, padding length u8, payload, padding (4 at least), tag
 * ```
 *
 * Everything before the tag is a multiple of the cipher's block; with an AEAD cipher or an encrypt-then-MAC tag
 * without the length (RFC 4253, 6; RFC 5647; OpenSSH's PROTOCOL and PROTOCOL.chacha20poly1305).
 *
 * @module
 */

/** Bytes on the wire of a message whose payload has so many. */
export type PacketBytes = (payloadBytes: number) => number;

export interface SshSizes {
  readonly client: PacketBytes;
  readonly server: PacketBytes;
  /** Identification strings, without their end. */
  readonly clientIdent: string;
  readonly serverIdent: string;
}

const KEXINIT = 20;
const COOKIE_BYTES = 16;
const LISTS = 8; // Key exchange, host key, ciphers, MACs and compression, of each direction.

/** What two sides agreed on in the clear; `undefined` where that was not seen, or hides sizes. */
export function readSshSizes(sent: Buffer, received: Buffer): SshSizes | undefined {
  const client = readOffer(sent);
  const server = readOffer(received);
  if (client === undefined || server === undefined) return undefined;
  // RFC 4253, 7.1: the first of the client's that the server has too.
  const [toServer, toClient, macUp, macDown, packUp, packDown] = [2, 3, 4, 5, 6, 7].map((n) =>
    client.lists[n]?.find((name) => server.lists[n]?.includes(name)),
  );
  if (packUp !== "none" && packUp !== undefined) return undefined;
  if (packDown !== "none" && packDown !== undefined) return undefined;
  const up = packetBytes(toServer, macUp);
  const down = packetBytes(toClient, macDown);
  if (up === undefined || down === undefined) return undefined;
  return { client: up, server: down, clientIdent: client.ident, serverIdent: server.ident };
}

function readOffer(bytes: Buffer): { ident: string; lists: readonly string[][] } | undefined {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd < 0 || lineEnd > 255) return undefined;
  const ident = bytes.toString("latin1", 0, lineEnd).trimEnd();
  const at = lineEnd + 1;
  if (!ident.startsWith("SSH-") || bytes.length < at + 6 || bytes[at + 5] !== KEXINIT)
    return undefined;
  let next = at + 6 + COOKIE_BYTES;
  const lists: string[][] = [];
  for (let n = 0; n < LISTS; n += 1) {
    if (next + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(next);
    next += 4 + length;
    if (next > bytes.length) return undefined;
    lists.push(bytes.toString("latin1", next - length, next).split(","));
  }
  return { ident, lists };
}

const AEAD_TAG_BYTES = 16;
const TAG_BYTES: ReadonlyMap<string, number> = new Map([
  ["hmac-md5", 16],
  ["hmac-sha1", 20],
  ["hmac-sha2-256", 32],
  ["hmac-sha2-512", 64],
  ["umac-64@openssh.com", 8],
  ["umac-128@openssh.com", 16],
]);

function packetBytes(cipher = "", mac = ""): PacketBytes | undefined {
  const isChacha = cipher.startsWith("chacha20-poly1305");
  if (isChacha || cipher.includes("gcm")) return sized(isChacha ? 8 : 16, AEAD_TAG_BYTES, false);
  const block = /^(?:aes|rijndael|twofish|serpent)/.test(cipher) ? 16 : 8;
  const isOutside = mac.includes("-etm");
  const tag = TAG_BYTES.get(mac.replace("-etm", "").replace(/^(hmac-.*)@openssh\.com$/, "$1"));
  return tag === undefined ? undefined : sized(block, tag, !isOutside);
}

function sized(block: number, tag: number, isLengthInside: boolean): PacketBytes {
  const inside = isLengthInside ? 4 : 0;
  return (payload) => {
    const needed = inside + 1 + payload + 4;
    return Math.ceil(needed / block) * block + 4 - inside + tag;
  };
}
