/**
 * Flows in which something must be found. Each is a conversation; they are made into captures, so that all of it is
 * read as from a file. Sources are those of the detectors.
 *
 * @module
 */
import { deflateRawSync, gzipSync } from "node:zlib";
import { clientHello, dnsQuery, echo, http, randomBytes, tlsData, wsFrame } from "./capture-kit.ts";
import {
  ADDRESS,
  JOB,
  MASK,
  OK,
  SUBSCRIBE,
  UPGRADED,
  c,
  ipInside,
  post,
  s,
  split,
  ssh,
  tcp,
  udp,
  upgrade,
  type FlowCase,
} from "./flow-case.ts";
import { SIZED } from "./sized-flows.ts";

const MINING: readonly FlowCase[] = [
  tcp(
    "XMRig login",
    "mining.monero",
    50443,
    c(
      `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"${ADDRESS}","pass":"x","agent":"XMRig/6.21.0 (Linux x86_64)","algo":["rx/0","cn/r"]}}\n`,
    ),
    s(`{"id":1,"result":{"id":"a","job":${JOB},"status":"OK"}}\n`),
  ),
  tcp(
    "XMRig login, another agent",
    "mining.monero",
    443,
    c(`{"id":1,"method":"login","params":{"login":"${ADDRESS}","pass":"x","agent":"curl"}}\n`),
  ),
  tcp(
    "only the pool's job was seen",
    "mining.monero",
    443,
    c("\x80\x81"),
    s(`{"method":"job","params":${JOB}}\n`),
  ),
  tcp(
    "mining.subscribe",
    "mining.stratum",
    50443,
    c(SUBSCRIBE),
    s('{"id":1,"result":[[],"00",4],"error":null}\n'),
  ),
  tcp("with space before", "mining.stratum", 50443, c(`  \t${SUBSCRIBE}`)),
  tcp("over two segments", "mining.stratum", 50443, ...split(SUBSCRIBE, 20)),
  tcp("a byte each", "mining.stratum", 50443, ...SUBSCRIBE.split("").map((char) => c(char))),
  tcp("an escaped dot", "mining.stratum", 50443, c('{"method":"mining\\u002esubscribe"}\n')),
  tcp(
    "every letter escaped",
    "mining.stratum",
    50443,
    c(
      `{"method":"${"mining.subscribe"
        .split("")
        .map((char) => `\\u00${char.charCodeAt(0).toString(16)}`)
        .join("")}"}\n`,
    ),
  ),
  tcp("in an array", "mining.stratum", 50443, c(`[${SUBSCRIBE.trim()}]\n`)),
  tcp(
    "mining.authorize first",
    "mining.stratum",
    50443,
    c('{"id":1,"method":"mining.authorize","params":["me.1","x"]}\n'),
  ),
  tcp(
    "EthereumStratum 2 hello",
    "mining.stratum",
    50443,
    c('{"id":1,"method":"mining.hello","params":{"agent":"x"}}\n'),
  ),
  tcp(
    "only the pool's side",
    "mining.stratum",
    50443,
    s('{"id":null,"method":"mining.notify","params":[]}\n'),
  ),
  tcp(
    "eth_submitLogin",
    "mining.ethereum",
    50443,
    c(
      '{"worker":"eth1.0","jsonrpc":"2.0","params":["0xabc","x"],"id":2,"method":"eth_submitLogin"}\n',
    ),
  ),
  tcp("eth_submitLogin, spaced", "mining.ethereum", 50443, c('{ "method" : "eth_submitLogin" }\n')),
  tcp(
    "getwork over HTTP",
    "mining.getwork",
    8332,
    c(post('{"method":"getwork","params":[],"id":1}')),
    s(OK),
  ),
  tcp(
    "get_block_template over HTTP",
    "mining.getwork",
    18081,
    c(post('{"jsonrpc":"2.0","method":"get_block_template"}')),
    s(OK),
  ),
  tcp(
    "getblocktemplate, compressed",
    "mining.getwork",
    80,
    c(
      Buffer.concat([
        http("POST / HTTP/1.1", { Host: "n", "Content-Encoding": "gzip" }),
        gzipSync('{"method":"getblocktemplate","params":[{}]}'),
      ]),
    ),
  ),
  tcp(
    "getblocktemplate, raw deflate",
    "mining.getwork",
    80,
    c(
      Buffer.concat([
        http("POST / HTTP/1.1", { Host: "n", "Content-Encoding": "deflate" }),
        deflateRawSync('{"method":"getblocktemplate"}'),
      ]),
    ),
  ),
  tcp(
    "Stratum v2 in the clear",
    "mining.stratum-v2",
    3336,
    c(Buffer.from([0, 0, 0, 40, 0, 0, 0, 2, 0, 2, 0, 1, 2, 3, 4])),
  ),
  tcp(
    "Stratum v2 under Noise",
    "mining.stratum-v2-noise",
    3336,
    c(randomBytes(64)),
    s(randomBytes(234, 2)),
    c(randomBytes(22, 3)),
    c(randomBytes(60, 4)),
  ),
  tcp(
    "in a WebSocket, masked",
    "mining.stratum",
    80,
    c(upgrade("/")),
    s(UPGRADED),
    c(wsFrame(1, SUBSCRIBE, MASK)),
  ),
  tcp(
    "in a WebSocket, over two frames",
    "mining.stratum",
    80,
    c(upgrade("/")),
    s(UPGRADED),
    c(wsFrame(2, SUBSCRIBE.slice(0, 9), MASK)),
    c(wsFrame(9, "", MASK)),
    c(wsFrame(2, SUBSCRIBE.slice(9), MASK)),
  ),
  tcp(
    "in a compressed WebSocket",
    "mining.stratum",
    80,
    c(upgrade("/", { "Sec-WebSocket-Extensions": "permessage-deflate" })),
    s(
      http("HTTP/1.1 101 Switching Protocols", {
        Upgrade: "websocket",
        "Sec-WebSocket-Extensions": "permessage-deflate",
      }),
    ),
    c(compressed(SUBSCRIBE)),
  ),
  tcp(
    "behind CONNECT",
    "mining.stratum",
    3128,
    c(http("CONNECT pool.example:3333 HTTP/1.1")),
    s(http("HTTP/1.1 200 OK")),
    c(SUBSCRIBE),
  ),
  tcp(
    "behind SOCKS5",
    "mining.stratum",
    1080,
    c("\x05\x01\x00"),
    s("\x05\x00"),
    c("\x05\x01\x00\x03\x04pool\x0d\x05"),
    s("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
    c(SUBSCRIBE),
  ),
  tcp("Monero's peers", "mining.peer", 18080, c(Buffer.from("0121010101010101e20000", "hex"))),
  tcp(
    "Bitcoin's peers",
    "mining.peer",
    8333,
    c(Buffer.from("f9beb4d976657273696f6e0000000000", "hex")),
  ),
];

/** A frame with its first reserved bit, as permessage-deflate has it. */
function compressed(text: string): Buffer {
  const frame = wsFrame(1, deflateRawSync(text), MASK);
  frame[0] = 0xc1;
  return frame;
}

const SSH: readonly FlowCase[] = [
  ssh("ssh -N -R", "ssh.forward", [68, 60, -248, -28]),
  ssh("ssh -N -R, all addresses", "ssh.forward", [60, 60, -248, -28]),
  ssh("ssh -N -R of every address, as *", "ssh.forward", [52, 60, -248, -160]),
  ssh("ssh -R and a shell", "ssh.forward", [68, -28, 112, -44, 104]),
  ssh("ssh -N -L", "ssh.forward", [60, -248]),
  ssh("ssh -W", "ssh.forward", [152, -248, -44, 68]),
  ssh("SSH at 443", "ssh.elsewhere", [112, -44, 104], 443),
  tcp("SSH behind other lines", "ssh.elsewhere", 443, c("hello\r\nSSH-2.0-x\r\n")),
  tcp(
    "SSH behind CONNECT",
    "ssh.inside",
    3128,
    c(http("CONNECT h:443 HTTP/1.1")),
    s(http("HTTP/1.1 200 OK")),
    s("SSH-2.0-x\r\n"),
    c("SSH-2.0-OpenSSH\r\n"),
  ),
  tcp(
    "SSH behind CONNECT with a password",
    "ssh.inside",
    3128,
    c(http("CONNECT h:443 HTTP/1.1")),
    s(http("HTTP/1.1 407 Proxy Authentication Required", { "Content-Length": "2" }, "no")),
    c(http("CONNECT h:443 HTTP/1.1", { "Proxy-Authorization": "Basic eA==" })),
    s(http("HTTP/1.1 200 OK")),
    c("SSH-2.0-OpenSSH\r\n"),
  ),
  tcp(
    "SSH in a WebSocket",
    "ssh.inside",
    80,
    c(upgrade("/ws")),
    s(UPGRADED),
    c(wsFrame(2, "SSH-2.0-x\r\n", MASK)),
  ),
  tcp(
    "SSH behind an upgrade",
    "ssh.inside",
    80,
    c(http("GET / HTTP/1.1", { Host: "a", Upgrade: "raw" })),
    s(http("HTTP/1.1 101 Switching Protocols", { Upgrade: "raw" })),
    s("SSH-2.0-x\r\n"),
  ),
  tcp(
    "SSH as the answer to a request",
    "ssh.inside",
    80,
    c(http("GET / HTTP/1.1", { Host: "a" })),
    c("SSH-2.0-y\r\n"),
    s("SSH-2.0-x\r\n"),
  ),
];

const TOOLS: readonly FlowCase[] = [
  tcp(
    "chisel",
    "tunnel.chisel",
    80,
    c(upgrade("/", { "Sec-WebSocket-Protocol": "chisel-v3" })),
    s(UPGRADED),
    c(wsFrame(2, "SSH-chisel-v3-client\r\n", MASK)),
  ),
  tcp(
    "wstunnel",
    "tunnel.wstunnel",
    80,
    c(upgrade("/v1/events", { "Sec-WebSocket-Protocol": "v1, authorization.bearer.eyJ0" })),
    s(UPGRADED),
  ),
  tcp("frp over WebSocket", "tunnel.frp", 80, c(upgrade("/~!frp")), s(UPGRADED)),
  tcp("frp's own TLS", "tunnel.frp", 7000, c(Buffer.concat([Buffer.of(0x17), clientHello("")]))),
  tcp(
    "frp's login",
    "tunnel.frp",
    7000,
    c(Buffer.concat([Buffer.from("6f00000000000000a0", "hex"), Buffer.from('{"version":"0.5"}')])),
  ),
  tcp("bore", "tunnel.bore", 7835, c('{"Hello":8080}\0')),
  tcp("yamux", "tunnel.yamux", 9999, c(Buffer.from("000100010000000100000000", "hex"))),
  tcp("cloudflared", "tunnel.cloudflared", 7844, c(clientHello("h2.cftunnel.com"))),
  tcp(
    "a quick tunnel's name",
    "tunnel.cloudflared",
    443,
    c(clientHello("api.trycloudflare.com", ["h2"])),
  ),
  tcp("ngrok", "tunnel.ngrok", 443, c(clientHello("connect.ngrok-agent.com"))),
  tcp("gsocket", "tunnel.gsocket", 443, c(clientHello("g.gsocket.io"))),
  tcp(
    "dev tunnels",
    "tunnel.devtunnels",
    443,
    c(clientHello("global.rel.tunnels.api.visualstudio.com")),
  ),
  tcp(
    "Tailscale's control",
    "tunnel.tailscale",
    80,
    c(
      http("POST /ts2021 HTTP/1.1", {
        Host: "c.example",
        Upgrade: "tailscale-control-protocol",
        Connection: "upgrade",
      }),
    ),
  ),
  tcp(
    "DERP",
    "tunnel.tailscale",
    80,
    c(http("GET /derp HTTP/1.1", { Host: "d.example", Upgrade: "DERP" })),
  ),
  udp(
    "disco",
    "vpn.tailscale-disco",
    41641,
    c(Buffer.concat([Buffer.from("TS💬"), randomBytes(80)])),
  ),
  tcp(
    "a name behind CONNECT",
    "tunnel.ngrok",
    3128,
    c(http("CONNECT tunnel.us.ngrok.com:443 HTTP/1.1")),
  ),
  udp(
    "a name that is looked up",
    "tunnel.cloudflared",
    53,
    c(dnsQuery("region1.v2.argotunnel.com")),
  ),
  tcp(
    "remote control by a vendor's relay",
    "remote.service",
    443,
    c(clientHello("relay-1.net.anydesk.com")),
  ),
  tcp("a public port as a service", "tunnel.service", 443, c(clientHello("x.loca.lt"))),
  udp(
    "WireGuard",
    "vpn.wireguard",
    51820,
    c(wireGuard(1, 148)),
    s(wireGuard(2, 92)),
    c(wireGuard(4, 128)),
  ),
  udp(
    "WireGuard, in the middle",
    "vpn.wireguard",
    443,
    ...[1, 2, 3].flatMap((n) => [c(wireGuard(4, 32 * n)), s(wireGuard(4, 96))]),
  ),
  tcp(
    "WireGuard over TCP",
    "vpn.wireguard",
    443,
    c(Buffer.concat([Buffer.from("0094", "hex"), wireGuard(1, 148)])),
  ),
  udp("OpenVPN", "vpn.openvpn", 1194, c(openVpn(0x38, 14)), s(openVpn(0x40, 26))),
  tcp(
    "OpenVPN over TCP",
    "vpn.openvpn",
    443,
    c(Buffer.concat([Buffer.of(0, 14), openVpn(0x38, 14)])),
    s(Buffer.concat([Buffer.of(0, 26), openVpn(0x40, 26)])),
  ),
  tcp(
    "Tor",
    "vpn.tor",
    9001,
    c(clientHello("www.kxqzj3vmdw.com")),
    s(Buffer.concat([tlsData(900), tlsData(531), tlsData(531)])),
    c(tlsData(531)),
    c(tlsData(1045)),
  ),
  tcp("SOCKS5", "proxy.socks", 1080, c("\x05\x01\x00"), s("\x05\x00")),
  tcp(
    "SOCKS4",
    "proxy.socks",
    9050,
    c("\x04\x01\x00\x50\x01\x02\x03\x04\x00"),
    s("\x00\x5a\x00\x00\x00\x00\x00\x00"),
  ),
  tcp(
    "RDP",
    "remote.desktop",
    3389,
    c(Buffer.from("030000130ee000000000000100080003000000", "hex")),
  ),
  udp("RDP over UDP", "remote.desktop", 3389, c(rdpSyn(0xffffffff, 0x1801)), s(rdpSyn(7, 0x1005))),
  udp("OpenVPN, one side", "vpn.openvpn", 443, c(openVpn(0x38, 14))),
  tcp("VNC", "remote.desktop", 5900, s("RFB 003.008\n"), c("RFB 003.008\n")),
];

function wireGuard(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(type, 0, 0, 0), randomBytes(length - 4, type)]);
}

function rdpSyn(ack: number, flags: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(ack, 0);
  head.writeUInt16BE(flags, 6);
  return Buffer.concat([head, Buffer.alloc(1224)]);
}

function openVpn(code: number, length: number): Buffer {
  return Buffer.concat([Buffer.of(code), randomBytes(8), Buffer.alloc(length - 9)]);
}

const SHELLS: readonly FlowCase[] = [
  tcp(
    "bash -i",
    "shell.reverse",
    4444,
    c(
      "bash: cannot set terminal process group (12): Inappropriate ioctl for device\nbash: no job control in this shell\nuser@host:~$ ",
    ),
    s("id\n"),
  ),
  tcp("sh, with a prompt alone", "shell.reverse", 443, c("$ "), s("uname -a\n")),
  tcp("a pty, with its codes", "shell.reverse", 443, c("\x1b[?2004hroot@box:/# "), s("ls -la\n")),
  tcp(
    "a loop that reads lines",
    "shell.reverse",
    8080,
    s("id\n"),
    c("uid=0(root) gid=0(root) groups=0(root)\n"),
  ),
  tcp(
    "a command whose output has no form",
    "shell.reverse",
    8080,
    s("ls /srv\n"),
    c("data\nwww\n"),
  ),
  tcp(
    "Windows",
    "shell.reverse",
    443,
    c("Microsoft Windows [Version 10.0.19045]\r\n(c) Microsoft\r\n\r\nC:\\>"),
    s("whoami\r\n"),
  ),
  tcp("PowerShell", "shell.reverse", 443, c("PS C:\\Users\\a> "), s("ipconfig\r\n")),
  tcp(
    "in a WebSocket",
    "shell.reverse",
    80,
    c(upgrade("/s")),
    s(UPGRADED),
    c(wsFrame(2, "sh-5.2$ ", MASK)),
    s(wsFrame(2, "cat /etc/passwd\n")),
  ),
  tcp("bound to a port", "shell.bind", 4444, s("sh-5.2$ "), c("id\n")),
];

const hex = (n: number, length: number) => randomBytes(length, n + 11).toString("hex");
const NAMES_OF_BYTES = Array.from({ length: 40 }, (_, n) =>
  c(dnsQuery(`${hex(n, 28)}.t.evil.example`, 16, n)),
);
const SPREAD = Array.from({ length: 40 }, (_, n) =>
  c(dnsQuery(`dnscat.${hex(n, 28)}.${hex(n + 99, 9)}1`, 16, n)),
);

const CHANNELS: readonly FlowCase[] = [
  udp("names that carry bytes", "flow.dns-tunnel", 53, ...NAMES_OF_BYTES),
  udp(
    "the same at another port",
    "flow.dns-tunnel",
    5300,
    ...NAMES_OF_BYTES.map(([, bytes]) => c(Buffer.concat([bytes as Buffer]))),
  ),
  udp("names below no domain", "flow.dns-spread", 53, ...SPREAD),
  {
    name: "IP in echoes",
    expect: "flow.icmp-tunnel",
    protocol: "icmp",
    said: [1, 2, 3].map((n) => c(echo(8, n, ipInside(60), 1))),
  },
  {
    name: "replies of their own",
    expect: "flow.icmp-tunnel",
    protocol: "icmp",
    said: [1, 2, 3, 4].flatMap((n) => [
      c(echo(8, n, randomBytes(99, n), 2)),
      s(echo(0, n, randomBytes(120, n + 9), 2)),
    ]),
  },
];

const SIZES_OF_ECHOES = [36, 78, 60, 572, 100, 220, 576].map((size, n) =>
  c(echo(8, n, randomBytes(size, n), 5)),
);

const ONE_SIDED: FlowCase = {
  name: "requests of many sizes",
  expect: "flow.icmp-tunnel",
  protocol: "icmp",
  said: SIZES_OF_ECHOES,
};

export const POSITIVE: readonly FlowCase[] = [
  ...MINING,
  ...SSH,
  ...TOOLS,
  ...SHELLS,
  ...CHANNELS,
  ONE_SIDED,
  ...SIZED,
];
