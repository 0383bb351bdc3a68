/**
 * `console.yaml` of the home: the address that a console has behind a reverse proxy, and how a team signs in there.
 *
 * ```yaml
 * origin: https://console.example.com     # what the browser shows; TLS ends at the proxy
 * port: 8700                              # where the proxy finds the console, on loopback
 * links: false                            # nobody signs in by a link of the terminal
 * oidc:
 *   issuer: https://id.example.com
 *   client_id: cofferdam
 *   client_secret: { file: console-secret }
 *   people:
 *     alice: { subject: "248289761001", roles: [viewer, approver] }
 * ```
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { ROLES, type Role } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import { readPrivateFile } from "../../channel/index.ts";
import { FileFault, parseYamlFile, type Finding, type YamlFile } from "../../yaml/index.ts";

export const CONSOLE_FILE = "console.yaml";
const PEOPLE_MAX = 200;
/** OpenID Connect Core 1.0, section 2: `sub` is at most 255 ASCII characters. */
const SUBJECT = /^[!-~]{1,255}$/;

const person = z.strictObject({
  subject: z
    .string()
    .regex(SUBJECT)
    .describe("what the provider calls this person for ever (`sub`); never a name or an address"),
  roles: z
    .array(z.enum(ROLES))
    .min(1)
    .describe("what this person may do: viewer, approver, operator"),
});

const oidc = z.strictObject({
  issuer: z
    .string()
    .refine(isIssuer, {
      message: "is no issuer",
      params: { hint: "https://HOST, or http to this machine itself; no query or fragment" },
    })
    .describe("the provider, as its discovery document names it"),
  client_id: z.string().min(1).max(255).describe("what the provider calls this console"),
  client_secret: z
    .strictObject({ file: z.string().min(1).max(1024) })
    .describe("a file with mode 0600, from Cofferdam's home where it is no full path"),
  people: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), person)
    .refine(
      (people) => Object.keys(people).length > 0 && Object.keys(people).length <= PEOPLE_MAX,
      {
        message: `lists nobody, or more than ${PEOPLE_MAX}`,
      },
    )
    .describe("who may sign in, by name; everybody else is refused"),
});

const schema = z.strictObject({
  origin: z
    .string()
    .refine(isOrigin, {
      message: "is no https origin",
      params: { hint: "https://HOST, or https://HOST:PORT, and nothing behind it" },
    })
    .describe("the address in the browser; TLS ends at the proxy in front"),
  port: z.int().min(1).max(65_535).describe("where the proxy finds the console, on loopback"),
  links: z.boolean().default(true).describe("whether links of the terminal sign in, too"),
  oidc: oidc.optional().describe("the provider at which people sign in"),
});

/** What `console.yaml` says. */
export type TeamSettings = z.infer<typeof schema>;
export type OidcSettings = z.infer<typeof oidc>;

const FILE: YamlFile<TeamSettings> = {
  schema,
  code: "console.settings",
  start: "origin:",
  empty: "an empty file says nothing",
  tooLong: "list fewer people",
  guide: "docs/guides/console-for-teams.md",
  isSecret: () => false,
  check: (settings) => [...twice(settings), ...closed(settings)],
};

/** @throws {Fault} `console.settings` with every problem, each with its line and column. */
export function parseTeamSettings(source: string, fileName: string): TeamSettings {
  try {
    return parseYamlFile(source, fileName, FILE);
  } catch (cause) {
    if (!(cause instanceof FileFault)) throw cause;
    throw new Fault("console.settings", cause.message, {
      cause,
      hint: "until that is mended no console opens",
    });
  }
}

/**
 * The settings of the home at `root`; `undefined` where it has none.
 *
 * @throws {Fault} `channel.file` where others may read or write it; `console.settings`
 */
export function readTeamSettings(root: string): TeamSettings | undefined {
  const path = join(root, CONSOLE_FILE);
  const text = readPrivateFile(path);
  return text === undefined ? undefined : parseTeamSettings(text, path);
}

/** @throws {Fault} `channel.file`; `console.secret` where the file is missing or holds no secret. */
export function readClientSecret(root: string, { client_secret: { file } }: OidcSettings): string {
  const path = isAbsolute(file) ? file : join(root, file);
  const secret = readPrivateFile(path)?.trim() ?? "";
  if (secret !== "") return secret;
  throw new Fault("console.secret", `${path} holds no client secret`, {
    hint: "put the secret that the provider gave out for this console there, with mode 0600",
  });
}

/** A person of the team, as a session and the record have it. */
export interface TeamMember {
  readonly person: string;
  /** `oidc:SUBJECT@ISSUER-HOST`. */
  readonly identity: string;
  readonly roles: readonly Role[];
}

/** Who a subject of the provider is; `undefined` where nobody listed is. */
export function memberOf(
  { issuer, people }: OidcSettings,
  subject: string,
): TeamMember | undefined {
  const found = Object.entries(people).find(([, one]) => one.subject === subject);
  if (found === undefined) return undefined;
  const [name, { roles }] = found;
  const identity = `oidc:${subject}@${new URL(issuer).host}`;
  return { person: name, identity, roles: [...new Set<Role>(["viewer", ...roles])] };
}

/** One subject, one person: nobody could tell else who decided. */
function twice({ oidc: settings }: TeamSettings): readonly Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(settings?.people ?? {}).flatMap(([name, { subject }]): Finding[] => {
    const owner = owners.get(subject);
    owners.set(subject, name);
    if (owner === undefined) return [];
    return [
      {
        path: ["oidc", "people", name, "subject"],
        message: `is ${owner}'s already`,
        hint: "a subject is one person",
      },
    ];
  });
}

function closed({ links, oidc: settings }: TeamSettings): readonly Finding[] {
  if (links || settings !== undefined) return [];
  return [
    {
      path: ["links"],
      message: "is false and there is no oidc, so nobody could sign in",
      hint: "add oidc, or leave links on",
    },
  ];
}

function isIssuer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  if (url.search !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
}
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && text.startsWith("https://");
}
