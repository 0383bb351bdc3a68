/**
 * A bound portal as an operation, and what is said of one that a person decided over.
 *
 * @module
 */
import type { postgres } from "../../../protocols/index.ts";
import { BodyReader, HEADER_BYTES, message, R } from "./frames.ts";
import type { Portal } from "./statements.ts";

/** The operation of a portal: the text, and what its Bind gives. */
export function operationOf(
  { prepared, bind }: Portal,
  types: readonly number[],
): postgres.PostgresOperation {
  const body = new BodyReader(bind);
  body.text();
  body.text();
  const formats = body.list(() => body.int16());
  let at = 0;
  const parameters = body.list(() => {
    const format = formats.length === 1 ? formats[0] : formats[at];
    at += 1;
    const length = body.int32();
    if (length < 0) return null;
    const bytes = body.bytes(length);
    const text = bytes.toString("utf8");
    return (format ?? 0) === 0 && Buffer.from(text).equals(bytes)
      ? text
      : { base64: bytes.toString("base64") };
  });
  const results = body.list(() => body.int16());
  body.end();
  return {
    sql: prepared.sql,
    ...(types.some((one) => one !== 0) ? { types: [...types] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(results.some((one) => one !== 0) ? { results } : {}),
  };
}

/** Without the description of its rows, where nobody asked for one. */
export function describedOnly(frames: Buffer, isDescribed: boolean): Buffer {
  const hasOne = frames[0] === R.rowDescription;
  if (!isDescribed) return hasOne ? frames.subarray(1 + frames.readUInt32BE(1)) : frames;
  return hasOne ? frames : Buffer.concat([message(R.noData), frames]);
}

export function endsInError(frames: Buffer): boolean {
  for (let at = 0; at + HEADER_BYTES <= frames.length; at += 1 + frames.readUInt32BE(at + 1)) {
    if (frames[at] === R.error) return true;
  }
  return false;
}
