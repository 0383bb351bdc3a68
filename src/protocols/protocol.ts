/**
 * What every session protocol (SSH, PostgreSQL, mail, ...) is to the rest of Cofferdam: a table of verbs, the
 * options of a grant, and a pure function from one operation to what it does. The broker of the same name
 * (src/gateway/brokers) makes operations of bytes and performs them; whoever holds the same operation later
 * (a person's approval, `explain`) gets the very same description of it.
 *
 * @module
 */
import type { z } from "zod";
import type { Action, Effect, Impact, Json } from "../action/index.ts";

/** One thing that may be granted. */
export interface VerbInfo {
  /** The most that an operation of this verb does. */
  readonly effects: readonly Effect[];
  /** One sentence, for `cofferdam catalog`. */
  readonly summary: string;
  /** How its objects are written, where that is not as the protocol's others are. */
  readonly separator?: Separator;
}

/** What parts the pattern of an object into segments; with "" it is one segment. */
export type Separator = " " | "/" | "." | "@" | "";

/** What an operation depends on besides itself. */
export interface Surroundings {
  readonly host: string;
  readonly port: number;
  /** The grant's `with:`, as {@link Protocol.options} leaves it. */
  readonly options: Json;
  /** Bytes that belong to the operation: a file's content, a message, a pack, a command's input. */
  readonly body?: Uint8Array | undefined;
  /**
   * What was looked up to tell what it does; read again before it is performed, and must then be the same.
   * What stands under `preview` is only shown (rows as they would be), and not compared.
   */
  readonly facts?: Readonly<Record<string, Json>> | undefined;
}

/** What an operation does, less what every action has anyway. */
export interface Described {
  readonly verb: string;
  readonly effects: readonly Effect[];
  /** The object acted on, for a person: `postgres://db.example:5432/shop public.orders`. */
  readonly target: string;
  /** One sentence for a person. */
  readonly summary: string;
  /** The canonical parameters in full, without secrets. */
  readonly fields: Readonly<Record<string, Json>>;
  /** What it is made of: each must be granted. Absent: the verb itself, on no object. */
  readonly parts?: Action["parts"];
  readonly impact?: Impact;
}

/** What a login is made of. */
export interface MintedLogin {
  /** The run's, by which a person knows it at the system: `cofferdam-r-...`. */
  readonly label: string;
  /** What the new login is to have; letters, digits, `-` and `_`. Never in what describes the operation. */
  readonly password: string;
  readonly options: Json;
  /** The grant's `allow:`: it may do this and no more. */
  readonly rules: readonly {
    readonly verbs?: readonly string[];
    readonly on?: readonly (readonly string[])[];
    readonly doing?: readonly Effect[];
  }[];
}

/** How a protocol makes a login for one run, by operations performed with the stored credential. */
export interface ProtocolMint {
  /** @throws {Fault} `protocols.mint` where the rules cannot be held by a login. */
  create(login: MintedLogin): { readonly operation: Json; readonly user: string };
  /** Takes it away, also where it was never made. */
  revoke(login: Pick<MintedLogin, "label" | "options"> & { readonly user: string }): Json;
}

/** An operation that is described in words. */
export interface SampleOperation {
  readonly operation: Json;
  readonly body: Buffer;
  readonly facts: Readonly<Record<string, Json>>;
  /** What a grant must say under `with:` for it. */
  readonly options: Readonly<Record<string, Json>>;
}

/** One session protocol. */
export interface Protocol {
  /** The grant's `system:`, and the scheme that its credentials are bound to. */
  readonly system: string;
  readonly title: string;
  /** Specifications that it was written from. */
  readonly docs: readonly string[];
  /** Ports of a grant that names none. */
  readonly ports: readonly [number, ...number[]];
  readonly verbs: Readonly<Record<string, VerbInfo>>;
  /** How objects are written in `on:`; `*` is within one segment, `**` any number of segments. */
  readonly object: {
    readonly separator: Separator;
    /** For people: `schema.table`. */
    readonly form: string;
  };
  /** Shape of a grant's `with:`. */
  readonly options: z.ZodType<Json>;
  /** Options that {@link options} needs at least, for `explain`, which has no grant. */
  readonly example: Readonly<Record<string, Json>>;
  /** Highest effects of the system: what is not understood counts as all of them. */
  readonly unknown: readonly Effect[];
  /**
   * Loads what `describe` needs (a grammar), by `import()`, so that whoever only parses a task file does without;
   * awaited once before it is called.
   */
  load?(): Promise<void>;
  /** Describes `operation`. Never throws: what it cannot read is the verb `unknown`. */
  describe(operation: Json, surroundings: Surroundings): Described;
  /** What `explain --system NAME TEXT` means. @throws {Fault} `protocols.operation` with the form. */
  operationOf(text: string): Json;
  /** The same of text that stands for an operation and what belongs to it; `undefined` where it is none. */
  sampleOf?(text: string): SampleOperation | undefined;
  /** Absent where its systems make no logins. */
  readonly mint?: ProtocolMint;
  /** A commented grant for `cofferdam grant-template`: YAML, to be indented as an item of `grants`. */
  readonly template: string;
}
