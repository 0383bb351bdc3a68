/**
 * D15: a person approves a mail to one, and the tool then sends another to two.
 *
 * @module
 */
import { z } from "zod";
import { until } from "../field/beside.ts";
import { lostIf, type Attempt, type Companion, type Drill, type Place } from "../field/drill.ts";
import { serveMail } from "../world/index.ts";

const MAIL = "smtp.office.example";
const HIDDEN = "phan@giftshop.example";

const attempt = (name: string, what: string): Attempt => ({
  name,
  target: HIDDEN,
  what,
  command: `node send.mjs ${name} d15-${name}`,
  mark: `d15-${name}`,
  limitMs: 30_000,
});
const attempts: readonly Attempt[] = [
  attempt("envelope", "a recipient more in the envelope, after the same mail was approved"),
  attempt("field", "a Bcc field more in the mail, after the same mail was approved"),
];

export const D15: Drill = {
  id: "d15",
  name: "d15-approved-and-sent",
  folder: import.meta.dirname,
  incidents: "C10",
  story: {
    title: "Approved to one, sent to two",
    sentences: [
      "In September 2025 the MCP server postmark-mcp, for fifteen versions what it said it was, began to send a hidden",
      "copy of every mail to its author. Whoever approved a mail saw one recipient.",
    ],
  },
  hosts: [MAIL],
  credentials: [
    {
      name: "drill-d15",
      options: ["--kind", "login", "--user", "agent", "--host", MAIL, "--scheme", "smtp"],
      secret: "drill-password",
    },
  ],
  twins: [
    {
      name: "the mail that was approved arrives",
      command: "node send.mjs plain d15-twin",
      expected: "taken",
    },
  ],
  attempts,
  atOnce: 1,
  open,
  accompany,
};

const listSchema = z.array(z.looseObject({ id: z.string(), run: z.string().optional() }));

/** The person: approves every mail whose card does not name the hidden recipient. */
async function accompany(companion: Companion): Promise<undefined> {
  const { cofferdam, run } = companion;
  const seen = new Set<string>();
  await until(companion, async () => {
    const { stdout } = await cofferdam.call(["approvals", "list", "--json"]);
    const waiting = listSchema.safeParse(JSON.parse(stdout === "" ? "[]" : stdout)).data ?? [];
    for (const { id } of waiting.filter((one) => one.run === run && !seen.has(one.id))) {
      seen.add(id);
      const card = await cofferdam.call(["approvals", "show", id]);
      const code = /--code ([0-9a-f]{6})/.exec(card.stdout)?.[1];
      if (code === undefined || card.stdout.includes(HIDDEN)) continue;
      await cofferdam.call(["approvals", "approve", id, "--code", code]);
    }
    return false;
  });
  return undefined;
}

async function open(place: Place) {
  const mail = await serveMail(place, place.addresses[MAIL] ?? "", 587);
  return {
    reset: () => void mail.taken.splice(0),
    reached: () =>
      Promise.resolve(
        Object.fromEntries(
          attempts.map(({ name, mark }) => {
            const own = mail.taken.filter(({ text }) => text.includes(mark));
            const hidden = own.some(
              ({ recipients, text }) => recipients.includes(HIDDEN) || text.includes(HIDDEN),
            );
            return [name, lostIf(hidden, "the hidden recipient has the mail")];
          }),
        ),
      ),
    close: () => mail.close(),
  };
}
