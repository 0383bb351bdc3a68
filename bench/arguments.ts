/**
 * What the bench is asked for.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Fault } from "../src/base/index.ts";
import type { Part } from "./part.ts";

export const USAGE = `npm run bench -- [PART...] [--json FILE] [--cpu-prof FOLDER]

  PART...             measure these parts, not all; \`actions\` is several. --only PART... is the same
  --json FILE         write the rows there too, and what they are made of
  --cpu-prof FOLDER   leave CPU profiles of the daemons there (and slower figures)

parts: `;

export interface Arguments {
  /** Names of parts, or undefined for all. */
  readonly only: readonly string[] | undefined;
  readonly json: string | undefined;
  readonly profiles: string | undefined;
  readonly help: boolean;
}

/**
 * Reads the command line; `parts` are all that can be named, by themselves or by their group.
 *
 * @throws {Fault} `bench.arguments` where it is not as {@link USAGE} has it.
 */
export function parseArguments(
  words: readonly string[],
  parts: readonly Pick<Part, "name" | "group">[],
): Arguments {
  const { values, positionals } = parse(words);
  const named = [...(values.only ?? []), ...positionals];
  const isMeant = (word: string) => (part: Pick<Part, "name" | "group">) =>
    part.name === word || part.group === word;
  const unknown = named.filter((word) => !parts.some(isMeant(word)));
  if (unknown.length > 0) {
    throw new Fault("bench.arguments", `no such part: ${unknown.join(", ")}`, {
      hint: `any of ${namesOf(parts).join(", ")}`,
    });
  }
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(name));
  return {
    only:
      named.length === 0
        ? undefined
        : parts.filter((part) => named.some((word) => isMeant(word)(part))).map(({ name }) => name),
    json: path(values.json),
    profiles: path(values["cpu-prof"]),
    help: values.help === true,
  };
}

/** Everything that can be named: groups, then parts. */
export function namesOf(parts: readonly Pick<Part, "name" | "group">[]): readonly string[] {
  const groups = parts.flatMap(({ group }) => group ?? []);
  return [...new Set([...groups, ...parts.map(({ name }) => name)])];
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
