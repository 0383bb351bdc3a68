/**
 * Every limit of the gateway, with its unit and why it is what it is. Tests pass smaller ones.
 *
 * What a run can make the daemon hold is bounded by `flows` times the largest buffer of one flow
 * (a ClientHello while peeking, a whole body while judging, two stream buffers while relaying):
 * 512 * (64 + 2 * 64) KiB = 96 MiB at worst, a few MiB in practice; and by `h2RunStreams` times what one
 * stream may have unread, 512 * (64 + 256) KiB = 160 MiB.
 *
 * @module
 */

export interface GatewayLimits {
  /** Connections of one run that are open at once; npm opens about 50, a build of Chromium 200. */
  readonly flows: number;
  /** From accept until the first bytes say what they are; opaque connections do not wait for it. */
  readonly firstBytesMs: number;
  /** Some bytes came, they say nothing yet, and no more come: what is unexpected ends within a second. */
  readonly undecidedMs: number;
  /** From ClientHello until the handshake is done. */
  readonly handshakeMs: number;
  /** From a connection's start, or its last response, until the next request's head is complete. */
  readonly headMs: number;
  /** Neither side moves a byte within an exchange; a model may think for ten minutes. */
  readonly exchangeIdleMs: number;
  /** A client has ended its side and its answer does not move: from then on it counts as gone. */
  readonly halfClosedMs: number;
  /** Bytes of a request's head. */
  readonly headBytes: number;
  /** Header fields of one request. */
  readonly headers: number;
  /** Bytes of a response's head: large cookies and policies are common. */
  readonly responseHeadBytes: number;
  /** Informational (1xx) answers to one request. */
  readonly informational: number;
  /** A request body that announces at most this many bytes is read whole before it is judged. */
  readonly wholeBodyBytes: number;
  /** A body that must be judged or approved as a whole is read up to here; a longer one is refused. */
  readonly spoolBytes: number;
  /** Of an answer to a look-up, or to what a person approved, this much is kept. */
  readonly keptAnswerBytes: number;
  /** From head to the end of a body that is read whole. */
  readonly wholeBodyMs: number;
  /** What is read and thrown away after an early answer, so that the client gets to read it. */
  readonly lingerBytes: number;
  readonly lingerMs: number;
  /**
   * Asking the provenance worker which process a flow belongs to. More than `ATTRIBUTE_WAIT_MS`, or a
   * process that is known would be called unknown while its executable is hashed.
   */
  readonly attributeMs: number;
  /** One TCP connect to one address of an upstream. */
  readonly connectMs: number;
  /** One TLS handshake with an upstream. */
  readonly upstreamHandshakeMs: number;
  /** Addresses of one name that are tried. */
  readonly addresses: number;
  /** How long a resolved and checked answer serves; a long run must follow a site that moves. */
  readonly resolvedMs: number;
  /** Streams of one HTTP/2 connection at once; what servers commonly allow. */
  readonly h2Streams: number;
  /** Exchanges over HTTP/2 that one run has under way, over all its connections. */
  readonly h2RunStreams: number;
  /** Streams that a client may give up before their answer, beyond as many as it sees to their end. */
  readonly h2Abandoned: number;
  /** Frames that want an answer: a gRPC client measures its line with a PING for each round trip. */
  readonly h2PingsPerSecond: number;
  readonly h2SettingsPerSecond: number;
  /** What nghttp2 may hold for one session: tables, header blocks, queued frames. In 10^6 bytes. */
  readonly h2SessionMegabytes: number;
  /** What an upstream may send ahead on one stream, and on all streams of one session. */
  readonly h2WindowBytes: number;
  readonly h2SessionWindowBytes: number;
  /** Connections to an HTTP/1.1 upstream that are kept for the next streams of one HTTP/2 client. */
  readonly h2FreeSockets: number;
  /** An idle upstream connection; below the 5 s after which Node and Apache close theirs. */
  readonly upstreamIdleMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  flows: 512,
  firstBytesMs: 10_000,
  undecidedMs: 800,
  handshakeMs: 10_000,
  headMs: 60_000,
  exchangeIdleMs: 30 * 60_000,
  halfClosedMs: 3000,
  headBytes: 32_768,
  headers: 100,
  responseHeadBytes: 131_072,
  informational: 16,
  wholeBodyBytes: 65_536,
  spoolBytes: 8 << 20,
  keptAnswerBytes: 1 << 20,
  wholeBodyMs: 30_000,
  lingerBytes: 1 << 20,
  lingerMs: 1000,
  attributeMs: 5000,
  connectMs: 10_000,
  upstreamHandshakeMs: 10_000,
  addresses: 4,
  resolvedMs: 5 * 60_000,
  h2Streams: 100,
  h2RunStreams: 512,
  h2Abandoned: 200,
  h2PingsPerSecond: 10_000,
  h2SettingsPerSecond: 100,
  h2SessionMegabytes: 10,
  h2WindowBytes: 262_144,
  h2SessionWindowBytes: 1 << 20,
  h2FreeSockets: 8,
  upstreamIdleMs: 4000,
};
