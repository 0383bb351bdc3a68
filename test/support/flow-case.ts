/**
 * What conversations of the tables are made of.
 *
 * @module
 */
import { http, randomBytes, sshHello, type Conversation, type Said } from "./capture-kit.ts";

export interface FlowCase extends Conversation {
  readonly name: string;
  /** The detector that must find it; absent where none may. */
  readonly expect?: string;
}

export const ADDRESS = `4${"8AdkX9".repeat(16)}`.slice(0, 95);
export const JOB = `{"blob":"${"0e0e".repeat(38)}","job_id":"j1","target":"b88d0600","height":3}`;
export const MASK = Buffer.from([1, 2, 3, 4]);
export const c = (bytes: Buffer | string, afterMs = 0): Said => ["client", bytes, afterMs];
export const s = (bytes: Buffer | string, afterMs = 0): Said => ["server", bytes, afterMs];
export const tcp = (
  name: string,
  expect: string | undefined,
  port: number,
  ...said: Said[]
): FlowCase => ({
  name,
  protocol: "tcp",
  port,
  said,
  ...(expect === undefined ? {} : { expect }),
});
export const udp = (
  name: string,
  expect: string | undefined,
  port: number,
  ...said: Said[]
): FlowCase => ({
  ...tcp(name, expect, port, ...said),
  protocol: "udp",
});
export const split = (text: string, at: number): Said[] => [
  c(text.slice(0, at)),
  c(text.slice(at)),
];

export const SUBSCRIBE = '{"id":1,"method":"mining.subscribe","params":["EWBF 0.3.4b",null]}\n';
export const OK = http("HTTP/1.1 200 OK", { "Content-Length": "0" });
export const UPGRADED = http("HTTP/1.1 101 Switching Protocols", {
  Upgrade: "websocket",
  Connection: "Upgrade",
});
export const upgrade = (path: string, fields: Readonly<Record<string, string>> = {}) =>
  http(`GET ${path} HTTP/1.1`, {
    Host: "a.example",
    Upgrade: "websocket",
    Connection: "Upgrade",
    ...fields,
  });
export const post = (body: string, fields: Readonly<Record<string, string>> = {}) =>
  http(
    "POST / HTTP/1.1",
    { Host: "node.example", "Content-Type": "application/json", ...fields },
    body,
  );

const CLIENT = "SSH-2.0-OpenSSH_9.2p1";
/** An SSH connection up to its authentication, then messages of these sizes: the client's positive. */
export function ssh(
  name: string,
  expect: string | undefined,
  sizes: readonly number[],
  port = 22,
): FlowCase {
  const said = [44, -44, 60, -76, 308, -28, ...sizes].map((size, n) =>
    size > 0 ? c(randomBytes(size, n)) : s(randomBytes(-size, n)),
  );
  const hellos = [
    c(sshHello(CLIENT)),
    s(sshHello("SSH-2.0-OpenSSH_9.6")),
    c(randomBytes(1208)),
    s(randomBytes(1564)),
    c(randomBytes(16)),
  ];
  return tcp(name, expect, port, ...hellos, ...said);
}

export function ipInside(length: number): Buffer {
  const bytes = randomBytes(length);
  Buffer.from([0x45, 0, 0, length]).copy(bytes);
  return bytes;
}
