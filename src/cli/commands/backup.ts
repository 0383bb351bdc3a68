/**
 * `backup` and `restore`: a home as one file, and back again.
 *
 * @module
 */
import { once } from "node:events";
import { open, rename, rm } from "node:fs/promises";
import { Fault, readTextFile } from "../../base/index.ts";
import type { BackupOptions, Made } from "../../backup/index.ts";
import type { Client } from "../../client/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { askHidden, readSecretFile } from "../credential-input.ts";

const PASSPHRASE_CHARS_MIN = 8;

export const backupCommand: Command = {
  name: "backup",
  usage: "FILE|- [--without-keys | --passphrase-file FILE] [--json]",
  options: {
    "without-keys": { type: "boolean" },
    "passphrase-file": { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    "without-keys": "leave keys and other secret files out: keep copies of them elsewhere",
    "passphrase-file": "seals the keys by the passphrase in this file; without it one is asked for",
    json: "with FILE: print JSON instead of text",
  },
  examples: [
    "cofferdam backup /backup/cofferdam.tar",
    "cofferdam backup - --passphrase-file ~/.backup-passphrase | ssh backup@host 'cat > cofferdam.tar'",
    "cofferdam backup /backup/cofferdam.tar --without-keys",
  ],
  positionals: [1, 1],
  async run(context) {
    const [file = "-"] = context.positionals;
    const passphrase = await newPassphrase(context);
    const client = await context.daemon();
    const { version } = await client.call("daemon.status", {});
    const make = (write: BackupOptions["write"]) =>
      backUp(client, { root: context.home.root, passphrase, version, write });
    if (file === "-") {
      if (process.stdout.isTTY) {
        throw new Fault("cli.terminal", "a backup is no text for a terminal", {
          hint: "name a file, or lead it on: cofferdam backup - | ...",
        });
      }
      await make(async (bytes) => {
        if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
      });
      return EXIT.ok;
    }
    const made = await toFile(file, make);
    if (context.values["json"] === true) context.out(`${JSON.stringify({ file, ...made })}\n`);
    else {
      const keys = made.hasKeys ? "keys sealed by the passphrase" : "without keys";
      context.out(
        `${file}: ${made.entries} entries, ${made.files} files, ${made.bytes} bytes, ${keys}\n`,
      );
      context.out(`not in it: ${made.left.join("; ")}\n`);
    }
    return EXIT.ok;
  },
};

async function backUp(
  client: Client,
  options: Pick<BackupOptions, "root" | "passphrase" | "version" | "write">,
): Promise<Made> {
  const { makeBackup } = await import("../../backup/index.ts");
  const ended = new AbortController();
  try {
    for await (const copies of client.stream("backup.hold", {}, ended.signal)) {
      return await makeBackup({ ...options, copies, at: new Date().toISOString() });
    }
  } finally {
    ended.abort();
  }
  throw new Fault("backup.changed", "the daemon ended while the backup was made", {
    hint: "make it again",
  });
}

/** Written whole or not at all, and never over something. */
async function toFile(
  file: string,
  make: (write: BackupOptions["write"]) => Promise<Made>,
): Promise<Made> {
  const next = `${file}.part`;
  const there = await open(file, "wx", 0o600).catch((cause: unknown) => {
    throw new Fault("cli.out", `${file} cannot be made`, {
      cause,
      hint: "name a file that is not there yet, in a folder that you may write to",
    });
  });
  await there.close();
  try {
    await rm(next, { force: true });
    await using part = await open(next, "wx", 0o600);
    const made = await make((bytes) => part.writeFile(bytes));
    await part.sync();
    await rename(next, file);
    return made;
  } catch (error) {
    await rm(next, { force: true });
    await rm(file, { force: true });
    throw error;
  }
}

async function newPassphrase(context: Context): Promise<string | undefined> {
  const fromFile = readSecretFile(context.values, "passphrase-file");
  if (context.values["without-keys"] === true) {
    if (fromFile === undefined) return undefined;
    throw new Fault("cli.usage", "--without-keys and --passphrase-file exclude each other");
  }
  const passphrase = fromFile ?? (await askHidden("Passphrase for the keys in the backup: "));
  if (passphrase.length < PASSPHRASE_CHARS_MIN) {
    throw new Fault("cli.usage", `a passphrase has at least ${PASSPHRASE_CHARS_MIN} characters`, {
      hint: "whoever has it and the backup has all of the keys",
    });
  }
  const isSame = fromFile !== undefined || passphrase === (await askHidden("Once more: "));
  if (isSame) return passphrase;
  throw new Fault("cli.usage", "these are two different passphrases", { hint: "try again" });
}

export const restoreCommand: Command = {
  name: "restore",
  usage: "FILE --to HOME [--passphrase-file FILE | --without-keys] [--key FILE] [--json]",
  options: {
    to: { type: "string" },
    key: { type: "string" },
    "without-keys": { type: "boolean" },
    "passphrase-file": { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    to: "the home to be: absent or empty",
    key: "a copy of the record's key (ledger/vkey) that was kept elsewhere",
    "without-keys": "leave the sealed keys where they are",
    "passphrase-file": "the passphrase of the keys; without it it is asked for",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam restore /backup/cofferdam.tar --to ~/.local/state/cofferdam",
    "cofferdam restore cofferdam.tar --to /srv/restored --key ledger.vkey",
  ],
  positionals: [1, 1],
  async run(context) {
    const [file = ""] = context.positionals;
    const to = textOption(context.values, "to");
    if (to === undefined) throw new Fault("cli.usage", "restore takes FILE --to HOME");
    const keyFile = textOption(context.values, "key");
    const { restoreBackup } = await import("../../backup/index.ts");
    const restored = await restoreBackup({
      ...{ file, to },
      ...(keyFile === undefined ? {} : { key: readTextFile(keyFile, { mayWait: true }) }),
      passphrase: async () => {
        if (context.values["without-keys"] === true) return undefined;
        const given = readSecretFile(context.values, "passphrase-file");
        return given ?? (await askHidden("Passphrase of the keys in the backup: "));
      },
    });
    if (context.values["json"] === true) context.out(`${JSON.stringify({ to, ...restored })}\n`);
    else {
      const { at, entries, files, hasKeys, left } = restored;
      context.out(`${to}: the home of ${at}, ${entries} entries verified, ${files} files\n`);
      context.out(`what came after ${at} is not here; nor: ${left.join("; ")}\n`);
      if (!hasKeys)
        context.out("its keys are not here: put them into keys/ before a daemon starts\n");
    }
    return EXIT.ok;
  },
};
