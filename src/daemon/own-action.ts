/**
 * Actions of Cofferdam's own: one request or operation at a system of a grant, with a stored credential, recorded like
 * any other before it leaves and after. Minting makes and revokes credentials by them, probing asks what one can do.
 *
 * @module
 */
import { UNKNOWN_PROCESS, type Action, type Json } from "../action/index.ts";
import type { Clock, Log } from "../base/index.ts";
import { findEntry, type Entry } from "../catalog/index.ts";
import {
  actionOfHeld,
  type Asked,
  type CertificateAuthority,
  type Credentialed,
  type Held,
} from "../gateway/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { compilePolicy, type Task, type TaskGrant } from "../policy/index.ts";
import type { Workers } from "../worker/index.ts";
import type { Consoles } from "./consoles.ts";
import { Performer } from "./performer.ts";
import { createWayOut } from "./way-out.ts";

export interface OwnActionPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly workers: Workers;
  readonly consoles: Consoles;
  readonly authority: CertificateAuthority;
}

/** Where it is asked. The grant is pinned to one host and port. */
export interface OwnPlace {
  readonly grant: TaskGrant;
  /** PEM of the grant's own authority. */
  readonly ca?: string | undefined;
  readonly own?: Entry | undefined;
}

export interface OwnAction {
  readonly held: Held;
  readonly credential: Credentialed | undefined;
  /** The run that it is for, if it is for one. */
  readonly run?: string;
  /** By which of Cofferdam's rules: `cofferdam.mint`. */
  readonly rule: string;
  readonly reason: string;
  /** What the outcome's entry says besides. */
  readonly outcome: Readonly<Record<string, Json>>;
}

/** Does own actions at one place, one after another. */
export interface OwnHand {
  /** What `held` would be on record. */
  describe(held: Held): Action;
  act(action: OwnAction): Promise<Asked>;
  close(): Promise<void>;
}

/** Opens a hand at `place`; `name` is what workers and logs call it. */
export async function openHand(
  ports: OwnActionPorts,
  name: string,
  { grant, ca, own }: OwnPlace,
): Promise<OwnHand> {
  const { clock, authority, workers, log } = ports;
  const policy = compilePolicy({ grants: [grant] } as unknown as Task);
  const authorities = new Map(ca === undefined ? [] : [[grant.name, ca]]);
  const performer = new Performer(name, { policy, authorities, own }, log);
  const connect = createWayOut(ports);
  const gateway = await workers.serve(performer, { clock, authority, connect });
  const describe = (held: Held): Action =>
    actionOfHeld(held, {
      run: "",
      at: clock.now(),
      grant,
      entry: own ?? findEntry(grant.system),
      cause: UNKNOWN_PROCESS,
    });
  return {
    describe,
    async act(action) {
      const described = describe(action.held);
      await recordAction(ports, described, action);
      const asked = await gateway.perform(action.held, action.credential);
      await recordOutcome(ports, described, action, asked);
      return asked;
    },
    close: () => gateway.close(),
  };
}

async function recordAction(
  ports: OwnActionPorts,
  { id, kind, verb, effects, summary, fields, digest, system, target }: Action,
  { run, rule, reason }: OwnAction,
): Promise<void> {
  const data = { kind, verb, effects: [...effects], summary, fields, digest, reason };
  await append(ports, {
    type: "action",
    verdict: "allow",
    rule,
    ...(run === undefined ? {} : { run }),
    ...{ system, target, action: id, data },
  });
}

async function recordOutcome(
  ports: OwnActionPorts,
  { id, system, target }: Action,
  { run, outcome: said }: OwnAction,
  { outcome }: Asked,
): Promise<void> {
  const { failure, ...rest } = outcome;
  const data = { ...said, ...rest, ...(failure === undefined ? {} : { ...failure }) };
  await append(ports, {
    type: "outcome",
    ...(run === undefined ? {} : { run }),
    ...{ system, target, action: id, data },
  });
}

type Unplaced = Omit<Parameters<Ledger["append"]>[0], "at" | "monoMs">;

async function append({ clock, ledger }: OwnActionPorts, event: Unplaced): Promise<void> {
  const { wallMs, monoMs } = clock.now();
  await ledger.append({ ...event, at: new Date(wallMs).toISOString(), monoMs }, { sync: true });
}
