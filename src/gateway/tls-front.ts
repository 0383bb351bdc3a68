/**
 * The agent's side of TLS: answered as the granted name with a certificate of the run's authority.
 *
 * @module
 */
import type { Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import { Fault } from "../base/index.ts";

/**
 * Ends TLS on `socket`, whose ClientHello is still unread, and resolves when the handshake is done.
 *
 * @throws {Fault} `gateway.handshake` where the client breaks it off; the message says which way.
 *   `gateway.untrusted` where it says that it does not trust our certificate.
 */
export function acceptTls(
  socket: Socket,
  context: SecureContext,
  timeoutMs: number,
  alpn: readonly string[] = ["h2", "http/1.1"],
): Promise<TLSSocket> {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }), // A client that insists on another is told by an alert.
    requestCert: false,
    enableTrace: false,
  });
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(timer);
      secure.removeListener("close", closed);
      secure.removeListener("secure", settle);
      if (error === undefined) resolve(secure);
      else reject(error);
    };
    const fail = (why: string) => settle(new Fault("gateway.handshake", why));
    const closed = () => fail("the client left within the handshake");
    const timer = setTimeout(() => fail(`no TLS handshake in ${timeoutMs} ms`), timeoutMs);
    // Stays on after the handshake: a later error ends in the close of both sockets.
    secure.on("error", (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      if (!/UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN/.test(why)) fail(`handshake: ${why}`);
      else settle(new Fault("gateway.untrusted", why, { hint: TRUST_HINT }));
    });
    secure.once("close", closed);
    secure.once("secure", () => {
      // As Node's own TLS server marks it; node:http2 waits for it.
      Object.assign(secure, { secureConnecting: false });
      settle();
    });
  });
}

const TRUST_HINT =
  "it reads none of the stores in which the run's authority stands, or accepts no certificate but the site's own; a task file can let it through unseen: `splice: true` in a grant of system tcp";

/** A fatal alert (RFC 8446, 6.2): `level` 2, `description` 112 unrecognized_name. */
export const ALERT_UNRECOGNIZED_NAME = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 112]);
