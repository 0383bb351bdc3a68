/**
 * Payments: how much and to whom, before what else is said.
 *
 * @module
 */
import { without, type Members } from "./members.ts";
import { passageOf } from "./passage.ts";
import type { Readable, Reading } from "./reading.ts";

const FOR = ["description", "note", "note_to_payer", "statement_descriptor", "reason", "memo"];

export function readPayment(body: Members, { impact }: Readable): Reading {
  const { amount, recipients = [] } = impact ?? {};
  const said = FOR.flatMap((name) => {
    const text = body[name];
    return typeof text === "string" ? [[name, text] as const] : [];
  });
  return {
    content: {
      kind: "payment",
      ...(amount === undefined ? {} : { amount: amount.value, currency: amount.currency }),
      recipients: [...recipients],
      passages: said.map(([name, text]) => passageOf("For", name, text, { html: false })),
    },
    rest: without(body, new Set(said.map(([name]) => name))),
  };
}
