/**
 * What the bench is asked for.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Fault } from "../src/base/index.ts";

export const USAGE = `npm run bench -- [--only PART...] [--json FILE] [--cpu-prof FOLDER]

  --only PART...      measure these parts, not all
  --json FILE         write the rows there too
  --cpu-prof FOLDER   leave CPU profiles of the daemons there (and slower figures)

parts: `;

export interface Arguments {
  /** Names of parts, or undefined for all. */
  readonly only: readonly string[] | undefined;
  readonly json: string | undefined;
  readonly profiles: string | undefined;
  readonly help: boolean;
}

/** @throws {Fault} `bench.arguments` where they are not as {@link USAGE} has it. */
export function parseArguments(words: readonly string[], parts: readonly string[]): Arguments {
  const { values, positionals } = parse(words);
  const { only } = values;
  const named = only === undefined ? undefined : [...only, ...positionals];
  const unknown = (named ?? positionals).filter(
    (name) => named === undefined || !parts.includes(name),
  );
  if (unknown.length > 0) {
    throw new Fault("bench.arguments", `no such part: ${unknown.join(", ")}`, {
      hint: `after --only, any of ${parts.join(", ")}`,
    });
  }
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(name));
  return {
    only: named,
    json: path(values.json),
    profiles: path(values["cpu-prof"]),
    help: values.help === true,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        only: { type: "string", multiple: true },
        json: { type: "string" },
        "cpu-prof": { type: "string" },
        help: { type: "boolean" },
      },
      allowPositionals: true,
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("bench.arguments", why, { cause, hint: "see --help" });
  }
}
