/**
 * Passkeys of whoever is signed in; the owner, by the link that a terminal printed, also makes the first of anybody.
 *
 * @module
 */
import type { Asks, Role } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import type { Asker, ConsoleDesk, ConsoleHandlers } from "../desk.ts";

type Names = "passkeys.offer" | "passkeys.add" | "passkeys.remove";

export function passkeyHandlers({ client, sessions }: ConsoleDesk): Pick<ConsoleHandlers, Names> {
  const whoseOf = async (asks: Asks<"passkeys.offer">, asker: Asker) => {
    const person = isOwner(asker) ? named(asks, asker) : await known(asks, asker);
    return { person, roles: rolesOf(asks.roles ?? asker.roles, asker) };
  };
  /** Somebody who has a passkey adds one of their own; who has none is brought in by the owner. */
  const known = async (asks: Asks<"passkeys.offer">, { person }: Asker) => {
    const mine = (await client.call("passkey.list", {})).filter((one) => one.person === person);
    if (asks.person !== undefined && asks.person !== person) {
      throw refused(`you are ${person}, and a passkey of ${asks.person} would be theirs`);
    }
    if (mine.length === 0) throw refused(`${person} has no passkey yet`);
    return person;
  };
  return {
    "passkeys.offer": async (asks, asker) =>
      client.call("passkey.enrol", await whoseOf(asks, asker)),
    "passkeys.add": async ({ made, ...asks }, asker) =>
      client.call("passkey.register", {
        ...(await whoseOf(asks, asker)),
        made,
        by: asker.identity,
      }),
    "passkeys.remove": async ({ id }, asker) => {
      const passkey = (await client.call("passkey.list", {})).find((one) => one.id === id);
      const isOwn = passkey?.person === asker.person && !isOwner(asker);
      if (passkey !== undefined && !isOwn && !asker.roles.includes("operator")) {
        throw new Fault("console.role", "another's passkey is removed by an operator", {
          hint: `you are ${asker.roles.join(", ")}; ask whoever runs this console`,
        });
      }
      const removed = await client.call("passkey.remove", { id, by: asker.identity });
      // Whoever has the passkey may have signed in by it.
      for (const one of sessions.list()) {
        const isTheirs = one.identity === `passkey:${removed.person}`;
        if (isTheirs && one.id !== asker.session) sessions.end(one.id);
      }
      return removed;
    },
  };
}

/** Signed in by the terminal's own link: whoever owns the home. */
function isOwner({ identity }: Asker): boolean {
  return identity.startsWith("cli:");
}

function named({ person }: Asks<"passkeys.offer">, { roles }: Asker): string {
  if (!roles.includes("operator")) throw refused("this link gives no operator's role");
  if (person !== undefined) return person;
  throw new Fault("console.request", "whose passkey it will be is not said", {
    hint: "name the person as approvers.yaml does",
  });
}

/** Nobody gives a role that they do not have. */
function rolesOf(wanted: readonly Role[], { roles }: Asker): Role[] {
  const more = wanted.filter((one) => !roles.includes(one));
  if (more.length > 0) throw refused(`you have not the role ${more.join(", ")} yourself`);
  return [...new Set<Role>(["viewer", ...wanted])].toSorted();
}

function refused(why: string): Fault {
  return new Fault("console.role", `no passkey is added: ${why}`, {
    hint: "the owner adds the first of a person, signed in by the link that `cofferdam console` prints",
  });
}
