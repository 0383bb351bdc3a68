/**
 * Captures for tests: conversations as frames, frames as pcap or pcapng.
 *
 * @module
 */

export type Said = readonly [from: "client" | "server", bytes: Buffer | string, afterMs?: number];

export interface Conversation {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly port?: number;
  readonly said: readonly Said[];
  readonly startMs?: number;
}

/** One frame: an IP packet, and when it came. */
export interface Frame {
  readonly atMs: number;
  readonly packet: Buffer;
}

export const bytesOf = (text: Buffer | string) =>
  typeof text === "string" ? Buffer.from(text, "latin1") : text;

const u16 = (value: number) => Buffer.of((value >> 8) & 255, value & 255);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

/** Checksums are left at 0: nobody here checks them. */
export function ipPacket(protocol: number, from: string, to: string, payload: Buffer): Buffer {
  if (from.includes(":")) {
    const head = Buffer.concat([u32(0x60000000), u16(payload.length), Buffer.of(protocol, 64)]);
    return Buffer.concat([head, ipv6(from), ipv6(to), payload]);
  }
  const head = [
    Buffer.of(0x45, 0),
    u16(20 + payload.length),
    u32(0),
    Buffer.of(64, protocol, 0, 0),
  ];
  return Buffer.concat([...head, ipv4(from), ipv4(to), payload]);
}

const ipv4 = (text: string) => Buffer.from(text.split(".").map(Number));
const ipv6 = (text: string) => {
  const [left = "", right = ""] = text.split("::");
  const words = (part: string) =>
    part
      .split(":")
      .filter((word) => word !== "")
      .map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(left), words(right)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.concat([...before, ...zeros, ...after].map(u16));
};

export interface TcpSegment {
  readonly ports: readonly [from: number, to: number];
  readonly sequence: number;
  readonly flags: number;
  readonly payload: Buffer;
}

export function tcpSegment({ ports, sequence, flags, payload }: TcpSegment): Buffer {
  const head = [u16(ports[0]), u16(ports[1]), u32(sequence), u32(1)];
  return Buffer.concat([...head, Buffer.of(0x50, flags), u16(65535), u32(0), payload]);
}

const SYN = 2;
const ACK = 16;

/** The conversation as packets; TCP with its handshake, each saying in segments of at most 1,400 bytes. */
export function framesOf(conversation: Conversation): readonly Frame[] {
  const {
    protocol,
    client = "10.1.0.2",
    server = "192.0.2.7",
    clientPort = 50_000,
    port = 443,
  } = conversation;
  let atMs = conversation.startMs ?? 1_700_000_000_000;
  const frames: Frame[] = [];
  const next = { client: 1000, server: 4_294_967_200 }; // One of them wraps soon.
  const send = (from: "client" | "server", flags: number, payload: Buffer) => {
    const [a, b] = from === "client" ? [client, server] : [server, client];
    const ports = from === "client" ? ([clientPort, port] as const) : ([port, clientPort] as const);
    let body = payload;
    if (protocol === "tcp") body = tcpSegment({ ports, sequence: next[from], flags, payload });
    if (protocol === "udp") {
      body = Buffer.concat([
        u16(ports[0]),
        u16(ports[1]),
        u16(8 + payload.length),
        u16(0),
        payload,
      ]);
    }
    next[from] = (next[from] + payload.length + (flags & SYN ? 1 : 0)) >>> 0;
    const number = { tcp: 6, udp: 17, icmp: a.includes(":") ? 58 : 1 }[protocol];
    frames.push({ atMs, packet: ipPacket(number, a, b, body) });
    atMs += 1;
  };
  if (protocol === "tcp") {
    send("client", SYN, Buffer.alloc(0));
    send("server", SYN | ACK, Buffer.alloc(0));
  }
  for (const [from, text, afterMs = 0] of conversation.said) {
    atMs += afterMs;
    const bytes = bytesOf(text);
    if (protocol !== "tcp") send(from, 0, bytes);
    else
      for (let at = 0; at < bytes.length; at += 1400)
        send(from, ACK, bytes.subarray(at, at + 1400));
  }
  return frames;
}

const ETHERNET = Buffer.from("020000000001020000000002", "hex");

/** An Ethernet frame of the packet, under VLAN tags where `tags` are given. */
export function ethernet(packet: Buffer, ...tags: readonly number[]): Buffer {
  const type = (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800;
  return Buffer.concat([
    ETHERNET,
    ...tags.flatMap((tag) => [u16(0x8100), u16(tag)]),
    u16(type),
    packet,
  ]);
}

export interface PcapOptions {
  readonly linkType?: number;
  /** Makes a frame of the link of a packet; Ethernet unless told. */
  readonly frame?: (packet: Buffer) => Buffer;
  readonly snapBytes?: number;
  readonly nanoseconds?: boolean;
  readonly little?: boolean;
}

export function pcapOf(frames: readonly Frame[], options: PcapOptions = {}): Buffer {
  const {
    linkType = 1,
    frame = ethernet,
    snapBytes = 262_144,
    nanoseconds = false,
    little = true,
  } = options;
  const word = (value: number) => (little ? u32(value).reverse() : u32(value));
  const half = (value: number) => (little ? u16(value).reverse() : u16(value));
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const head = [word(magic), half(2), half(4), word(0), word(0), word(snapBytes), word(linkType)];
  const records = frames.flatMap(({ atMs, packet }) => {
    const whole = frame(packet);
    const captured = whole.subarray(0, snapBytes);
    const fraction = (atMs % 1000) * (nanoseconds ? 1e6 : 1e3);
    return [
      word(Math.floor(atMs / 1000)),
      word(fraction),
      word(captured.length),
      word(whole.length),
      captured,
    ];
  });
  return Buffer.concat([...head, ...records]);
}

/** A pcapng file with one section and one interface, microseconds. */
export function pcapngOf(
  frames: readonly Frame[],
  linkType = 1,
  frame: (packet: Buffer) => Buffer = ethernet,
): Buffer {
  const word = (value: number) => u32(value).reverse();
  const half = (value: number) => u16(value).reverse();
  const block = (type: number, ...body: readonly Buffer[]) => {
    const content = Buffer.concat(body);
    const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
    const length = word(padded.length + 12);
    return Buffer.concat([word(type), length, padded, length]);
  };
  return Buffer.concat([
    block(0x0a0d0d0a, word(0x1a2b3c4d), half(1), half(0), word(0xffffffff), word(0xffffffff)),
    block(5, Buffer.from("statistics that nobody reads here")),
    block(1, half(linkType), half(0), word(0)),
    ...frames.map(({ atMs, packet }) => {
      const bytes = frame(packet);
      const ticks = BigInt(Math.round(atMs * 1000));
      const times = [word(Number(ticks >> 32n)), word(Number(ticks & 0xffffffffn))];
      return block(6, word(0), ...times, word(bytes.length), word(bytes.length), bytes);
    }),
  ]);
}

/** A ClientHello in one record. */
export function clientHello(serverName: string, alpn: readonly string[] = []): Buffer {
  const name = Buffer.from(serverName);
  const names = Buffer.concat([Buffer.of(0), u16(name.length), name]);
  const list = Buffer.concat(
    alpn.map((one) => Buffer.concat([Buffer.of(one.length), Buffer.from(one)])),
  );
  const extensions = Buffer.concat([
    ...(serverName === "" ? [] : [u16(0), u16(names.length + 2), u16(names.length), names]),
    ...(alpn.length === 0 ? [] : [u16(16), u16(list.length + 2), u16(list.length), list]),
  ]);
  const body = Buffer.concat([
    ...[u16(0x0303), Buffer.alloc(32, 7), Buffer.of(0), u16(2), u16(0x1301), Buffer.of(1, 0)],
    ...[u16(extensions.length), extensions],
  ]);
  const message = Buffer.concat([Buffer.of(1, 0), u16(body.length), body]);
  return Buffer.concat([Buffer.of(22, 3, 1), u16(message.length), message]);
}

/** A TLS record with so many bytes of application data, as random as `seed` makes them. */
export function tlsData(length: number, seed = 1): Buffer {
  return Buffer.concat([Buffer.of(23, 3, 3), u16(length), randomBytes(length, seed)]);
}

/** The same bytes for the same seed, and as good as random. */
export function randomBytes(length: number, seed = 1): Buffer {
  let state = seed * 2_654_435_761;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
      return (state >>> 16) & 255;
    }),
  );
}

/** A question of DNS. */
export function dnsQuery(name: string, type = 1, id = 7): Buffer {
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]));
  const head = [u16(id), u16(0x0100), u16(1), u16(0), u16(0), u16(0)];
  return Buffer.concat([...head, ...labels, Buffer.of(0), u16(type), u16(1)]);
}

export const http = (line: string, fields: Readonly<Record<string, string>> = {}, body = "") =>
  Buffer.from(
    `${line}\r\n${Object.entries({
      ...fields,
      ...(body === "" ? {} : { "Content-Length": String(body.length) }),
    })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n${body}`,
    "latin1",
  );

/** A WebSocket frame that is final. */
export function wsFrame(opcode: number, payload: Buffer | string, mask?: Buffer): Buffer {
  const bytes = bytesOf(payload);
  const bit = mask === undefined ? 0 : 0x80;
  const length =
    bytes.length < 126
      ? Buffer.of(bit | bytes.length)
      : Buffer.concat([Buffer.of(bit | 126), u16(bytes.length)]);
  const body =
    mask === undefined ? bytes : Buffer.from(bytes.map((byte, n) => byte ^ (mask[n & 3] ?? 0)));
  return Buffer.concat([
    Buffer.of(0x80 | opcode),
    length,
    ...(mask === undefined ? [] : [mask]),
    body,
  ]);
}

/** An ICMP echo: request 8 or reply 0. */
export function echo(type: number, sequence: number, data: Buffer, id = 77): Buffer {
  return Buffer.concat([Buffer.of(type, 0, 0, 0), u16(id), u16(sequence), data]);
}

/** Both sides' first messages of SSH: identification and KEXINIT. */
export function sshHello(
  ident: string,
  cipher = "chacha20-poly1305@openssh.com",
  mac = "hmac-sha2-256",
): Buffer {
  const lists = [
    "curve25519-sha256",
    "ssh-ed25519",
    cipher,
    cipher,
    mac,
    mac,
    "none",
    "none",
    "",
    "",
  ];
  const body = Buffer.concat([
    ...[Buffer.of(4, 20), Buffer.alloc(16, 9)],
    ...lists.map((list) => Buffer.concat([u32(list.length), Buffer.from(list)])),
    Buffer.alloc(9),
  ]);
  return Buffer.concat([Buffer.from(`${ident}\r\n`), u32(body.length), body]);
}
