/**
 * The systems that Cofferdam knows.
 *
 * @module
 */
import { OWN_SYSTEM } from "../action/index.ts";
import { entrySchema, verbsOf, type Entry, type EntrySource } from "./entry.ts";
import { OPTIONS } from "./options.ts";
import { anthropic } from "./entries/anthropic.ts";
import { cofferdam } from "./entries/cofferdam.ts";
import { crates } from "./entries/crates.ts";
import { debian } from "./entries/debian.ts";
import { discord } from "./entries/discord.ts";
import { ethereum } from "./entries/ethereum.ts";
import { gemini } from "./entries/gemini.ts";
import { github } from "./entries/github.ts";
import { git } from "./entries/git.ts";
import { gitlab } from "./entries/gitlab.ts";
import { gmail } from "./entries/gmail.ts";
import { goProxy } from "./entries/go-proxy.ts";
import { googleCalendar } from "./entries/google-calendar.ts";
import { googleDrive } from "./entries/google-drive.ts";
import { linkedin } from "./entries/linkedin.ts";
import { listmonk } from "./entries/listmonk.ts";
import { n8n } from "./entries/n8n.ts";
import { notion } from "./entries/notion.ts";
import { npm } from "./entries/npm.ts";
import { openai } from "./entries/openai.ts";
import { paypal } from "./entries/paypal.ts";
import { pypi } from "./entries/pypi.ts";
import { resend } from "./entries/resend.ts";
import { sendgrid } from "./entries/sendgrid.ts";
import { slack } from "./entries/slack.ts";
import { solana } from "./entries/solana.ts";
import { stripe } from "./entries/stripe.ts";
import { telegram } from "./entries/telegram.ts";
import { twilio } from "./entries/twilio.ts";
import { wordpress } from "./entries/wordpress.ts";

/** Every entry of ours, by its name, as it is written. */
const SOURCES: ReadonlyMap<string, EntrySource> = new Map(
  [
    anthropic,
    cofferdam,
    crates,
    debian,
    discord,
    ethereum,
    gemini,
    github,
    git,
    gitlab,
    gmail,
    goProxy,
    googleCalendar,
    googleDrive,
    linkedin,
    listmonk,
    n8n,
    notion,
    npm,
    openai,
    paypal,
    pypi,
    resend,
    sendgrid,
    slack,
    solana,
    stripe,
    telegram,
    twilio,
    wordpress, //
  ].map((source) => [source.system, source]),
);

/** Those that were asked for: a process needs few, and reads them once. */
const READ = new Map<string, Entry>();

/** The entry for grants of `system: kind`. */
export function findEntry(kind: string): Entry | undefined {
  const source = SOURCES.get(kind);
  if (source === undefined) return undefined;
  const known = READ.get(kind);
  if (known !== undefined) return known;
  const entry = entrySchema.parse(source);
  READ.set(kind, entry);
  return entry;
}

/** Every entry of ours, by its name. */
export function allEntries(): ReadonlyMap<string, Entry> {
  return new Map(
    [...SOURCES.keys()].flatMap((kind) => {
      const entry = findEntry(kind);
      return entry === undefined ? [] : [[kind, entry] as const];
    }),
  );
}

interface SystemInfo {
  readonly verbs: readonly string[];
  readonly hosts?: readonly string[];
  /** What `mint:` takes, where the system mints. */
  readonly mints?: readonly string[];
  /** What parts the patterns of `on:`, by verb. */
  readonly separators?: Readonly<Record<string, string>>;
  /** What is wrong with a grant's `with:`. */
  flawsOfOptions?(options: unknown): readonly { readonly path: string; readonly message: string }[];
}

/** What task files may name: the systems of ours, and `more`; every run has Cofferdam itself anyway. */
export function catalogSystems(more: readonly Entry[] = []): ReadonlyMap<string, SystemInfo> {
  return new Map(
    [...SOURCES.values(), ...more]
      .filter(({ system }) => system !== OWN_SYSTEM)
      .map((entry) => [
        entry.system,
        {
          verbs: verbsOf(entry),
          ...(entry.hosts === undefined ? {} : { hosts: entry.hosts }),
          ...(entry.mint === undefined ? {} : { mints: mintedBy(entry.mint) }),
          ...separatorsOf(entry),
          ...optionsOf(entry),
        },
      ]),
  );
}

function separatorsOf(entry: EntrySource): Pick<SystemInfo, "separators"> {
  const { objects } = entry;
  if (objects === undefined) return {};
  return {
    separators: Object.fromEntries(verbsOf(entry).map((verb) => [verb, objects.separator])),
  };
}

function optionsOf({ system }: EntrySource): Pick<SystemInfo, "flawsOfOptions"> {
  const schema = OPTIONS.get(system);
  if (schema === undefined) return {};
  return {
    flawsOfOptions(given) {
      const { error } = schema.safeParse(given);
      return (error?.issues ?? []).map(({ path, message }) => ({ path: path.join("."), message }));
    },
  };
}

/** Members that a grant's `mint:` may have: those that are added, and those that stand in the path. */
function mintedBy({ create, takes = [] }: NonNullable<EntrySource["mint"]>): readonly string[] {
  const inPath = [...create.request.matchAll(/\{mint\.([^}]+)\}/g)].map(([, name = ""]) => name);
  return [...inPath, ...takes];
}
