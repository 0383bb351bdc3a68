/**
 * What ssh2 1.17.0 does not offer, reached through its insides: a data limit that it does not hold, channels
 * that it refuses without a word, an end with a reason, and logging in with an OpenSSH certificate. The version is pinned, and
 * test/ssh holds each of these against a real OpenSSH (docs/decisions/0271).
 *
 * @module
 */
import type { Client, Connection, ParsedKey, ServerChannel } from "ssh2";
import { Fault } from "../../../base/index.ts";

interface ChannelOpen {
  readonly type: string;
  readonly sender: number;
}

interface ChannelLike {
  readonly incoming?: { readonly window: number };
  readonly _channel?: ChannelLike;
}

interface Handlers {
  CHANNEL_OPEN?: (protocol: unknown, info: ChannelOpen) => void;
  CHANNEL_DATA?: (protocol: unknown, recipient: number, data: Buffer) => void;
  CHANNEL_EXTENDED_DATA?: (
    protocol: unknown,
    recipient: number,
    data: Buffer,
    type: number,
  ) => void;
}

interface Insides {
  readonly _protocol: {
    readonly _handlers: Handlers;
    readonly _strictMode?: boolean;
    readonly _kex?: { readonly sessionID?: Buffer };
    readonly _authsQueue: string[];
    readonly _kexinit?: unknown;
    readonly _cipher: { encrypt(packet: Buffer): void };
    readonly _packetRW: {
      readonly write: {
        allocStart: number;
        alloc(bytes: number): Buffer;
        finalize(packet: Buffer): Buffer;
      };
    };
    authPK: (...args: readonly unknown[]) => void;
  };
  readonly _chanMgr: { get(id: number): ChannelLike | undefined };
}

const insidesOf = (side: Connection | Client): Insides => side as unknown as Insides;

/** Whether the sequence numbers of this connection were reset at its keys (Terrapin, CVE-2023-48795). */
export function hasStrictKeys(side: Connection | Client): boolean {
  return insidesOf(side)._protocol._strictMode === true;
}

/** What a watched side is told. */
export interface ChannelWatch {
  /** The peer sent more than it was allowed to: what it sends is held by nothing any more. */
  overflowed(): void;
  /** The peer opens a channel, of whatever type. `true` where it may be offered to ssh2. */
  opens?(type: string): boolean;
}

/**
 * Watches a side's channels. ssh2 takes data beyond the window that it gave, without a limit (RFC 4254,
 * section 5.2, forbids a peer to send it), and refuses unknown channels without telling anybody.
 */
export function watchChannels(side: Connection | Client, watch: ChannelWatch): void {
  const { _protocol: protocol, _chanMgr: channels } = insidesOf(side);
  const handlers = protocol._handlers;
  const { CHANNEL_DATA: data, CHANNEL_EXTENDED_DATA: extended, CHANNEL_OPEN: open } = handlers;
  const isTooMuch = (id: number, bytes: number): boolean => {
    const found = channels.get(id);
    const incoming = found?._channel?.incoming ?? found?.incoming;
    return incoming !== undefined && bytes > incoming.window;
  };
  handlers.CHANNEL_DATA = (of, id, bytes) => {
    if (isTooMuch(id, bytes.length)) watch.overflowed();
    else data?.(of, id, bytes);
  };
  handlers.CHANNEL_EXTENDED_DATA = (of, id, bytes, type) => {
    if (isTooMuch(id, bytes.length)) watch.overflowed();
    else extended?.(of, id, bytes, type);
  };
  handlers.CHANNEL_OPEN = (of, info) => {
    // A type of nobody's is refused by ssh2 itself, as what it does not know.
    const isOffered = watch.opens?.(info.type) ?? true;
    open?.(of, isOffered ? info : { ...info, type: "refused" });
  };
}

/** What ssh2 keeps of a write that waits for room, of either stream. */
interface Waiting {
  _chunk?: Buffer | undefined;
  _chunkcb?: unknown;
  _chunkErr?: Buffer | undefined;
  _chunkcbErr?: unknown;
}

/**
 * Forgets the write that `channel` waited with, which is done. ssh2 does not, and sends it once more when the
 * other stream has waited too.
 */
export function forgetWritten(channel: ServerChannel): void {
  const waiting = channel as unknown as Waiting;
  waiting._chunk = undefined;
  waiting._chunkcb = undefined;
  waiting._chunkErr = undefined;
  waiting._chunkcbErr = undefined;
}

/** Whether the other end still takes data: writing to one that is closed calls nobody back. */
export function isWritableChannel(channel: ServerChannel): boolean {
  const { outgoing } = channel as unknown as { readonly outgoing?: { readonly state: string } };
  return outgoing?.state === "open";
}

const DISCONNECT = 1; // RFC 4253, section 11.1
const BY_APPLICATION = 11;

/** Ends `connection` and says why, for which ssh2 has no words. */
export function disconnect(connection: Connection, why: string): void {
  const { _protocol: protocol } = insidesOf(connection);
  // While keys are exchanged only ssh2's own messages can be sent.
  if (protocol._kexinit === undefined && protocol._kex?.sessionID !== undefined) {
    const head = Buffer.from([DISCONNECT, 0, 0, 0, BY_APPLICATION]);
    send(protocol, Buffer.concat([head, text(why), text("")]));
  }
  connection.end();
}

const ED25519_CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com";
const ED25519 = "ssh-ed25519";
const USERAUTH_REQUEST = 50; // RFC 4252, section 6

/**
 * Has `client`, on which `connect` was called, log in as `user` with an OpenSSH user certificate for an
 * ed25519 key. ssh2 writes the key's algorithm into the signature too, where OpenSSH wants the plain one
 * (PROTOCOL.certkeys): so the request (RFC 4252, section 7) is written here.
 *
 * @param certificate one line, `ssh-ed25519-cert-v01@openssh.com AAAA...`
 * @throws {Fault} `ssh.credential` where it is no such certificate.
 */
export function useCertificate(
  client: Client,
  { user, key, certificate }: { user: string; key: ParsedKey; certificate: string },
): void {
  const [algorithm, base64 = ""] = certificate.trim().split(/\s+/);
  if (algorithm !== ED25519_CERTIFICATE || key.type !== ED25519) {
    throw new Fault("ssh.credential", "the certificate is not one for an ed25519 key", {
      hint: "use a certificate of the kind ssh-ed25519-cert-v01@openssh.com",
    });
  }
  const blob = Buffer.from(base64, "base64");
  const { _protocol: protocol } = insidesOf(client);
  protocol.authPK = () => {
    const sessionId = protocol._kex?.sessionID;
    if (sessionId === undefined || protocol._kexinit !== undefined) {
      throw new Fault("ssh.credential", "the server exchanges keys again before the login");
    }
    const request = Buffer.concat([
      Buffer.from([USERAUTH_REQUEST]),
      text(user),
      text("ssh-connection"),
      text("publickey"),
      Buffer.from([1]),
      text(ED25519_CERTIFICATE),
      text(blob),
    ]);
    const signature = key.sign(Buffer.concat([text(sessionId), request]));
    if (signature instanceof Error) throw new Fault("ssh.credential", "the key does not sign");
    const signed = text(Buffer.concat([text(ED25519), text(signature)]));
    protocol._authsQueue.push("publickey");
    send(protocol, Buffer.concat([request, signed]));
  };
}

function send(protocol: Insides["_protocol"], payload: Buffer): void {
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  payload.copy(packet, write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet));
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
