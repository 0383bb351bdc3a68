/**
 * Errands: a stored operation on a connection of its own, which no agent has a part in. What a person approved is
 * performed so, and what it depends on is read again so before.
 *
 * @module
 */
import type { Socket } from "node:net";
import { describeError, isFault } from "../base/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Lease } from "../vault/index.ts";
import type { Errand, SessionBroker } from "./brokers/broker.ts";
import { findBroker } from "./brokers/index.ts";
import type { Asked } from "./collected-client.ts";
import { destinationOf } from "./destination.ts";
import type { HeldOperation } from "./ports.ts";
import type { SessionPorts } from "./session.ts";
import { protocolOf } from "./session-action.ts";

/** Performs `held` exactly as it was stored. Never rejects. */
export function performOperation(
  held: HeldOperation,
  lease: Lease | undefined,
  shared: SessionPorts,
): Promise<Asked> {
  return run(held, lease, shared, {
    act: (broker, errand) => broker.perform(errand),
    failed: (code, detail) => ({
      outcome: { bytesOut: 0, bytesIn: 0, failure: { code, detail } },
      answer: undefined,
    }),
  });
}

/** Reads its facts again; none where they cannot be read. Never rejects. */
export function lookAgain(
  held: HeldOperation,
  lease: Lease | undefined,
  shared: SessionPorts,
): Promise<HeldOperation["facts"]> {
  return run(held, lease, shared, {
    act: (broker, errand) => broker.look?.(errand) ?? Promise.resolve({}),
    failed: () => ({}),
  });
}

interface Act<T> {
  act(broker: SessionBroker, errand: Errand): Promise<T>;
  failed(code: string, detail: string): T;
}

async function run<T>(
  held: HeldOperation,
  lease: Lease | undefined,
  shared: SessionPorts,
  { act, failed }: Act<T>,
): Promise<T> {
  const { host, port } = held;
  const { dialer, limits, ports } = shared;
  const isGranted = ({ kind, ports: granted }: Grant) =>
    kind === "session" && granted.includes(port);
  const grant = shared.run.policy.grants.find(isGranted);
  const broker = grant === undefined ? undefined : findBroker(grant.system);
  if (grant === undefined || broker === undefined) {
    return failed("gateway.revoked", "nothing is granted there any more");
  }
  const gone = new AbortController();
  let socket: Socket | undefined;
  try {
    const to = destinationOf(grant, { host, port }, shared.run);
    const { raw } = await dialer.dial({ ...to, tls: false, isRelayed: true }, gone.signal);
    socket = raw;
    raw.on("error", () => {}); // Ends in its close.
    return await act(broker, {
      grant,
      options: protocolOf(grant).options,
      host,
      port,
      limits,
      clock: ports.clock,
      log: ports.log,
      held,
      way: { socket: raw, lease },
      secure: (plain) => dialer.secure(plain, { ...to, tls: true, alpn: [] }, gone.signal),
    });
  } catch (error) {
    return failed(isFault(error) ? error.code : "internal", describeError(error));
  } finally {
    gone.abort();
    socket?.destroy();
  }
}
