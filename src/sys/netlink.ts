/**
 * Asking the kernel over a netlink socket (netlink(7)): one request, the messages of its answer.
 *
 *     nlmsghdr   length 4, type 2, flags 2, sequence 4, port 4; little-endian here
 *     nlattr     length 2 (with its own 4 bytes), type 2, value; padded to 4
 *
 * @module
 */
import { constants } from "node:os";
import { Fault } from "../base/index.ts";
import { allocate, checked, errnoName, lastErrno, native } from "./libc.ts";

export const NETLINK_HEADER_BYTES = 16;
export const NLM_F_REQUEST = 1;
export const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const MSG_DONTWAIT = 0x40;
const RECEIVE_BYTES = 65_536;
const READS_MAX = 4096; // Of one answer.
const ATTRIBUTE_TYPE = 0x3fff; // Without the flags NESTED and NET_BYTEORDER.
const { EAGAIN, EINTR, ENOENT } = constants.errno;

const scratch = allocate(RECEIVE_BYTES);
let sequence = 0;

/** Writes the header in front of `body`. */
export function netlinkRequest(type: number, flags: number, body: Buffer): Buffer {
  const header = Buffer.alloc(NETLINK_HEADER_BYTES);
  sequence = (sequence + 1) % 0x7fff_ffff;
  header.writeUInt32LE(NETLINK_HEADER_BYTES + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/**
 * Sends `request` and gives each message of the answer; each is valid until the next. What does not
 * exist (ENOENT) has an empty answer.
 *
 * @throws {Fault} `sys.call` where the kernel refuses or does not answer.
 */
export function* askNetlink(socket: number, request: Buffer): Generator<Buffer> {
  const dump = (request.readUInt16LE(6) & NLM_F_DUMP) === NLM_F_DUMP;
  checked("netlink request", native.write(socket, request, request.length));
  for (let reads = 0; reads < READS_MAX; reads += 1) {
    for (const message of messages(receive(socket))) {
      // What a request that failed halfway left behind.
      if (message.readUInt32LE(8) !== request.readUInt32LE(8)) continue;
      const type = message.readUInt16LE(4);
      if (type === NLMSG_DONE) return;
      if (type === NLMSG_ERROR) {
        const errno = -message.readInt32LE(NETLINK_HEADER_BYTES);
        if (errno === ENOENT) return;
        throw new Fault("sys.call", `netlink: ${errnoName(errno)}`, { cause: { errno } });
      }
      yield message;
      if (!dump) return;
    }
  }
  throw new Fault("sys.call", "netlink: the answer does not end");
}

/** One datagram of the answer. The kernel answers within the request, so there is nothing to wait for. */
function receive(socket: number): Buffer {
  for (let tries = 0; tries < 8; tries += 1) {
    const count = Number(native.recv(socket, scratch.pointer, RECEIVE_BYTES, MSG_DONTWAIT));
    if (count >= 0) return scratch.bytes.subarray(0, count);
    const errno = lastErrno();
    if (errno === EINTR) continue;
    if (errno === EAGAIN) throw new Fault("sys.call", "netlink: no answer");
    checked("recvfrom netlink", count);
  }
  throw new Fault("sys.call", "netlink: interrupted too often");
}

function* messages(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + NETLINK_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < NETLINK_HEADER_BYTES || at + length > bytes.length) return;
    yield bytes.subarray(at, at + length);
    at += (length + 3) & ~3;
  }
}

/** The attributes in `bytes`, in order. */
export function* attributes(bytes: Buffer): Generator<readonly [type: number, value: Buffer]> {
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) return;
    yield [bytes.readUInt16LE(at + 2) & ATTRIBUTE_TYPE, bytes.subarray(at + 4, at + length)];
    at += (length + 3) & ~3;
  }
}

/** An attribute with text, as a request carries it. */
export function textAttribute(type: number, text: string): Buffer {
  const value = Buffer.from(`${text}\0`);
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}
