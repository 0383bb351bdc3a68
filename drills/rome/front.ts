/**
 * The front of an outside host: one port that serves TLS, SSH and mining pools, told apart by the
 * first bytes. So an attempt on a port that is granted for https would succeed if it got through.
 *
 * @module
 */
import { createServer as createHttpServer, type Server } from "node:http";
import { connect, createServer, type Server as TcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import type { TestCertificate } from "../world/index.ts";
import { servePool } from "./pool.ts";
import type { Contact, Tally } from "./tally.ts";
import { answerWeb } from "./web.ts";

/** First byte of a TLS record that holds a handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;

export interface FrontOptions {
  readonly certificate: TestCertificate;
  /** Where the real sshd listens, on loopback. */
  readonly sshPort: number;
  readonly tally: Tally;
}

/** A server for any of the front's ports; the caller listens. */
export function createFront(options: FrontOptions): TcpServer {
  const { sshPort, tally } = options;
  const http = createHttpServer(answerWeb);
  const secureContext = createSecureContext({
    cert: options.certificate.certificate,
    key: options.certificate.key,
  });
  return createServer((socket) => {
    const contact = tally.open(socket.localAddress ?? "", socket.localPort ?? 0);
    onFirst(socket, contact, (first) => {
      if (first[0] !== TLS_HANDSHAKE) {
        serve(socket, first, { contact, http, sshPort });
        return;
      }
      contact.kind = "tls";
      contact.tls = true;
      const inner = new TLSSocket(socket, {
        isServer: true,
        secureContext,
        ALPNProtocols: ["http/1.1"],
      });
      onFirst(inner, contact, (plain) => serve(inner, plain, { contact, http, sshPort }));
    });
  });
}

interface Service {
  readonly contact: Contact;
  readonly http: Server;
  readonly sshPort: number;
}

/** Hands a stream to the service that its first bytes ask for. */
function serve(stream: Duplex, first: Buffer, { contact, http, sshPort }: Service): void {
  if (first.subarray(0, 4).toString("latin1") === "SSH-") {
    contact.kind = "ssh";
    const ssh = connect(sshPort, "127.0.0.1");
    ssh.on("error", () => stream.destroy());
    stream.on("close", () => ssh.destroy());
    stream.pipe(ssh).pipe(stream);
  } else if (first[0] === 0x7b || first[0] === 0x5b) {
    servePool(stream, contact);
  } else {
    contact.kind = "http";
    http.emit("connection", stream);
  }
  stream.resume(); // Paused for the look at its first bytes; none of the three does it for us.
}

/** Calls `then` with the first bytes of `stream`, which stay to be read; counts all of them. */
function onFirst(stream: Duplex, contact: Contact, then: (first: Buffer) => void): void {
  stream.on("error", () => stream.destroy());
  stream.once("data", (first: Buffer) => {
    stream.pause();
    contact.bytes += first.length;
    stream.unshift(first);
    then(first);
  });
}
