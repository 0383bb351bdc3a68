/**
 * Trying a credential: one harmless request to a place that it is bound to, at a person's word.
 *
 * @module
 */
import { Agent, buildConnector } from "undici";
import type { Gives, Takes } from "../api/index.ts";
import { Fault, type Clock } from "../base/index.ts";
import { attach, redactText, type Vault } from "../vault/index.ts";

const TIMEOUT_MS = 30_000;
/** In a path-segment credential's path, where the secret goes. */
const PLACE = "{credential}";

/**
 * Sends `method` and `path` with the credential; nothing is followed, and nothing of the answer but its status is told.
 *
 * @throws {Fault} `daemon.credential_host` where its binding is a pattern and no host is given, `vault.place`,
 *   `daemon.credential_test` where the site does not answer.
 */
export async function testCredential(
  vault: Vault,
  clock: Clock,
  { name, method, path, host: asked, dial }: Takes<"credential.test">,
): Promise<Gives<"credential.test">> {
  const { binding } = vault.show(name);
  const host = asked ?? binding.hosts.find((one) => !one.startsWith("*."));
  if (host === undefined) {
    throw new Fault(
      "daemon.credential_host",
      `${name} is bound to a pattern, and not to one host`,
      {
        hint: "name one of its hosts with --host",
      },
    );
  }
  const lease = await vault.lease(name, { ...binding, host });
  const bare = { method, target: path, headers: ["accept", "*/*"] };
  const ready = attach(bare, lease, PLACE, clock.now().wallMs);
  const origin = `${binding.scheme}://${host}:${binding.port}`;
  const dispatcher = new Agent(dial === undefined ? {} : { connect: dialling(dial) });
  try {
    const { statusCode: status, body } = await dispatcher.request({
      origin,
      method,
      path: ready.target,
      headers: [...ready.headers],
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await body.dump();
    const verdict =
      status === 401 || status === 403 ? "refused" : status < 400 ? "accepted" : "unclear";
    return { verdict, status, target: `${origin}${path}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : "no answer";
    throw new Fault("daemon.credential_test", `${origin}: ${redactText(why, lease.secrets)}`, {
      hint: "is the site up, and does it speak TLS with a public certificate?",
    });
  } finally {
    await dispatcher.destroy();
  }
}

/** Connects to `dial` whatever the name resolves to; TLS still proves the name. */
function dialling(dial: string): buildConnector.connector {
  const colon = dial.lastIndexOf(":");
  const hostname = dial.slice(0, colon).replace(/^\[|\]$/g, "");
  const connect = buildConnector({});
  return (options, done) => {
    const servername = options.servername ?? options.hostname;
    connect({ ...options, servername, hostname, port: dial.slice(colon + 1) }, done);
  };
}
