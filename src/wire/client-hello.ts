/**
 * Reads a TLS ClientHello: which name the client wants, before a byte is answered.
 *
 * Strict where two readers could differ, since the TLS library that answers reads the same bytes: one
 * `host_name` or none, never an address, no NUL, no duplicate extension, nothing left over. Unknown and
 * GREASE values (RFC 8701) pass: they are ignored by everyone.
 *
 * @module
 */
import { isIP } from "node:net";

/** Longest ClientHello, in bytes: real ones have 200 to 2,000 with post-quantum key shares. */
export const CLIENT_HELLO_BYTES_MAX = 16_384;
/** Most records that one may be cut into. OpenSSL cuts at 512 bytes or more. */
export const CLIENT_HELLO_RECORDS_MAX = 64;

const RECORD_HEADER_BYTES = 5;
const RECORD_BYTES_MAX = 16_384; // RFC 8446, 5.1.
const HANDSHAKE_HEADER_BYTES = 4;

const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const EXTENSION_SUPPORTED_VERSIONS = 43;
const EXTENSION_ECH = 0xfe0d; // RFC 9849; browsers also send a meaningless one (GREASE).
const EXTENSION_ESNI = 0xffce; // Its draft predecessor.

/** What a ClientHello asks for. */
export interface ClientHello {
  readonly status: "ok";
  /** The one `host_name`, lower case, without trailing dot; absent where none was sent. */
  readonly serverName?: string;
  /** Application protocols in the client's order; bytes outside ASCII as Latin-1. */
  readonly alpn: readonly string[];
  /** Whether an encrypted ClientHello (or a GREASE one: nobody can tell) is inside. */
  readonly ech: boolean;
  /** Versions offered, without GREASE: 0x0303 is TLS 1.2, 0x0304 is 1.3. */
  readonly versions: readonly number[];
}

/** `more` waits for bytes; `bad` says why, without the peer's data. */
export type ClientHelloResult =
  | ClientHello
  | { readonly status: "more" }
  | { readonly status: "bad"; readonly why: string };

/** Why a hello is refused. Thrown inside this file only. */
class BadHello extends Error {}

/** Says that the reader ran out of bytes of a length that it was given. */
const SHORT = "a length does not fit";

/**
 * Reads the ClientHello at the start of `bytes`, a client's stream so far. What follows its last record
 * (early data) is not looked at.
 */
export function parseClientHello(bytes: Uint8Array): ClientHelloResult {
  try {
    const message = reassemble(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    return message === undefined ? { status: "more" } : readHello(new Reader(message));
  } catch (error) {
    if (error instanceof BadHello) return { status: "bad", why: error.message };
    throw error;
  }
}

/**
 * The handshake message's body, from `type` u8 22, `version` u16, `length` u16, fragment, ...: the
 * fragments together are `msg_type` u8 1, `length` u24, body. `undefined` where bytes are missing.
 */
function reassemble(bytes: Buffer): Buffer | undefined {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let needed = HANDSHAKE_HEADER_BYTES;
  let at = 0;
  for (let records = 0; records < CLIENT_HELLO_RECORDS_MAX; records += 1) {
    const length = readRecordHeader(bytes, at);
    if (length === undefined) return undefined;
    at += RECORD_HEADER_BYTES;
    const fragment = bytes.subarray(at, at + length);
    fragments.push(fragment);
    gathered += fragment.length;
    at += length;
    const head =
      fragment.length >= HANDSHAKE_HEADER_BYTES && records === 0
        ? fragment
        : Buffer.concat(fragments.slice(0, HANDSHAKE_HEADER_BYTES), HANDSHAKE_HEADER_BYTES);
    if (gathered > 0 && head[0] !== 1) throw new BadHello("not a ClientHello");
    if (gathered >= HANDSHAKE_HEADER_BYTES) {
      needed = HANDSHAKE_HEADER_BYTES + head.readUIntBE(1, 3);
      if (needed > CLIENT_HELLO_BYTES_MAX) throw new BadHello("the ClientHello is too long");
    }
    if (gathered > needed) throw new BadHello("a second message in the ClientHello's records");
    if (fragment.length < length) return undefined;
    if (gathered === needed && gathered > HANDSHAKE_HEADER_BYTES) {
      const whole = fragments.length === 1 ? fragment : Buffer.concat(fragments, gathered);
      return whole.subarray(HANDSHAKE_HEADER_BYTES);
    }
  }
  throw new BadHello("the ClientHello is cut into too many records");
}

/** The length of the record at `at`; `undefined` where its header is not complete but could be right. */
function readRecordHeader(bytes: Buffer, at: number): number | undefined {
  const right = (bytes[at] ?? 22) === 22 && (bytes[at + 1] ?? 3) === 3 && (bytes[at + 2] ?? 0) <= 4;
  if (!right) throw new BadHello("not a TLS handshake record");
  const high = bytes[at + 3];
  const low = bytes[at + 4];
  if (high === undefined || low === undefined) return undefined;
  const length = high * 256 + low;
  if (length === 0 || length > RECORD_BYTES_MAX) throw new BadHello("a record of illegal length");
  return length;
}

/** Takes bytes from the front; never reads past the end. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** Passes over so many bytes; returns where they begin. */
  #pass(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new BadHello(SHORT);
    this.#at = at + length;
    return at;
  }

  skip(length: number): void {
    this.#pass(length);
  }

  /** An unsigned integer of `width` bytes, big endian. */
  number(width: number): number {
    const at = this.#pass(width);
    let value = 0;
    for (let n = at; n < at + width; n += 1) value = value * 256 + (this.#bytes[n] ?? 0);
    return value;
  }

  /** A vector: a length of `width` bytes between `min` and `max`, then so many bytes. */
  vector(width: number, min: number, max: number): Reader {
    const length = this.number(width);
    if (length < min || length > max) throw new BadHello(SHORT);
    const at = this.#pass(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** All that is left, as Latin-1. */
  text(): string {
    const at = this.#pass(this.left);
    return this.#bytes.toString("latin1", at, this.#end);
  }

  /** Whether `byte` is in what is left. */
  has(byte: number): boolean {
    const found = this.#bytes.indexOf(byte, this.#at);
    return found >= 0 && found < this.#end;
  }
}

// RFC 8446, 4.1.2: legacy_version u16, random 32, session_id <0..32>, cipher_suites <2..2^16-2>,
// legacy_compression_methods <1..2^8-1>, extensions <8..2^16-1>, which TLS 1.2 may leave out.
function readHello(reader: Reader): ClientHello {
  const legacyVersion = reader.number(2);
  if (legacyVersion < 0x0300 || legacyVersion > 0x0304) throw new BadHello("an unknown version");
  reader.skip(32);
  reader.vector(1, 0, 32);
  if (reader.vector(2, 2, 0xfffe).left % 2 !== 0) throw new BadHello(SHORT);
  if (!reader.vector(1, 1, 255).has(0)) throw new BadHello("compression is demanded");
  const extensions = reader.left === 0 ? new Map<number, Reader>() : readExtensions(reader);
  if (reader.left > 0) throw new BadHello("bytes after the extensions");
  const names = extensions.get(EXTENSION_SERVER_NAME);
  const protocols = extensions.get(EXTENSION_ALPN);
  const versions = extensions.get(EXTENSION_SUPPORTED_VERSIONS);
  return {
    status: "ok",
    ...(names === undefined ? {} : { serverName: readServerName(names) }),
    alpn: protocols === undefined ? [] : readProtocols(protocols),
    ech: extensions.has(EXTENSION_ECH) || extensions.has(EXTENSION_ESNI),
    versions: versions === undefined ? [legacyVersion] : readVersions(versions),
  };
}

function readExtensions(reader: Reader): Map<number, Reader> {
  const list = reader.vector(2, 0, 0xffff);
  const extensions = new Map<number, Reader>();
  while (list.left > 0) {
    const type = list.number(2);
    if (extensions.has(type)) throw new BadHello("an extension stands twice"); // RFC 8446, 4.2.
    extensions.set(type, list.vector(2, 0, 0xffff));
  }
  return extensions;
}

// One label after another: the characters of a host name, and "_", which names in use have.
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/;
const ALL_DIGITS_LAST = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/; // Some resolvers take these for addresses.

// RFC 6066, 3: server_name_list <1..2^16-1> of name_type u8 (0 host_name), HostName <1..2^16-1>.
function readServerName(extension: Reader): string {
  const list = extension.vector(2, 1, 0xffff);
  if (list.number(1) !== 0) throw new BadHello("a server name that is no host name");
  const name = list.vector(2, 1, 0xffff).text().toLowerCase();
  if (list.left > 0 || extension.left > 0) throw new BadHello("more than one server name");
  if (ALL_DIGITS_LAST.test(name) || (name.includes(":") && isIP(name) !== 0)) {
    throw new BadHello("the server name is an address");
  }
  if (!HOST_NAME.test(name)) throw new BadHello("the server name is no host name");
  return name;
}

// RFC 7301, 3.1: protocol_name_list <2..2^16-1> of ProtocolName <1..2^8-1>.
function readProtocols(extension: Reader): readonly string[] {
  const list = extension.vector(2, 2, 0xffff);
  if (extension.left > 0) throw new BadHello(SHORT);
  const protocols: string[] = [];
  while (list.left > 0) {
    protocols.push(list.vector(1, 1, 255).text());
  }
  return protocols;
}

// RFC 8446, 4.2.1: versions <2..254> of u16.
function readVersions(extension: Reader): readonly number[] {
  const list = extension.vector(1, 2, 254);
  if (extension.left > 0 || list.left % 2 !== 0) throw new BadHello(SHORT);
  const versions: number[] = [];
  while (list.left > 0) versions.push(list.number(2));
  return versions.filter((version) => (version & 0x0f0f) !== 0x0a0a); // GREASE, RFC 8701.
}
