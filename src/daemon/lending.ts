/**
 * Lending: which credential goes with which request of a run, and what stands for it inside.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { assert, describeError, Fault, isFault } from "../base/index.ts";
import type { Entry } from "../catalog/index.ts";
import type { Credentialed, Placeholders, Verdict } from "../gateway/index.ts";
import {
  resolveCredentials,
  variableOf,
  type Policy,
  type Task,
  type TaskGrant,
} from "../policy/index.ts";
import {
  createPlaceholderFinder,
  PassingSecret,
  requirePlace,
  type Lease,
  type LoginFile,
  type PassingKind,
  type Place,
} from "../vault/index.ts";
import type { Canary } from "./canary.ts";
import { createHostKey } from "./host-key.ts";
import type { Credentials } from "./credentials.ts";

/** What a run borrows. */
export interface Lending {
  readonly placeholders: Placeholders;
  /** Variables of the run that hold placeholders, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** What is planted in it; absent where its task leaves that out. */
  readonly canary?: Canary;
  /** Files of its HOME in which agents look for their login, with placeholders. */
  readonly logins: readonly LoginFile[];
  /** PEM of the host key of all SSH servers as the run sees them; empty where its task grants none. */
  readonly hostKey: string;
  /** @throws {Fault} of the vault: then nothing is sent. */
  lease(grant: LentGrant, place: Place): Promise<Lease>;
  /** What must never be echoed of all that was leased so far, the last of each grant. */
  secrets(): readonly string[];
}

/** An allowed request whose grant names a credential is given it; without it, it is not allowed. */
export async function withLease(
  lending: Lending,
  { grants }: Policy,
  { system, fields }: Action,
  verdict: Verdict,
): Promise<Verdict> {
  const grant = grants.find(({ name }) => name === system);
  if (verdict.verdict !== "allow" || grant?.credential === undefined) return verdict;
  const { scheme, host, port } = fields;
  // Within a session that is logged in nothing more is attached.
  if (scheme === undefined && grant.kind === "session") return verdict;
  try {
    const lease = await lending.lease(grant, { scheme, host, port } as Place);
    return { ...verdict, lease };
  } catch (error) {
    const reason = `the credential ${grant.credential} cannot be had: ${describeError(error)}`;
    return { ...verdict, verdict: "deny", rule: "credential", reason };
  }
}

/** As much of a grant as its credential depends on. */
export type LentGrant = Pick<TaskGrant, "name" | "system" | "kind" | "credential" | "mint">;

/** Who knows systems. */
type EntryOf = (kind: string) => Entry | undefined;

/**
 * Settles which credential each grant of `task` has, before a run of it has anything.
 *
 * @throws {Fault} `daemon.credential` where the vault does not have what a grant names without an alternative;
 *   `daemon.channel_credential` where that is what approvers are asked with.
 */
export function settleCredentials(
  credentials: Credentials,
  task: Task,
  environment: Readonly<Record<string, string>>,
): Task {
  const settled = resolveCredentials(task, (candidate) => {
    const variable = variableOf(candidate);
    if (variable !== undefined) return (environment[variable] ?? "") !== "";
    return credentials.isOpen && credentials.vault.list().some(({ name }) => name === candidate);
  });
  for (const { name, credential } of settled.grants) {
    if (credential === undefined || variableOf(credential) !== undefined) continue;
    inVault(credential, name, () => credentials.vault.show(credential));
    credentials.requireLendable(credential);
  }
  return settled;
}

export interface LendOptions {
  /** What its starter brought, also what stays outside. */
  readonly environment: Readonly<Record<string, string>>;
  readonly entryOf: EntryOf;
  createCanary(): Canary;
  /** Sees to it that what was made for a grant is good for a while. */
  renew(grant: string): Promise<void>;
}

/**
 * Settles what `run` borrows.
 *
 * @throws {Fault} `daemon.credential` where the vault does not have what a grant names, or a variable holds
 *   what cannot be sent.
 */
export function lend(
  credentials: Credentials,
  run: string,
  { grants, detect }: Task,
  { environment, entryOf, createCanary, renew }: LendOptions,
): Lending {
  const named = grants.filter((grant) => grant.credential !== undefined);
  const names = [...new Set(named.map(({ credential = "" }) => credential))];
  const passing = new Map(
    names.flatMap((name) => {
      const variable = variableOf(name);
      if (variable === undefined) return [];
      const value = environment[variable] ?? "";
      return [[name, inVault(name, run, () => new PassingSecret(name, run, value))] as const];
    }),
  );
  credentials.pass(run, passing);
  const given = names.map((credential) => ({
    credential,
    run,
    text: placeholderOf(credentials, credential, run),
  }));
  const canary = detect["canary"] === "off" ? undefined : createCanary();
  const all = canary === undefined ? given : [...given, ...canary.given];
  const { find } = createPlaceholderFinder(all);
  const variables = named.flatMap(({ credential, variables: holders = [] }) => {
    const text = given.find((one) => one.credential === credential)?.text ?? "";
    return holders.map((holder) => [holder, text] as const);
  });
  const leased = new Map<string, readonly string[]>();
  return {
    secrets: () => [...new Set([...leased.values()].flat())],
    placeholders: { given: all, find },
    variables: { ...canary?.variables, ...Object.fromEntries(variables) },
    ...(canary && { canary }),
    hostKey: grants.some(({ system }) => system === "ssh") ? createHostKey() : "",
    logins: names.flatMap((name) =>
      passing.has(name) ? [] : credentials.vault.loginFiles(name, run),
    ),
    lease: async (grant, place) => {
      await renew(grant.name);
      const lent = await leaseFor(credentials, { run, grant, place, entryOf });
      assert(lent !== undefined, "only a grant with a credential is asked for it");
      leased.set(grant.name, lent.lease.secrets);
      return lent.lease;
    },
  };
}

/** What a lease is for. */
export interface LeaseFor {
  readonly run: string;
  readonly grant: LentGrant;
  readonly place: Place;
  readonly entryOf: EntryOf;
}

/**
 * The credential of `grant` for one request, with what stands for it in the run; `undefined` where it has none.
 *
 * @throws {Fault} of the vault; `daemon.credential` where it was in a variable, and went with its run.
 */
export async function leaseFor(
  credentials: Credentials,
  { run, grant: { name, credential, system, kind, mint }, place, entryOf }: LeaseFor,
): Promise<Credentialed | undefined> {
  if (credential === undefined) return undefined;
  const placeholder = placeholderOf(credentials, credential, run);
  const minted = credentials.minted(run, name);
  if (minted !== undefined) {
    // It is worth no more than the one that it was made by: bound to the same place.
    requirePlace(credential, credentials.vault.show(credential).binding, place);
    const { wallMs } = credentials.clock.now();
    return { lease: minted.secret.lease(credential, minted.how, place, wallMs), placeholder };
  }
  if (mint !== undefined && kind === "session") {
    // The one that it was made by may do far more, and no rule of the server holds it.
    throw new Fault("daemon.credential", `the login that was made for ${run} is gone with it`, {
      hint: "have a run ask again while it lives",
    });
  }
  if (variableOf(credential) === undefined) {
    credentials.requireLendable(credential);
    const lease = await credentials.vault.lease(credential, place, `cofferdam ${run}`);
    return { lease, placeholder };
  }
  const how = system === "mcp" ? BEARER : kindOf(entryOf(system));
  const secret = credentials.passed(run, credential);
  const lease = secret.lease(credential, how, place, credentials.clock.now().wallMs);
  return { lease, placeholder };
}

function placeholderOf(credentials: Credentials, credential: string, run: string): string {
  if (variableOf(credential) !== undefined) return credentials.passed(run, credential).placeholder;
  return inVault(credential, run, () => credentials.vault.placeholder(credential, run));
}

/** What servers of MCP take (2025-11-25, "Authorization"). */
const BEARER: PassingKind = { kind: "header", name: "authorization", word: "Bearer" };

/** Where the catalog says that its system takes a credential first. */
function kindOf(entry: Entry | undefined): PassingKind {
  const [place] = entry?.credential ?? [];
  if (place === undefined) {
    throw new Fault("daemon.credential", "its system takes no credential that is known", {
      hint: "put it into the vault, which is told where it goes: `cofferdam credential add`",
    });
  }
  if (place.in === "query") return { kind: "query", name: place.name };
  if (place.in === "path") return { kind: "path" };
  const { name, scheme: word } = place;
  return { kind: "header", name, ...(word === undefined ? {} : { word }) };
}

function inVault<T>(credential: string, what: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (!isFault(cause)) throw cause;
    const why = `${what} cannot have the credential ${credential}: ${cause.message}`;
    const hint =
      variableOf(credential) === undefined
        ? `\`cofferdam credential add ${credential}\` adds it; \`cofferdam credential list\` lists those there are`
        : "look at what the variable holds";
    throw new Fault("daemon.credential", why, { cause, hint });
  }
}
