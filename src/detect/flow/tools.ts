/**
 * Tools that open a way in or out: by the names that they call, and by what they say where it can be read.
 *
 * @module
 */
import { questionsIn } from "./dns.ts";
import type { FlowDetector, FlowSign, FlowView } from "./flow-detector.ts";
import { carriedBy, speaks, type Layer } from "./layers.ts";

/** How a tool shows in a layer. */
interface Sign {
  /** A field of the request, and what it begins with or is. */
  readonly field?: readonly [name: string, value: RegExp];
  /** The request line. */
  readonly line?: RegExp;
  /** What either side begins with. */
  readonly start?: RegExp;
  /** An application protocol in the ClientHello. */
  readonly alpn?: RegExp;
  readonly what: string;
}

interface Tool {
  readonly name: string;
  readonly title: string;
  readonly explanation: string;
  /** Domains: the name itself and every name below it. */
  readonly domains?: readonly string[];
  readonly signs?: readonly Sign[];
}

const NAMED = "Found by the names that it looks up and calls";

const TOOLS: readonly Tool[] = [
  {
    name: "tunnel.chisel",
    title: "chisel: SSH inside a WebSocket",
    explanation: "The sub-protocol chisel-v3, and the identification string of the SSH inside.",
    signs: [
      { field: ["sec-websocket-protocol", /^chisel-v\d/], what: "the sub-protocol of chisel" },
      { start: /^SSH-chisel-/, what: "chisel's identification string" },
    ],
  },
  {
    name: "tunnel.frp",
    title: "frp: a reverse proxy for services behind a firewall",
    explanation:
      "Its own byte before a TLS record, its login message, or the path /~!frp of its WebSocket.",
    signs: [{ line: /^GET \/~!frp /, what: "the path of frp's WebSocket" }],
  },
  {
    name: "tunnel.wstunnel",
    title: "wstunnel: any protocol inside a WebSocket",
    explanation:
      "The sub-protocol v1 beside a bearer token in the same field, at the path /v1/events.",
    signs: [
      {
        field: ["sec-websocket-protocol", /^v1, authorization\.bearer\./],
        what: "the sub-protocol of wstunnel",
      },
    ],
  },
  {
    name: "tunnel.httptunnel",
    title: "httptunnel: a stream inside requests of HTTP",
    explanation: "The path /index.html?crap= and a number, which its client asks for and posts to.",
    signs: [{ line: /^(?:GET|POST) \/index\.html\?crap=\d+ HTTP/, what: "the path of httptunnel" }],
  },
  {
    name: "tunnel.cloudflared",
    title: "cloudflared: a tunnel from Cloudflare's network",
    explanation: `${NAMED}: argotunnel.com, cftunnel.com, trycloudflare.com. The agent of a tunnel that was set up on purpose calls the same.`,
    domains: ["argotunnel.com", "cftunnel.com", "trycloudflare.com"],
    signs: [{ alpn: /^argotunnel$/, what: "the application protocol of cloudflared" }],
  },
  {
    name: "tunnel.ngrok",
    title: "ngrok: a public address for a local port",
    explanation: `${NAMED}: ngrok-agent.com, ngrok.io, ngrok-free.app and kin. A visitor of somebody's tunnel calls the last ones too.`,
    domains: [
      ...[
        "ngrok-agent.com",
        "ngrok.io",
        "ngrok.app",
        "ngrok-free.app",
        "ngrok.dev",
        "ngrok-free.dev",
      ],
      ...["us", "eu", "ap", "au", "sa", "jp", "in"].map((region) => `tunnel.${region}.ngrok.com`),
    ],
  },
  {
    name: "tunnel.bore",
    title: "bore: a public port for a local one",
    explanation:
      "Its JSON control messages Hello and Authenticate, and the public server bore.pub.",
    domains: ["bore.pub"],
  },
  {
    name: "tunnel.gsocket",
    title: "gsocket: a shell through a relay",
    explanation: `${NAMED}: gsocket.io and gs.thc.org.`,
    domains: ["gsocket.io", "gs.thc.org"],
  },
  {
    name: "tunnel.devtunnels",
    title: "Dev Tunnels, and remote tunnels of an editor",
    explanation: `${NAMED}: devtunnels.ms and rel.tunnels.api.visualstudio.com. Developers use them on purpose.`,
    domains: ["devtunnels.ms", "tunnels.api.visualstudio.com"],
  },
  {
    name: "tunnel.tailscale",
    title: "Tailscale: a network of one's own through any other",
    explanation:
      "The upgrades of its control protocol and of its relays, the magic of its discovery datagrams, and its names.",
    domains: ["tailscale.com", "tailscale.io", "ts.net"],
    signs: [
      {
        field: ["upgrade", /^tailscale-control-protocol$/i],
        what: "the upgrade of Tailscale's control",
      },
      { field: ["upgrade", /^DERP$/i], what: "the upgrade to a DERP relay" },
    ],
  },
  {
    name: "tunnel.service",
    title: "A service that gives a local port a public address",
    explanation: `${NAMED}: localhost.run, serveo.net, pinggy.io, loca.lt, playit.gg, zrok.io, tunnelto.dev, localxpose.io, packetriot.net, pagekite.me, telebit.cloud.`,
    domains: [
      ...[
        "localhost.run",
        "lhr.life",
        "serveo.net",
        "serveousercontent.com",
        "pinggy.io",
        "pinggy.link",
      ],
      ...[
        "localtunnel.me",
        "loca.lt",
        "playit.gg",
        "zrok.io",
        "tunnelto.dev",
        "localxpose.io",
        "loclx.io",
      ],
      ...[
        "packetriot.net",
        "packetriot.com",
        "pagekite.me",
        "pagekite.net",
        "telebit.cloud",
        "remote.it",
      ],
    ],
  },
  {
    name: "remote.service",
    title: "Remote control of a machine through a vendor's relay",
    explanation: `${NAMED}: AnyDesk, TeamViewer, RustDesk, Splashtop, Chrome Remote Desktop and kin.`,
    domains: [
      ...[
        "net.anydesk.com",
        "teamviewer.com",
        "rustdesk.com",
        "splashtop.com",
        "logmein.com",
        "screenconnect.com",
      ],
      ...[
        "remotedesktop.google.com",
        "remotedesktop-pa.googleapis.com",
        "dwservice.net",
        "meshcentral.com",
        "parsec.app",
      ],
    ],
    signs: [{ alpn: /^anydesk\//, what: "the application protocol of AnyDesk" }],
  },
  {
    name: "tunnel.vpn-service",
    title: "A service that carries all traffic elsewhere",
    explanation: `${NAMED}: commercial VPNs and tools against censorship.`,
    domains: [
      ...[
        "mullvad.net",
        "protonvpn.ch",
        "protonvpn.net",
        "nordvpn.com",
        "expressvpn.com",
        "tunnelbear.com",
      ],
      ...[
        "windscribe.com",
        "surfshark.com",
        "privateinternetaccess.com",
        "cloudflareclient.com",
        "psiphon3.com",
        "polargrizzly.com",
        "sec-tunnel.com",
        "vpn-api.proton.me",
      ],
      ...[
        "torproject.org",
        "softether.net",
        "vpngate.net",
        "zerotier.com",
        "netmaker.io",
        "twingate.com",
      ],
    ],
  },
];

/** Below one of these domains: which tool. */
const BY_DOMAIN = new Map(
  TOOLS.flatMap(({ name, domains = [] }) => domains.map((domain) => [domain, name] as const)),
);

// Who reads about a tool has not started it.
const READ_ABOUT = /^(?:www|docs?|download|blog|help|support|community)\./;

/** The tool that `host` belongs to, and the domain that says so. */
export function toolOf(host: string): readonly [tool: string, domain: string] | undefined {
  for (let at = 0; at >= 0; at = host.indexOf(".", at + 1)) {
    const domain = at === 0 ? host : host.slice(at + 1);
    const tool = BY_DOMAIN.get(domain);
    if (tool !== undefined) return READ_ABOUT.test(host) ? undefined : [tool, domain];
  }
  return undefined;
}

function shows(layer: Layer, { field, line, start, alpn }: Sign): boolean {
  const { request, hello } = layer;
  if (field !== undefined) return field[1].test(request?.fields.get(field[0]) ?? "");
  if (line !== undefined) return request !== undefined && line.test(request.line);
  if (alpn !== undefined) return hello?.alpn.some((one) => alpn.test(one)) ?? false;
  if (start === undefined || layer.opening.protocol !== "ssh") return false;
  return [layer.sent, layer.received].some((head) => start.test(head.toString("latin1", 0, 64)));
}

/** Messages that the classifier of first bytes knows, by the tool in their sentence. */
const FIRST_BYTES: readonly (readonly [RegExp, string])[] = [
  [/^frp/, "tunnel.frp"],
  [/^bore/, "tunnel.bore"],
  [/^yamux/, "tunnel.yamux"],
];

const YAMUX: Tool = {
  name: "tunnel.yamux",
  title: "Many streams in one, as ligolo and its kin have them",
  explanation:
    "A connection that begins with the header of yamux, by which reverse tunnels carry several streams over one connection. Programs of HashiCorp's speak it among themselves.",
};

const ALL = [...TOOLS, YAMUX];
const SIGNS = ALL.flatMap(({ name, signs = [] }) => signs.map((sign) => ({ name, sign })));

/** The tools that a flow shows, each with its surest sign. */
function toolsIn(flow: FlowView): ReadonlyMap<string, FlowSign> {
  let found: Map<string, FlowSign> | undefined;
  const add = (name: string | undefined, sign: FlowSign) => {
    if (name === undefined) return;
    found ??= new Map();
    if (!found.has(name)) found.set(name, sign);
  };
  for (const layer of flow.layers) {
    for (const { name, sign } of SIGNS) {
      if (shows(layer, sign)) add(name, { score: 1, why: `${sign.what}${carriedBy(layer)}` });
    }
    const first = speaks(layer, "tunnel");
    if (first === undefined) continue;
    const [, name] = FIRST_BYTES.find(([pattern]) => pattern.test(first.detail)) ?? [];
    add(name, { score: 0.95, why: `${first.detail}${carriedBy(layer)}` });
  }
  for (const host of hostsOf(flow)) {
    const [tool, domain] = toolOf(host) ?? [];
    if (tool === undefined) continue;
    add(tool, { score: 0.9, why: `the name ${domain}, or one below it, is called` });
  }
  for (const { name } of flow.once(questionsIn)) {
    const [tool, domain] = toolOf(name.toLowerCase()) ?? [];
    if (tool === undefined) continue;
    add(tool, { score: 0.5, why: `${domain}, or a name below it, is looked up` });
  }
  return found ?? NONE;
}

const NONE: ReadonlyMap<string, FlowSign> = new Map();

const CONNECT = /^CONNECT ([^ :]+):/;

/** Names of the server: as given, in a ClientHello, in a request. */
function hostsOf({ seen, layers }: FlowView): readonly string[] {
  const hosts = [...seen.names];
  for (const { hello, request } of layers) {
    if (hello?.serverName !== undefined) hosts.push(hello.serverName);
    if (request === undefined) continue;
    const host = request.fields.get("host") ?? CONNECT.exec(request.line)?.[1];
    if (host !== undefined) hosts.push(host.replace(/:\d+$/, "").replace(/\.$/, ""));
  }
  return hosts.map((host) => host.toLowerCase());
}

function showsTools(flow: FlowView): boolean {
  return flow.once(toolsIn).size > 0;
}

export const TOOL_DETECTORS: readonly FlowDetector[] = ALL.map(
  ({ name, title, explanation }): FlowDetector => ({
    name,
    kind: "tunnel",
    title,
    explanation,
    attack: name.startsWith("remote.") ? ["T1219"] : ["T1572", "T1090"],
    atlas: ["AML.T0072"],
    owasp: ["ASI10"],
    tuning: {},
    sees: ["tcp", "udp"],
    may: showsTools,
    judge: (flow) => flow.once(toolsIn).get(name),
  }),
);
