/**
 * Flows that are known by lengths alone, and their twins that only look like it.
 *
 * @module
 */
import { clientHello, http, tlsData } from "./capture-kit.ts";
import { c, s, ssh, tcp, type FlowCase } from "./flow-case.ts";

const RANDOM_NAME = "www.hs6sx5hulmhbd.com";

/** A TLS 1.3 connection up to the client's Finished, then records of these lengths: the client's positive. */
function tls(
  name: string,
  expect: string | undefined,
  records: readonly number[],
  hello = clientHello("site.example", ["h2", "http/1.1"]),
): FlowCase {
  const said = records.map((length, n) =>
    length > 0 ? c(tlsData(length, n)) : s(tlsData(-length, n)),
  );
  const before = [
    c(hello),
    ...[38, 2400, 281, 69].map((length) => s(tlsData(length))),
    c(tlsData(69)),
  ];
  return tcp(name, expect, 443, ...before, ...said);
}

// As test/captures/make has them of trojan, stunnel, sshuttle and openssl s_client, and nDPI of VMess.
export const SIZED: readonly FlowCase[] = [
  tls("TLS 1.3 in TLS, as trojan has it", "tunnel.tls-in-tls", [602, -2982, 97, 147, -900]),
  tls("TLS 1.3 in TLS, tickets first", "tunnel.tls-in-tls", [534, -74, -2908, 97, -272, 117]),
  tls("TLS 1.3 in TLS, with AES-128", "tunnel.tls-in-tls", [534, -2908, 81, 117, -900]),
  tls("TLS 1.3 in VMess in TLS", "tunnel.tls-in-tls", [658, -1203, -2065, 99, 149, 82]),
  tls("a header of its own before TLS in TLS", "tunnel.tls-in-tls", [85, 534, -74, -2908, 97, 117]),
  tls("TLS 1.2 in TLS", "tunnel.tls-in-tls", [219, -3309, 110, -68, 124]),
  tls("TLS 1.2 in TLS, with P-256", "tunnel.tls-in-tls", [219, -3309, 143, -68, 124]),
  tls("SSH in TLS", "tunnel.ssh-in-tls", [58, -58, 1577, -1105, 1225, -1581, 33, 61, -61, 77]),
  tls(
    "SSH in TLS, with GCM",
    "tunnel.ssh-in-tls",
    [58, -58, 1401, -1105, 1225, -1589, 33, 69, -69],
  ),
  tls(
    "SSH in TLS, in one record",
    "tunnel.ssh-in-tls",
    [58, -58, 1577, -1105, 1225, -1581, 77, -61],
  ),
  tls(
    "relays of Tor, that only greet each other",
    "vpn.tor",
    [28, -74, -2036, 2225],
    clientHello(RANDOM_NAME),
  ),
  tls("a client of Tor that goes at once", "vpn.tor", [28, -2024, 531], clientHello(RANDOM_NAME)),
  ssh("sshuttle", "ssh.forward", [112, -72, 268, -72, 14480, 2532, -52, -52, -52, 52, -44, 52]),
  ssh("sshuttle, its greetings in one", "ssh.forward", [52, -44, 268, -36, 17012, -104, 68, -52]),
  tcp(
    "httptunnel",
    "tunnel.httptunnel",
    80,
    c(http("POST /index.html?crap=1795760136 HTTP/1.1", { Host: "a.example" })),
  ),
];

export const SIZED_BENIGN: readonly FlowCase[] = [
  tls("two requests over TLS", undefined, [250, -3000, 250, -3000]),
  tls("HTTP/2 over TLS, whose preface has 64 bytes", undefined, [81, 204, -3000, 26, 90]),
  tls("a WebSocket over TLS, whose first message has 64 bytes", undefined, [437, -250, 81, 120]),
  tls("a request, and then 80 bytes and no more", undefined, [602, -3000, 97]),
  tls("a handshake of 1.2 that nobody ends", undefined, [219, -3309, 110, -300, 124]),
  tls("lengths as SSH's, without its keys", undefined, [58, -58, 90, -90, 33, 61, -61]),
  tls(
    "lengths as SSH's, and another answer",
    undefined,
    [58, -58, 1577, -1105, 1225, -1581, 33, 61, -70],
  ),
  tls(
    "Tor's lengths for a name that is none of its",
    undefined,
    [28, -2036, 2225],
    clientHello("api.example.com"),
  ),
  tls(
    "Tor's lengths for a browser",
    undefined,
    [28, -2036, 2225],
    clientHello(RANDOM_NAME, ["h2"]),
  ),
  tls(
    "a random name, and another beginning",
    undefined,
    [90, -2036, 2225],
    clientHello(RANDOM_NAME),
  ),
  ssh("a program for an interpreter", undefined, [112, -72, 156, -72, 14480, 11300, -436, 36, 60]),
  ssh("a program that says one word", undefined, [112, -72, 156, -72, 14480, -52, -36, 36, 60]),
  ssh("files by tar", undefined, [112, -72, 204, -72, 14480, 32804, -36, -116, 36, 60]),
  tcp(
    "a page with a parameter",
    undefined,
    80,
    c(http("GET /index.html?crap=yes HTTP/1.1", { Host: "a.example" })),
  ),
];
