/**
 * What a model API's dialect is to the scripted model server, and what a script is made of.
 *
 * @module
 */

/** One call of a tool: an object for a function, text for a tool that takes free text. */
export interface ToolCall {
  readonly tool: string;
  readonly input: string | Readonly<Record<string, unknown>>;
}

/** What the model says at once: text, then calls. */
export interface Turn {
  readonly text?: string;
  readonly calls?: readonly ToolCall[];
}

/** What a request asks, read out of any dialect. */
export interface Ask {
  readonly model: string;
  readonly stream: boolean;
  /** Names of the tools that it offers. */
  readonly tools: readonly string[];
  /** How many turns of the model in the conversation called tools: the place in the script. */
  readonly turn: number;
  /** What the tools gave back, oldest first. */
  readonly results: readonly string[];
  /** The JSON Schema that the answer must fit, where it must. */
  readonly schema?: unknown;
}

/** An answer to be written: a turn with the names that the formats want. */
export interface Reply {
  /** Unique in this server; part of every id in the answer. */
  readonly id: string;
  readonly model: string;
  readonly text: string;
  readonly calls: readonly (ToolCall & { readonly id: string })[];
}

/** One server-sent event; `data` is written as JSON, or as it is where it is text. */
export interface StreamEvent {
  readonly event?: string;
  readonly data: string | Readonly<Record<string, unknown>>;
}

/** One published wire format. */
export interface Dialect {
  readonly name: "anthropic" | "openai-responses" | "openai-chat" | "google";
  /** Whether a POST to `path` (no query) is a question in this dialect. */
  matches(path: string): boolean;
  /** Reads a request's body. @throws {z.ZodError} where it is not of this format. */
  read(path: string, body: unknown): Ask;
  /** The answer as one JSON document. */
  whole(reply: Reply): Readonly<Record<string, unknown>>;
  /** The answer as a stream. */
  events(reply: Reply): readonly StreamEvent[];
}

/** Token counts, of no meaning; the formats require some. */
export const TOKENS = { input: 100, output: 10 } as const;

/** `text` in two pieces, so that a reader of streams has something to put together. */
export function pieces(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((piece) => piece !== "");
}

/** The input of a call as the formats that carry JSON in a string want it. */
export function argumentsOf({ input }: ToolCall): string {
  return typeof input === "string" ? input : JSON.stringify(input);
}
