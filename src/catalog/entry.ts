/**
 * The form of a catalog entry: what the requests of one kind of system mean, as data. Ours and a user's own
 * (YAML) have the same form; what data cannot say is a named reader (reader.ts).
 *
 * A request is matched against `routes` by method and path. What no route matches, or cannot be read (a body
 * of an unexpected form, a JSON name that stands twice), is the verb `unknown` with the system's highest
 * effects. Within a route the first of `cases` that holds decides; without one the route itself. So a route
 * says the strictest and its cases say what is milder: what is missing or odd then counts as the strictest.
 *
 * @module
 */
import { z } from "zod";
import { EFFECTS } from "../action/index.ts";
import { READER_NAMES } from "./reader.ts";

/** The verb of what is not understood; no wildcard of a task file covers it. */
export const UNKNOWN_VERB = "unknown";

/** The verb of a list of requests (`batch`); what is granted is its parts. */
export const BATCH_VERB = "batch";

const VERB = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*$/;
const verbSchema = z.string().regex(VERB).max(80);
const effectsSchema = z.array(z.enum(EFFECTS)).min(1);

/**
 * Where a value stands. `param.x` is every value named x in query and body together, as systems that mix the
 * two read them; `body.a.b` goes into JSON (`*` is every item, `**` whatever stands within, however deep, `@`
 * the names of the members, as in `query.@`); `path.id` is what `{id}` matched; `current.x` is in the answer of the look-up
 * `current`.
 */
const REFERENCE = /^(body|query|param|path|header|[a-z]+)(\.[^.\s]+)*$/;
const referenceSchema = z.string().regex(REFERENCE).max(200);

const expressionSchema = z.string().max(1000).refine(isExpression, "not a regular expression");

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** All members must hold. */
const testSchema = z
  .strictObject({
    /** Some value is one of these. */
    any: z.array(scalar).min(1).optional(),
    /** There is a value, and all are of these. Mild cases use this, never `any`. */
    only: z.array(scalar).min(1).optional(),
    /** There is a value, and none is of these. */
    none: z.array(scalar).min(1).optional(),
    /** As `any` and `only`, of values that an expression finds. */
    any_like: expressionSchema.optional(),
    only_like: expressionSchema.optional(),
    /** There is a value, and there are some at this reference, and no two are the same. */
    differs_from: referenceSchema.optional(),
    absent: z.literal(true).optional(),
    present: z.literal(true).optional(),
  })
  .refine((test) => Object.keys(test).length > 0, "an empty test always holds");

export type Test = z.infer<typeof testSchema>;

const conditions = (error: string) =>
  z.record(referenceSchema, testSchema).refine((when) => Object.keys(when).length > 0, { error });

const caseSchema = z.strictObject({
  when: conditions("a case without a condition hides what follows"),
  verb: verbSchema.optional(),
  effects: effectsSchema.optional(),
  summary: z.string().max(300).optional(),
  reversible: z.boolean().optional(),
});

export const BODY_FORMS = ["none", "json", "form", "multipart", "raw"] as const;

const METHOD = "[A-Z]+";
const REQUEST = new RegExp(`^${METHOD}(\\|${METHOD})* /`);

/**
 * What takes effect later, and what could be changed until then. It is read when the request was performed,
 * again before its time and after it; where it is not what it was, or cannot be read, it is stopped.
 */
const laterSchema = z.strictObject({
  /**
   * Where it is read: name to path and query below the base, one after another. Holes are `{answer.id}`, of the
   * JSON that the system answered, parts of the request, and values of what was read before; where one of those
   * is null or missing there is nothing to read.
   */
  read: z
    .record(z.string().regex(/^[a-z]+$/), z.string().startsWith("/"))
    .refine((read) => between(Object.keys(read).length, 1, 4), "one to four can be read"),
  /** When it takes effect, where that can be read; else the route's `takes_effect_at`. */
  at: referenceSchema.optional(),
  /** It waits for its time while these hold. */
  waits: conditions("without a condition everything waits"),
  /** Nothing comes of it any more while these hold: somebody took it back, and there is nothing to stop. */
  withdrawn: conditions("without a condition nothing is stopped").optional(),
  /** What must stay as it was, also when it took effect: no state, no counter, no time of a change. */
  compare: z.array(referenceSchema).min(1).max(40),
  /** Requests that stop it, tried in turn until the system takes one. */
  stop: z
    .array(
      z.strictObject({
        request: z.string().regex(/^(?:POST|PUT|PATCH|DELETE) \//),
        json: z.json().optional(),
        form: z.record(z.string(), z.string()).optional(),
      }),
    )
    .min(1)
    .max(3),
});

const routeSchema = z.strictObject({
  verb: verbSchema,
  /**
   * `POST|PUT /wp/v2/posts/{id}`; `{id}` is one segment, `{id:\\d+}` one that the expression matches whole,
   * `{rest...}` one or more at the end. Several forms may stand in a list.
   */
  request: z.union([z.string().regex(REQUEST), z.array(z.string().regex(REQUEST)).min(1)]),
  effects: effectsSchema,
  /** One sentence; `{body.title}` is a value. */
  summary: z.string().min(1).max(300),
  cases: z.array(caseSchema).max(50).optional(),
  /** Forms that its body may have; default none, json and form, for GET and HEAD none. */
  body: z.array(z.enum(BODY_FORMS)).min(1).optional(),
  /** Its path does not start with a base of the system. */
  root: z.literal(true).optional(),
  /** What answers there was made by users of the system, who would learn the credential: it is not sent. */
  bare: z.literal(true).optional(),
  /** It is an exchange with a model in this protocol: what it says and calls is read beside it. */
  model: z
    .enum(["anthropic-messages", "openai-responses", "openai-chat", "google-generate"])
    .optional(),
  /** State that the effect depends on, read before the verdict: name to path and query below the base. */
  lookup: z.record(z.string().regex(/^[a-z]+$/), z.string().startsWith("/")).optional(),
  /** Everyone whom it reaches: references to addresses, channels, accounts. */
  recipients: z.array(referenceSchema).optional(),
  amount: z
    .strictObject({
      value: referenceSchema,
      /** A reference, or a currency in capitals. */
      currency: z.string(),
      /** Digits after the decimal point that the value leaves out: 2 where it counts cents. */
      exponent: z.int().min(0).max(18).default(0),
      /** The same of single currencies, where they differ: `JPY: 0`. */
      exponents: z.record(z.string(), z.int().min(0).max(18)).optional(),
      /** Several values are all moved, so that their sum is. */
      sum: z.literal(true).optional(),
    })
    .optional(),
  /** Whether the system can undo it; by default what only reads or writes can be, the rest cannot. */
  reversible: z.boolean().optional(),
  /** When it takes effect: RFC 3339, in UTC where it names no zone, or seconds since the epoch. */
  takes_effect_at: referenceSchema.optional(),
  later: laterSchema.optional(),
  /** Requests within this one: where they are, and the names of their parts. */
  children: z
    .strictObject({
      items: referenceSchema,
      method: z.string().default("method"),
      path: z.string().default("path"),
      body: z.string().default("body"),
      /** The method of a child that names none. */
      default_method: z.string().default("POST"),
      max: z.int().min(1).max(100),
    })
    .optional(),
  /** A body that is a list is as many requests, each with an item as its body (JSON-RPC 2.0, section 6). */
  batch: z.literal(true).optional(),
  /**
   * What top-level fields of GraphQL do, by name. A field of a mutation that is not listed makes the request
   * unknown; one of a query does what the route says.
   */
  fields: z
    .array(
      z.strictObject({
        names: z.array(z.string().regex(/^[_A-Za-z]\w*$/)).min(1),
        verb: verbSchema,
        effects: effectsSchema,
        summary: z.string().min(1).max(300),
        /** It counts however deep it stands: a field whose answer is a secret. */
        anywhere: z.literal(true).optional(),
      }),
    )
    .optional(),
  /** How the content is shown to a person. */
  show: z.enum(["json", "post", "mail", "message", "workflow", "payment", "push"]).default("json"),
  /** Code of ours that reads what data cannot say. */
  reader: z.enum(READER_NAMES).optional(),
  /** Verbs that its reader may find besides the route's own. */
  reads: z
    .array(
      z.strictObject({
        verb: verbSchema,
        effects: effectsSchema,
        summary: z.string().min(1).max(300),
      }),
    )
    .optional(),
});

/** A place where a system takes its credential. */
const placeSchema = z.discriminatedUnion("in", [
  z.strictObject({ in: z.literal("header"), name: z.string(), scheme: z.string().optional() }),
  z.strictObject({ in: z.literal("query"), name: z.string() }),
  /**
   * In the path, after this text: Telegram's `/bot`; `{id}` in it is one segment. What stands there is shown
   * and kept as `[hidden]`.
   */
  z.strictObject({ in: z.literal("path"), after: z.string().startsWith("/") }),
]);

/** A request of Cofferdam's own, with its whole path, where `{label}`, `{id}` and `{mint.x}` are filled in. */
const OWN_REQUEST = z.string().regex(/^(?:POST|PUT|DELETE) \//);

/** How a system makes a credential for one run, and takes it back (docs/decisions/0259). */
const mintSchema = z.strictObject({
  /** What makes one; in its JSON `{label}` is the run's, by which a person knows it. */
  create: z.strictObject({ request: OWN_REQUEST, json: z.record(z.string(), z.json()) }),
  /** Members that a grant's `mint:` may add to that JSON: what makes it narrower. */
  takes: z.array(z.string()).default([]),
  /** Where the secret, and what it is called by, stand in the answer: `data.password`. */
  secret: z.string(),
  id: z.string(),
  /** When it runs out, as RFC 3339. */
  expires: z.string().optional(),
  /** How it is sent, where that is not as the stored one is. */
  how: z
    .union([
      z.strictObject({ kind: z.literal("basic"), user: z.string() }),
      z.strictObject({ kind: z.literal("bearer") }),
    ])
    .optional(),
  /** What takes it back, sent with the stored credential or with the minted one itself. */
  revoke: z.strictObject({
    request: OWN_REQUEST,
    by: z.enum(["stored", "minted"]).default("stored"),
  }),
});
export type Mint = z.output<typeof mintSchema>;

export const entrySchema = z.strictObject({
  /** The grant's `system:`. */
  system: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/),
  title: z.string(),
  /** Pages that the routes were taken from. */
  docs: z.array(z.url()).min(1),
  /** Where it always is; a grant need not name hosts then. */
  hosts: z.array(z.string()).optional(),
  /** What stands before the path of every route; the first that fits. */
  base: z.array(z.string()).default([""]),
  credential: z.array(placeSchema).default([]),
  /** Highest effects of the system: what an unknown request counts as. */
  unknown: effectsSchema,
  /**
   * How its server reads names: PHP makes `a.b` `a_b` and `a[]` `a`; Go's JSON ignores case; with an open path
   * a parameter of the name of a part of the path is taken instead of that part, so names are the server's own;
   * with form-is-json a body that says it is a form (curl's `-d`), or says nothing, is read as JSON.
   */
  dialect: z.array(z.enum(["php", "go-json", "open-path", "form-is-json"])).default([]),
  /**
   * Parts of paths that may hold an escaped slash (GitLab's `group%2Fproject`): the server parts a path before
   * it decodes it. All other parts hold none.
   */
  escaped_slash: z.array(z.string()).default([]),
  /**
   * Values that no honest request has, whose weight is not known, or that bring a credential of the client's
   * own (as whom the system acts is then not known): one that stands makes the request unknown.
   */
  refuse: z.array(referenceSchema).default([]),
  /**
   * Parameters that make it another request: WordPress's `_method` and `rest_route`; `header` is one that
   * holds the method. Such headers of other systems make a request unknown.
   */
  override: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().optional(),
      header: z.string().toLowerCase().optional(),
    })
    .default({}),
  mint: mintSchema.optional(),
  /**
   * Its clients speak more than HTTP: they pack bodies, and read refusals in a form of their own; what a
   * request does is asked for in that form before (git.ts).
   */
  speaks: z.literal("git").optional(),
  /** A commented grant to begin with: YAML, an item of `grants`. */
  template: z.string().optional(),
  /** Its readers say what is acted on; this parts the patterns of `on:`. */
  objects: z.strictObject({ separator: z.enum([" ", "/", ".", "@", ""]) }).optional(),
  routes: z.array(routeSchema).min(1),
});

export type CredentialPlace = z.output<typeof placeSchema>;

export type Entry = z.output<typeof entrySchema>;
export type EntrySource = z.input<typeof entrySchema>;
export type Route = Entry["routes"][number];
export type Case = NonNullable<Route["cases"]>[number];
export type LaterRule = NonNullable<Route["later"]>;
export type Field = NonNullable<Route["fields"]>[number];
export type BodyForm = (typeof BODY_FORMS)[number];

/** A value within a sentence or a target: `{body.title}`. */
export const HOLE = /\{([a-z]+(?:\.[^{}.\s]+)*)\}/g;

/** Every verb of `entry`, sorted. */
export function verbsOf(entry: Pick<EntrySource, "routes">): readonly string[] {
  const verbs = entry.routes.flatMap((route) => [
    route.verb,
    ...(route.cases ?? []).flatMap(({ verb }) => verb ?? []),
    ...(route.fields ?? []).map(({ verb }) => verb),
    ...(route.reads ?? []).map(({ verb }) => verb),
  ]);
  return [...new Set(verbs)].sort();
}

/** Reports whether a request that is `verb` goes without the credential of its grant. */
export function isBare(entry: Pick<EntrySource, "routes"> | undefined, verb: string): boolean {
  return (
    entry?.routes.some((one) => one.bare === true && verbsOf({ routes: [one] }).includes(verb)) ===
    true
  );
}

function between(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function isExpression(source: string): boolean {
  try {
    return new RegExp(source, "u").source !== "";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
