/**
 * What a person sees of an action that waits, as data: each kind in its system's own form. Cards of text and of the
 * console are two prints of it, so neither can show what the other hides.
 *
 * Every string in it may come from the agent or from a server: whoever shows it marks what draws, hides or reorders.
 *
 * @module
 */
import { z } from "zod";
import { effectSchema, type Json } from "../action/index.ts";

const json: z.ZodType<Json> = z.json();
const text = z.string();
const texts = z.array(text);

/** A text, and what is seen of it where it is HTML. */
export const passageSchema = z.strictObject({
  label: text,
  /** What the system calls it: a member of the body. */
  name: text,
  text,
  /** A line that stands above it: which part of a mail it is. */
  about: z.strictObject({ label: text, line: text }).optional(),
  /** What should make a person look twice, each in words. */
  doubts: texts,
  /** Absent where it is plain text to its system, or HTML too deep to be read. */
  html: z
    .strictObject({
      /** As its readers see it. */
      lines: texts,
      /** Where links and everything that is loaded lead. */
      links: texts,
      /** What its readers do not see, each with why. */
      unseen: texts,
      /** The same as HTML that holds structure and text alone, for a frame. */
      preview: text,
      /** Whether lines and links are all that it says. */
      isWhole: z.boolean(),
    })
    .optional(),
});
export type Passage = z.infer<typeof passageSchema>;

/** Labelled lines: `To`, `Cc`. */
const linesSchema = z.strictObject({ label: text, lines: texts });

const attachmentSchema = z.strictObject({
  name: text,
  type: text,
  /** Counted in the body; absent where it is not in there. `from`: the address that the body names for it. */
  bytes: z.int().optional(),
  sha256: text.optional(),
  from: text.optional(),
});
export type LookAttachment = z.infer<typeof attachmentSchema>;

const letterSchema = z.strictObject({
  /** Whom the server is told to send it to, and which header names each; empty: no header does. */
  envelope: z
    .strictObject({
      from: texts,
      recipients: z.array(z.strictObject({ address: text, named: text })),
      unreached: texts,
    })
    .optional(),
  /** From, To, Cc, ... as the header or the API says. */
  people: z.array(linesSchema),
  passages: z.array(passageSchema),
  doubts: texts,
  attachments: z.array(attachmentSchema),
  headers: texts,
  /** What else the system has of it, of one that the request only names. */
  rest: json.optional(),
});
export type LookLetter = z.infer<typeof letterSchema>;

const tableSchema = z.strictObject({
  columns: texts,
  /** One row before and after; what is absent is not there then. */
  rows: z.array(
    z.strictObject({
      before: z.array(text.nullable()).optional(),
      after: z.array(text.nullable()).optional(),
    }),
  ),
});
export type LookTable = z.infer<typeof tableSchema>;

/** What it does to what: a table, a command's words. */
const actSchema = z.strictObject({
  verb: text,
  effects: z.array(effectSchema),
  object: texts,
  count: z.int(),
});
export type LookAct = z.infer<typeof actSchema>;

const contentOfFileSchema = z.strictObject({
  bytes: z.int(),
  sha256: text.optional(),
  text: text.optional(),
  isCut: z.boolean(),
});

const nodeSchema = z.strictObject({
  name: text,
  type: text,
  /** `unknown`, `code`, `database`, ..., the most dangerous first. */
  kind: text,
  /** What it can do, in words. */
  does: text,
  runsCode: z.boolean(),
  isOff: z.boolean(),
  call: text.optional(),
  credentials: texts,
  /** Where the system draws it. */
  at: z.tuple([z.number(), z.number()]).optional(),
  /** All that it says. */
  source: json,
});
export type LookNode = z.infer<typeof nodeSchema>;

export const contentSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("post"), passages: z.array(passageSchema) }),
  z.strictObject({ kind: z.literal("message"), passages: z.array(passageSchema) }),
  z.strictObject({
    kind: z.literal("mail"),
    letters: z.array(letterSchema),
    /** The request only names it: this is what the system has. */
    isPresent: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal("payment"),
    amount: text.optional(),
    currency: text.optional(),
    recipients: texts,
    passages: z.array(passageSchema),
  }),
  z.strictObject({
    kind: z.literal("push"),
    repo: text,
    refs: z.array(z.strictObject({ ref: text, old: text, new: text, how: text })),
    findings: texts,
    options: texts,
    commits: z.array(
      z.strictObject({
        id: text,
        author: text,
        committer: text,
        message: text,
        parents: texts,
        changes: texts,
        isSigned: z.boolean(),
        isKnown: z.boolean(),
      }),
    ),
    tags: z.array(z.strictObject({ id: text, text })),
    diffs: z.array(z.strictObject({ of: text, lines: texts })),
    pack: z.strictObject({ objects: text, hash: text }).optional(),
  }),
  z.strictObject({
    kind: z.literal("workflow"),
    name: text,
    /** Else it is what the system has now. */
    isSent: z.boolean(),
    /** Whether it runs by itself, now and then. */
    state: text,
    starts: texts,
    /** The most dangerous first. */
    nodes: z.array(nodeSchema),
    /** By their places in `nodes`; absent where its connections are in no form that is known. */
    edges: z
      .array(z.strictObject({ from: z.int(), to: z.int(), kind: text, output: z.int() }))
      .optional(),
    connections: json.optional(),
  }),
  z.strictObject({
    kind: z.literal("sql"),
    dialect: text,
    statement: text,
    database: text.optional(),
    parameters: texts,
    acts: z.array(actSchema),
    /** How many rows it touched where it was tried and taken back. */
    rows: z.int().optional(),
    /** Some of them. */
    table: tableSchema.optional(),
    /** Why it was not tried. */
    notTried: text.optional(),
    note: text.optional(),
    plan: texts,
    input: contentOfFileSchema.optional(),
    problem: text.optional(),
  }),
  z.strictObject({
    kind: z.literal("command"),
    /** `ssh`, `redis` */
    of: text,
    sent: text,
    /** What the agent wrote, where it is spelt otherwise. */
    asked: text.optional(),
    /** `sent` from its beginning to its end, in pieces: those of a command say which of `acts`. */
    pieces: z.array(z.strictObject({ text, act: z.int().optional() })),
    acts: z.array(actSchema),
    /** Why it is read as a whole, and not by its commands. */
    script: text.optional(),
    isTerminal: z.boolean(),
    input: contentOfFileSchema.optional(),
  }),
  z.strictObject({
    kind: z.literal("file"),
    path: text,
    to: text.optional(),
    /** Words of what is set: `mode 0644`. */
    attributes: text.optional(),
    mode: text.optional(),
    target: text.optional(),
    content: contentOfFileSchema.optional(),
    /** What lies there now. */
    before: json.optional(),
    there: json.optional(),
    difference: texts,
  }),
  /** A call of what has no form of its own: its body is under `rest`. */
  z.strictObject({
    kind: z.literal("call"),
    tool: text.optional(),
    arguments: json.optional(),
  }),
  /** Bytes that nothing here reads. */
  z.strictObject({ kind: z.literal("raw"), bytes: z.int(), sha256: text }),
]);
export type LookContent = z.infer<typeof contentSchema>;
export type LookOf<Kind extends LookContent["kind"]> = Extract<LookContent, { kind: Kind }>;

export const lookSchema = z.strictObject({
  content: contentSchema,
  /** What of the body the content does not show. */
  rest: json.optional(),
  /** What the system has now, and what becomes of it; lines begin with `- `, `+ ` or two spaces. */
  now: texts,
  change: texts,
  /** Other parameters; those that the content shows are `isShown`. */
  more: z.array(z.strictObject({ name: text, value: json, isShown: z.boolean() })),
  /** What is sent and stands nowhere in this, each in words. */
  hidden: texts,
  /** Of a conversation: why nobody can see before what will be said in it. */
  conversation: text.optional(),
});
export type Look = z.infer<typeof lookSchema>;
