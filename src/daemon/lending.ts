/**
 * Lending: which credential goes with which request of a run, and what stands for it inside.
 *
 * @module
 */
import { Fault, isFault } from "../base/index.ts";
import type { Placeholders } from "../gateway/index.ts";
import type { Task } from "../policy/index.ts";
import { createPlaceholderFinder, type Lease, type Place } from "../vault/index.ts";
import type { Credentials } from "./credentials.ts";

/** What a run borrows. */
export interface Lending {
  readonly placeholders: Placeholders;
  /** Variables of the run that hold placeholders, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** @throws {Fault} of the vault: then nothing is sent. */
  lease(credential: string, place: Place): Promise<Lease>;
}

/**
 * Makes sure that the vault has what the grants of a task name, before a run of it has anything.
 *
 * @throws {Fault} `daemon.credential`, `daemon.channel_credential`
 */
export function requireCredentials(credentials: Credentials, { grants }: Task): void {
  for (const { name, credential } of grants) {
    if (credential === undefined) continue;
    inVault(credential, name, () => credentials.vault.show(credential));
    credentials.requireLendable(credential);
  }
}

/**
 * Settles what `run` borrows.
 *
 * @throws {Fault} `daemon.credential` where the vault does not have what a grant names.
 */
export function lend(credentials: Credentials, run: string, { grants }: Task): Lending {
  const named = grants.filter((grant) => grant.credential !== undefined);
  const given = [...new Set(named.map(({ credential = "" }) => credential))].map((credential) => ({
    credential,
    run,
    text: inVault(credential, run, () => credentials.vault.placeholder(credential, run)),
  }));
  const { find } = createPlaceholderFinder(given);
  const variables = named.flatMap(({ credential, variable }) => {
    const text = given.find((one) => one.credential === credential)?.text;
    return variable === undefined || text === undefined ? [] : [[variable, text] as const];
  });
  return {
    placeholders: { given, find },
    variables: Object.fromEntries(variables),
    lease: async (credential, place) => {
      credentials.requireLendable(credential);
      return credentials.vault.lease(credential, place);
    },
  };
}

function inVault<T>(credential: string, what: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (!isFault(cause)) throw cause;
    const why = `${what} cannot have the credential ${credential}: ${cause.message}`;
    throw new Fault("daemon.credential", why, {
      cause,
      hint: `\`cofferdam credential add ${credential}\` adds it; \`cofferdam credential list\` lists those there are`,
    });
  }
}
