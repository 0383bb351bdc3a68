/**
 * Runs that are on hold: whatever belongs to one stays, however old it is, until somebody releases it (legal hold).
 *
 * `holds.json` of the home is written whole or not at all. A hold is kept before it is on record, and a release on
 * record before the hold goes: what is cut short between them keeps too much, never too little.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Fault, isFault, requireFormat } from "../base/index.ts";
import { readPrivateFile } from "../channel/index.ts";

const HOLDS_FILE = "holds.json";
const HOLDS_MAX = 500;

const holdSchema = z.strictObject({
  run: z.string().regex(/^r-[0-9a-z]{1,20}$/),
  why: z.string().min(1).max(500),
  /** RFC 3339. */
  at: z.string(),
  by: z.string(),
});
export type Hold = z.infer<typeof holdSchema>;

const fileSchema = z.strictObject({ version: z.literal(1), holds: z.array(holdSchema) });

export class Holds {
  readonly #path: string;

  constructor(root: string) {
    this.#path = join(root, HOLDS_FILE);
  }

  /** @throws {Fault} `channel.file`, `retention.holds`: nothing is pruned then. */
  list(): readonly Hold[] {
    const text = readPrivateFile(this.#path);
    if (text === undefined) return [];
    try {
      const file: unknown = JSON.parse(text);
      requireFormat(this.#path, z.looseObject({ version: z.int() }).parse(file).version, 1);
      return fileSchema.parse(file).holds;
    } catch (cause) {
      if (isFault(cause, "base.format")) throw cause;
      throw new Fault("retention.holds", `${this.#path} is not what Cofferdam wrote`, {
        hint: "nothing is pruned until it is mended; `cofferdam log` has who held what",
        cause,
      });
    }
  }

  of(run: string): Hold | undefined {
    return this.list().find((hold) => hold.run === run);
  }

  /** @throws {Fault} `retention.holds` where there are too many. */
  add(hold: Hold): void {
    const others = this.list().filter(({ run }) => run !== hold.run);
    if (others.length >= HOLDS_MAX) {
      throw new Fault("retention.holds", `${HOLDS_MAX} runs are on hold, as many as may be`, {
        hint: "`cofferdam retention release RUN --why TEXT` makes room",
      });
    }
    this.#write([...others, hold]);
  }

  remove(run: string): void {
    this.#write(this.list().filter((hold) => hold.run !== run));
  }

  #write(holds: readonly Hold[]): void {
    const next = `${this.#path}.new`;
    rmSync(next, { force: true }); // Of a daemon that died in the middle.
    const file = openSync(next, "wx", 0o600);
    try {
      writeSync(file, `${JSON.stringify({ version: 1, holds }, undefined, 1)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.#path);
    const folder = openSync(dirname(this.#path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}
