/**
 * Payments: how much, to whom, in one line, before what else is said.
 *
 * @module
 */
import type { Action } from "../../action/index.ts";
import { block, listed, without, type Members, type Rendering } from "./block.ts";
import { Texts } from "./texts.ts";

const FOR = ["description", "note", "note_to_payer", "statement_descriptor", "reason", "memo"];

export function renderPayment(body: Members, { impact }: Pick<Action, "impact">): Rendering {
  const { amount, recipients = [] } = impact ?? {};
  const money =
    amount === undefined
      ? "an amount that the request does not say: all of it, or what the system has"
      : `${amount.value} ${amount.currency}`;
  const whom = recipients.length === 0 ? ["to whom, the request does not say"] : recipients;
  const texts = new Texts();
  const shown = new Set<string>();
  for (const name of FOR) {
    const text = body[name];
    if (typeof text !== "string") continue;
    shown.add(name);
    texts.add("For", name, text, { html: false });
  }
  const blocks = [block("Pays", [money]), ...listed("Pays to", whom), ...texts.blocks];
  return { blocks, rest: without(body, shown), hidden: [] };
}
