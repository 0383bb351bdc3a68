/**
 * Flows that only look like misuse: nothing may be found in them.
 *
 * @module
 */
import { clientHello, dnsQuery, echo, http, randomBytes, tlsData, wsFrame } from "./capture-kit.ts";
import {
  MASK,
  OK,
  SUBSCRIBE,
  UPGRADED,
  c,
  ipInside,
  post,
  s,
  ssh,
  tcp,
  udp,
  upgrade,
  type FlowCase,
} from "./flow-case.ts";
import { SIZED_BENIGN } from "./sized-flows.ts";

const rpc = (method: string, params: unknown = {}) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

export const BENIGN: readonly FlowCase[] = [
  tcp(
    "a language server",
    undefined,
    50443,
    c(`Content-Length: 60\r\n\r\n${rpc("initialize", { processId: 1 })}`),
  ),
  tcp("a language server, bare", undefined, 50443, c(`${rpc("initialize", { processId: 1 })}\n`)),
  tcp(
    "MCP over TCP",
    undefined,
    50443,
    c(`${rpc("tools/call", { name: "x", arguments: { method: "mining.subscribe" } })}\n`),
  ),
  tcp(
    "JSON-RPC login",
    undefined,
    50443,
    c(`${rpc("login", { login: "alice", pass: "x" })}\n`),
    s('{"result":{"job":{"job_id":"b"}}}\n'),
  ),
  tcp(
    "a question to a node",
    undefined,
    8545,
    c(post(rpc("eth_blockNumber", []))),
    s(http("HTTP/1.1 200 OK", {}, '{"result":"0x1"}')),
  ),
  tcp(
    "a page about mining",
    undefined,
    80,
    c(http("GET / HTTP/1.1", { Host: "a.example" })),
    s(
      http(
        "HTTP/1.1 200 OK",
        { "Content-Type": "text/html" },
        `<pre>\n{"content": ${JSON.stringify(SUBSCRIBE)}}\n</pre>`,
      ),
    ),
  ),
  tcp(
    "a submit of something else",
    undefined,
    80,
    c(post(rpc("submit", { job_id: "j", nonce: "1" }))),
  ),
  tcp(
    "git",
    undefined,
    9418,
    c("0032git-upload-pack /project.git\0host=myserver.com\0"),
    s("001e# service=git-upload-pack\n"),
  ),
  tcp(
    "git over HTTP",
    undefined,
    80,
    c(http("GET /a.git/info/refs?service=git-upload-pack HTTP/1.1", { Host: "a.example" })),
    s(OK),
  ),
  ssh("an SSH command", undefined, [112, -248, -168, 44, -56, 28]),
  ssh("a shell with a terminal", undefined, [112, -28, -44, 128, -108, 36, 36, -36]),
  ssh("sftp", undefined, [52, -44, 68, -28, 60, -60]),
  ssh("a command, the confirmation apart", undefined, [52, -44, 60, -28, 60]),
  tcp(
    "web pages by TLS",
    undefined,
    443,
    c(clientHello("www.example.com", ["h2", "http/1.1"])),
    s(tlsData(900)),
    c(tlsData(531)),
    c(tlsData(531)),
    s(tlsData(531)),
  ),
  tcp(
    "a name that is random, without cells",
    undefined,
    443,
    c(clientHello("www.k2x3v4.com")),
    s(tlsData(900)),
    c(tlsData(90)),
  ),
  tcp("a site that tells of a tool", undefined, 443, c(clientHello("www.torproject.org", ["h2"]))),
  tcp(
    "another site below a like name",
    undefined,
    443,
    c(clientHello("notngrok.io.example", ["h2"])),
  ),
  tcp(
    "a chat over WebSocket",
    undefined,
    80,
    c(upgrade("/chat")),
    s(UPGRADED),
    c(wsFrame(1, "hello $ world", MASK)),
    s(wsFrame(1, "ls is a command\n")),
  ),
  tcp("SMTP", undefined, 25, s("220 mail.example ESMTP\r\n"), c("EHLO a\r\n"), s("250 ok\r\n")),
  tcp(
    "FTP",
    undefined,
    21,
    s("220 ready\r\n"),
    c("USER a\r\n"),
    s("331 password\r\n"),
    c("PASS b\r\n"),
  ),
  tcp("POP3", undefined, 110, s("+OK ready\r\n"), c("USER a\r\n")),
  tcp("a time server's line", undefined, 13, s("27 NOV 2026 01:37:28 UTC\r\n")),
  tcp(
    "DCE/RPC, version 5 as SOCKS",
    undefined,
    135,
    c(Buffer.from("05000b0310000000a0000000", "hex")),
    s(Buffer.from("05000c0310000000", "hex")),
  ),
  tcp(
    "an industrial protocol behind X.224",
    undefined,
    102,
    c(Buffer.from("0300001611e00000000100c0010ac1020100c2020102", "hex")),
  ),
  tcp("PostgreSQL", undefined, 5432, c(Buffer.from("0000000804d2162f", "hex")), s("N")),
  tcp(
    "64 random bytes, and another answer",
    undefined,
    9000,
    c(randomBytes(64)),
    s(randomBytes(200)),
    c(randomBytes(80)),
  ),
  tcp(
    "64 bytes of text and 234 of it back",
    undefined,
    9000,
    c("a".repeat(64)),
    s("b".repeat(234)),
    c("c".repeat(80)),
  ),
  tcp("a script that is sent", undefined, 33333, c("#!/bin/sh\n\n# restores a backup\nls -la\n")),
  udp(
    "DNS",
    undefined,
    53,
    ...["www.example.com", "api.github.com", "a.b.example.org"].map((name, n) =>
      c(dnsQuery(name, 28, n)),
    ),
  ),
  udp(
    "many short names of one domain",
    undefined,
    53,
    ...Array.from({ length: 180 }, (_, n) => c(dnsQuery(`host${n}.corp.example`, 1, n))),
  ),
  udp(
    "a long name, asked again and again",
    undefined,
    53,
    ...Array.from({ length: 60 }, (_, n) => c(dnsQuery(`${"a".repeat(60)}.cdn.example`, 1, n))),
  ),
  udp(
    "reverse names",
    undefined,
    53,
    ...Array.from({ length: 90 }, (_, n) =>
      c(dnsQuery(`${n}.${n + 1}.168.192.in-addr.arpa`, 12, n)),
    ),
  ),
  udp(
    "time",
    undefined,
    123,
    c(Buffer.concat([Buffer.of(0x23), Buffer.alloc(47)])),
    s(Buffer.alloc(48, 3)),
  ),
  udp(
    "QUIC",
    undefined,
    443,
    c(Buffer.concat([Buffer.of(0xc3, 0, 0, 0, 1, 8), randomBytes(1194)])),
    s(randomBytes(1200)),
  ),
  {
    name: "ping",
    protocol: "icmp",
    said: [1, 2, 3, 4, 5].flatMap((n) => [
      c(echo(8, n, randomBytes(56, n), 3)),
      s(echo(0, n, randomBytes(56, n), 3)),
    ]),
  },
  {
    name: "ping of 1,400 bytes",
    protocol: "icmp",
    said: [1, 2, 3, 4, 5].flatMap((n) => [
      c(echo(8, n, randomBytes(1400, n), 4)),
      s(echo(0, n, randomBytes(1400, n), 4)),
    ]),
  },
  {
    name: "ports that cannot be reached",
    protocol: "icmp",
    said: [1, 2, 3, 4].map(() =>
      s(Buffer.concat([Buffer.from("0303000000000000", "hex"), ipInside(28)])),
    ),
  },
  ...SIZED_BENIGN,
];
