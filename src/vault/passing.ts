/**
 * A secret that is in no vault: whoever started a run had it in a variable, or a system made it for that run. It is
 * held in memory for as long as the run lives, leased like any other, and never written down.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { makeLease, type Lease } from "./lease.ts";
import { derivePlaceholder } from "./placeholder.ts";
import { requireUsable } from "./secret.ts";
import type { Kind, Place } from "./spec.ts";

/** Kinds whose secret is sent as it is. */
export type PassingKind = Extract<
  Kind,
  { kind: "bearer" | "basic" | "header" | "query" | "path" | "login" }
>;

export class PassingSecret {
  readonly #value: string;
  readonly #placeholder: string;

  /** @throws {Fault} `vault.secret` where `value` cannot be sent, or is too short to be found again. */
  constructor(name: string, run: string, value: string, how: PassingKind = { kind: "bearer" }) {
    requireUsable(how, { value });
    this.#value = value;
    const of = { credential: name, run, part: "value" };
    this.#placeholder = derivePlaceholder(randomBytes(32), of, value);
  }

  /** What nobody may see of it, for who looks for that: the secret, and what stands for it. */
  get hidden(): readonly string[] {
    return [this.#value, this.#placeholder];
  }

  /** What stands for it in its run. */
  get placeholder(): string {
    return this.#placeholder;
  }

  /** What is needed to attach it as `how` says. Where it may go is for the caller to have judged. */
  lease(name: string, how: PassingKind, place: Place, wallMs: number): Lease {
    const value = this.#value;
    const binding = { scheme: place.scheme, hosts: [place.host], port: place.port };
    return makeLease({ name, binding, how }, { value, secret: { value }, place, wallMs });
  }
}
