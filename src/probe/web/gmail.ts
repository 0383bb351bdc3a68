/**
 * Gmail: whose mailbox it is and how much is in it. Reading is told by what is refused (403 where no scope of the token
 * reads); sending and changing cannot be asked for without doing it, and count as possible where the token is good.
 * https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/getProfile
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { Findings, mailboxOf, type Told } from "./findings.ts";
import { Asker, COUNT } from "./questions.ts";

const PROFILE = z.object({
  emailAddress: z.string().max(320),
  messagesTotal: COUNT.optional().catch(undefined),
});
const ANYTHING = z.object({});

export const gmailProbe: Probe = {
  system: "gmail",
  asks: [
    "whose mailbox it is and how many messages are in it",
    "which parts of it the token may read",
  ],
  probe: probeGmail,
};

async function probeGmail(ports: ProbePorts): Promise<Probed> {
  const findings = new Findings(ports);
  const asker = new Asker(ports, findings);
  const get = (path: string) => asker.get(`gmail/v1/users/me/${path}`, ANYTHING);
  const profile = await asker.get("gmail/v1/users/me/profile", PROFILE);
  const messages = await get("messages?maxResults=1");
  const labels = await get("labels");
  const filters = await get("settings/filters");
  const delegates = await get("settings/delegates");
  const address = profile.value?.emailAddress;
  const mailbox = address === undefined ? findings.own("mailbox") : mailboxOf(address);
  const anyone = findings.own("any address");
  // gmail.metadata lists messages, and reads no body: what it lists counts as read.
  const changes: Told = messages.may === false ? false : undefined;
  findings.so(profile.where, "label", mailbox, "customer");
  findings.amount(profile.where, "rows", mailbox, profile.value?.messagesTotal);
  findings.assume("a mail may go to any address", "people", anyone, UNBOUNDED);
  const account = findings.own("accounts that this address is registered with");
  findings.assume("whoever reads a mailbox has passwords reset", "resets", mailbox, account);
  findings.powers(messages.where, [
    ["profile.read", mailbox, profile.may],
    ["message.read draft.read", mailbox, messages.may],
    ["label.read", mailbox, labels.may],
    ["settings.read", mailbox, filters.may],
    [
      "message.modify message.trash message.delete message.batch-delete thread.modify message.insert message.import",
      mailbox,
      changes,
    ],
    ["label.write label.delete", mailbox, labels.may === false ? false : undefined],
    ["message.send draft.send draft.create draft.update", anyone, undefined],
    ["draft.delete", mailbox, undefined],
    [
      "settings.filter settings.forward settings.vacation settings.administer settings.vacation",
      anyone,
      filters.may === false ? false : undefined,
    ],
    ["settings.delegate", mailbox, delegates.may === false ? false : undefined],
    ["mailbox.watch batch", mailbox, undefined],
  ]);
  return findings.probed();
}
