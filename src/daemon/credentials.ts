/**
 * The daemon's hold on the vault: opened with the world, asked only through the control socket, and each change of it
 * on record by name, binding and fingerprint, never by value.
 *
 * A vault that does not open (locked by a passphrase, damaged, without its key) ends no run: whatever needs a
 * credential is refused with the reason.
 *
 * @module
 */
import { join } from "node:path";
import type { Home } from "../api/index.ts";
import { assert, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  openVault,
  printBinding,
  readLogin,
  type CredentialInfo,
  type PassingSecret,
  type Vault,
} from "../vault/index.ts";
import type { Minted } from "./minting.ts";
import { testCredential } from "./credential-test.ts";
import type { Handlers } from "./server.ts";

interface Ports {
  readonly home: Home;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
}

/** Opens the vault, or keeps why it does not open. */
export async function openCredentials(ports: Ports): Promise<Credentials> {
  const credentials = new Credentials(ports);
  try {
    await credentials.unlock(undefined);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ports.log.warn("vault.closed", { code: error.code, error: describeError(error) });
  }
  return credentials;
}

/** The vault of one home, open or not. */
export class Credentials {
  readonly clock: Clock;
  /** What approvers are asked with: no run speaks there in our name. */
  ownUse: ReadonlySet<string> = new Set();
  readonly #ports: Ports;
  readonly #passing = new Map<string, ReadonlyMap<string, PassingSecret>>();
  /** By run and grant. */
  readonly #minted = new Map<string, Minted>();
  #vault: Vault | undefined;
  #why: Fault | undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.clock = ports.clock;
  }

  /** The vault. @throws {Fault} why it is not open */
  get vault(): Vault {
    if (this.#vault !== undefined) return this.#vault;
    assert(this.#why, "a vault that is not open says why");
    throw this.#why;
  }

  get isOpen(): boolean {
    return this.#vault !== undefined;
  }

  /** Keeps what a run's starter had in variables, for as long as the run lives; by `$NAME`. */
  pass(run: string, secrets: ReadonlyMap<string, PassingSecret>): void {
    if (secrets.size > 0) this.#passing.set(run, secrets);
  }

  /** @throws {Fault} `daemon.credential` where the run is over. */
  passed(run: string, credential: string): PassingSecret {
    const secret = this.#passing.get(run)?.get(credential);
    if (secret !== undefined) return secret;
    throw new Fault(
      "daemon.credential",
      `${credential} went with its run, and nobody has it any more`,
      {
        hint: "put it into the vault: `cofferdam credential add`",
      },
    );
  }

  /** Keeps what a system made for the grant `grant` of `run`. */
  keepMinted(run: string, grant: string, minted: Minted): void {
    this.#minted.set(`${run} ${grant}`, minted);
  }

  minted(run: string, grant: string): Minted | undefined {
    return this.#minted.get(`${run} ${grant}`);
  }

  forgetMinted(run: string, grant: string): void {
    this.#minted.delete(`${run} ${grant}`);
  }

  /** What runs have that is not in the vault: for who looks for it in what leaves. */
  get passing(): readonly string[] {
    return [...this.#passing.values()].flatMap((of) =>
      [...of.values()].flatMap((one) => one.hidden),
    );
  }

  /** The run is over: its placeholders mean nothing any more. */
  forgetRun(run: string): void {
    this.#passing.delete(run);
    this.#vault?.forgetRun(run);
  }

  /** Passes where `name` may be lent to a run. @throws {Fault} `daemon.channel_credential` */
  requireLendable(name: string): void {
    if (!this.ownUse.has(name)) return;
    throw new Fault(
      "daemon.channel_credential",
      `${name} is what approvers are asked with, so no run may have it`,
      { hint: "make the run a bot of its own, with a credential of its own" },
    );
  }

  /** Opens the vault where it is not open yet. */
  async unlock(passphrase: string | undefined): Promise<void> {
    if (this.#vault !== undefined) return;
    const { home, clock } = this.#ports;
    const unlock = { keyFile: join(home.keys, "vault.key"), passphrase };
    try {
      this.#vault = await openVault({ dir: home.vault, clock, unlock });
    } catch (error) {
      // A wrong passphrase changes nothing: the vault stays locked.
      if (error instanceof Fault) this.#why ??= error;
      throw error;
    }
  }

  /** Puts on record what was done to a credential. */
  async record(done: string, info: CredentialInfo): Promise<void> {
    const { name, how, binding, fingerprint } = info;
    const data = { action: done, credential: name, kind: how.kind, fingerprint };
    const { wallMs, monoMs } = this.clock.now();
    const event = {
      type: "credential",
      at: new Date(wallMs).toISOString(),
      monoMs,
      target: printBinding(binding),
      data: { ...data, detail: `${done} ${name}` },
    } as const;
    await this.#ports.ledger.append(event, { sync: true });
  }

  async recordVault(detail: string): Promise<void> {
    const { wallMs, monoMs } = this.clock.now();
    const at = new Date(wallMs).toISOString();
    await this.#ports.ledger.append(
      { type: "credential", at, monoMs, data: { detail } },
      { sync: true },
    );
  }

  async close(): Promise<void> {
    await this.#vault?.close();
  }
}

type CredentialHandlers = Pick<Handlers, Extract<keyof Handlers, `credential.${string}`>>;

/** What answers the endpoints on credentials. */
export function credentialHandlers(credentials: Credentials): CredentialHandlers {
  const recorded = async (done: string, info: CredentialInfo) => {
    await credentials.record(done, info);
    return info;
  };
  return {
    "credential.list": async () => [...credentials.vault.list()],
    "credential.show": async ({ name }) => credentials.vault.show(name),
    "credential.add": async ({ spec, secret }) =>
      // The vault parses it: its faults name the member.
      recorded("added", await credentials.vault.add(spec as never, withoutAbsent(secret))),
    "credential.rotate": async ({ name, secret }) =>
      recorded("rotated", await credentials.vault.rotate(name, withoutAbsent(secret))),
    "credential.revoke": async ({ name }) =>
      recorded("revoked", await credentials.vault.revoke(name)),
    "credential.reveal": async ({ name, confirm }) => {
      if (confirm !== name) {
        throw new Fault("daemon.reveal", "the name was not typed as it is; nothing is revealed", {
          hint: "`cofferdam credential show NAME --reveal` at a terminal asks for it",
        });
      }
      await credentials.record("revealed", credentials.vault.show(name));
      return { secret: credentials.vault.reveal(name) };
    },
    "credential.test": async (request, { uid, claims }) => {
      const { vault, clock } = credentials;
      credentials.requireLendable(request.name);
      // On record before it is sent: a GET may have effects, where a system takes arguments in its path.
      // Where to as well: the binding alone does not say which of its hosts, nor what is dialled for it.
      const { name, method, path, host, dial } = request;
      const to = `${host === undefined ? "" : ` to ${host}`}${dial === undefined ? "" : ` at ${dial}`}`;
      const what = `${claims ?? `cli:${uid}`} sends ${method} ${path}${to} with`;
      await credentials.record(what, vault.show(name));
      return testCredential(vault, clock, request);
    },
    "credential.import": async ({ agent, text, clientSecret }) => {
      const { spec, secret } = readLogin(agent, text, clientSecret);
      const isThere = credentials.vault.list().some(({ name }) => name === spec.name);
      return isThere
        ? recorded("rotated", await credentials.vault.rotate(spec.name, secret))
        : recorded("added", await credentials.vault.add(spec, secret));
    },
    "credential.unlock": async ({ passphrase }) => {
      await credentials.unlock(passphrase);
      return {};
    },
    "credential.protect": async ({ passphrase }) => {
      await credentials.vault.relock(passphrase);
      const by = passphrase === undefined ? "its key file" : "a passphrase";
      await credentials.recordVault(`the vault is locked by ${by} now`);
      return {};
    },
  };
}

interface GivenSecret {
  readonly value: string;
  readonly clientSecret?: string | undefined;
  readonly sessionToken?: string | undefined;
}

function withoutAbsent({ value, clientSecret, sessionToken }: GivenSecret) {
  return {
    value,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}
