/**
 * What a probe of a web service has found so far: facts that the service told, and facts that stand for what it did not
 * tell. Whatever a verb needs is `true`, `false` or `undefined`, not told; what is not told counts as so (INV-174).
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";
import { placesOf, UNBOUNDED, type Constant, type Fact } from "../../blast/index.ts";
import { findEntry, verbInfos } from "../../catalog/index.ts";
import type { Probed, ProbePorts } from "../probe.ts";

/** Whether something is so; `undefined` where nobody told. */
export type Told = boolean | undefined;

/** Verbs of a system, what they are done to, and whether the account may. */
export type Power = readonly [verbs: string, object: string, may: Told];

/** A file of facts is at most 1 MiB, and a line seldom more than 250 bytes. */
const FACTS_MAX = 3_500;
const NAME_CHARS_MAX = 60;

/** A name that a system gave, as a part of an object's: one line, and short. */
export function nameOf(text: string): string {
  const line = visibleLine(text);
  return line.length > NAME_CHARS_MAX ? `${line.slice(0, NAME_CHARS_MAX)}...` : line;
}

/** The mailbox of an address, of whichever service it is: `mailbox ann@x.example`. */
export function mailboxOf(address: string): string {
  return `mailbox ${nameOf(address.toLowerCase())}`;
}

/** True where one is; false only where all are known not to be. */
export function some(...told: readonly Told[]): Told {
  if (told.includes(true)) return true;
  return told.includes(undefined) ? undefined : false;
}

/** True where all are; false where one is known not to be. */
export function every(...told: readonly Told[]): Told {
  if (told.includes(false)) return false;
  return told.includes(undefined) ? undefined : true;
}

export class Findings {
  readonly #facts: Fact[] = [];
  readonly #notes = new Set<string>();
  readonly #ports: ProbePorts;
  readonly #system: string;
  /** Where the service is, as names of its objects begin: `blog.example:443`, `blog.example:443/under`. */
  readonly site: string;

  constructor(ports: ProbePorts) {
    this.#ports = ports;
    const { grant, principal } = ports;
    this.#system = grant.system;
    // Virtual hosts share an address, so it is the name that tells services apart.
    this.site = `${grant.hosts[0] ?? ""}:${grant.ports[0] ?? 0}${grant.under ?? ""}`;
    for (const place of placesOf(grant)) this.so("the grant", "at", principal, place);
  }

  get principal(): string {
    return this.#ports.principal;
  }

  /** An object of this service, which every account at it sees as the same: `orders` of `shop.example:443`. */
  object(what: string): string {
    return `${this.site} ${what}`;
  }

  /**
   * An object that other accounts at the same host have one of their own of. What one of them is told of its own must
   * not stand for another's.
   */
  own(what: string): string {
    return `${this.principal} ${what}`;
  }

  /** The service told: `where` says in answer to what. */
  so(where: string, predicate: string, ...terms: readonly Constant[]): void {
    this.#add(predicate, terms, `asked ${this.#ports.at}: ${where}`, false);
  }

  /** As {@link so}, but it is so only when `persons` of the service's own users say yes. */
  soAfter(persons: number, where: string, predicate: string, ...terms: readonly Constant[]): void {
    this.#add(predicate, terms, `asked ${this.#ports.at}: ${where}`, false, persons);
  }

  /** It did not, and counts as so: `why` says why. */
  assume(why: string, predicate: string, ...terms: readonly Constant[]): void {
    this.#add(predicate, terms, `${this.#ports.grant.name}: ${why}`, true);
  }

  /** `predicate(...terms, amount)`, which is unbounded where it was not told. */
  amount(where: string, predicate: string, object: string, amount: number | undefined): void {
    if (amount === undefined) {
      this.assume(`${where} told no number`, predicate, object, UNBOUNDED);
    } else this.so(where, predicate, object, amount);
  }

  /** Nobody says what `object` holds, or how much of it there is. */
  holds(why: string, object: string): void {
    this.assume(why, "label", object, "customer");
    this.assume(why, "rows", object, UNBOUNDED);
  }

  note(text: string): void {
    this.#notes.add(visibleLine(text));
  }

  /**
   * What the account may do by each verb. A verb of the catalog that no power names counts as possible, on whatever
   * there is.
   */
  powers(where: string, powers: readonly Power[]): void {
    const named = new Set<string>();
    for (const [verbs, object, may] of powers) {
      for (const verb of verbs.split(" ")) {
        named.add(verb);
        if (may === true) this.so(where, "can", this.principal, verb, object);
        if (may === undefined)
          this.assume(`${where} did not tell of ${verb}`, "can", this.principal, verb, object);
      }
    }
    for (const verb of effectsByVerb(this.#system).keys()) {
      if (!named.has(verb))
        this.assume(
          `nobody asked about ${verb}`,
          "can",
          this.principal,
          verb,
          this.own("anything else"),
        );
    }
  }

  /** All of it. What may be possible and has no amount has the worst. */
  probed(): Probed {
    this.#boundless();
    const facts = this.#facts.slice(0, FACTS_MAX);
    if (facts.length === this.#facts.length) return { facts, notes: [...this.#notes] };
    this.note(`more than ${FACTS_MAX} facts: what is beyond counts at its worst`);
    this.#facts.splice(0);
    for (const verb of effectsByVerb(this.#system).keys())
      this.assume(
        "more facts than are kept",
        "can",
        this.principal,
        verb,
        this.own("what is not kept"),
      );
    this.#boundless();
    return { facts: [...facts, ...this.#facts], notes: [...this.#notes] };
  }

  #boundless(): void {
    const stated = new Set(
      this.#facts.map(({ predicate, terms }) => `${predicate} ${String(terms[0])}`),
    );
    const effects = effectsByVerb(this.#system);
    for (const { predicate, terms, isAssumed, from } of [...this.#facts]) {
      const [who, verb, object] = terms.map(String);
      if (predicate !== "can" || !isAssumed || who !== this.principal) continue;
      for (const effect of effects.get(verb ?? "") ?? []) {
        for (const [amount, ...more] of WORST[effect] ?? []) {
          const name = `${amount} ${object}`;
          if (stated.has(name)) continue;
          stated.add(name);
          this.#add(amount, [object ?? "", ...more], from, true);
        }
      }
    }
  }

  #add(
    ...[predicate, terms, from, isAssumed, persons = 0]: readonly [
      string,
      readonly Constant[],
      string,
      boolean,
      number?,
    ]
  ): void {
    this.#facts.push({ predicate, terms, persons, from: visibleLine(from), isAssumed });
  }
}

/** What stands for an amount that nobody told, by the effect that it is of. */
const WORST: Readonly<Partial<Record<Effect, readonly (readonly [string, Constant])[]>>> = {
  "read-private": [
    ["label", "customer"],
    ["rows", UNBOUNDED],
  ],
  send: [["people", UNBOUNDED]],
  delete: [["rows", UNBOUNDED]],
  spend: [["money", UNBOUNDED]],
};

function effectsByVerb(system: string): ReadonlyMap<string, readonly Effect[]> {
  const entry = findEntry(system);
  return new Map(
    entry === undefined ? [] : verbInfos(entry).map(({ verb, effects }) => [verb, effects]),
  );
}
