/**
 * Why a decision over an approval is not taken.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** What was shown to whoever decides is not what waits now. */
export function changedSince(id: string): Fault {
  return new Fault("approval.code", `${id} is another than the card that was shown`, {
    hint: "somebody changed it since: look at it again, and decide over what it is now",
  });
}

export function wrongCode(id: string, code: string): Fault {
  return new Fault("approval.code", `${JSON.stringify(code)} is not the code of ${id}`, {
    hint: "the code stands on its card, which may have changed since: `cofferdam approvals show`",
  });
}

export function samePerson(by: string, person: string): Fault {
  const who = person === by ? by : `${by} (${person})`;
  const what = `${who} has approved it already; it needs a second person`;
  return new Fault("approval.same_person", what, {
    hint: "another approver, who is another person, says yes",
  });
}

export function otherAction(): Fault {
  return new Fault("approval.edit", "the edit would make it another action than was asked for", {
    hint: "its system, verb and target stay, and it may do nothing more",
  });
}

/** Steps are taken one after another, so none is lost; were one, nothing that follows from it is done. */
export function lost({ id }: { readonly id: string }): Fault {
  return new Fault("approval.state", `${id} has changed meanwhile`, { hint: "look at it again" });
}
