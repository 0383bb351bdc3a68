/**
 * What clients ask (draft-ietf-secsh-filexfer-02, section 6; extensions: OpenSSH PROTOCOL, section 4).
 *
 * @module
 */
import { Fields, sftpPacket, stringField, uint32Field, uint64Field } from "./frames.ts";

export const SFTP = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

export const OPEN_FLAG = { READ: 1, WRITE: 2, APPEND: 4, CREAT: 8, TRUNC: 16, EXCL: 32 } as const;

/** Attributes that are set; times in seconds. */
export interface SftpAttributes {
  readonly size?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly mode?: number | undefined;
  readonly atime?: number | undefined;
  readonly mtime?: number | undefined;
}

interface OnPath {
  readonly path: string;
}

interface OnHandle {
  readonly handle: string;
}

interface Setting {
  readonly attributes: SftpAttributes;
}

interface Kinds {
  open: OnPath & Setting & { readonly flags: number };
  close: OnHandle;
  fstat: OnHandle;
  readdir: OnHandle;
  read: OnHandle & { readonly offset: bigint; readonly length: number };
  write: OnHandle & { readonly offset: bigint; readonly data: Buffer };
  lstat: OnPath;
  stat: OnPath;
  opendir: OnPath;
  remove: OnPath;
  rmdir: OnPath;
  realpath: OnPath;
  readlink: OnPath;
  mkdir: OnPath & Setting;
  setstat: OnPath & Setting;
  lsetstat: OnPath & Setting;
  fsetstat: OnHandle & Setting;
  /** `isReplacing`: what is there at `to` is replaced (posix-rename). */
  rename: OnPath & { readonly to: string; readonly isReplacing: boolean };
  /** `path` is the link, `to` what it points to. */
  symlink: OnPath & { readonly to: string };
  /** `path` is what there is, `to` its second name. */
  hardlink: OnPath & { readonly to: string };
  statvfs: OnPath;
  "expand-path": OnPath;
  fstatvfs: OnHandle;
  fsync: OnHandle;
  limits: object;
  /** An extension that is not understood. */
  extended: { readonly name: string };
}

/** A request of one of these kinds, without its number. */
export type SftpAsk<Kind extends keyof Kinds = keyof Kinds> = {
  [One in Kind]: { readonly kind: One } & Kinds[One];
}[Kind];

/** A request. Paths are as the client wrote them; handles are opaque bytes, here as latin1 text. */
export type SftpRequest<Kind extends keyof Kinds = keyof Kinds> = {
  [One in Kind]: { readonly id: number; readonly kind: One } & Kinds[One];
}[Kind];

/** Extensions of OpenSSH that are understood here, with the version that is. */
export const SFTP_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ["posix-rename@openssh.com", "1"],
  ["hardlink@openssh.com", "1"],
  ["statvfs@openssh.com", "2"],
  ["fstatvfs@openssh.com", "2"],
  ["fsync@openssh.com", "1"],
  ["lsetstat@openssh.com", "1"],
  ["limits@openssh.com", "1"],
  ["expand-path@openssh.com", "1"],
]);

const PATHS: ReadonlyMap<number, SftpRequest["kind"]> = new Map([
  [SFTP.LSTAT, "lstat"],
  [SFTP.STAT, "stat"],
  [SFTP.OPENDIR, "opendir"],
  [SFTP.REMOVE, "remove"],
  [SFTP.RMDIR, "rmdir"],
  [SFTP.REALPATH, "realpath"],
  [SFTP.READLINK, "readlink"],
] as const);

const HANDLES: ReadonlyMap<number, SftpRequest["kind"]> = new Map([
  [SFTP.CLOSE, "close"],
  [SFTP.FSTAT, "fstat"],
  [SFTP.READDIR, "readdir"],
] as const);

/** Reads the packet of a request, from its type on; `undefined` where it is none. */
export function readSftpRequest(packet: Buffer): SftpRequest | undefined {
  const type = packet[0] ?? 0;
  const fields = new Fields(packet, 1);
  const id = fields.uint32();
  const request = readFields(type, id, fields);
  return request !== undefined && fields.isWhole ? request : undefined;
}

function readFields(type: number, id: number, fields: Fields): SftpRequest | undefined {
  const byPath = PATHS.get(type);
  if (byPath !== undefined) {
    const path = fields.text();
    return path === undefined ? undefined : ({ id, kind: byPath, path } as SftpRequest);
  }
  const byHandle = HANDLES.get(type);
  if (byHandle !== undefined) {
    return { id, kind: byHandle, handle: handleOf(fields) } as SftpRequest;
  }
  switch (type) {
    case SFTP.OPEN: {
      const path = fields.text();
      const flags = fields.uint32();
      const attributes = readSftpAttributes(fields);
      if (path === undefined || attributes === undefined || flags > 0x3f) return undefined;
      return { id, kind: "open", path, flags, attributes };
    }
    case SFTP.READ:
      return {
        id,
        kind: "read",
        handle: handleOf(fields),
        offset: fields.uint64(),
        length: fields.uint32(),
      };
    case SFTP.WRITE:
      return {
        id,
        kind: "write",
        handle: handleOf(fields),
        offset: fields.uint64(),
        data: fields.bytes(),
      };
    case SFTP.MKDIR:
    case SFTP.SETSTAT:
      return withAttributes(id, type === SFTP.MKDIR ? "mkdir" : "setstat", fields);
    case SFTP.FSETSTAT: {
      const handle = handleOf(fields);
      const attributes = readSftpAttributes(fields);
      return attributes === undefined ? undefined : { id, kind: "fsetstat", handle, attributes };
    }
    case SFTP.RENAME:
      return twoPaths(fields, (path, to) => ({ id, kind: "rename", path, to, isReplacing: false }));
    case SFTP.SYMLINK:
      // OpenSSH has what it points to first, against the draft (PROTOCOL, section 4.1).
      return twoPaths(fields, (to, path) => ({ id, kind: "symlink", path, to }));
    case SFTP.EXTENDED:
      return readExtended(id, fields);
    default:
      return undefined;
  }
}

function readExtended(id: number, fields: Fields): SftpRequest | undefined {
  const name = fields.text();
  switch (name) {
    case "posix-rename@openssh.com":
      return twoPaths(fields, (path, to) => ({ id, kind: "rename", path, to, isReplacing: true }));
    case "hardlink@openssh.com":
      return twoPaths(fields, (path, to) => ({ id, kind: "hardlink", path, to }));
    case "statvfs@openssh.com":
    case "expand-path@openssh.com": {
      const path = fields.text();
      const kind = name === "statvfs@openssh.com" ? "statvfs" : "expand-path";
      return path === undefined ? undefined : { id, kind, path };
    }
    case "fstatvfs@openssh.com":
      return { id, kind: "fstatvfs", handle: handleOf(fields) };
    case "fsync@openssh.com":
      return { id, kind: "fsync", handle: handleOf(fields) };
    case "lsetstat@openssh.com":
      return withAttributes(id, "lsetstat", fields);
    case "limits@openssh.com":
      return { id, kind: "limits" };
    default:
      fields.rest();
      return name === undefined ? undefined : { id, kind: "extended", name };
  }
}

function withAttributes(
  id: number,
  kind: "mkdir" | "setstat" | "lsetstat",
  fields: Fields,
): SftpRequest | undefined {
  const path = fields.text();
  const attributes = readSftpAttributes(fields);
  if (path === undefined || attributes === undefined) return undefined;
  return { id, kind, path, attributes };
}

function twoPaths(
  fields: Fields,
  make: (first: string, second: string) => SftpRequest,
): SftpRequest | undefined {
  const [first, second] = [fields.text(), fields.text()];
  return first === undefined || second === undefined ? undefined : make(first, second);
}

function handleOf(fields: Fields): string {
  return fields.bytes().toString("latin1");
}

const ATTRIBUTE = { SIZE: 1, OWNER: 2, MODE: 4, TIMES: 8 } as const;
const ATTRIBUTES_KNOWN = 15;

/** Attributes (section 5); `undefined` where there are any that this version does not know. */
export function readSftpAttributes(fields: Fields): SftpAttributes | undefined {
  const flags = fields.uint32();
  if ((flags & ~ATTRIBUTES_KNOWN) !== 0) return undefined;
  return {
    ...((flags & ATTRIBUTE.SIZE) === 0 ? {} : { size: Number(fields.uint64()) }),
    ...((flags & ATTRIBUTE.OWNER) === 0 ? {} : { uid: fields.uint32(), gid: fields.uint32() }),
    ...((flags & ATTRIBUTE.MODE) === 0 ? {} : { mode: fields.uint32() }),
    ...((flags & ATTRIBUTE.TIMES) === 0 ? {} : { atime: fields.uint32(), mtime: fields.uint32() }),
  };
}

/** The same as bytes. */
export function sftpAttributesField(attributes: SftpAttributes): Buffer {
  const { size, uid, gid, mode, atime, mtime } = attributes;
  let flags = 0;
  const fields: Buffer[] = [];
  if (size !== undefined) {
    flags |= ATTRIBUTE.SIZE;
    fields.push(uint64Field(BigInt(size)));
  }
  if (uid !== undefined || gid !== undefined) {
    flags |= ATTRIBUTE.OWNER;
    fields.push(uint32Field(uid ?? 0), uint32Field(gid ?? 0));
  }
  if (mode !== undefined) {
    flags |= ATTRIBUTE.MODE;
    fields.push(uint32Field(mode));
  }
  if (atime !== undefined || mtime !== undefined) {
    flags |= ATTRIBUTE.TIMES;
    fields.push(uint32Field(atime ?? mtime ?? 0), uint32Field(mtime ?? atime ?? 0));
  }
  return Buffer.concat([uint32Field(flags), ...fields]);
}

/** The request as a packet under `id`. */
export function sftpRequestPacket(id: number, request: SftpAsk): Buffer {
  const head = uint32Field(id);
  const handle = (text: string) => stringField(Buffer.from(text, "latin1"));
  const extended = (name: string, ...fields: readonly Buffer[]) =>
    sftpPacket(SFTP.EXTENDED, head, stringField(name), ...fields);
  switch (request.kind) {
    case "open":
      return sftpPacket(
        SFTP.OPEN,
        head,
        stringField(request.path),
        uint32Field(request.flags),
        sftpAttributesField(request.attributes),
      );
    case "close":
      return sftpPacket(SFTP.CLOSE, head, handle(request.handle));
    case "fstat":
      return sftpPacket(SFTP.FSTAT, head, handle(request.handle));
    case "readdir":
      return sftpPacket(SFTP.READDIR, head, handle(request.handle));
    case "read":
      return sftpPacket(
        SFTP.READ,
        head,
        handle(request.handle),
        uint64Field(request.offset),
        uint32Field(request.length),
      );
    case "write":
      return sftpPacket(
        SFTP.WRITE,
        head,
        handle(request.handle),
        uint64Field(request.offset),
        stringField(request.data),
      );
    case "lstat":
      return sftpPacket(SFTP.LSTAT, head, stringField(request.path));
    case "stat":
      return sftpPacket(SFTP.STAT, head, stringField(request.path));
    case "opendir":
      return sftpPacket(SFTP.OPENDIR, head, stringField(request.path));
    case "remove":
      return sftpPacket(SFTP.REMOVE, head, stringField(request.path));
    case "rmdir":
      return sftpPacket(SFTP.RMDIR, head, stringField(request.path));
    case "realpath":
      return sftpPacket(SFTP.REALPATH, head, stringField(request.path));
    case "readlink":
      return sftpPacket(SFTP.READLINK, head, stringField(request.path));
    case "mkdir":
      return sftpPacket(
        SFTP.MKDIR,
        head,
        stringField(request.path),
        sftpAttributesField(request.attributes),
      );
    case "setstat":
      return sftpPacket(
        SFTP.SETSTAT,
        head,
        stringField(request.path),
        sftpAttributesField(request.attributes),
      );
    case "fsetstat":
      return sftpPacket(
        SFTP.FSETSTAT,
        head,
        handle(request.handle),
        sftpAttributesField(request.attributes),
      );
    case "rename":
      return request.isReplacing
        ? extended("posix-rename@openssh.com", stringField(request.path), stringField(request.to))
        : sftpPacket(SFTP.RENAME, head, stringField(request.path), stringField(request.to));
    case "symlink":
      return sftpPacket(SFTP.SYMLINK, head, stringField(request.to), stringField(request.path));
    case "hardlink":
      return extended("hardlink@openssh.com", stringField(request.path), stringField(request.to));
    case "lsetstat":
      return extended(
        "lsetstat@openssh.com",
        stringField(request.path),
        sftpAttributesField(request.attributes),
      );
    case "statvfs":
      return extended("statvfs@openssh.com", stringField(request.path));
    case "expand-path":
      return extended("expand-path@openssh.com", stringField(request.path));
    case "fstatvfs":
      return extended("fstatvfs@openssh.com", handle(request.handle));
    case "fsync":
      return extended("fsync@openssh.com", handle(request.handle));
    case "limits":
      return extended("limits@openssh.com");
    default:
      return extended(request.name);
  }
}
