/**
 * The least that a TLS-ending proxy in Node can be: decrypts, encrypts again, judges and records nothing. What two of
 * them do beside one is what this machine gives to a second worker.
 *
 *   plain-proxy UPSTREAM_PORT CERTIFICATE KEY     prints the port that it listens on
 */
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:tls";

const [upstream, certificate, key] = process.argv.slice(2);
const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  (client) => {
    const server = connect({
      port: Number(upstream),
      host: "127.0.0.1",
      rejectUnauthorized: false,
    });
    client.pipe(server).pipe(client);
    for (const one of [client, server]) {
      one.setNoDelay(true);
      one.on("error", () => {
        client.destroy();
        server.destroy();
      });
    }
  },
);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
