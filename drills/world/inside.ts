/**
 * The inside end of a world: the lifeline, and the way a result or a fault gets out.
 *
 * @module
 */
import { describeError, isFault } from "../../src/base/index.ts";
import type { Message } from "./lines.ts";

/** What a program inside uses to speak to the outside. */
export interface Inside {
  /** The world's folder, ours alone, gone afterwards. */
  readonly folder: string;
  say(message: Message): void;
  /** Adds a step to take before the world ends, in whatever way it ends; it must be quick. */
  atEnd(step: () => Promise<void>): void;
}

/** Longest an orderly end may take, in milliseconds; the outside kills a little later. */
const END_MS = 4000;

/** Runs `main` as the world's program; ends the process, and so the world, when it is done. */
export async function runInside(main: (inside: Inside) => Promise<void>): Promise<never> {
  const steps: (() => Promise<void>)[] = [];
  let ending: Promise<never> | undefined;
  const end = (code: number): Promise<never> => {
    ending ??= (async () => {
      setTimeout(() => process.exit(code), END_MS).unref();
      for (const step of steps.reverse()) await step().catch(() => {}); // The next one is due anyway.
      process.exit(code);
    })();
    return ending;
  };
  process.stdin.on("data", () => {});
  process.stdin.on("close", () => void end(1));
  process.stdout.on("error", () => void end(1));
  const say = (message: Message) => void process.stdout.write(`${JSON.stringify(message)}\n`);
  try {
    const folder = process.argv.at(-1) ?? "/nonexistent";
    await main({ folder, say, atEnd: (step) => void steps.push(step) });
    return await end(0);
  } catch (error) {
    say({
      kind: "fault",
      code: isFault(error) ? error.code : "drill.internal",
      message: error instanceof Error ? error.message : describeError(error),
      ...(isFault(error) && error.hint !== undefined ? { hint: error.hint } : {}),
    });
    if (!isFault(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return await end(1);
  }
}
