/**
 * Saying yes: the one place of the console that does. Whatever a yes needs besides the code of what was shown (a
 * passkey's proof) is added here, and holds for one approval and for each of a list.
 *
 * @module
 */
import type { Asks } from "../../../src/api/index.ts";
import { ask } from "../../calls/index.ts";

export type Yes = Asks<"approvals.approve">;

/** `yes.code` is the code that came with the card that was shown. @throws {ApiFault} */
export async function approve(yes: Yes) {
  return ask("approvals.approve", yes);
}
