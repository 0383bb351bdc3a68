/**
 * The vault: every credential, sealed at rest, leased for one place at a time.
 *
 * There is no master token and no way to list secrets; a secret leaves by {@link Vault.lease}, or by
 * {@link Vault.reveal}, which the daemon gives only to a person at a terminal and records.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { Fault, type Clock } from "../base/index.ts";
import { AccessTokens } from "./access-tokens.ts";
import { createPlaceholderFinder, type GivenPlaceholder } from "./find-placeholders.ts";
import { makeLease, type Lease } from "./lease.ts";
import { loginFile, type LoginFile } from "./logins.ts";
import { derivePlaceholder } from "./placeholder.ts";
import { createRedaction, type Redaction } from "./redactor.ts";
import { requireUsable, textsOf, type Secret } from "./secret.ts";
import { parseSpec, requirePlace, type CredentialSpec, type Place } from "./spec.ts";
import { Store } from "./store.ts";
import type { Unlock } from "./unlock.ts";
import type { Entry } from "./vault-file.ts";

const FINGERPRINT_CHARS = 12;
/** No placeholder is made in its form. */
const FORMLESS = "\0";

/** What may be told of a credential. */
export interface CredentialInfo extends CredentialSpec {
  /** The same for the same secret in this installation, and in no other. */
  readonly fingerprint: string;
  readonly createdAt: string;
  readonly rotatedAt?: string;
  /** As last written: a use is on disk when the vault closes or changes. */
  readonly usedAt?: string;
}

export interface VaultOptions {
  /** The vault's own folder. */
  readonly dir: string;
  readonly clock: Clock;
  readonly unlock: Unlock;
}

/**
 * Opens the vault in `dir`, or makes one.
 *
 * @throws {Fault} `vault.locked`, `vault.wrong_key`, `vault.key_missing`, `vault.key_file`, `vault.access`,
 *   `vault.corrupt`, `vault.version`.
 */
export async function openVault({ dir, clock, unlock }: VaultOptions): Promise<Vault> {
  return new Vault(await Store.open(dir, unlock), clock);
}

export class Vault {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #tokens: AccessTokens;
  readonly #placeholderKey: Buffer;
  readonly #fingerprintKey: Buffer;
  /** What was given out, by run: a rotated or revoked credential's placeholder is still known for what it is. */
  readonly #given = new Map<string, Map<string, GivenPlaceholder>>();
  readonly #used = new Map<string, string>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#tokens = new AccessTokens(clock);
    this.#placeholderKey = store.keyFor("placeholder");
    this.#fingerprintKey = store.keyFor("fingerprint");
  }

  /** What unlocks it. */
  get lock(): "file" | "passphrase" {
    return this.#store.lock;
  }

  list(): readonly CredentialInfo[] {
    return this.#store.entries.map((entry) => this.#infoOf(entry));
  }

  /** @throws {Fault} `vault.no_credential` */
  show(name: string): CredentialInfo {
    return this.#infoOf(this.#entry(name));
  }

  /** @throws {Fault} `vault.spec`, `vault.secret`, `vault.exists` */
  async add(input: CredentialSpec, secret: Secret): Promise<CredentialInfo> {
    const spec = parseSpec(input);
    requireUsable(spec.how, secret);
    await this.#store.change((entries) => {
      if (entries.some(({ name }) => name === spec.name)) {
        throw new Fault("vault.exists", `there is a credential ${spec.name} already`, {
          hint: `\`cofferdam credential rotate ${spec.name}\` gives it a new secret`,
        });
      }
      const entry = { ...spec, createdAt: this.#now(), sealed: this.#store.seal(spec, secret) };
      return byName([...this.#withUses(entries), entry]);
    });
    return this.show(spec.name);
  }

  /** Gives a credential a new secret. @throws {Fault} `vault.no_credential`, `vault.secret` */
  async rotate(name: string, secret: Secret): Promise<CredentialInfo> {
    requireUsable(this.#entry(name).how, secret);
    // What belongs to the client or the program stays; what came with the old secret goes with it.
    await this.#reseal(name, ({ clientSecret, login }) => ({
      ...(clientSecret === undefined ? {} : { clientSecret }),
      ...(login === undefined ? {} : { login }),
      ...secret,
    }));
    this.#tokens.forget(name);
    return this.show(name);
  }

  /** Takes a credential away for good. @throws {Fault} `vault.no_credential` */
  async revoke(name: string): Promise<CredentialInfo> {
    const info = this.show(name);
    await this.#store.change((entries) =>
      this.#withUses(entries).filter((one) => one.name !== name),
    );
    this.#tokens.forget(name);
    this.#used.delete(name);
    return info;
  }

  /** What the fingerprint would be of a secret that is `value`. */
  fingerprintOf(value: string): string {
    const hash = createHmac("sha256", this.#fingerprintKey).update(value);
    return hash.digest("hex").slice(0, FINGERPRINT_CHARS);
  }

  /**
   * Looks for every secret there is, for what stands for them in `runs`, and for `more`; what it finds it covers. The
   * secrets themselves do not come out.
   */
  redaction(runs: readonly string[], more: readonly string[]): Redaction {
    const texts = this.#store.entries.flatMap((entry) => {
      const secret = this.#store.open(entry);
      const own = textsOf(secret);
      const file = secret.login === undefined ? [] : longTexts(secret.login.file);
      const stand = runs.flatMap((run) =>
        own.map((one) => derivePlaceholder(this.#placeholderKey, partOf(entry.name, run), one)),
      );
      return [...own, ...file, ...stand];
    });
    const given = this.given().map(({ text }) => text);
    return createRedaction([...new Set([...texts, ...given, ...more])]);
  }

  /** The secret itself. Only for a person at a terminal; the caller records it first. */
  reveal(name: string): string {
    return this.#store.open(this.#entry(name)).value;
  }

  /** What stands for the credential in `run`: for OAuth 2 in place of an access token. */
  placeholder(name: string, run: string): string {
    const entry = this.#entry(name);
    const { value, accessToken } = this.#store.open(entry);
    // Of a signing key not even the form is anybody's business: clients never see one.
    const like = entry.how.kind === "jwt" ? FORMLESS : (accessToken ?? value);
    return this.#place({ credential: name, run, part: "value" }, like);
  }

  /** Which placeholders of the runs that are known occur in `content`, in any spelling. */
  findPlaceholders(content: string | Uint8Array): readonly GivenPlaceholder[] {
    return createPlaceholderFinder(this.given()).find(content);
  }

  /** Placeholders given out to `run`, or to all runs: for a finder in another process. */
  given(run?: string): readonly GivenPlaceholder[] {
    const all = run === undefined ? [...this.#given.values()] : [this.#given.get(run) ?? new Map()];
    return all.flatMap((of: Map<string, GivenPlaceholder>) => [...of.values()]);
  }

  /** The run has ended: its placeholders mean nothing any more. */
  forgetRun(run: string): void {
    this.#given.delete(run);
  }

  /**
   * The files that an agent reads its login from, with placeholders, for the HOME of `run`; none where the
   * credential was not imported from one.
   */
  loginFiles(name: string, run: string): readonly LoginFile[] {
    const { login, value } = this.#store.open(this.#entry(name));
    if (login === undefined) return [];
    const access = this.placeholder(name, run);
    const made = (part: string, secret: string) =>
      this.#place({ credential: name, run, part }, secret);
    return [
      loginFile(login, { access, refresh: made("refresh", value), made }, this.#clock.now().wallMs),
    ];
  }

  /**
   * What is needed to attach the credential to requests for `place`, for minutes at most.
   *
   * @throws {Fault} `vault.no_credential`, `vault.place` where it is bound to another place, `vault.oauth2`
   */
  async lease(name: string, place: Place, of?: string): Promise<Lease> {
    const entry = this.#entry(name);
    requirePlace(name, entry.binding, place);
    const secret = this.#store.open(entry);
    const value = await this.#valueOf(entry, secret);
    const { wallMs } = this.#clock.now();
    this.#used.set(name, new Date(wallMs).toISOString());
    return makeLease(entry, { value, secret, place, wallMs, of });
  }

  /** The site refused the access token: the next lease fetches another. */
  forgetAccess(name: string): void {
    this.#tokens.refuse({ name, secret: this.#store.open(this.#entry(name)) });
  }

  /** Locks the vault by `passphrase`, or by its key file where there is none. */
  async relock(passphrase: string | undefined): Promise<void> {
    await this.#store.relock(passphrase);
  }

  /** Writes down when credentials were last used. */
  async close(): Promise<void> {
    if (this.#used.size > 0) await this.#store.change((entries) => this.#withUses(entries));
  }

  async #valueOf(entry: Entry, secret: Secret): Promise<string> {
    const { name, how, sealed } = entry;
    if (how.kind !== "oauth2") return secret.value;
    const rotated = async (refreshToken: string) => {
      // A person may have rotated it meanwhile: theirs is the newer one.
      await this.#reseal(name, (now, current) =>
        current.sealed === sealed ? { ...now, value: refreshToken } : now,
      );
    };
    return this.#tokens.tokenOf({ name, how, secret, rotated });
  }

  async #reseal(name: string, make: (now: Secret, entry: Entry) => Secret): Promise<void> {
    this.#entry(name);
    await this.#store.change((entries) =>
      this.#withUses(entries).map((entry) => {
        if (entry.name !== name) return entry;
        const sealed = this.#store.seal(specOf(entry), make(this.#store.open(entry), entry));
        return { ...entry, rotatedAt: this.#now(), sealed };
      }),
    );
  }

  #place(of: { credential: string; run: string; part: string }, secret: string): string {
    const given = this.#given.get(of.run) ?? new Map<string, GivenPlaceholder>();
    this.#given.set(of.run, given);
    const key = `${of.credential} ${of.part}`;
    const known = given.get(key);
    if (known !== undefined) return known.text;
    const text = derivePlaceholder(this.#placeholderKey, of, secret);
    given.set(key, { credential: of.credential, run: of.run, text });
    return text;
  }

  #entry(name: string): Entry {
    const entry = this.#store.entries.find((one) => one.name === name);
    if (entry !== undefined) return entry;
    throw new Fault("vault.no_credential", "there is no credential of that name", {
      hint: "`cofferdam credential list` shows what there is, `credential add` adds one",
    });
  }

  #infoOf(entry: Entry): CredentialInfo {
    const { name, binding, how, createdAt, rotatedAt } = entry;
    const usedAt = this.#used.get(entry.name) ?? entry.usedAt;
    return {
      name,
      binding,
      how,
      createdAt,
      ...(rotatedAt === undefined ? {} : { rotatedAt }),
      fingerprint: this.fingerprintOf(this.#store.open(entry).value),
      ...(usedAt === undefined ? {} : { usedAt }),
    };
  }

  #withUses(entries: readonly Entry[]): Entry[] {
    return entries.map((entry) => {
      const usedAt = this.#used.get(entry.name);
      return usedAt === undefined ? entry : { ...entry, usedAt };
    });
  }

  #now(): string {
    return new Date(this.#clock.now().wallMs).toISOString();
  }
}

function specOf({ name, binding, how }: Entry): CredentialSpec {
  return { name, binding, how };
}

function partOf(credential: string, run: string) {
  return { credential, run, part: "value" };
}

/** Words of a login's file that may be secrets as well. */
function longTexts(file: string): readonly string[] {
  return [...file.matchAll(/"((?:[^"\\]|\\.){20,})"/g)].map(([, text = ""]) => text);
}

function byName(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
