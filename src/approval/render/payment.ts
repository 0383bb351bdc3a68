/**
 * Payments as blocks: how much, to whom, in one line each.
 *
 * @module
 */
import type { LookOf } from "../../api/index.ts";
import { block, listed, type Block } from "./block.ts";
import { printPassages } from "./texts.ts";

export function printPayment({
  amount,
  currency = "",
  recipients,
  passages,
}: LookOf<"payment">): readonly Block[] {
  const money =
    amount === undefined
      ? "an amount that the request does not say: all of it, or what the system has"
      : `${amount} ${currency}`;
  const whom = recipients.length === 0 ? ["to whom, the request does not say"] : recipients;
  return [block("Pays", [money]), ...listed("Pays to", whom), ...printPassages(passages)];
}
