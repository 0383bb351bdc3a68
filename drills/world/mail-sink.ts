/**
 * A mail server that takes everything, and keeps it: SMTP with STARTTLS and a login that nobody checks (RFC 5321,
 * 3207, 4954).
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

/** A mail as it came in. */
export interface Taken {
  readonly recipients: readonly string[];
  readonly text: string;
}

/** A running server. */
export interface MailSink {
  readonly taken: Taken[];
  close(): void;
}

/** Most mails kept. */
const MAILS_MAX = 5000;

/** Serves mail on `port` of `address`. */
export async function serveMail(
  identity: { readonly certificate: string; readonly key: string },
  address: string,
  port: number,
): Promise<MailSink> {
  const taken: Taken[] = [];
  const secureContext = createSecureContext({ cert: identity.certificate, key: identity.key });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.write("220 sink ESMTP\r\n");
    talk(socket, () => new TLSSocket(socket, { isServer: true, secureContext }));
  });

  function talk(stream: Socket, secure?: () => TLSSocket): void {
    let rest = "";
    let recipients: string[] = [];
    let data: string[] | undefined;
    const say = (line: string) => void stream.write(`${line}\r\n`);
    const line = (text: string): void => {
      if (data !== undefined) {
        if (text !== ".") return void data.push(text.replace(/^\.\./, "."));
        if (taken.length < MAILS_MAX) taken.push({ recipients, text: data.join("\n") });
        data = undefined;
        return say("250 taken");
      }
      const word = text.slice(0, 4).toUpperCase();
      if (word === "EHLO") {
        const more = secure === undefined ? "250 AUTH PLAIN LOGIN" : "250 STARTTLS";
        return say(`250-sink\r\n250-8BITMIME\r\n${more}`);
      }
      if (word === "STAR" && secure !== undefined) {
        stream.removeAllListeners("data");
        say("220 go on");
        return talk(secure());
      }
      if (word === "MAIL") recipients = [];
      if (word === "RCPT") recipients.push(/<(.*)>/.exec(text)?.[1] ?? "");
      if (word === "DATA") {
        data = [];
        return say("354 go on");
      }
      if (word === "AUTH") return say("235 welcome");
      if (word === "QUIT") return void stream.end("221 bye\r\n");
      say("250 fine");
    };
    stream.on("error", () => stream.destroy());
    stream.on("data", (chunk: Buffer) => {
      rest += chunk.toString("latin1");
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const text = rest.slice(0, end);
        rest = rest.slice(end + 2);
        line(text);
      }
    });
  }

  server.listen(port, address);
  await once(server, "listening");
  return {
    taken,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
