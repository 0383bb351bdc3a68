/**
 * What servers answer (draft-ietf-secsh-filexfer-02, section 7).
 *
 * @module
 */
import { Fields, sftpPacket, stringField, uint32Field } from "./frames.ts";
import { readSftpAttributes, SFTP, sftpAttributesField, type SftpAttributes } from "./request.ts";

export const STATUS = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  UNSUPPORTED: 8,
} as const;

/** An answer, as far as anybody here needs to know. */
export type SftpResponse = { readonly id: number } & (
  | { readonly kind: "status"; readonly code: number; readonly message: string }
  | { readonly kind: "handle"; readonly handle: string }
  | { readonly kind: "data"; readonly data: Buffer }
  /** The first name of the list. */
  | { readonly kind: "name"; readonly first: string | undefined; readonly count: number }
  | { readonly kind: "attrs"; readonly attributes: SftpAttributes | undefined }
  | { readonly kind: "extended" }
);

/** Reads the packet of an answer, from its type on; `undefined` where it is none. */
export function readSftpResponse(packet: Buffer): SftpResponse | undefined {
  const fields = new Fields(packet, 1);
  const id = fields.uint32();
  const response = readFields(packet[0] ?? 0, id, fields);
  return fields.isShort ? undefined : response;
}

function readFields(type: number, id: number, fields: Fields): SftpResponse | undefined {
  switch (type) {
    case SFTP.STATUS: {
      const code = fields.uint32();
      // Servers of old leave the message out.
      const message = new Fields(fields.rest(), 0).text() ?? "";
      return { id, kind: "status", code, message };
    }
    case SFTP.HANDLE:
      return { id, kind: "handle", handle: fields.bytes().toString("latin1") };
    case SFTP.DATA:
      return { id, kind: "data", data: fields.bytes() };
    case SFTP.NAME: {
      const count = fields.uint32();
      return { id, kind: "name", count, first: count === 0 ? undefined : fields.text() };
    }
    case SFTP.ATTRS:
      return { id, kind: "attrs", attributes: readSftpAttributes(fields) };
    case SFTP.EXTENDED_REPLY:
      return { id, kind: "extended" };
    default:
      return undefined;
  }
}

export function statusPacket(id: number, code: number, message: string): Buffer {
  return sftpPacket(
    SFTP.STATUS,
    uint32Field(id),
    uint32Field(code),
    stringField(message),
    stringField("en"),
  );
}

export function handlePacket(id: number, handle: string): Buffer {
  return sftpPacket(SFTP.HANDLE, uint32Field(id), stringField(Buffer.from(handle, "latin1")));
}

export function attrsPacket(id: number, attributes: SftpAttributes): Buffer {
  return sftpPacket(SFTP.ATTRS, uint32Field(id), sftpAttributesField(attributes));
}

/** VERSION 3 with these extensions. */
export function versionPacket(extensions: readonly (readonly [string, string])[]): Buffer {
  const pairs = extensions.flatMap(([name, data]) => [stringField(name), stringField(data)]);
  return sftpPacket(SFTP.VERSION, uint32Field(3), ...pairs);
}

export function initPacket(): Buffer {
  return sftpPacket(SFTP.INIT, uint32Field(3));
}

const EXTENSIONS_MAX = 64;

/** The version and extensions of a VERSION packet; `undefined` where it is none. */
export function readVersion(
  packet: Buffer,
): { readonly version: number; readonly extensions: ReadonlyMap<string, string> } | undefined {
  if (packet[0] !== SFTP.VERSION) return undefined;
  const fields = new Fields(packet, 1);
  const version = fields.uint32();
  const extensions = new Map<string, string>();
  while (!fields.isWhole && !fields.isShort && extensions.size < EXTENSIONS_MAX) {
    const [name, data] = [fields.text(), fields.text()];
    if (name !== undefined && data !== undefined) extensions.set(name, data);
  }
  return fields.isShort ? undefined : { version, extensions };
}
