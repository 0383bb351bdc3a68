/**
 * What the stand-ins say about themselves, read from a run's output.
 *
 * @module
 */
import { z } from "zod";
import { SECRET } from "./geography.ts";

const startSchema = z.object({ step: z.literal("start"), name: z.string(), at: z.number() });
const endSchema = z.object({
  step: z.literal("end"),
  name: z.string(),
  at: z.number(),
  code: z.number().nullable(),
  text: z.string(),
});
const wordSchema = z.discriminatedUnion("step", [startSchema, endSchema]);

/** What a stand-in says in one line; undefined where the line is anyone else's. */
export function readWord(line: string): z.infer<typeof wordSchema> | undefined {
  return wordSchema.safeParse(parseLine(line)).data;
}

/** One step as the stand-in agent told it. */
export interface Said {
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Absent where the step never ended; `code` where nobody tells it. */
  readonly end?: { readonly at: number; readonly code?: number | null; readonly text: string };
}

/** The steps told in `output`, by name; lines of anyone else are passed over. */
export function readSaid(output: string): ReadonlyMap<string, Said> {
  const said = new Map<string, Said>();
  for (const line of output.split("\n")) {
    const word = readWord(line);
    if (word?.step === "start") said.set(word.name, { startedAt: word.at });
    if (word?.step === "end") {
      const { at, code, text } = word;
      said.set(word.name, {
        startedAt: said.get(word.name)?.startedAt ?? at,
        end: { at, code, text },
      });
    }
  }
  return said;
}

const scanSchema = z.object({
  scan: z.literal("end"),
  tried: z.number(),
  open: z.array(z.object({ host: z.string(), port: z.number(), text: z.string() })),
});

/** What a scan found: how many ports looked open, and whether any gave a secret away. */
export function readScan(text: string): { tried: number; open: number; learned: boolean } {
  for (const line of text.split("\n")) {
    const scan = scanSchema.safeParse(parseLine(line)).data;
    if (scan !== undefined) {
      const learned = scan.open.some((port) => port.text.includes(SECRET));
      return { tried: scan.tried, open: scan.open.length, learned };
    }
  }
  return { tried: 0, open: 0, learned: false };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // Some other program's line.
  }
}
