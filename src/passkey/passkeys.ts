/**
 * Passkeys of one home: added, removed, and believed for exactly what each was asked to sign. The process that shows pages
 * holds none of this: it carries questions and signatures to and fro (INV-207).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { Fault, type Clock } from "../base/index.ts";
import { Nonces } from "./nonces.ts";
import { challengeOf, printStatement, type Statement } from "./statement.ts";
import { PasskeyStore, type Passkey } from "./store.ts";
import { ALGORITHMS, verifyNew, verifyUse, type Assertion, type NewPasskey } from "./verify.ts";

export interface PasskeysOptions {
  /** The home's folder. */
  readonly root: string;
  readonly clock: Clock;
  /** The origin of the console's pages; `undefined` where none is open. */
  origin(): string | undefined;
  /** Puts a change on record; rejects where that cannot be, and then nothing is changed. */
  record(change: Change): Promise<void>;
}

/** What is done to a passkey. */
export interface Change {
  readonly done: "added" | "removed";
  readonly passkey: Passkey;
  readonly by: string;
}

/** What a browser is asked to sign. */
export interface Ask {
  readonly nonce: string;
  readonly challenge: string;
  readonly rpId: string;
}

/** What a browser is asked to make a passkey of. */
export interface Offer extends Ask {
  /** A handle for the browser's own use. */
  readonly user: string;
  readonly algorithms: readonly number[];
  /** Those that the person has: none is made twice in one place. */
  readonly known: readonly string[];
  /** What one of those has to sign: a session alone makes nobody a further passkey. */
  readonly vouch?: Ask;
}

type Person = Pick<Passkey, "person" | "roles">;
type Signed = { readonly nonce: string; readonly assertion: Assertion };

export class Passkeys {
  readonly #options: PasskeysOptions;
  readonly #store: PasskeyStore;
  readonly #nonces: Nonces;
  /** One after another: a signature counts once, and no change is lost. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: PasskeysOptions) {
    this.#options = options;
    this.#store = new PasskeyStore(options.root);
    this.#nonces = new Nonces(options.clock);
  }

  /** @throws {Fault} `channel.file`, `passkey.store` */
  list(): readonly Passkey[] {
    return this.#store.read();
  }

  /** Asks for a signature under `statement`. @throws {Fault} `passkey.origin` */
  ask(statement: Statement): Ask {
    const { rpId } = this.#page();
    const nonce = this.#nonces.issue(printStatement(statement));
    return { nonce, challenge: challengeOf(statement, nonce), rpId };
  }

  /** Asks for a new passkey of somebody. @throws {Fault} `passkey.origin` */
  offer({ person, roles }: Person): Offer {
    const mine = this.list().filter((one) => one.person === person);
    return {
      ...this.ask({ for: "enrol", person, roles }),
      user: randomBytes(16).toString("base64url"),
      algorithms: ALGORITHMS,
      known: mine.map(({ credential }) => credential),
      ...(mine.length === 0 ? {} : { vouch: this.ask({ for: "vouch", person, roles }) }),
    };
  }

  /** @throws {Fault} `passkey.nonce`, `passkey.refused`, `passkey.vouch`, `passkey.known`, `passkey.store`, `passkey.origin` */
  add(
    { person, roles }: Person,
    made: {
      readonly nonce: string;
      readonly label: string;
      readonly passkey: NewPasskey;
      readonly vouch?: Signed | undefined;
    },
    by: string,
  ): Promise<Passkey> {
    return this.#inTurn(async () => {
      const { origin, rpId } = this.#page();
      const statement = { for: "enrol", person, roles } as const;
      this.#nonces.take(made.nonce, printStatement(statement));
      const challenge = challengeOf(statement, made.nonce);
      const proven = await verifyNew(made.passkey, { challenge, origin, rpId });
      await this.#requireVouched({ person, roles }, made.vouch);
      const before = this.list();
      if (before.some(({ credential }) => credential === proven.credential)) {
        throw new Fault("passkey.known", "this passkey is kept already", {
          hint: "`cofferdam passkeys list` says whose it is",
        });
      }
      const id = `k-${createHash("sha256").update(proven.credential).digest("hex").slice(0, 12)}`;
      const { label } = made;
      const createdAt = this.#now();
      const passkey = { id, person, label, roles: [...roles], rpId, ...proven, createdAt };
      await this.#options.record({ done: "added", passkey, by });
      this.#store.write([...before, passkey]);
      return passkey;
    });
  }

  /** @throws {Fault} `passkey.none` */
  remove(id: string, by: string): Promise<Passkey> {
    return this.#inTurn(async () => {
      const all = this.list();
      const passkey = all.find((one) => one.id === id);
      if (passkey === undefined) {
        throw new Fault("passkey.none", `no passkey ${JSON.stringify(id)}`, {
          hint: "`cofferdam passkeys list` lists them",
        });
      }
      await this.#options.record({ done: "removed", passkey, by });
      this.#store.write(all.filter((one) => one !== passkey));
      return passkey;
    });
  }

  /**
   * Whose passkey signed exactly `statement`, asked for by {@link ask}.
   *
   * @throws {Fault} `passkey.nonce`, `passkey.unknown`, `passkey.refused`, `passkey.store`, `passkey.origin`
   */
  believe(statement: Statement, signed: Signed): Promise<Passkey> {
    return this.#inTurn(async () => this.#believe(statement, signed));
  }

  /** Whoever has a passkey says by it that a further one is theirs. @throws {Fault} `passkey.vouch` */
  async #requireVouched({ person, roles }: Person, vouch: Signed | undefined): Promise<void> {
    if (!this.list().some((one) => one.person === person)) return;
    const statement = { for: "vouch", person, roles } as const;
    const by = vouch === undefined ? undefined : await this.#believe(statement, vouch);
    if (by?.person === person) return;
    throw new Fault("passkey.vouch", `a further passkey of ${person} takes one that they have`, {
      hint: "use that first; where all are lost, `cofferdam passkeys remove`, and begin anew",
    });
  }

  async #believe(statement: Statement, { nonce, assertion }: Signed): Promise<Passkey> {
    const { origin, rpId } = this.#page();
    const about = printStatement(statement);
    this.#nonces.check(nonce, about);
    const all = this.list();
    const passkey = all.find((one) => one.credential === assertion.id && one.rpId === rpId);
    if (passkey === undefined) {
      throw new Fault("passkey.unknown", "this passkey is nobody's here, or was removed", {
        hint: "the owner adds the first of a person, signed in by the link that `cofferdam console` prints",
      });
    }
    const challenge = challengeOf(statement, nonce);
    const counter = await verifyUse(assertion, passkey, { challenge, origin, rpId });
    this.#nonces.take(nonce, about); // Only now: what anybody may send makes the daemon remember nothing.
    const used = { ...passkey, counter, usedAt: this.#now() };
    this.#store.write(all.map((one) => (one === passkey ? used : one)));
    return used;
  }

  /** @throws {Fault} `passkey.origin` */
  #page(): { readonly origin: string; readonly rpId: string } {
    const origin = this.#options.origin();
    if (origin === undefined) {
      throw new Fault("passkey.origin", "no console is open whose pages could ask for a passkey", {
        hint: "`cofferdam console` opens it",
      });
    }
    return { origin, rpId: new URL(origin).hostname };
  }

  #now(): string {
    return new Date(this.#options.clock.now().wallMs).toISOString();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(act, act);
    this.#turn = next.catch(() => {});
    return next;
  }
}
