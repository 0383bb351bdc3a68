/** Words for what an action does, as a person says them. */
import type { Answers } from "../../../src/api/index.ts";

export type Shown = Answers<"approvals.show">;

const DOES: Readonly<Record<string, string>> = {
  read: "reads",
  "read-private": "reads private data",
  write: "writes",
  publish: "publishes",
  send: "sends",
  execute: "executes",
  delete: "deletes",
  administer: "administers",
  spend: "spends",
};

/** `publishes and sends`. */
export function doesText(effects: readonly string[]): string {
  const words = effects.map((effect) => DOES[effect] ?? effect);
  const last = words.at(-1) ?? "does something";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** Who it reaches and how much it moves, where it says so. */
export function reachText({ action: { impact } }: Shown): string {
  const { recipients = [], amount } = impact ?? {};
  const people =
    recipients.length === 0
      ? ""
      : `, to ${recipients.length} recipient${recipients.length === 1 ? "" : "s"}`;
  const money = amount === undefined ? "" : `, ${amount.value} ${amount.currency}`;
  return people + money;
}

export function isReversible({ action: { impact } }: Shown): boolean {
  return impact?.reversible === true;
}

/** `POST https://blog.example/posts?a=1`; of a session its place and object. */
export function requestText({ action: { fields, target } }: Shown): string {
  const { method, query } = fields;
  const verb = typeof method === "string" ? `${method} ` : "";
  return `${verb}${target}${typeof query === "string" && query !== "" ? `?${query}` : ""}`;
}
