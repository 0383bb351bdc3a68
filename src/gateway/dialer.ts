/**
 * The upstream of a granted flow: connected by the connector, and for TLS verified here before the
 * socket is used: an unverified upstream gets no byte of a request.
 *
 * @module
 */
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { assert, Fault, isFault } from "../base/index.ts";
import { printDial, printProxy, type Dial, type Proxy } from "../policy/index.ts";
import type { Connector } from "./connector.ts";
import type { GatewayLimits } from "./limits.ts";
import { connectThrough } from "./upstream-proxy.ts";
import type { UpstreamTrust } from "./upstream-trust.ts";

/** Where a granted flow goes on the other side. */
export interface Destination {
  /** Canonical granted name: what the upstream's certificate must say. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The grant's own address, which replaces resolution. */
  readonly dial?: Dial;
  /** The grant's own HTTP proxy, through which the connection goes; only with `tls`. */
  readonly proxy?: Proxy;
  /** Bytes are passed on as they come, so one end of the connection may be closed before the other. */
  readonly isRelayed?: boolean;
  /** PEM of certificate authorities that may vouch for it besides the system's. */
  readonly ca?: string;
  /** Connected there already, and nothing said yet: then nobody connects again. */
  readonly made?: Socket;
  /** The flow that it is for. */
  readonly flow?: string;
  /** What is offered by ALPN; only HTTP/1.1 by default. */
  readonly alpn?: readonly string[];
}

/** A connected upstream; `socket` speaks TLS where asked for, `raw` is what is counted. */
export interface Upstream {
  readonly socket: Socket | TLSSocket;
  readonly raw: Socket;
}

export interface DialerPorts {
  readonly connect: Connector;
  readonly trust: UpstreamTrust;
  readonly limits: Pick<GatewayLimits, "connectMs" | "upstreamHandshakeMs">;
}

export interface Dialer {
  /**
   * Connects, checked and verified.
   *
   * @throws {Fault} `gateway.resolve` (no address), `gateway.address` (every address is refused),
   *   `gateway.connect` (nobody answered), `gateway.certificate` (the upstream is not who it should
   *   be), `gateway.upstream_tls` (TLS failed otherwise), `gateway.proxy`, `gateway.aborted`.
   */
  dial(to: Destination, signal: AbortSignal): Promise<Upstream>;
  /**
   * Speaks TLS on a connection to `to` on which something was said in the open first, and resolves when the
   * peer has proved to be it.
   *
   * @throws {Fault} `gateway.certificate`, `gateway.upstream_tls`, `gateway.aborted`
   */
  secure(raw: Socket, to: Destination, signal: AbortSignal): Promise<TLSSocket>;
}

/** A dialer for one run. */
export function createDialer(ports: DialerPorts): Dialer {
  return {
    async dial(to, signal) {
      const raw = to.made ?? (await ports.connect(to, signal));
      if (to.proxy !== undefined) {
        assert(to.tls, "through a proxy goes only what TLS protects");
        const options = { timeoutMs: ports.limits.connectMs, signal };
        await connectThrough(raw, authorityOf(to), options);
      }
      if (!to.tls) return { socket: raw, raw };
      return { socket: await secure(raw, to, ports, signal), raw };
    },
    secure: (raw, to, signal) => secure(raw, to, ports, signal),
  };
}

/** What a proxy is asked for: the grant's own address, else the granted name, which it resolves. */
function authorityOf({ host, port, dial }: Destination): string {
  return dial === undefined ? printProxy({ host, port }) : printDial(dial);
}

/** Speaks TLS with `raw` and resolves only when the peer has proved to be `to.host`. */
function secure(
  raw: Socket,
  to: Destination,
  ports: DialerPorts,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      socket: raw,
      servername: to.host,
      secureContext: ports.trust.contextFor(to.ca),
      // No protocol but HTTP has one to offer (RFC 7301).
      ...(to.alpn?.length === 0 ? {} : { ALPNProtocols: [...(to.alpn ?? ["http/1.1"])] }),
      rejectUnauthorized: true, // INV-14; the certificate is for `servername`, whatever was dialled.
    });
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.removeListener("close", ended);
      if (error === undefined && socket.authorized) {
        resolve(socket);
        return;
      }
      socket.destroy();
      raw.destroy();
      reject(isFault(error) ? error : tlsFault(to.host, error));
    };
    const abort = () => settle(new Fault("gateway.aborted", "the client left"));
    const ended = () => settle(new Error("the connection ended during the handshake"));
    const late = () => settle(new Error("no TLS handshake in time"));
    const timer = setTimeout(late, ports.limits.upstreamHandshakeMs);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("error", settle);
    socket.once("close", ended);
    socket.once("secureConnect", () => settle());
  });
}

// Codes of OpenSSL's verification (X509_V_ERR_*) and of Node's host name check.
const CERTIFICATE_CODE = /CERT|ISSUER|SELF_SIGNED|SIGNATURE|CRL|HOSTNAME|INVALID_CA|ALTNAME|CHAIN/;

function tlsFault(host: string, error: Error | undefined): Fault {
  const code = error !== undefined && "code" in error ? String(error.code) : "";
  const text = error?.message ?? "not verified";
  if (CERTIFICATE_CODE.test(code)) {
    const hint = "if it is a private authority's, name that authority by `ca:` in the grant";
    return new Fault("gateway.certificate", `${host} is not proved: ${text} (${code})`, { hint });
  }
  return new Fault("gateway.upstream_tls", `TLS with ${host} failed: ${text}`);
}
