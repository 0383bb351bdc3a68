/**
 * Minting: credentials that a system makes for one run, by a stored one, and that are revoked when the run is
 * over. What a run's requests are sent with is then worth nothing a moment later, and names the run at the system.
 *
 * Both requests are actions of Cofferdam's own, recorded like any other; what is to be revoked is on disk before
 * it is made, so that a daemon that was killed leaves it to its successor (INV-73).
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OWN_SYSTEM } from "../action/index.ts";
import { assert, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import type { Entry } from "../catalog/index.ts";
import {
  isOperation,
  type Asked,
  type CertificateAuthority,
  type Credentialed,
  type Held,
} from "../gateway/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { TaskGrant } from "../policy/index.ts";
import { loadProtocols } from "../protocols/index.ts";
import { PassingSecret, requirePlace, type PassingKind, type Place } from "../vault/index.ts";
import type { Workers } from "../worker/index.ts";
import type { Consoles } from "./consoles.ts";
import type { Credentials } from "./credentials.ts";
import { mintFormOf } from "./mint-forms.ts";
import { openHand } from "./own-action.ts";
import { filesOf } from "./run-files.ts";
import type { Run } from "./run.ts";

/** A token that ends within this is made anew. */
const EARLY_MS = 60_000;
/** But not sooner after it was made: a system whose tokens have always ended is not asked for each request. */
const PAUSE_MS = 1000;

export interface MintingPorts {
  /** Where the folders of runs are. */
  readonly runs: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly workers: Workers;
  readonly authority: CertificateAuthority;
  readonly credentials: Credentials;
  readonly consoles: Consoles;
}

/** What is kept of one until it is revoked; never the secret. */
const keptSchema = z.object({
  grant: z.json(),
  /** PEM of the grant's own authority. */
  ca: z.string().optional(),
  own: z.json().optional(),
  label: z.string(),
  /** Absent where it is not known whether it was made. */
  id: z.string().optional(),
});
type Kept = z.infer<typeof keptSchema>;

/** A credential that was made. */
export interface Minted {
  readonly secret: PassingSecret;
  readonly how: PassingKind;
  /** When it is made anew, in milliseconds since the epoch; absent where it does not run out by itself. */
  readonly renewMs?: number;
}

export class Minting {
  readonly #ports: MintingPorts;
  /** What is done for a run is done one after another: what was just made is there to be revoked. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(ports: MintingPorts) {
    this.#ports = ports;
  }

  /**
   * Has the systems of `run` make what its grants ask for.
   *
   * @throws {Fault} `daemon.mint`: the run does not start, and what was made already is revoked.
   */
  mint(run: Run): Promise<void> {
    return this.#inTurn(run.id, async () => {
      for (const grant of run.task.grants) {
        if (grant.mint === undefined) continue;
        await this.#mintOne(run, grant);
      }
    });
  }

  async #mintOne(run: Run, grant: TaskGrant): Promise<void> {
    const own = run.own.get(grant.system)?.entry;
    const ca = run.authorities.get(grant.name);
    const pin = pinned(grant);
    const label = `cofferdam-${run.id}`;
    const kept: Kept = {
      grant: pin as unknown as Kept["grant"],
      label,
      ...(ca === undefined ? {} : { ca }),
      ...(own === undefined ? {} : { own: own as unknown as Kept["own"] }),
    };
    const file = fileOf(this.#ports.runs, run.id, grant.name);
    if (!run.alive) throw new Fault("daemon.mint", `${run.id} is over`);
    save(file, kept);
    const form = mintFormOf(pin, own);
    assert(form !== undefined, "the task file was checked for it");
    const stored = this.#ports.credentials.vault.show(grant.credential ?? "");
    const making = form.make(label, stored.how);
    if (making.id !== undefined) save(file, { ...kept, id: making.id });
    try {
      const asked = await this.#send(run.id, kept, making.held, "minted");
      const made = making.read(asked);
      save(file, { ...kept, id: made.id });
      this.#ports.credentials.keepMinted(run.id, grant.name, {
        secret: new PassingSecret(grant.name, run.id, made.secret, made.how),
        how: made.how,
        ...(made.untilMs === undefined ? {} : { renewMs: this.#renewMs(made.untilMs) }),
      });
    } catch (cause) {
      throw new Fault("daemon.mint", `${grant.name} made no credential: ${describeError(cause)}`, {
        cause,
        hint: `may ${grant.credential ?? ""} make credentials there? Without mint: it is used itself`,
      });
    }
  }

  #renewMs(untilMs: number): number {
    return Math.max(untilMs - EARLY_MS, this.#ports.clock.now().wallMs + PAUSE_MS);
  }

  /** Makes one anew that is about to run out: one for all who ask at once. */
  async renew(run: Run, name: string): Promise<void> {
    const isDue = () => {
      const { renewMs = Number.POSITIVE_INFINITY } =
        this.#ports.credentials.minted(run.id, name) ?? {};
      return renewMs <= this.#ports.clock.now().wallMs;
    };
    const grant = run.task.grants.find((one) => one.name === name);
    if (grant === undefined || !isDue()) return;
    await this.#inTurn(run.id, async () => {
      if (isDue()) await this.#mintOne(run, grant);
    });
  }

  /** The run is over: what was made for it is revoked. What cannot be now is tried by the next daemon. */
  revoke(run: string): Promise<void> {
    return this.#inTurn(run, () => this.#revokeAll(run)).catch((error: unknown) => {
      this.#ports.log.warn("mint.revoke", { run, error: describeError(error) });
    });
  }

  /** Begins to revoke what an earlier daemon left; called before any run starts. */
  recover(): void {
    const { runs } = this.#ports;
    if (!existsSync(runs)) return;
    for (const run of readdirSync(runs)) void this.revoke(run);
  }

  /** Resolves when nothing is being revoked any more. */
  async close(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  #inTurn(run: string, act: () => Promise<void>): Promise<void> {
    const work = (this.#turns.get(run) ?? Promise.resolve()).then(act);
    const over = work
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(run) === over) this.#turns.delete(run);
      });
    this.#turns.set(run, over);
    return work;
  }

  async #revokeAll(run: string): Promise<void> {
    const folder = filesOf(this.#ports.runs, run).root;
    const names = existsSync(folder) ? readdirSync(folder).filter(isKept) : [];
    // One system that fails keeps no other from revoking.
    for (const name of names) {
      await this.#revokeOne(run, join(folder, name)).catch((error: unknown) => {
        this.#ports.log.warn("mint.revoke", { run, error: describeError(error) });
      });
    }
  }

  async #revokeOne(run: string, file: string): Promise<void> {
    const kept = keptSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    const grant = kept.grant as unknown as TaskGrant;
    await loadProtocols([grant.system]);
    const form = mintFormOf(grant, kept.own as unknown as Entry | undefined);
    const { id, label } = kept;
    if (form === undefined || id === undefined) {
      await this.#note(run, grant, `it is not known whether ${label} was made; look at the system`);
      rmSync(file);
      return;
    }
    const isMinted = form.revokedBy === "minted";
    if (isMinted && this.#ports.credentials.minted(run, grant.name) === undefined) {
      await this.#note(run, grant, `${label} cannot be revoked any more, and runs out by itself`);
      rmSync(file);
      return;
    }
    const asked = await this.#send(run, kept, form.revoke(label, id), "revoked");
    if (!form.isGone(asked)) {
      const why = asked.outcome.failure?.detail ?? asked.answer?.status ?? "nothing was answered";
      throw new Fault("daemon.mint", `${label} was not revoked: ${why}`);
    }
    this.#ports.credentials.forgetMinted(run, grant.name);
    rmSync(file);
  }

  /** Sends a request of Cofferdam's own, on record before and after. */
  async #send(run: string, kept: Kept, held: Held, what: "minted" | "revoked"): Promise<Asked> {
    const grant = kept.grant as unknown as TaskGrant;
    const own = kept.own as unknown as Entry | undefined;
    const isByItself = what === "revoked" && mintFormOf(grant, own)?.revokedBy === "minted";
    const credential = await this.#credentialOf(run, grant, held, isByItself);
    const hand = await openHand(this.#ports, `mint-${run}`, { grant, ca: kept.ca, own });
    try {
      const reason = what === "minted" ? "the run starts, and its grant mints" : "the run is over";
      const rule = `${OWN_SYSTEM}.mint`;
      return await hand.act({ held, credential, run, rule, reason, outcome: { mint: what } });
    } finally {
      await hand.close();
    }
  }

  async #credentialOf(
    run: string,
    grant: TaskGrant,
    held: Held,
    isByItself: boolean,
  ): Promise<Credentialed> {
    const { credentials, clock } = this.#ports;
    const { host, port } = held;
    const scheme = (isOperation(held) ? grant.system : held.scheme) as Place["scheme"];
    const place = { scheme, host, port };
    const { credential = "" } = grant;
    const minted = credentials.minted(run, grant.name);
    if (isByItself && minted !== undefined) {
      const lease = minted.secret.lease(credential, minted.how, place, clock.now().wallMs);
      return { lease, placeholder: "" };
    }
    requirePlace(credential, credentials.vault.show(credential).binding, place);
    return { lease: await credentials.vault.lease(credential, place), placeholder: "" };
  }

  async #note(run: string, { name }: TaskGrant, detail: string): Promise<void> {
    this.#ports.log.warn("mint.left", { run, detail });
    await this.#append({ type: "credential", run, system: name, data: { action: "left", detail } });
  }

  async #append(event: Omit<Parameters<Ledger["append"]>[0], "at" | "monoMs">): Promise<void> {
    const { wallMs, monoMs } = this.#ports.clock.now();
    const at = new Date(wallMs).toISOString();
    await this.#ports.ledger.append({ ...event, at, monoMs }, { sync: true });
  }
}

/** The grant at its one place: what is made there is asked for there. @throws {Fault} `daemon.mint` */
function pinned(grant: TaskGrant): TaskGrant {
  const [host, ...others] = grant.hosts;
  const [port] = grant.ports;
  if (host === undefined || port === undefined || others.length > 0 || host.startsWith("*")) {
    throw new Fault("daemon.mint", `${grant.name} mints, and so needs one host and no wildcard`, {
      hint: "write a grant for that host",
    });
  }
  return { ...grant, hosts: [host], ports: [port] };
}

function fileOf(runs: string, run: string, grant: string): string {
  return join(filesOf(runs, run).root, `minted-${grant}.json`);
}

function isKept(name: string): boolean {
  return name.startsWith("minted-") && name.endsWith(".json");
}

/** On disk when this returns. */
function save(file: string, kept: Kept): void {
  const next = `${file}.new`;
  const descriptor = openSync(next, "w", 0o600);
  try {
    writeSync(descriptor, JSON.stringify(kept));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(next, file);
}
