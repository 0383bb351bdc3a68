/**
 * The single values of a task file as zod schemas, each with its own words for what is wrong.
 *
 * @module
 */
import { z } from "zod";
import {
  BYTES_PATTERN,
  DURATION_PATTERN,
  isFault,
  parseBytes,
  parseDurationMs,
  printBytes,
  printDuration,
} from "../base/index.ts";
import { DIAL_PATTERN, parseDial, parseProxy, PROXY_PATTERN } from "./dial.ts";
import { EXPIRY_PATTERN, parseExpiryMs } from "./expiry.ts";
import { parsePublish, PUBLISH_PATTERN } from "./publish.ts";

const SENTENCE_CHARS_MAX = 500;
const NAME_PATTERN = "^[a-z0-9][a-z0-9-]{0,62}$";
const METHOD_PATTERN = "^[A-Z]+(?:-[A-Z]+)*$";

/** Reports a problem of one value: what is wrong, and the fix. */
type Report = (message: string, hint: string, at?: readonly PropertyKey[]) => void;
interface Context {
  addIssue(issue: {
    code: "custom";
    message: string;
    path?: PropertyKey[];
    params: { hint: string };
  }): void;
}
export const reporter =
  (context: Context): Report =>
  (message, hint, at = []) =>
    context.addIssue({ code: "custom", message, path: [...at], params: { hint } });

/** A text that `parse` accepts; its Fault becomes the problem. */
export function parsed(
  parse: (text: string) => unknown,
  more?: (text: string, report: Report) => void,
) {
  return z.string().superRefine((text, context) => {
    const report = reporter(context);
    try {
      parse(text);
    } catch (error) {
      if (!isFault(error)) throw error;
      report(error.message, error.hint ?? "");
      return;
    }
    more?.(text, report);
  });
}

/** A text of the given form. */
function matching(pattern: string, message: string, hint: string) {
  return z
    .string()
    .superRefine((text, context) => {
      if (!new RegExp(pattern).test(text)) reporter(context)(message, hint);
    })
    .meta({ pattern });
}

/** A verb of a catalog, or all that start as one does: `post.list`, `post.*`, `*`. */
export const verbPatternSchema = matching(
  "^(?:\\*|[a-z][a-z0-9_-]*(?:\\.[a-z][a-z0-9_-]*)*(?:\\.\\*)?)$",
  "is no verb",
  'write post.list, "post.*" or "*"',
);

/** A list without repetition; a repeated entry would never decide anything. */
export function listOf<Item extends z.ZodType>(item: Item, most: number) {
  return z
    .array(item)
    .max(most)
    .superRefine((items, context) => {
      const seen = new Set<unknown>();
      for (const [at, value] of items.entries()) {
        if (seen.has(value)) reporter(context)("stands in this list twice", "remove it", [at]);
        seen.add(value);
      }
    });
}

/** Like {@link listOf}, and with something in it. */
export function someOf<Item extends z.ZodType>(item: Item, most: number) {
  return listOf(item, most).min(1);
}

function between(least: number, most: number, read: (text: string) => number, print: Print) {
  return (text: string, report: Report) => {
    const value = read(text);
    if (value >= least && value <= most) return;
    report(
      `${JSON.stringify(text)} is out of range`,
      `give from ${print(least)} to ${print(most)}`,
    );
  };
}
type Print = (value: number) => string;

export const nameSchema = matching(
  NAME_PATTERN,
  "is not a name",
  "write up to 63 of a-z, 0-9 and -, not starting with -",
);

export const variableSchema = matching(
  "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
  "is not a variable's name",
  "write letters, digits and _: LANG",
).superRefine((text, context) => {
  if (/^(?:LD_|COFFERDAM_)/.test(text)) {
    reporter(context)("is never passed in", "remove it; set it inside the run where it is needed");
  }
});

/** A name of the vault, or `$NAME` for a variable of whoever starts the run. */
export const credentialSchema = matching(
  `^(?:\\$[A-Za-z_][A-Za-z0-9_]{0,127}|[a-z][a-z0-9-]{0,39})$`,
  "is no credential",
  "write a name of `cofferdam credential list`, or $NAME for a variable of yours: $ANTHROPIC_API_KEY",
);

export const sentenceSchema = z
  .string()
  .max(SENTENCE_CHARS_MAX)
  .superRefine((text, context) => {
    if (text.trim() === "")
      reporter(context)("says nothing", "write a sentence that a person understands");
  });

/** A size in the given range of bytes. */
export const bytesSchema = (least: number, most: number) =>
  parsed(parseBytes, between(least, most, parseBytes, printBytes)).meta({ pattern: BYTES_PATTERN });

/** A duration in the given range of milliseconds. */
export const durationSchema = (least: number, most: number) =>
  parsed(parseDurationMs, between(least, most, parseDurationMs, printDuration)).meta({
    pattern: DURATION_PATTERN,
  });

export const expirySchema = z
  .string()
  .superRefine((text, context) => {
    if (parseExpiryMs(text) === undefined) {
      reporter(context)(
        "is not a day",
        "write 2026-12-31 (all of that day, UTC) or 2026-12-31T12:00:00Z",
      );
    }
  })
  .meta({ pattern: EXPIRY_PATTERN });

export const methodSchema = z
  .string()
  .max(32)
  .superRefine((text, context) => {
    const report = reporter(context);
    if (!new RegExp(METHOD_PATTERN).test(text)) {
      report(
        "is not an HTTP method",
        `methods are upper case: ${text.toUpperCase().replaceAll(/[^A-Z-]/g, "") || "GET"}`,
      );
    } else if (text === "CONNECT" || text === "TRACE") {
      report("is never let through, so this can never match", "remove it");
    }
  })
  .meta({ pattern: METHOD_PATTERN });

export const dialSchema = z
  .string()
  .superRefine((text, context) => {
    if (parseDial(text) !== undefined) return;
    reporter(context)(
      "is not an address that can be dialled",
      "write an address and a port, 127.0.0.1:8443 or [::1]:8443, or a socket's path in full: unix:/run/service.sock",
    );
  })
  .meta({ pattern: DIAL_PATTERN });

export const proxySchema = z
  .string()
  .superRefine((text, context) => {
    if (parseProxy(text) !== undefined) return;
    const hint = /^https?:/.test(text) ? "leave out the scheme" : "an account cannot be given";
    reporter(context)(
      "is not an HTTP proxy's address and port",
      `write 10.0.0.1:3128 or proxy.example:3128; ${hint}`,
    );
  })
  .meta({ pattern: PROXY_PATTERN });

/** A port, or two: of this machine, and inside. */
export const publishedSchema = z
  .union([z.int(), z.string().meta({ pattern: PUBLISH_PATTERN })])
  .superRefine((source, context) => {
    const parsedPorts = parsePublish(source);
    if ("problem" in parsedPorts) reporter(context)(parsedPorts.problem, parsedPorts.hint);
  });
