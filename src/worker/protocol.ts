/**
 * The words between the daemon and a worker: lines of JSON, each an array of messages. What a worker says
 * is checked here as what a hostile program says; what the daemon says is the daemon's own.
 *
 * @module
 */
import { z } from "zod";
import { actionSchema, effectSchema, FINDING_KINDS, type Event } from "../action/index.ts";
import type { Leaf, Verdict } from "../gateway/index.ts";
import type { Policy, PolicyState } from "../policy/index.ts";

/** Longest line of a worker: some batched messages; one action holds 64 KiB of body at most as fields. */
export const LINE_BYTES_MAX = 4 << 20;

const id = z.string().min(1).max(64);
const host = z.string().min(1).max(253);
const port = z.number().int().min(1).max(65_535);
const address = z.string().max(64);

const tuple = z.strictObject({
  family: z.union([z.literal(4), z.literal(6)]),
  localAddress: address,
  localPort: z.number().int().min(0).max(65_535),
  remoteAddress: address,
  remotePort: z.number().int().min(0).max(65_535),
});

type Data = NonNullable<Event["data"]>;
/** Any members: what comes out of a JSON parser is JSON, and the ledger cuts what is too long. */
const data = z.custom<Data>((value) => value?.constructor === Object);

/**
 * Entries that a worker may ask for as they are; verdicts, denials and findings have words of their own.
 * Which process an entry is about is not said: the daemon knows it by the flow.
 */
const event = z.strictObject({
  type: z.enum(["dns", "flow.open", "flow.close", "outcome"]),
  system: z.string().optional(),
  target: z.string().optional(),
  flow: id.optional(),
  action: id.optional(),
  data: data.optional(),
});

/** Such an entry. */
export type SaidEvent = z.infer<typeof event>;

const denial = z.strictObject({
  system: z.string(),
  target: z.string(),
  route: z.string(),
  effect: effectSchema.optional(),
  rule: z.string(),
  title: z.string(),
  reason: z.string(),
  allowed: z.array(z.string()).max(16).readonly(),
  flow: id.optional(),
  action: id.optional(),
});

const subject = z.strictObject({
  flow: id.optional(),
  target: z.string().optional(),
  route: z.string().optional(),
});

const n = z.number().int().nonnegative();
const run = id;

/** What a worker may say once it is sealed. Those with `n` are answered. */
export const saidSchema = z.discriminatedUnion("say", [
  z.strictObject({ say: z.literal("attribute"), n, run, flow: id, tuple }),
  z.strictObject({
    say: z.literal("intend"),
    n,
    run,
    flow: id,
    // When, where and whose it is are the daemon's to say.
    action: actionSchema
      .omit({ run: true, at: true, monoMs: true, cause: true })
      .extend({ fields: data }),
  }),
  z.strictObject({ say: z.literal("record"), run, event }),
  z.strictObject({ say: z.literal("denied"), run, denial }),
  z.strictObject({
    say: z.literal("finding"),
    run,
    kind: z.enum(FINDING_KINDS),
    detail: z.string(),
    of: subject,
  }),
  z.strictObject({ say: z.literal("dial"), n, run, host, port }),
  z.strictObject({ say: z.literal("leaf"), n, run, host }),
  z.strictObject({ say: z.literal("name"), n, run, host }),
  z.strictObject({ say: z.literal("stopped"), run }),
  z.strictObject({ say: z.literal("rechecked"), run, cut: z.number().int().nonnegative() }),
  z.strictObject({ say: z.literal("pong") }),
]);

/** One message of a worker. */
export type Said = z.infer<typeof saidSchema>;
/** One message about a run. */
export type SaidOfRun = Exclude<Said, { say: "pong" }>;

/** What a worker tells before it is given anything: each thing that it tried, and what came of it. */
export const sealedSchema = z.tuple([
  z.strictObject({ sealed: z.record(z.string().max(64), z.string().max(200)) }),
]);

/** What each question is answered with. */
export interface Answers {
  /** That it is known, which is all that is told: who it is stays with the daemon. */
  readonly attribute: null;
  readonly intend: Verdict;
  /** The socket comes by the carrier, ahead of this word. */
  readonly dial: "connected";
  readonly leaf: Leaf;
  readonly name: null;
}

/** What the daemon tells a worker. */
export type Order =
  | { readonly order: "begin"; readonly authorities: readonly string[] }
  | {
      readonly order: "serve";
      readonly run: string;
      readonly policy: Policy;
      readonly state: PolicyState;
      readonly authorities: readonly (readonly [string, string])[];
      /** The names that the run has asked for, in the order of their addresses. */
      readonly names: readonly string[];
    }
  /** The socket comes by the carrier, ahead of this word. */
  | { readonly order: "listen"; readonly run: string; readonly kind: "tcp" | "dns" }
  | { readonly order: "stop"; readonly run: string }
  /** The policy is narrower now, or less may stand: what is open is looked at again, and told how many were cut. */
  | {
      readonly order: "recheck";
      readonly run: string;
      readonly policy: Policy;
      readonly state: PolicyState;
    }
  | { readonly order: "ping" }
  | { readonly order: "answer"; readonly n: number; readonly value: unknown }
  | {
      readonly order: "refusal";
      readonly n: number;
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    };
