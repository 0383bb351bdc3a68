/**
 * The broker in front of a real server, without a daemon: each connection to its port is a session, judged by a real
 * policy. What waits for a person is decided by the test.
 *
 * @module
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { UNKNOWN_PROCESS, type Action, type Json } from "../../src/action/index.ts";
import { Fault, systemClock } from "../../src/base/index.ts";
import { actionOfHeld, GATEWAY_LIMITS, type GatewayLimits } from "../../src/gateway/index.ts";
import { completeAction } from "../../src/gateway/session-action.ts";
import type { Asking, Session } from "../../src/gateway/brokers/broker.ts";
import { createPostgresBroker } from "../../src/gateway/brokers/postgres/index.ts";
import type { Resolution } from "../../src/gateway/ports.ts";
import {
  compilePolicy,
  decide,
  initialPolicyState,
  parseTaskFile,
} from "../../src/policy/index.ts";
import { taskSystems } from "../../src/systems/index.ts";
import type { Lease } from "../../src/vault/index.ts";

export interface BrokeredOptions {
  readonly allow: readonly Readonly<Record<string, unknown>>[];
  readonly with?: Readonly<Record<string, Json>>;
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: boolean;
  readonly limits?: Partial<GatewayLimits>;
  /** The server's certificate is checked with this. */
  readonly ca?: string;
  readonly leaf?: SecureContext;
  /** What a person says: `yes` performs it. */
  decide?(action: Action): "yes" | "no" | "later";
  /** In the place of the cluster's port. */
  readonly port: number;
}

/** What happened, in order. */
export interface Noted {
  readonly kind: "judged" | "outcome" | "denied" | "refused" | "repeat" | "connect" | "held";
  readonly verdict?: string;
  readonly action?: Action;
  readonly data?: Readonly<Record<string, Json>>;
  readonly text?: string;
}

export class Brokered {
  readonly noted: Noted[] = [];
  readonly #options: BrokeredOptions;
  #server: Server | undefined;
  #open = new Set<Socket>();

  constructor(options: BrokeredOptions) {
    this.#options = options;
  }

  get port(): number {
    const at = this.#server?.address() as AddressInfo | undefined;
    return at?.port ?? 0;
  }

  actions(): readonly Action[] {
    return this.noted.flatMap(({ kind, action }) =>
      kind === "judged" && action !== undefined ? [action] : [],
    );
  }

  async start(): Promise<this> {
    const broker = await createPostgresBroker();
    const server = createServer((client) => {
      this.#open.add(client);
      client.on("error", () => {});
      client.pause();
      client.setMaxListeners(0);
      broker.serve(this.#session(client, broker)).catch((error: unknown) => {
        this.noted.push({ kind: "refused", text: String(error) });
        client.destroy();
      });
    });
    this.#server = server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return this;
  }

  stop(): void {
    this.#server?.close();
    for (const one of this.#open) one.destroy();
  }

  #session(client: Socket, broker: Awaited<ReturnType<typeof createPostgresBroker>>): Session {
    const { allow, login, tls = false, port, limits } = this.#options;
    const options = { database: "shop", ...this.#options.with };
    const grant = {
      system: "postgres",
      name: "shop",
      hosts: ["db.example"],
      ports: [port],
      tls,
      allow,
    };
    const text = JSON.stringify({ task: "t", purpose: "p", grants: [{ ...grant, with: options }] });
    const policy = compilePolicy(parseTaskFile(text, "t", Date.now(), taskSystems()));
    const [compiled] = policy.grants;
    if (compiled === undefined) throw new Error("one grant");
    const noted = this.noted;
    const known = new Map<string, boolean>();
    const lease =
      login === undefined
        ? undefined
        : ({ attach: { kind: "login", ...login }, secrets: [login.password] } as unknown as Lease);
    const dial = async () => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      client.once("close", () => socket.destroy());
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      return socket;
    };
    const place = {
      ...{ grant: compiled, options, host: "db.example", port, clock: systemClock },
      limits: { ...GATEWAY_LIMITS, ...limits },
      log: { info() {}, warn() {}, error() {}, debug() {} } as never,
      secure: (socket: Socket) => this.#secure(socket),
    };
    const heldOf = (asking: Asking) => ({
      ...{ host: "db.example", port, operation: asking.operation, facts: asking.facts ?? {} },
      ...(asking.body === undefined ? {} : { body: asking.body }),
    });
    const session: Session = {
      ...place,
      run: "r-test",
      client,
      hostKey: undefined,
      note() {},
      leaf: async () => {
        if (this.#options.leaf === undefined) throw new Error("no leaf");
        return this.#options.leaf;
      },
      async connect() {
        noted.push({ kind: "connect" });
        return { socket: await dial(), lease };
      },
      async judge(asking) {
        await new Promise((resolve) => setImmediate(resolve));
        const at = { wallMs: Date.now(), monoMs: 0 };
        const context = { run: "r", at, grant: compiled, entry: undefined, cause: UNKNOWN_PROCESS };
        const action = actionOfHeld(heldOf(asking), context);
        const { state: _, ...decision } = decide(policy, initialPolicyState, action);
        noted.push({ kind: "judged", action, verdict: decision.verdict });
        return { asking, action, decision };
      },
      enter: () => Promise.reject(new Error("there are no conversations")),
      async complete(judged, asking) {
        const at = { wallMs: Date.now(), monoMs: 0 };
        const context = { run: "r", at, grant: compiled, cause: UNKNOWN_PROCESS };
        const action = completeAction(judged.action, heldOf(asking), context);
        return action === undefined ? await session.judge(asking) : { ...judged, asking, action };
      },
      repeats(key) {
        if (!known.has(key)) return false;
        noted.push({ kind: "repeat", text: key });
        return true;
      },
      remember: (key) => void known.set(key, true),
      hold: async (judged): Promise<Resolution> => {
        noted.push({ kind: "held", action: judged.action });
        const said = this.#options.decide?.(judged.action) ?? "no";
        if (said === "no") return { kind: "denied", approval: "ap-1", reason: "not now" };
        if (said === "later") return { kind: "pending", approval: "ap-1", reason: "nobody yet" };
        const errand = () => dial().then((socket) => ({ socket, lease }));
        const held = heldOf(judged.asking);
        const again = await broker.look?.({ ...place, held, way: await errand() });
        noted.push({ kind: "held", data: again ?? {} });
        const { answer } = await broker.perform({ ...place, held, way: await errand() });
        if (answer === undefined) throw new Error("it was not performed");
        return { kind: "answered", approval: "ap-1", answer };
      },
      async outcome({ action }, data) {
        noted.push({ kind: "outcome", action, data });
      },
      deny(judged, resolution) {
        const reason = resolution?.kind === "answered" ? "" : resolution?.reason;
        const text = `Cofferdam: ${reason ?? judged.decision.reason}`;
        noted.push({ kind: "denied", action: judged.action, text });
        return { denial: {} as never, text };
      },
      refuse({ rule, reason }) {
        noted.push({ kind: "refused", text: rule });
        return { denial: {} as never, text: `Cofferdam: (${rule}): ${reason}` };
      },
      find() {},
      cut: () => client.destroy(),
      recordTerminal: () => Promise.reject(new Error("no terminal here")),
      share: () => true,
      because: (reason) => void noted.push({ kind: "refused", text: reason }),
    };
    return session;
  }

  async #secure(socket: Socket): Promise<TLSSocket> {
    const { ca } = this.#options;
    const secure = connectTls({
      socket,
      servername: "db.example",
      ...(ca === undefined ? {} : { ca }),
    });
    await new Promise((resolve, reject) =>
      secure.once("secureConnect", resolve).once("error", (error) => {
        reject(new Fault("gateway.certificate", error.message));
      }),
    );
    return secure;
  }
}
