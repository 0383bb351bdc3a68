/**
 * `approvers.yaml`: who may decide, as whom each is known where, and the channels that ask them. Where the file
 * is there, nobody else decides, at the command line neither; where it cannot be understood, nobody does.
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { isProven, type Deciders } from "../approval/index.ts";
import { Fault } from "../base/index.ts";
import { FileFault, parseYamlFile, type Finding, type YamlFile } from "../yaml/index.ts";
import { readPrivateFile } from "./private-file.ts";

export const APPROVERS_FILE = "approvers.yaml";
const APPROVERS_MAX = 100;
const IDENTITIES_MAX = 10;

/**
 * Numbers and ids that a service gives out, and never a name that a user chooses: Telegram's user ids are at
 * most 52 bits (core.telegram.org/bots/api#user), Slack's begin with U or W (docs.slack.dev/reference/objects); an OpenID
 * provider's `sub` is at most 255 ASCII characters (OpenID Connect Core 1.0, section 2), and named with the provider's host.
 */
const IDENTITY =
  /^(?:cli:(?:0|[1-9]\d{0,9})|telegram:[1-9]\d{0,15}|slack:[UW][A-Z0-9]{2,20}|(?:ntfy|passkey):[a-z][a-z0-9-]{0,39}|oidc:[!-~]{1,255}@[a-z0-9.-]{1,253}(?::\d{1,5})?)$/;

const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

const secret = z
  .strictObject({
    credential: name.optional().describe("the name of a credential in the vault"),
    file: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe("a file with mode 0600, from Cofferdam's home where it is no full path"),
  })
  .refine(({ credential, file }) => (credential === undefined) !== (file === undefined), {
    message: "names a credential of the vault or a file, and not both or neither",
    params: { hint: "write { credential: NAME } or { file: PATH }" },
  })
  .describe("where the secret is: { credential: NAME } or { file: PATH }; never the secret itself");

/** Where a secret is kept. */
export type SecretPlace = z.infer<typeof secret>;

const api = z
  .string()
  .refine(isSafeApi, {
    message: "is not an https address",
    params: { hint: "https://HOST, or http to this machine itself; no user, query or fragment" },
  })
  .describe("the base address of the service, where it is another than the public one");

const telegram = z.strictObject({
  api: api.default("https://api.telegram.org"),
  token: secret,
  chats: z
    .array(z.int())
    .min(1)
    .max(20)
    .describe("numbers of the chats that cards go to; a private chat has the number of its user"),
});

const slack = z.strictObject({
  api: api.default("https://slack.com/api"),
  token: secret,
  channel: z
    .string()
    .regex(/^[CGD][A-Z0-9]{2,20}$/)
    .describe("the id of the conversation that cards go to, C0123456789"),
});

const ntfy = z.strictObject({
  api: api.default("https://ntfy.sh"),
  token: secret.optional(),
  topic: secret.describe("where the name of the topic is that cards go to"),
  replies: z
    .record(name, secret)
    .describe("for each ntfy identity, where the name of its own, secret topic for answers is"),
});

const schema = z.strictObject({
  approvers: z
    .array(
      z.strictObject({
        name: name.describe("a-z, 0-9 and -, beginning with a letter"),
        identities: z
          .array(
            z
              .string()
              .regex(IDENTITY)
              .describe("cli:UID, passkey:NAME, telegram:NUMBER, slack:USERID or ntfy:NAME"),
          )
          .min(1)
          .max(IDENTITIES_MAX),
      }),
    )
    .min(1)
    .max(APPROVERS_MAX)
    .describe("who may decide, each with all identities of theirs"),
  passkeys: z
    .literal("required")
    .optional()
    .describe("required: only decisions that a passkey signed count"),
  channels: z
    .strictObject({ telegram: telegram.optional(), slack: slack.optional(), ntfy: ntfy.optional() })
    .optional()
    .describe("telegram, slack, ntfy"),
});

/** Who may decide, and where they are asked. */
export type Approvers = z.infer<typeof schema>;

const FILE: YamlFile<Approvers> = {
  schema,
  code: "channel.approvers",
  start: "approvers:",
  empty: "an empty list of approvers is nobody",
  tooLong: "list fewer people",
  guide: "docs/guides/approving-from-a-phone.md",
  isSecret: ([part, , ...rest]) => part === "channels" && rest.length > 0,
  check: (approvers) => [...repeated(approvers), ...unbound(approvers)],
};

/** @throws {Fault} `channel.approvers` with every problem, each with its line and column. */
export function parseApprovers(source: string, fileName: string): Approvers {
  try {
    return parseYamlFile(source, fileName, FILE);
  } catch (cause) {
    if (!(cause instanceof FileFault)) throw cause;
    throw new Fault("channel.approvers", cause.message, {
      cause,
      hint: "until that is mended nobody decides anything, and no channel is used",
    });
  }
}

/**
 * The approvers of the home at `root`; `undefined` where it lists none.
 *
 * @throws {Fault} `channel.file`, `channel.approvers`
 */
export function readApprovers(root: string): Approvers | undefined {
  const path = join(root, APPROVERS_FILE);
  const text = readPrivateFile(path);
  return text === undefined ? undefined : parseApprovers(text, path);
}

/**
 * Who may decide in the home at `root`, as it stands now: where it lists nobody, whoever may speak to the daemon,
 * the owner's passkeys as the owner, and nobody by a channel, which may still hear for a moment when the list is taken away.
 *
 * @throws {Fault} `channel.file`, `channel.approvers`: nobody decides then.
 */
export function readDeciders(root: string): Deciders {
  const approvers = readApprovers(root);
  if (approvers !== undefined) return personsOf(approvers);
  return {
    personOf: (identity) => {
      if (identity.startsWith("cli:")) return identity;
      // Who has which passkey is the owner's word, and that alone makes no second person of anybody.
      return isProven(identity) ? `cli:${process.getuid?.() ?? -1}` : undefined;
    },
  };
}

/** Who of `approvers` an identity is: two identities of one person are one (INV-67). */
export function personsOf({ approvers, passkeys }: Approvers): Deciders {
  const needsProof = passkeys === "required";
  const persons = new Map(
    approvers.flatMap(({ name: person, identities }) => identities.map((one) => [one, person])),
  );
  return {
    needsProof,
    // A yes of before, that nobody signed, counts no more either.
    personOf: (identity) => (needsProof && !isProven(identity) ? undefined : persons.get(identity)),
  };
}

/** One person, one name; one identity, one person. */
function repeated({ approvers }: Approvers): readonly Finding[] {
  const names = new Set<string>();
  const owners = new Map<string, string>();
  return approvers.flatMap(({ name: person, identities }, at) => {
    const known = names.has(person);
    names.add(person);
    const findings: Finding[] = known
      ? [
          {
            path: ["approvers", at, "name"],
            message: `(${person}) stands twice, and one person is one entry`,
            hint: "put all identities of a person under one name",
          },
        ]
      : [];
    for (const [n, identity] of identities.entries()) {
      const owner = owners.get(identity);
      owners.set(identity, person);
      if (owner === undefined) continue;
      findings.push({
        path: ["approvers", at, "identities", n],
        message: `(${identity}) is ${owner}'s already, so nobody could tell who decided`,
        hint: "an identity belongs to one person",
      });
    }
    return findings;
  });
}

/** An ntfy identity is nothing but its topic for answers, so each has one, and each topic is somebody's. */
function unbound({ approvers, channels }: Approvers): readonly Finding[] {
  const listed = new Set(approvers.flatMap(({ identities }) => identities));
  return Object.keys(channels?.ntfy?.replies ?? {}).flatMap((one) =>
    listed.has(`ntfy:${one}`)
      ? []
      : [
          {
            path: ["channels", "ntfy", "replies", one],
            message: `is the topic of ntfy:${one}, which is nobody's identity`,
            hint: `list ntfy:${one} under one of the approvers, or remove the line`,
          },
        ],
  );
}

/** HTTPS only, but for this machine itself: what goes there is a token, and all that a card shows. */
function isSafeApi(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  if (url.search !== "" || url.hash !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && LOOPBACK.has(url.hostname);
}
const LOOPBACK = new Set(["127.0.0.1", "[::1]"]);
