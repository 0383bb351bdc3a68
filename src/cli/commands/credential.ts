/**
 * Credentials: adding, showing, renewing, trying and taking them away.
 *
 * @module
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { CredentialInfo } from "../../api/index.ts";
import { Fault, readTextFile } from "../../base/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  listOption,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { ask, askHidden, readSecret, readSecretFile, tellTerminal } from "../credential-input.ts";
import { SPEC_HELP, SPEC_OPTIONS, specOf } from "../credential-spec.ts";

/** Each agent's own login file, below HOME. */
const LOGINS = {
  claude: ".claude/.credentials.json",
  codex: ".codex/auth.json",
  gemini: ".gemini/oauth_creds.json",
} as const;

type Subcommand = (context: Context, name: string) => Promise<number>;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  add: addCredential,
  list: listCredentials,
  show: showCredential,
  rotate: rotateCredential,
  revoke: revokeCredential,
  test: testCredential,
  import: importLogin,
  unlock: unlockVault,
  protect: protectVault,
};
/** These are about the vault as a whole. */
const WITHOUT_NAME = new Set(["list", "unlock", "protect"]);

export const credentialCommand: Command = {
  name: "credential",
  usage: `${Object.keys(SUBCOMMANDS).join("|")} [NAME] [options]`,
  options: {
    ...SPEC_OPTIONS,
    stdin: { type: "boolean" },
    file: { type: "string" },
    dotenv: { type: "string" },
    "client-secret-file": { type: "string" },
    "session-token-file": { type: "string" },
    reveal: { type: "boolean" },
    path: { type: "string" },
    method: { type: "string" },
    dial: { type: "string" },
    passphrase: { type: "boolean" },
    "key-file": { type: "boolean" },
    ...JSON_OPTION,
  },
  optionHelp: {
    ...SPEC_HELP,
    stdin: "read the secret from standard input",
    file: "read the secret from this file; import: the login file",
    dotenv: "read the secret from a .env file: FILE:VARIABLE",
    "client-secret-file": "oauth2: read the client's secret from this file",
    "session-token-file": "sigv4: read a session token from this file",
    reveal: "show: print the secret at the terminal, once its name is typed; recorded",
    path: "test: what to ask for (/); {credential} where the secret stands in a path",
    method: "test: HEAD (default) or GET",
    dial: "test: connect to ADDRESS:PORT instead of what the host resolves to",
    passphrase: "protect: lock the vault by a passphrase",
    "key-file": "protect: lock the vault by its key file",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam credential add blog --kind basic --user editor --host blog.example.com",
    "cofferdam credential add mail --host api.mail.example --dotenv .env:MAIL_TOKEN",
    "cofferdam credential add bot --kind path --host api.telegram.org",
    "cofferdam credential test bot --path '/bot{credential}/getMe' --method GET",
    "cofferdam credential import claude",
    "cofferdam credential protect --passphrase",
  ],
  // More than any takes: a secret among them gets an answer of its own, and not the usage line.
  positionals: [0, 99],
  async run(context) {
    const [word = "", name = "", ...more] = context.positionals;
    const subcommand = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined;
    if (subcommand === undefined) {
      throw new Fault("cli.usage", `credential takes ${Object.keys(SUBCOMMANDS).join(", ")}`);
    }
    refuseArguments(WITHOUT_NAME.has(word) ? context.positionals.slice(1) : more, context.rest);
    if (!WITHOUT_NAME.has(word)) requireName(word, name);
    return subcommand(context, name);
  },
};

/** @throws {Fault} `cli.secret_argument`: whatever it was, it is not repeated. */
function refuseArguments(...words: readonly (readonly string[])[]): void {
  if (words.every((some) => some.length === 0)) return;
  throw new Fault("cli.secret_argument", "a secret is never taken from the command line", {
    hint:
      "leave it out and be asked, or use --stdin, --file or --dotenv; " +
      "if that was one, every program here could see it and the shell's history has it: make a new one",
  });
}

function requireName(word: string, name: string): void {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(name)) return;
  throw new Fault("cli.credential_name", `${word} needs a name: a-z, 0-9 and -, at most 40`, {
    hint: `for example \`cofferdam credential ${word} blog\``,
  });
}

async function addCredential(context: Context, name: string): Promise<number> {
  const spec = specOf(name, context.values);
  const secret = await readSecrets(context, name);
  return print(context, await (await context.daemon()).call("credential.add", { spec, secret }));
}

async function rotateCredential(context: Context, name: string): Promise<number> {
  const client = await context.daemon();
  await client.call("credential.show", { name }); // Before a person types for nothing.
  const secret = await readSecrets(context, name);
  return print(context, await client.call("credential.rotate", { name, secret }));
}

async function readSecrets({ values }: Context, name: string) {
  const clientSecret = readSecretFile(values, "client-secret-file");
  const sessionToken = readSecretFile(values, "session-token-file");
  return {
    value: await readSecret(values, `secret of ${name} (not shown): `),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

async function listCredentials(context: Context): Promise<number> {
  const all = await (await context.daemon()).call("credential.list", {});
  if (context.values["json"] === true) context.out(`${JSON.stringify(all)}\n`);
  else for (const info of all) context.out(`${lineOf(info)}\n`);
  return EXIT.ok;
}

async function showCredential(context: Context, name: string): Promise<number> {
  const client = await context.daemon();
  const info = await client.call("credential.show", { name });
  if (context.values["reveal"] !== true) return print(context, info);
  const confirm = await ask(`type ${name} to see its secret; that is recorded: `, {
    isHidden: false,
  });
  const { secret } = await client.call("credential.reveal", { name, confirm: confirm.trim() });
  tellTerminal(`${secret}\n`);
  return EXIT.ok;
}

async function revokeCredential(context: Context, name: string): Promise<number> {
  return print(context, await (await context.daemon()).call("credential.revoke", { name }));
}

async function testCredential(context: Context, name: string): Promise<number> {
  const { values } = context;
  const method = textOption(values, "method") ?? "HEAD";
  if (method !== "HEAD" && method !== "GET") throw new Fault("cli.usage", "test sends HEAD or GET");
  const [host] = listOption(values, "host");
  const dial = textOption(values, "dial");
  const result = await (
    await context.daemon()
  ).call("credential.test", {
    name,
    method,
    path: textOption(values, "path") ?? "/",
    ...(host === undefined ? {} : { host }),
    ...(dial === undefined ? {} : { dial }),
  });
  if (values["json"] === true) context.out(`${JSON.stringify(result)}\n`);
  else context.out(`${result.verdict}: ${method} ${result.target} answered ${result.status}\n`);
  return result.verdict === "accepted" ? EXIT.ok : EXIT.no;
}

async function importLogin(context: Context, agent: string): Promise<number> {
  if (agent !== "claude" && agent !== "codex" && agent !== "gemini") {
    throw new Fault("cli.credential_name", "import knows claude, codex and gemini", {
      hint: "add another login by hand: `cofferdam credential add`",
    });
  }
  const file = textOption(context.values, "file") ?? join(homedir(), LOGINS[agent]);
  let text: string;
  try {
    text = readTextFile(file, { mayWait: false });
  } catch (cause) {
    throw new Fault("cli.no_login", `there is no login to read at ${file}`, {
      hint: `log in with ${agent} first, or name its file with --file`,
      cause,
    });
  }
  const clientSecret = readSecretFile(context.values, "client-secret-file");
  const info = await (
    await context.daemon()
  ).call("credential.import", {
    agent,
    text,
    ...(clientSecret === undefined ? {} : { clientSecret }),
  });
  return print(context, info);
}

async function unlockVault(context: Context): Promise<number> {
  const passphrase = await readSecret(context.values, "passphrase (not shown): ");
  await (await context.daemon()).call("credential.unlock", { passphrase });
  context.err("the vault is open until the daemon ends\n");
  return EXIT.ok;
}

async function protectVault(context: Context): Promise<number> {
  const { values } = context;
  const byFile = values["key-file"] === true;
  if (byFile === (values["passphrase"] === true)) {
    throw new Fault("cli.usage", "protect takes --passphrase or --key-file");
  }
  const client = await context.daemon();
  await client.call("credential.list", {}); // A locked vault says so before a person types.
  const passphrase = byFile ? undefined : await newPassphrase(context);
  await client.call("credential.protect", passphrase === undefined ? {} : { passphrase });
  context.err(byFile ? "the key file opens the vault\n" : "the passphrase opens the vault\n");
  return EXIT.ok;
}

async function newPassphrase({ values }: Context): Promise<string> {
  const passphrase = await readSecret(values, "new passphrase (not shown): ");
  const isTyped = values["stdin"] !== true && values["file"] === undefined;
  if (isTyped && values["dotenv"] === undefined && passphrase !== (await askHidden("again: "))) {
    throw new Fault("cli.passphrase", "the two differ; nothing was changed", { hint: "try again" });
  }
  return passphrase;
}

function print(context: Context, info: CredentialInfo): number {
  if (context.values["json"] === true) context.out(`${JSON.stringify(info)}\n`);
  else {
    const { name, how, createdAt, rotatedAt, usedAt, fingerprint } = info;
    const { kind, ...rest } = how;
    const more = Object.entries(rest).map(([member, value]) => `${member}: ${value}\n`);
    context.out(`name: ${name}\nkind: ${kind}\n${more.join("")}for: ${placeOf(info)}\n`);
    context.out(`fingerprint: ${fingerprint}\ncreated: ${createdAt}\n`);
    context.out(`rotated: ${rotatedAt ?? "never"}\nlast used: ${usedAt ?? "never"}\n`);
  }
  return EXIT.ok;
}

function lineOf(info: CredentialInfo): string {
  return [
    info.name.padEnd(20),
    (info.how["kind"] ?? "").padEnd(7),
    info.fingerprint,
    placeOf(info),
  ].join("  ");
}

function placeOf({ binding: { scheme, hosts, port } }: CredentialInfo): string {
  return hosts.map((host) => `${scheme}://${host}:${port}`).join(", ");
}
