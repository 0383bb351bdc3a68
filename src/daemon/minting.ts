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
import { OWN_SYSTEM, UNKNOWN_PROCESS, type Action, type Json } from "../action/index.ts";
import { assert, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import { findEntry, type Entry, type Mint } from "../catalog/index.ts";
import {
  actionOfHeld,
  type Asked,
  type CertificateAuthority,
  type Credentialed,
  type HeldRequest,
} from "../gateway/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { compilePolicy, type Task, type TaskGrant } from "../policy/index.ts";
import { PassingSecret, requirePlace, type PassingKind } from "../vault/index.ts";
import type { Workers } from "../worker/index.ts";
import type { Credentials } from "./credentials.ts";
import { Performer } from "./performer.ts";
import { createWayOut } from "./way-out.ts";
import { filesOf } from "./run-files.ts";
import type { Run } from "./run.ts";

/** A token that ends within this is made anew. */
const EARLY_MS = 60_000;
/** But not sooner after it was made: a system whose tokens have always ended is not asked for each request. */
const PAUSE_MS = 1000;
/** Names that a system may give: of one that is empty, or leads elsewhere in a path, nothing is revoked. */
const ID = /^(?!\.{1,2}$)[\w.:+-]{1,200}$/;

export interface MintingPorts {
  /** Where the folders of runs are. */
  readonly runs: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly workers: Workers;
  readonly authority: CertificateAuthority;
  readonly credentials: Credentials;
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
    const entry = own ?? findEntry(grant.system);
    const { mint } = entry ?? {};
    assert(mint !== undefined, "the task file was checked for it");
    const request = heldOf(
      pin,
      mint.create.request,
      { label, mint: pin.mint ?? {} },
      {
        ...(filled(mint.create.json, label) as Record<string, Json>),
        ...only(pin.mint ?? {}, mint.takes),
      },
    );
    try {
      const asked = await this.#send(run.id, kept, request, "minted");
      const made = readMade(mint, asked);
      save(file, { ...kept, id: made.id });
      const stored = this.#ports.credentials.vault.show(grant.credential ?? "");
      const how = howOf(mint, label, stored.how);
      this.#ports.credentials.keepMinted(run.id, grant.name, {
        secret: new PassingSecret(grant.name, run.id, made.secret, how),
        how,
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
    const entry = (kept.own as unknown as Entry | undefined) ?? findEntry(grant.system);
    const { mint } = entry ?? {};
    const { id, label } = kept;
    if (mint === undefined || id === undefined) {
      await this.#note(run, grant, `it is not known whether ${label} was made; look at the system`);
      rmSync(file);
      return;
    }
    const request = heldOf(grant, mint.revoke.request, { label, id, mint: grant.mint ?? {} });
    const isMinted = mint.revoke.by === "minted";
    if (isMinted && this.#ports.credentials.minted(run, grant.name) === undefined) {
      await this.#note(run, grant, `${label} cannot be revoked any more, and runs out by itself`);
      rmSync(file);
      return;
    }
    const { outcome, answer } = await this.#send(run, kept, request, "revoked");
    const { status = 0 } = answer ?? {};
    // Gone is gone, whoever took it away.
    if ((status < 200 || status > 299) && status !== 404 && status !== 401) {
      throw new Fault(
        "daemon.mint",
        `${label} was not revoked: ${outcome.failure?.detail ?? status}`,
      );
    }
    this.#ports.credentials.forgetMinted(run, grant.name);
    rmSync(file);
  }

  /** Sends a request of Cofferdam's own, on record before and after. */
  async #send(
    run: string,
    kept: Kept,
    held: HeldRequest,
    what: "minted" | "revoked",
  ): Promise<Asked> {
    const { clock, authority, workers, log } = this.#ports;
    const grant = kept.grant as unknown as TaskGrant;
    const own = kept.own as unknown as Entry | undefined;
    const policy = compilePolicy({ grants: [grant] } as unknown as Task);
    const authorities = new Map(kept.ca === undefined ? [] : [[grant.name, kept.ca]]);
    const action = actionOfHeld(held, {
      run,
      at: clock.now(),
      grant,
      entry: own ?? findEntry(grant.system),
      cause: UNKNOWN_PROCESS,
    });
    const credential = await this.#credentialOf(run, grant, held, {
      isRevoked: what === "revoked",
      entry: own ?? findEntry(grant.system),
    });
    const performer = new Performer(`mint-${run}`, { policy, authorities, own }, log);
    const connect = createWayOut(clock);
    const gateway = await workers.serve(performer, { clock, authority, connect });
    try {
      await this.#recordAction(action, what);
      const asked = await gateway.perform(held, credential);
      await this.#recordOutcome(action, asked, what);
      return asked;
    } finally {
      await gateway.close();
    }
  }

  async #credentialOf(
    run: string,
    grant: TaskGrant,
    { scheme, host, port }: HeldRequest,
    { isRevoked, entry }: { readonly isRevoked: boolean; readonly entry: Entry | undefined },
  ): Promise<Credentialed> {
    const { credentials, clock } = this.#ports;
    const place = { scheme, host, port };
    const { credential = "" } = grant;
    const minted = credentials.minted(run, grant.name);
    if (isRevoked && entry?.mint?.revoke.by === "minted" && minted !== undefined) {
      const lease = minted.secret.lease(credential, minted.how, place, clock.now().wallMs);
      return { lease, placeholder: "" };
    }
    requirePlace(credential, credentials.vault.show(credential).binding, place);
    return { lease: await credentials.vault.lease(credential, place), placeholder: "" };
  }

  async #recordAction(action: Action, what: "minted" | "revoked"): Promise<void> {
    const { id, run, kind, verb, effects, summary, fields, digest, system, target } = action;
    const reason = what === "minted" ? "the run starts, and its grant mints" : "the run is over";
    const data = { kind, verb, effects: [...effects], summary, fields, digest, reason };
    const rule = `${OWN_SYSTEM}.mint`;
    await this.#append({
      type: "action",
      verdict: "allow",
      rule,
      run,
      system,
      target,
      action: id,
      data,
    });
  }

  async #recordOutcome(
    { id, run, system, target }: Action,
    { outcome }: Asked,
    what: "minted" | "revoked",
  ): Promise<void> {
    const { failure, ...rest } = outcome;
    const data = { mint: what, ...rest, ...(failure === undefined ? {} : { ...failure }) };
    await this.#append({ type: "outcome", run, system, target, action: id, data });
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

interface Filling {
  readonly label: string;
  readonly id?: string;
  readonly mint: Readonly<Record<string, Json>>;
}

function heldOf(grant: TaskGrant, request: string, filling: Filling, json?: object): HeldRequest {
  const [method = "", path = ""] = request.split(" ");
  const [host = ""] = grant.hosts;
  const target = path.replaceAll(/\{([a-z.]+)\}/g, (_, name: string) => {
    const value = name.startsWith("mint.")
      ? filling.mint[name.slice("mint.".length)]
      : name === "id"
        ? filling.id
        : filling.label;
    if (typeof value === "string" || typeof value === "number") return encodeURIComponent(value);
    throw new Fault("daemon.mint", `${grant.name} needs mint: { ${name.slice(5)}: ... }`);
  });
  const body = json === undefined ? {} : { body: Buffer.from(JSON.stringify(json)) };
  return {
    scheme: grant.tls ? "https" : "http",
    host,
    port: grant.ports[0] ?? 0,
    method,
    target: `${grant.under ?? ""}${target}`,
    headers: [
      ...["accept", "application/json", "user-agent", "cofferdam"],
      ...(json === undefined ? [] : ["content-type", "application/json"]),
    ],
    facts: {},
    ...body,
  };
}

/** `json` with the run's label in it. */
function filled(json: Json, label: string): Json {
  return JSON.parse(JSON.stringify(json).replaceAll("{label}", label)) as Json;
}

function only(given: Readonly<Record<string, Json>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
}

function howOf(mint: Mint, label: string, stored: { readonly kind: string }): PassingKind {
  if (mint.how?.kind === "bearer") return { kind: "bearer" };
  if (mint.how?.kind === "basic") {
    return { kind: "basic", user: mint.how.user.replaceAll("{label}", label) };
  }
  const isPlain = ["basic", "bearer", "header", "query", "path"].includes(stored.kind);
  if (isPlain) return stored as PassingKind;
  throw new Fault("daemon.mint", `what is made there is not sent as ${stored.kind}`);
}

/** What the system answered. @throws {Fault} `daemon.mint` with nothing of the answer in it. */
function readMade(
  mint: Mint,
  { outcome, answer }: Asked,
): { readonly secret: string; readonly id: string; readonly untilMs?: number } {
  if (answer === undefined || answer.status < 200 || answer.status > 299 || answer.isCut) {
    const why = outcome.failure?.detail ?? `it answered ${answer?.status ?? "nothing"}`;
    throw new Fault("daemon.mint", why);
  }
  const json = jsonOf(answer.body);
  const at = (path: string): unknown =>
    path
      .split(".")
      .reduce<unknown>(
        (value, name) =>
          typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined,
        json,
      );
  const [secret, id] = [at(mint.secret), at(mint.id)];
  if (typeof secret !== "string" || (typeof id !== "string" && typeof id !== "number")) {
    throw new Fault("daemon.mint", "its answer has no secret where the catalog says");
  }
  if (!ID.test(String(id))) {
    throw new Fault(
      "daemon.mint",
      "its answer names what it made by nothing that could be revoked",
    );
  }
  const until = mint.expires === undefined ? Number.NaN : Date.parse(String(at(mint.expires)));
  return { secret, id: String(id), ...(Number.isNaN(until) ? {} : { untilMs: until }) };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
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
