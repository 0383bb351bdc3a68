/**
 * Going through an HTTP proxy that a grant names: CONNECT to the granted name, then the connection is
 * the proxy's to carry, and TLS inside proves who is at its other end.
 *
 * The request says where to and nothing else: no account, no agent's name, nothing of the run.
 *
 * @module
 */
import type { Socket } from "node:net";
import { describeError, Fault } from "../base/index.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { request } = process.getBuiltinModule("node:http");

const HEAD_BYTES_MAX = 16_384; // Of the proxy's answer.

/**
 * Has the proxy at the other end of `raw` connect to `authority`; the same socket then leads there.
 *
 * @throws {Fault} `gateway.proxy` where it will not, or answers something else; `gateway.aborted`.
 */
export function connectThrough(
  raw: Socket,
  authority: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      path: authority,
      headers: { host: authority },
      createConnection: () => raw,
      maxHeaderSize: HEAD_BYTES_MAX,
    });
    const settle = (error?: Fault) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (error === undefined) {
        resolve();
        return;
      }
      raw.destroy();
      reject(error);
    };
    const fail = (why: string) =>
      settle(new Fault("gateway.proxy", `the proxy does not connect to ${authority}: ${why}`));
    const abort = () => settle(new Fault("gateway.aborted", "the client left"));
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs} ms`), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    asked.on("error", (error) => fail(describeError(error)));
    // Node tells of any answer to CONNECT so. In TLS the client speaks first: bytes behind the answer
    // are not the server's.
    asked.on("connect", ({ statusCode = 0 }, _socket, head) => {
      if (statusCode < 200 || statusCode > 299) fail(`status ${statusCode}`);
      else if (head.length > 0) fail("bytes that nobody asked for");
      else settle();
    });
    asked.end();
  });
}
