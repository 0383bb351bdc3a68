/**
 * What a text is once the usual encodings are taken off: percent signs, hexadecimal, base64 in both alphabets and with line
 * ends, gzip and zlib; one inside of another, too.
 *
 * Linear in the text: each layer is looked through once, layers are at most {@link DEPTH_MAX} deep, and all of them together
 * {@link LAYERS_BYTES_MAX} long. Texts are bytes, a character each (Latin-1).
 *
 * @module
 */
import { constants, gunzipSync, inflateSync } from "node:zlib";

const DEPTH_MAX = 4;
const LAYERS_BYTES_MAX = 1 << 20;
/** Of what is compressed only the start is taken, so a bomb costs no more. */
const INFLATED_BYTES_MAX = 256 << 10;
/** In shorter runs of base64 or hexadecimal no secret has room: 24 characters are 18 bytes. */
const RUN = /[\w+/-]{24,}/g;
const HEX = /^[\da-f]+$/i;
/** Lines of base64 as MIME and `base64` write them. */
const LINE_END = /(?<=[\w+/]{40}\r?)\n(?=[\w+/])/;
const SAMPLE_CHARS = 64;
const TEXT_SHARE = 0.75;

/** One layer: what it says, and whether that is a text that may have others in it. */
export interface Layer {
  readonly text: string;
  readonly isText: boolean;
}

/** Every layer within `text`, outermost first, without `text` itself. */
export function layersOf(text: string): readonly Layer[] {
  const found: Layer[] = [];
  let level: readonly string[] = [text];
  let left = LAYERS_BYTES_MAX;
  for (let depth = 0; depth < DEPTH_MAX && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const outer of level) {
      for (const layer of peel(outer)) {
        left -= layer.text.length;
        if (left < 0) return found;
        found.push(layer);
        if (layer.isText) next.push(layer.text);
      }
    }
    level = next;
  }
  return found;
}

function* peel(text: string): Iterable<Layer> {
  if (text.includes("%")) {
    const decoded = percentDecoded(text);
    if (decoded !== text) yield { text: decoded, isText: true };
  }
  const inflated = inflate(text);
  if (inflated !== undefined) yield { text: inflated, isText: true };
  if (LINE_END.test(text)) yield { text: text.replaceAll(/\r?\n(?!\r?\n)/g, ""), isText: true };
  for (const [run] of text.matchAll(RUN)) {
    if (HEX.test(run)) yield layerOf(Buffer.from(run, "hex"));
    yield layerOf(Buffer.from(run, "base64"));
    // It begins behind a word, or where somebody cut it: at one of four places it is a text again.
    for (let at = 1; at < 4; at += 1) {
      if (isWorth(Buffer.from(run.slice(at, at + SAMPLE_CHARS), "base64")))
        yield layerOf(Buffer.from(run.slice(at), "base64"));
    }
  }
}

/** Whether the start of something is text, or packed. */
function isWorth(start: Buffer): boolean {
  return isPacked(start) || isMostlyText(start);
}

function layerOf(bytes: Buffer): Layer {
  return { text: bytes.toString("latin1"), isText: isWorth(bytes) };
}

function isPacked(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x1f && bytes[1] === 0x8b) || isZlib(bytes[0], bytes[1]);
}

function isMostlyText(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, SAMPLE_CHARS);
  let printed = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if ((byte >= 0x20 && byte < 0x7f) || byte === 0x0a) printed += 1;
  }
  return printed >= length * TEXT_SHARE;
}

/** RFC 1950, 2.2: deflate in a window of 32 KiB, and a check over both bytes. */
function isZlib(first = 0, second = 0): boolean {
  return first === 0x78 && ((first << 8) | second) % 31 === 0;
}

/** What gzip or zlib packed, as far as its start goes; nothing where it is neither. */
function inflate(text: string): string | undefined {
  const isGzip = text.startsWith("\x1f\x8b");
  if (!isGzip && !isZlib(text.charCodeAt(0), text.charCodeAt(1))) return undefined;
  const packed = Buffer.from(text, "latin1");
  // What is cut is read as far as it goes.
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: INFLATED_BYTES_MAX };
  try {
    return (isGzip ? gunzipSync : inflateSync)(packed, options).toString("latin1");
  } catch {
    return undefined; // None, or more than anybody asks for in a question.
  }
}

/** As a server reads it; as it stands where that is not to be read. */
export function percentDecoded(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
