/**
 * What a command of the command line is. The table of all of them is commands/index.ts.
 *
 * @module
 */
import type { ParseArgsOptionsConfig } from "node:util";
import type { Home } from "../api/index.ts";
import type { Client } from "../client/index.ts";

/** Documented exit codes; a run's own code passes through unchanged. */
export const EXIT = {
  ok: 0,
  /** The question was answered with no: not intact, prerequisites missing, not contained. */
  no: 1,
  /** The command line was not understood. */
  usage: 2,
  /** Cofferdam refused or failed; for `run`, the agent did not run or was stopped by Cofferdam. */
  refused: 125,
} as const;

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a command gets: its parsed options, the rest of the line, the home, and ways to speak. */
export interface Context {
  readonly values: Values;
  readonly positionals: readonly string[];
  /** Everything after `--`. */
  readonly rest: readonly string[];
  readonly home: Home;
  /** A client of the daemon, started if none runs. */
  daemon(): Promise<Client>;
  /** A client of the daemon only if one runs. */
  running(): Promise<Client>;
  out(text: string): void;
  err(text: string): void;
}

export interface Command {
  readonly name: string;
  /** After the name: `[--task FILE] -- CMD...` */
  readonly usage: string;
  /** Each option's help; `short` and `type` go to parseArgs. */
  readonly options: ParseArgsOptionsConfig;
  readonly optionHelp: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** Least and most positionals. */
  readonly positionals: readonly [number, number];
  run(context: Context): Promise<number>;
}

export const JSON_OPTION = { json: { type: "boolean" } } as const;
export const JSON_HELP = { json: "print JSON instead of text" } as const;

/** The value of a string option, where it was given. */
export function textOption(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that may be repeated. */
export function listOption(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
