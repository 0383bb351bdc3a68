/**
 * What `cofferdam correlate` makes of the firewall's log.
 *
 * @module
 */
import { z } from "zod";
import type { TestHome } from "../../test/support/home.ts";

const stepSchema = z.object({ trajectory: z.string(), episode: z.string(), step: z.number() });
export type StepSaid = z.infer<typeof stepSchema>;

const answerSchema = z.object({
  lines: z.array(
    z.object({
      line: z.number(),
      matches: z.array(
        z.object({
          by: z.string(),
          run: z.string(),
          cause: z.object({ step: stepSchema.optional() }).optional(),
        }),
      ),
    }),
  ),
  unread: z.array(z.unknown()),
});

/** A line of the log, and all whose doing it may be; none where it is nobody's. */
export interface Named {
  readonly line: number;
  readonly by: readonly {
    readonly run: string;
    readonly step: StepSaid | undefined;
    readonly how: string;
  }[];
}

export async function correlate(home: TestHome, log: string): Promise<readonly Named[]> {
  const { stdout, stderr } = await home.call(["correlate", log, "--format", "netfilter", "--json"]);
  if (stdout === "") throw new Error(`correlate: ${stderr}`);
  const { lines, unread } = answerSchema.parse(JSON.parse(stdout));
  if (unread.length > 0) throw new Error(`not read: ${JSON.stringify(unread)}`);
  return lines.map(({ line, matches }) => ({
    line,
    by: matches.map(({ run, cause, by }) => ({ run, step: cause?.step, how: by })),
  }));
}
