/**
 * What a matcher of first bytes answers.
 *
 * @module
 */

/** How many bytes are looked at. With so many the answer is always certain. */
export const FIRST_BYTES_MAX = 4096;

/** The protocols that have a name here; `unknown` is everything else. */
export const FIRST_BYTES_PROTOCOLS = [
  "tls",
  "sslv2",
  "http2-preface",
  "http",
  "ssh",
  "stratum",
  "json",
  "socks",
  "dns",
  "rdp",
  "smb",
  "vnc",
  "postgres",
  "mysql",
  "redis",
  "mongodb",
  "smtp",
  "ftp",
  "imap",
  "irc",
  "git",
  "rsync",
  "mqtt",
  "amqp",
  "x11",
  "bittorrent",
  "openvpn",
  "wireguard",
  "tunnel",
  "crypto-p2p",
  "shell",
  "unknown",
] as const;
export type FirstBytesProtocol = (typeof FIRST_BYTES_PROTOCOLS)[number];

/** A protocol's name, and one sentence that holds none of the peer's data. */
export interface FirstBytesMatch {
  readonly protocol: FirstBytesProtocol;
  readonly detail: string;
}

/** `no` and a match are final; `more` waits. */
export type FirstBytesGuess = "no" | "more" | FirstBytesMatch;
