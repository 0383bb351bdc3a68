/**
 * For the tests of this folder: the broker before a session that is judged by a real policy and remembers what it
 * was told, and servers of mail that say what a test has them say.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { Action, Json } from "../../../action/index.ts";
import { UNKNOWN_PROCESS } from "../../../action/index.ts";
import { Fault, systemClock } from "../../../base/index.ts";
import { compilePolicy, decide, initialPolicyState, parseTaskFile } from "../../../policy/index.ts";
import { taskSystems } from "../../../systems/index.ts";
import type { Lease } from "../../../vault/index.ts";
import { GATEWAY_LIMITS } from "../../limits.ts";
import type { HeldOperation, Resolution } from "../../ports.ts";
import { actionOfOperation, protocolOf } from "../../session-action.ts";
import { authorityNamed } from "../../test-kit.ts";
import type { Errand, Judged, Session, SessionRefusal } from "../broker.ts";
import { smtpBroker } from "./index.ts";

export const HOST = "smtp.example.com";

/** What a session was told, in order. */
export interface SessionLog {
  readonly actions: Action[];
  readonly verdicts: string[];
  readonly held: HeldOperation[];
  readonly outcomes: Readonly<Record<string, Json>>[];
  readonly refusals: SessionRefusal[];
  readonly findings: string[];
  readonly reasons: string[];
  connects: number;
}

export interface KitOptions {
  readonly allow?: readonly object[];
  readonly with?: object;
  readonly tls?: boolean;
  readonly port?: number;
  readonly lease?: Lease;
  /** Port of the server on loopback. */
  readonly server?: number;
  readonly spoolBytes?: number;
  hold?(held: HeldOperation): Resolution;
}

export interface Kit extends SessionLog {
  /** Where the agent connects to. */
  readonly port: number;
  /** What `perform` is called with for `held`. */
  errand(held: HeldOperation): Promise<Errand>;
  close(): void;
}

/** A rule by which every message passes without a person. */
export const UNATTENDED = {
  verbs: ["send"],
  unattended: {
    count: 1000,
    reason: "a test",
    expires: new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10),
  },
};

/** The broker of mail, before `options.server`. */
export async function openKit(options: KitOptions = {}): Promise<Kit> {
  const { tls = false, port: granted = 587, allow = [{ verbs: ["send"] }] } = options;
  const source = JSON.stringify({
    task: "t",
    purpose: "p",
    grants: [
      {
        ...{ system: "smtp", name: "mail", hosts: [HOST], ports: [granted], tls, allow },
        with: { from: ["*@sender.example"], ...options.with },
      },
    ],
  });
  const policy = compilePolicy(parseTaskFile(source, "t.yaml", Date.now(), taskSystems()));
  const [grant] = policy.grants;
  if (grant === undefined) throw new Error("the task has a grant");
  const authority = await authorityNamed("run");
  const log: SessionLog = {
    ...{ actions: [], verdicts: [], held: [], outcomes: [], refusals: [], findings: [] },
    ...{ reasons: [], connects: 0 },
  };
  const place = {
    grant,
    options: protocolOf(grant).options,
    host: HOST,
    port: granted,
    limits: { ...GATEWAY_LIMITS, spoolBytes: options.spoolBytes ?? GATEWAY_LIMITS.spoolBytes },
    clock: systemClock,
    log: { info: () => {}, warn: () => {} },
    secure: (socket: Socket) => secureTo(socket, authority.certificatePem),
  };
  const open: Socket[] = [];
  const dial = async () => {
    const socket = connect(options.server ?? 1, "127.0.0.1");
    open.push(socket);
    await once(socket, "connect");
    return { socket, lease: options.lease };
  };
  let state = initialPolicyState;
  const sessionOf = (client: Socket): Session => ({
    ...place,
    run: "r-test",
    client,
    hostKey: undefined,
    note() {},
    leaf: () => Promise.resolve(authority.contextFor(HOST)),
    async connect() {
      log.connects += 1;
      try {
        return await dial();
      } catch (error) {
        throw new Fault("gateway.connect", "nobody answers there", { cause: error });
      }
    },
    async judge(asking) {
      const held = { host: HOST, port: granted, facts: {}, ...asking };
      const at = systemClock.now();
      const action = actionOfOperation(held, { run: "r", at, grant, cause: UNKNOWN_PROCESS });
      const decision = decide(policy, state, action);
      state = decision.state;
      log.actions.push(action);
      log.verdicts.push(decision.verdict);
      return await Promise.resolve({ asking, action, decision });
    },
    enter: () => Promise.reject(new Error("there are no conversations")),
    complete: () => Promise.reject(new Error("a mail is whole when it is judged")),
    repeats: () => false,
    remember: () => {},
    async hold({ asking }: Judged) {
      const held = { host: HOST, port: granted, facts: {}, ...asking };
      log.held.push(held);
      const pending = { kind: "pending", approval: `apr-${log.held.length}`, reason: "" } as const;
      return await Promise.resolve(options.hold?.(held) ?? pending);
    },
    async outcome(_, data) {
      log.outcomes.push(data);
      await Promise.resolve();
    },
    deny: ({ decision }) => ({ text: `Cofferdam: ${decision.rule}`, denial: null as never }),
    refuse(refusal) {
      log.refusals.push(refusal);
      return { text: "", denial: null as never };
    },
    find: (kind, detail) => void log.findings.push(`${kind}: ${detail}`),
    cut: (reason) => void (log.reasons.push(reason), client.destroy()),
    recordTerminal: () => Promise.reject(new Error("no terminal here")),
    share: () => true,
    because: (reason) => void log.reasons.push(reason),
  });
  const server = createServer((client) => {
    client.on("error", () => {});
    smtpBroker.serve(sessionOf(client)).catch((error: unknown) => {
      log.reasons.push(String(error));
      client.destroy();
    });
  });
  const port = await listenLocally(server);
  return Object.assign(log, {
    port,
    errand: async (held: HeldOperation) => ({ ...place, held, way: await dial() }),
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  });
}

async function secureTo(socket: Socket, ca: string): Promise<TLSSocket> {
  const secure = connectTls({ socket, ca, servername: HOST });
  secure.on("error", () => {});
  await once(secure, "secureConnect", { signal: AbortSignal.timeout(2000) });
  return secure;
}

export async function listenLocally(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Says each of `lines`, and resolves with the reply to each, the greeting first; none where it is over. */
export async function talk(port: number, lines: readonly string[]): Promise<readonly string[]> {
  const client = new RawClient(connect(port, "127.0.0.1"));
  const replies = [await client.reply()];
  for (const line of lines) {
    client.say(line);
    replies.push(await client.reply());
  }
  client.socket.destroy();
  return replies;
}

/** A client that says just what it is told, line ends included where they are not CRLF. */
export class RawClient {
  socket: Socket;
  #text = "";
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen(socket);
  }

  say(text: string): void {
    this.socket.write(/[\r\n]$/.test(text) ? text : `${text}\r\n`, "latin1");
  }

  /** The next reply without its line ends; "" where the connection is over. */
  async reply(): Promise<string> {
    for (;;) {
      const [whole] = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#text) ?? [];
      if (whole !== undefined) {
        this.#text = this.#text.slice(whole.length);
        return whole.trimEnd().replaceAll("\r\n", " / ");
      }
      if (this.#isOver) return "";
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async upgrade(ca: string): Promise<void> {
    this.socket.removeAllListeners("data");
    this.socket = await secureTo(this.socket, ca);
    this.#listen(this.socket);
  }

  #listen(socket: Socket): void {
    const wake = () => this.#wake?.();
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isOver = true;
      wake();
    });
  }
}

/** A server that answers by a table: the first pattern that fits a line; what it was told is kept. */
export async function scriptedServer(
  script: readonly (readonly [RegExp, string | (() => string)])[],
  { greeting = "220 sink ESMTP\r\n" }: { readonly greeting?: string } = {},
) {
  const said: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    let inData = false;
    socket.on("error", () => {});
    socket.write(greeting);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (;;) {
        const end = inData ? text.indexOf("\r\n.\r\n") : text.indexOf("\r\n");
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        said.push(line);
        const found = script.find(([pattern]) => pattern.test(inData ? "<message>" : line));
        const reply =
          found?.[1] ??
          DEFAULTS.find(([pattern]) => pattern.test(inData ? "<message>" : line))?.[1];
        const answer = typeof reply === "function" ? reply() : (reply ?? "250 ok\r\n");
        inData = !inData && /^DATA/i.test(line) && answer.startsWith("354");
        if (answer === "") socket.destroy();
        else socket.write(answer, "latin1");
      }
    });
  });
  const port = await listenLocally(server);
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port, said, close };
}
const DEFAULTS: readonly (readonly [RegExp, string])[] = [
  [/^EHLO/, "250-sink\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"],
  [/^AUTH PLAIN/, "235 2.7.0 ok\r\n"],
  [/^DATA/, "354 go\r\n"],
  [/^<message>/, "250 2.0.0 taken as 17\r\n"],
  [/^QUIT/, "221 bye\r\n"],
];
