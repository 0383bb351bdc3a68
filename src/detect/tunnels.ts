/**
 * Tunnels and remote access by what is executed, and by the datagrams that are refused. What they say on the wire the gateway refuses and names by itself.
 *
 * @module
 */
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, shown, timesOf } from "./found.ts";
import { detectorOfPrograms } from "./of-programs.ts";
import { portOf } from "./probing.ts";
import { isShell, type Program } from "./program.ts";

const TUNNEL: DetectorAbout = {
  name: "tunnel.command",
  kind: "tunnel",
  title: "A tunnel or a shell for somebody outside is started",
  explanation:
    "Looks at programs and arguments: ssh -R, -D, -w, -L and -W, autossh, sshuttle, and tools that publish a port (chisel, frp, cloudflared, ngrok, bore, ...), VPNs and Tor, nc -e, socat EXEC, and /dev/tcp in a shell's text. git and rsync start ssh without any of these. A local forward to a database is a habit of people too.",
  attack: ["T1572", "T1090", "T1021.004", "T1219", "T1059.004"],
  atlas: ["AML.T0072"],
  owasp: ["ASI02", "ASI10"],
  tuning: {},
};

/** Tools that do nothing else; where a word is named, only with it. */
const TOOLS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["autossh", []],
  ["sshuttle", []],
  ["chisel", ["client", "server"]],
  ["frpc", []],
  ["frps", []],
  ["cloudflared", ["tunnel", "access"]],
  ["ngrok", ["http", "tcp", "tls", "start"]],
  ["bore", ["local"]],
  ["wstunnel", ["client", "server"]],
  ["gost", []],
  ["ligolo-agent", []],
  ["zrok", ["share", "access", "enable"]],
  ["devtunnel", ["host", "connect"]],
  ["code", ["tunnel"]],
  ["lt", ["--port"]],
  ["localtunnel", []],
  ["tailscaled", []],
  ["tailscale", ["up", "ssh", "funnel", "serve"]],
  ["wg-quick", ["up"]],
  ["openvpn", []],
  ["tor", []],
  ["gs-netcat", []],
  ["ptunnel-ng", []],
  ["iodine", []],
  ["dns2tcpc", []],
  ["pwncat", []],
  ["tmate", []],
]);
const ASKING = new Set(["--help", "-h", "--version", "version", "-v", "-V"]);

/** Options of ssh that take a value, so that what follows is none (ssh(1)). */
const SSH_VALUES = "BbcDEeFIiJLlmOoPpQRSWw";
const SSH_SCORES: Readonly<Record<string, number>> = { R: 0.9, D: 0.8, w: 0.8, L: 0.6, W: 0.4 };

export const tunnelCommand = detectorOfPrograms(TUNNEL, (program) => {
  if (isShell(program) || program.text !== "") {
    // What a shell starts comes by itself; but for what it does by its own means.
    if (!/\/dev\/(?:tcp|udp)\/[^/\s]+\/\d+/.test(program.text)) return undefined;
    const isShellOut = /\b(?:ba|z|k|da)?sh\s+-i\b|<&|exec\s+\d+<>/.test(program.text);
    return [isShellOut ? 0.9 : 0.5, "a shell opens /dev/tcp"];
  }
  const hit = tunnelOf(program);
  return hit === undefined ? undefined : [hit.score, hit.why];
});

interface Hit {
  readonly score: number;
  readonly why: string;
}

function tunnelOf({ name, args }: Program): Hit | undefined {
  if (name === "ssh") return sshOf(args);
  if (name === "nc" || name === "ncat" || name === "netcat") {
    const gives = args.some((one) => /^-[a-z]*[ec]$/.test(one) || /^--(?:sh-)?exec/.test(one));
    return gives ? { score: 0.9, why: `${name} hands a program to a connection` } : undefined;
  }
  if (name === "socat") {
    const gives = args.some((one) => /^(?:exec|system|shell):/i.test(one));
    const goesOut = args.some((one) => /^(?:tcp|udp|openssl|ssl|sctp)\d?(?:-connect)?:/i.test(one));
    if (gives) return { score: 0.9, why: "socat hands a program to a connection" };
    const listens = args.some((one) => /^(?:tcp|udp|openssl|unix)\d?-l/i.test(one));
    return goesOut && listens ? { score: 0.5, why: "socat passes a connection on" } : undefined;
  }
  const words = TOOLS.get(name);
  if (words === undefined || args.some((one) => ASKING.has(one))) return undefined;
  if (words.length > 0 && !args.some((one) => words.includes(one))) return undefined;
  return { score: 0.8, why: `${name} is started, which makes tunnels` };
}

function sshOf(args: readonly string[]): Hit | undefined {
  let best: Hit | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (!word.startsWith("-") || word === "--") break; // The host; what follows is run there.
    for (let sign = 1; sign < word.length; sign += 1) {
      const flag = word[sign] ?? "";
      const score = SSH_SCORES[flag];
      if (score !== undefined && score > (best?.score ?? 0))
        best = { score, why: `ssh is started with -${flag}` };
      if (!SSH_VALUES.includes(flag)) continue;
      const value = sign === word.length - 1 ? (args[(at += 1)] ?? "") : word.slice(sign + 1);
      const forwards = /^(remote|dynamic|local)forward\b|^tunnel\b(?!\s*=?\s*no)/i.exec(value);
      if (flag === "o" && forwards !== null && best === undefined) {
        best = { score: 0.8, why: `ssh is started with ${forwards[0]}` };
      }
      break;
    }
  }
  return best;
}

const PACKETS: DetectorAbout = {
  name: "tunnel.packets",
  kind: "tunnel",
  title: "Datagrams to where virtual networks listen",
  explanation:
    "Nothing but TCP and questions about names leaves a run; what the kernel refused beside them is counted by target. Datagrams to the ports of WireGuard, Tailscale, OpenVPN, IPsec, L2TP, ZeroTier and tinc are an attempt to join a network, whoever sends them: a process is often not known. A sweep over all ports of a host meets them too, and is a scan as well. On another port such a tunnel is one more refused datagram.",
  attack: ["T1572"],
  atlas: ["AML.T0072"],
  owasp: ["ASI02", "ASI10"],
  tuning: {},
};

/** From the registry of IANA, and the documents of those that are not in it. */
const NETWORK_PORTS: ReadonlyMap<number, string> = new Map([
  [51_820, "WireGuard"],
  [41_641, "Tailscale"],
  [1194, "OpenVPN"],
  [500, "IPsec"],
  [4500, "IPsec"],
  [1701, "L2TP"],
  [9993, "ZeroTier"],
  [655, "tinc"],
]);

export const tunnelPackets = defineDetector<object>({
  ...PACKETS,
  sees: ["denial"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    if (event.rule !== "no-udp") return [];
    const port = portOf(event);
    const network = NETWORK_PORTS.get(port);
    if (network === undefined) return [];
    const times = timesOf(event);
    const count = times === 1 ? "a datagram" : `${times} datagrams`;
    const why = `${count} to ${shown(event.target ?? "")} port ${port}, where ${network} listens`;
    return [found(PACKETS, event, 0.6, why)];
  },
});
