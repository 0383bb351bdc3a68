/**
 * Follows a direction of a TLS connection by its record headers, where nothing inside can be read: what
 * stops being TLS after its first message shows.
 *
 * @module
 */

/** Looks at one direction, chunk by chunk. */
export interface TlsRecordWatch {
  /** Says how `chunk` is not TLS, or `undefined` where it goes on as TLS. */
  push(chunk: Buffer): string | undefined;
}

const HEADER_BYTES = 5;
const CIPHERTEXT_BYTES_MAX = 16_384 + 2048; // RFC 5246, 6.2.3; RFC 8446 allows 256 only.

/**
 * Records: `type` u8 20 to 24, `version` u16 3.0 to 3.4, `length` u16, fragment (RFC 8446, 5.1;
 * RFC 6520 for 24).
 */
export function createTlsRecordWatch(): TlsRecordWatch {
  let header = Buffer.alloc(0);
  let left = 0; // Bytes of the present record's fragment that have not come yet.
  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (left > 0) {
          const taken = Math.min(left, chunk.length - at);
          left -= taken;
          at += taken;
          continue;
        }
        const more = chunk.subarray(at, at + HEADER_BYTES - header.length);
        header = Buffer.concat([header, more]);
        at += more.length;
        if (!couldBeHeader(header)) return "bytes that are no TLS record";
        if (header.length < HEADER_BYTES) return undefined;
        left = header.readUInt16BE(3);
        if (left > CIPHERTEXT_BYTES_MAX) return "a TLS record that is too long";
        header = Buffer.alloc(0);
      }
      return undefined;
    },
  };
}

function couldBeHeader(header: Buffer): boolean {
  const [type = 20, major = 3, minor = 0] = header;
  return type >= 20 && type <= 24 && major === 3 && minor <= 4;
}
