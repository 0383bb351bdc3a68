/**
 * The words between the daemon and a worker: lines of JSON, each an array of messages. What a worker says
 * is checked here as what a hostile program says; what the daemon says is the daemon's own.
 *
 * @module
 */
import { z } from "zod";
import type { Entry } from "../catalog/index.ts";
import { actionSchema, effectSchema, FINDING_KINDS, type Event } from "../action/index.ts";
import type {
  CollectedAnswer,
  Credentialed,
  HeldOperation,
  HeldRequest,
  Leaf,
  Resolution,
  Verdict,
} from "../gateway/index.ts";
import type { GivenPlaceholder } from "../vault/index.ts";
import type { Grant, Policy, PolicyState } from "../policy/index.ts";

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

const place = {
  system: z.string().optional(),
  target: z.string().optional(),
  flow: id.optional(),
  action: id.optional(),
};

const name = z.string().max(400);
const digest = z.string().max(64);
const count = z.number().int().nonnegative();
const source = z.enum(["model", "mcp"]);

/** What is read of a model's answers and of MCP (src/gateway/model-watch.ts): bounded, and of one form. */
const toolCall = z.strictObject({
  ...{ call: name, name, source, bytes: count, digest },
  input: z.string().max(4096),
  cut: z.literal(true).optional(),
  hosted: z.literal(true).optional(),
  model: name.optional(),
});
const toolResult = z.strictObject({
  ...{ call: name, source, isError: z.boolean(), bytes: count, digest },
  excerpt: z.string().max(512),
});
const model = z.strictObject({
  ...{ provider: z.string().max(253), protocol: z.string().max(40) },
  ...{ model: name.optional(), stop: name.optional(), status: count.optional() },
  tokens: z.strictObject({ in: count.nullable(), out: count.nullable() }).optional(),
  ...{ tools: count, hostedTools: count.optional(), calls: count, results: count.optional() },
  unmatched: z
    .array(z.strictObject({ call: name, name, digest, why: z.enum(["never", "other"]) }))
    .max(16)
    .optional(),
  unmatchedCount: count.optional(),
  unread: z.string().max(500).optional(),
});

/**
 * Entries that a worker may ask for as they are; verdicts, denials and findings have words of their own.
 * Which process an entry is about is not said: the daemon knows it by the flow.
 */
const event = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.enum(["dns", "flow.open", "flow.close", "outcome", "repeat"]),
    ...place,
    data: data.optional(),
  }),
  z.strictObject({ type: z.literal("model"), ...place, data: model }),
  z.strictObject({ type: z.literal("tool.call"), ...place, data: toolCall }),
  z.strictObject({ type: z.literal("tool.result"), ...place, data: toolResult }),
]);

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
  waits: z.literal(true).optional(),
  probes: z.literal(true).optional(),
});

const subject = z.strictObject({
  flow: id.optional(),
  target: z.string().optional(),
  route: z.string().optional(),
  action: id.optional(),
  detector: z.string().max(60).optional(),
  score: z.number().min(0).max(1).optional(),
});

const rawHeaders = z.array(z.string().max(128 << 10)).max(512);

/** A request that waits for a person, less its body, which comes ahead. */
const held = z.strictObject({
  scheme: z.enum(["http", "https"]),
  host,
  port,
  method: z.string().max(64),
  target: z
    .string()
    .startsWith("/")
    .max(64 << 10),
  headers: rawHeaders,
  hasBody: z.boolean(),
  facts: z.record(z.string().max(64), z.json()),
});

/** An operation of a session protocol that waits for a person, less its body. */
const heldOperation = z.strictObject({
  host,
  port,
  operation: z.json(),
  hasBody: z.boolean(),
  facts: z.record(z.string().max(64), z.json()),
});

/** What became of a request of ours. */
const asked = z.strictObject({
  outcome: z.strictObject({
    status: z.number().int().optional(),
    bytesOut: z.number(),
    bytesIn: z.number(),
    bodySha256: z.string().max(64).optional(),
    failure: z.strictObject({ code: z.string().max(100), detail: z.string() }).optional(),
    mining: z.string().optional(),
    redacted: z.number().int().optional(),
  }),
  answer: z
    .strictObject({
      status: z.number().int(),
      headers: rawHeaders,
      body: z.base64(),
      isCut: z.boolean(),
    })
    .optional(),
});

/** An action, of which when, where and whose it is are the daemon's to say. */
const told = actionSchema
  .omit({ run: true, at: true, monoMs: true, cause: true })
  .extend({ fields: data });

const n = z.number().int().nonnegative();
const run = id;
const side = z.number().int().min(1).max(10_000);
const size = { columns: side, rows: side };

/** What a worker may say once it is sealed. Those with `n` are answered. */
export const saidSchema = z.discriminatedUnion("say", [
  z.strictObject({ say: z.literal("attribute"), n, run, flow: id, tuple }),
  z.strictObject({
    say: z.literal("intend"),
    n,
    run,
    flow: id,
    action: told,
    /** Where to connect, should it be allowed. */
    dial: z.strictObject({ host, port }).optional(),
  }),
  z.strictObject({ say: z.literal("record"), run, event }),
  /** Of an allowed action that only reads: it may repeat, or may not any more. */
  z.strictObject({ say: z.literal("repeats"), run, flow: id, action: id, may: z.boolean() }),
  z.strictObject({ say: z.literal("denied"), run, denial }),
  z.strictObject({
    say: z.literal("finding"),
    run,
    kind: z.enum(FINDING_KINDS),
    detail: z.string(),
    of: subject,
  }),
  /** A piece of the body that the next `hold` of this flow is about, in base64. */
  z.strictObject({ say: z.literal("spool"), run, action: id, chunk: z.base64().max(2 << 20) }),
  z.strictObject({
    say: z.literal("hold"),
    n,
    run,
    flow: id,
    action: id,
    held: z.union([held, heldOperation]),
    waitMs: n.optional(),
  }),
  /** An allowed action opens a terminal: answered when its recording is begun. It ends with the action's outcome. */
  z.strictObject({
    say: z.literal("recording"),
    n,
    run,
    flow: id,
    action: id,
    terminal: z.strictObject({ ...size, term: z.string().max(64).optional() }),
  }),
  /** What it shows next, or its new size: answered when that is recorded. */
  z.strictObject({
    say: z.literal("recorded"),
    n,
    run,
    action: id,
    what: z.union([z.strictObject({ output: z.base64().max(2 << 20) }), z.strictObject(size)]),
  }),
  z.strictObject({ say: z.literal("performed"), run, p: n, asked }),
  /** A way out; the flow that it is for, where it is for one. */
  z.strictObject({ say: z.literal("dial"), n, run, flow: id.optional(), host, port }),
  z.strictObject({ say: z.literal("leaf"), n, run, host }),
  z.strictObject({ say: z.literal("name"), n, run, host }),
  z.strictObject({ say: z.literal("stopped"), run }),
  z.strictObject({ say: z.literal("rechecked"), run, cut: z.number().int().nonnegative() }),
  z.strictObject({ say: z.literal("described"), p: n, action: told }),
  z.strictObject({ say: z.literal("pong") }),
]);

/** One message of a worker. */
export type Said = z.infer<typeof saidSchema>;
/** One message about a run. */
export type SaidOfRun = Exclude<Said, { say: "pong" | "described" }>;

/** What a worker tells before it is given anything: each thing that it tried, and what came of it. */
export const sealedSchema = z.tuple([
  z.strictObject({ sealed: z.record(z.string().max(64), z.string().max(200)) }),
]);

/** What each question is answered with. */
export interface Answers {
  /** That it is known, which is all that is told: who it is stays with the daemon. */
  readonly attribute: null;
  readonly intend: SaidVerdict;
  /** Its body in base64. */
  readonly hold: SaidResolution;
  /** The socket comes by the carrier, ahead of this word. */
  readonly dial: "connected";
  readonly leaf: Leaf;
  readonly name: null;
  readonly recording: null;
  readonly recorded: null;
}

/** Why something could not be done. */
export interface SaidFault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** A verdict as it crosses, with the connection that was asked along: the carrier has it, or why it is not there. */
export type SaidVerdict = Omit<Verdict, "connection"> & {
  readonly dialled?: "connected" | SaidFault;
};

/** A {@link Resolution} as it crosses: an answer's body is base64. */
export type SaidResolution =
  | Exclude<Resolution, { kind: "answered" }>
  | (Omit<Extract<Resolution, { kind: "answered" }>, "answer"> & { readonly answer: SaidAnswer });

/** A {@link CollectedAnswer} as it crosses. */
export type SaidAnswer = Omit<CollectedAnswer, "body"> & { readonly body: string };

/** What is held as the daemon has it performed: its body is base64. */
export type SaidHeld = (Omit<HeldRequest, "body" | "facts"> | Omit<HeldOperation, "body">) & {
  readonly body?: string;
};

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
      /** PEM of the host key that its SSH clients know. */
      readonly hostKey: string;
      /** What stands for credentials in it. */
      readonly placeholders: readonly GivenPlaceholder[];
      /** Systems of the catalog that its grants name and that are a user's own. */
      readonly systems: readonly Entry[];
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
      /** Why everything is cut. */
      readonly cutAll?: string;
    }
  /** To be sent, and its answer told under the name `p`. */
  | {
      readonly order: "perform";
      readonly run: string;
      readonly p: number;
      readonly held: SaidHeld;
      /** Of an operation: only its facts are read again, and told as the answer's body, in JSON. */
      readonly look?: true;
      readonly credential?: Credentialed;
    }
  /** To be read, and told under the name `p` what action it is. */
  | {
      readonly order: "describe";
      readonly p: number;
      readonly held: SaidHeld;
      readonly facts: HeldOperation["facts"];
      readonly grant: Grant;
      readonly own?: Entry;
    }
  | { readonly order: "ping" }
  | { readonly order: "answer"; readonly n: number; readonly value: unknown }
  | ({ readonly order: "refusal"; readonly n: number } & SaidFault);
