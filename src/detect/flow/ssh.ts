/**
 * SSH where it has no business, and what is forwarded through it.
 *
 * @module
 */
import type { FlowDetector, FlowSign } from "./flow-detector.ts";
import type { FlowSeen } from "./flow-seen.ts";
import { carriedBy, speaks } from "./layers.ts";
import { readSshSizes, type SshSizes } from "./ssh-sizes.ts";

const SSH_PORT = 22;
const TUNNEL = { kind: "tunnel", atlas: ["AML.T0072"], owasp: ["ASI10"], sees: ["tcp"] } as const;

export const SSH_DETECTORS: readonly FlowDetector[] = [
  {
    ...TUNNEL,
    name: "ssh.elsewhere",
    title: "SSH on a port that is not its own",
    explanation:
      "An SSH identification string on any port but 22, which passes filters that know ports only. Git servers and hosts that hide from scanners use other ports too.",
    attack: ["T1021.004", "T1571"],
    tuning: {},
    judge(flow) {
      const [outer] = flow.layers;
      const ssh = outer === undefined ? undefined : speaks(outer, "ssh");
      const { server, client } = flow.seen;
      const { port } = server;
      if (ssh === undefined || port === SSH_PORT || client.port === SSH_PORT) return undefined;
      return { score: 0.6, why: `${ssh.detail} at port ${port}` };
    },
  },
  {
    ...TUNNEL,
    name: "ssh.inside",
    title: "SSH inside another protocol",
    explanation:
      "An SSH identification string behind CONNECT, an upgrade, the frames of a WebSocket, SOCKS or an HTTP request. Nobody wraps SSH but to pass where it would not.",
    attack: ["T1572", "T1021.004"],
    tuning: {},
    judge(flow) {
      for (const layer of flow.layers) {
        const ssh = layer.via.length === 0 ? undefined : speaks(layer, "ssh");
        if (ssh !== undefined) return { score: 1, why: `${ssh.detail}${carriedBy(layer)}` };
      }
      return undefined;
    },
  },
  {
    ...TUNNEL,
    name: "ssh.forward",
    title: "Ports forwarded through SSH",
    explanation:
      "After authentication a client that wants a shell, a command or files opens a session, in a message of a fixed length. One that asks for a forward (ssh -R, -L, -D, -W, -N) sends another first, or never opens a session. One that opens a session, sends a program into it at once, and then exchanges the greetings of sshuttle carries a whole network. Lengths follow from the cipher and MAC that both sides agreed on in the clear. Evidence, no proof: compression hides lengths, and other programs may coalesce messages.",
    attack: ["T1572", "T1090"],
    tuning: {},
    judge(flow) {
      for (const layer of flow.layers) {
        if (layer.opening.protocol !== "ssh") continue;
        const sizes = readSshSizes(layer.sent, layer.received);
        // Lengths of an outer layer's payloads are not those of what it carries.
        if (sizes !== undefined && layer.via.length === 0) return forwarded(flow.seen, sizes);
      }
      return undefined;
    },
  },
];

/** Payloads of messages, in bytes (RFC 4252 and 4254, OpenSSH's PROTOCOL). */
const SUCCESS = 1; // USERAUTH_SUCCESS; REQUEST_SUCCESS and REQUEST_FAILURE alike.
const SERVICE = 17; // SERVICE_REQUEST and SERVICE_ACCEPT of ssh-userauth; a channel's confirmation alike.
const SESSION = 24; // CHANNEL_OPEN "session".
const NO_MORE = 34; // GLOBAL_REQUEST "no-more-sessions@openssh.com".
const FORWARD_MIN = 27; // GLOBAL_REQUEST "tcpip-forward" of an empty address.
const REQUEST_MAX = 512; // A direct channel's, with a long name.
const MESSAGES_MAX = 12;
// sshuttle: "\0\0SSHUTTLE0001" of its server, then each side's PING with "chicken" and its answer, in a channel's data.
const SHUTTLE_PROGRAM_BYTES_MIN = 8192;
const SHUTTLE_HELLO = 9 + 14;
const SHUTTLE_PING = 9 + 15;
const SHUTTLE_PING_PONG = 9 + 30;

function forwarded(
  { sizes }: FlowSeen,
  { client, server, clientIdent }: SshSizes,
): FlowSign | undefined {
  const accepted = sizes.indexOf(-server(SERVICE));
  const success = accepted < 0 ? -1 : sizes.indexOf(-server(SUCCESS), accepted + 1);
  if (success < 0) return undefined;
  const after = sizes.slice(success + 1);
  const own = after.filter((size) => size > 0).slice(0, MESSAGES_MAX);
  const [first, second] = own;
  if (first === undefined) return undefined;
  const session = client(SESSION);
  const noMore = client(NO_MORE);
  const opens = (size: number | undefined) => size === session || size === session + noMore;
  const isAsked = first >= client(FORWARD_MIN) && first <= client(REQUEST_MAX) + noMore;
  const said = (score: number, what: string) => ({
    score,
    why: `after authentication a message of ${first} bytes, where one of ${session} opens a session: ${what}`,
  });
  if (opens(first)) {
    if (isShuttle(after, { client, server })) {
      const why =
        "a program is sent to a command at once, and then both sides exchange the greetings of sshuttle";
      return { score: 0.85, why };
    }
    // The same length: a forward of an empty address. OpenSSH ends with "no more sessions" in one segment with
    // the session that it opens, and alone where there is none; or it opens a session after.
    const isAlone =
      first === session &&
      isOpenSsh(clientIdent) &&
      (second === session + noMore || second === noMore);
    const answer = after[after.indexOf(first) + 1];
    const isOpened = answer === -server(SERVICE);
    if (!isAlone || isOpened) return undefined;
    return said(0.8, "a request of the same length, with no session or before one");
  }
  if (!isAsked) return undefined;
  if (opens(second)) return said(0.95, "a forward is asked for before the session");
  if (own.some(opens)) return undefined;
  if (first === noMore && second !== noMore)
    return said(0.8, "no session is wanted, only forwards");
  const answer = after.find((size) => size === -server(SUCCESS) || size === -server(SERVICE));
  if (answer === -server(SERVICE) && answer !== -server(SUCCESS)) {
    return said(0.9, "a channel to somewhere else is opened, and no session");
  }
  return said(0.9, "a forward is asked for, and no session");
}

/** Whether what follows authentication is sshuttle's start: its program, its hello, its first ping. */
function isShuttle(
  after: readonly number[],
  { client, server }: Pick<SshSizes, "client" | "server">,
): boolean {
  const hello = server(SHUTTLE_HELLO);
  let sent = 0;
  for (const [n, size] of after.entries()) {
    if (size > 0) sent += size;
    else if (sent >= SHUTTLE_PROGRAM_BYTES_MIN) {
      const isHello = size === -hello || size === -hello - server(SHUTTLE_PING);
      const ping = after.slice(n).find((one) => one > 0);
      return isHello && (ping === client(SHUTTLE_PING) || ping === client(SHUTTLE_PING_PONG));
    }
  }
  return false;
}

function isOpenSsh(ident: string): boolean {
  return ident.includes("OpenSSH");
}
