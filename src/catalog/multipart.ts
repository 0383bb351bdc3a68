/**
 * multipart/form-data (RFC 7578), in the one spelling that all its readers agree on. What a lenient reader
 * would still take (a bare line feed, a field name in another charset, a second Content-Disposition, text
 * before the first boundary) is refused: which parts there are must not depend on who reads.
 *
 * @module
 */

/** One part. */
export interface Part {
  readonly name: string;
  /** Set for a file. */
  readonly filename?: string;
  readonly contentType?: string;
  readonly bytes: Uint8Array;
}

const PARAMETER = /^([A-Za-z]+)=("[^"\\]*"|[^"\s]+)$/;
const PARTS_MAX = 200;
const HEAD_BYTES_MAX = 2048;
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=?]{1,70}$/; // RFC 2046, 5.1.1, less the space.
// The escapes are those that browsers write (WHATWG HTML, 4.10.22.8); others would hide a name.
const DISPOSITION =
  /^form-data; name="((?:[^"\\\r\n%]|%(?:22|0D|0A))*)"(?:; filename="([^"\\\r\n]*)")?$/;

/** The parts of `body`; `undefined` where it is not in that spelling. `parameters` are the media type's. */
export function readMultipart(body: Uint8Array, parameters: string): readonly Part[] | undefined {
  const boundary = boundaryOf(parameters);
  if (boundary === undefined) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const mark = Buffer.from(`--${boundary}`);
  if (!bytes.subarray(0, mark.length).equals(mark)) return undefined;
  const parts: Part[] = [];
  let at = mark.length;
  for (;;) {
    if (isEnd(bytes, at)) return parts;
    if (parts.length === PARTS_MAX || bytes.toString("latin1", at, at + 2) !== "\r\n")
      return undefined;
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    if (headEnd < 0 || headEnd - at > HEAD_BYTES_MAX) return undefined;
    // The first mark ends the part. Behind anything but a line end of its own, readers differ on that.
    const next = bytes.indexOf(mark, headEnd) - 2;
    if (next < headEnd + 4 || bytes.toString("latin1", next, next + 2) !== "\r\n") return undefined;
    const part = readPart(bytes.toString("utf8", at + 2, headEnd));
    if (part === undefined) return undefined;
    parts.push({ ...part, bytes: bytes.subarray(headEnd + 4, next) });
    at = next + 2 + mark.length;
  }
}

function boundaryOf(parameters: string): string | undefined {
  let boundary: string | undefined;
  for (const parameter of parameters.split(";")) {
    const [, name = "", value = ""] = PARAMETER.exec(parameter.trim()) ?? [];
    // Twice, split up (RFC 2231: `boundary*0`), or not understood: readers differ on which one counts.
    if (name.toLowerCase() !== "boundary") {
      if (name.toLowerCase() !== "charset") return undefined;
    } else if (boundary === undefined) boundary = value.replace(/^"(.*)"$/, "$1");
    else return undefined;
  }
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : undefined;
}

function isEnd(bytes: Buffer, at: number): boolean {
  const rest = bytes.toString("latin1", at, at + 5);
  return rest === "--" || rest === "--\r\n";
}

function readPart(head: string): Omit<Part, "bytes"> | undefined {
  let disposition: RegExpExecArray | null = null;
  let contentType: string | undefined;
  for (const line of head.split("\r\n")) {
    const [, name = "", value = ""] = /^([A-Za-z-]+): ?(.*)$/.exec(line) ?? [];
    const field = name.toLowerCase();
    if (/[\r\n\0\ufffd]/.test(line)) return undefined;
    if (field === "content-disposition" && disposition === null) {
      disposition = DISPOSITION.exec(value);
      if (disposition === null) return undefined;
    } else if (field === "content-type" && contentType === undefined) contentType = value;
    // Any other field could change what the part is (Content-Transfer-Encoding), or stands twice.
    else if (field !== "content-length") return undefined;
  }
  if (disposition === null) return undefined;
  const [, name = "", filename] = disposition;
  return {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}
