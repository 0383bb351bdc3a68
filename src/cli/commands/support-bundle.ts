/**
 * `support-bundle`: one archive for whoever maintains Cofferdam, without secrets.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../../api/index.ts";
import { describeError, Fault, isFault, systemClock } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { renderFamilies } from "../../metrics/index.ts";
import {
  collectParts,
  createCover,
  makeBundle,
  ownSecrets,
  runFolders,
  type Cover,
} from "../../support/index.ts";
import { createRedaction, openVault } from "../../vault/index.ts";
import { EXIT, textOption, type Command } from "../command.ts";
import { collectMetrics } from "../metrics-server.ts";
import { PACKAGE_ROOT } from "../../client/profile.ts";

/** What stood for a secret in a run that is over may still be in a log. */
const ENDED_RUNS = 20;

export const supportBundleCommand: Command = {
  name: "support-bundle",
  usage: "[--out FILE] [--with-tasks]",
  options: { out: { type: "string" }, "with-tasks": { type: "boolean" } },
  optionHelp: {
    out: "the archive; cofferdam-support-TIME.tar.gz where it is not said",
    "with-tasks": "also words of tasks: names, task files, whole error texts; never secrets",
  },
  examples: [
    "cofferdam support-bundle",
    "cofferdam support-bundle --out report.tar.gz --with-tasks",
  ],
  positionals: [0, 0],
  async run({ values, home, running, out }) {
    const path = textOption(values, "out") ?? `cofferdam-support-${stamp()}.tar.gz`;
    if (existsSync(path)) throw unwritable(path, "there is such a file");
    const client = await running();
    const cover = await coverOf(home, client);
    const withTasks = values["with-tasks"] === true;
    const metrics = renderFamilies(await collectMetrics(home, client), "plain");
    const parts = await collectParts({ home, version: packageVersion(), withTasks, metrics });
    const bundle = await makeBundle(parts, cover);
    write(path, bundle.archive);
    for (const { name, bytes } of bundle.parts) out(`${String(bytes).padStart(9)}  ${name}\n`);
    out(
      `${path}: ${bundle.archive.length} bytes; ${bundle.covered} secrets were covered, none is left.\n`,
    );
    out("Look at it before you send it: tar xzf FILE shows all that is in it.\n");
    return EXIT.ok;
  },
};

/** By the daemon, which knows what is lent to runs; where none runs, nothing is lent, and the vault is opened here. */
async function coverOf(home: Home, client: Client): Promise<Cover> {
  const environment = createRedaction(ownSecrets(home, [process.env]));
  const here: Cover = async (bytes) => {
    const redactor = environment.stream();
    const covered = Buffer.concat([redactor.push(bytes), redactor.end()]);
    return { bytes: covered, found: redactor.found };
  };
  const values = (await isRunning(client)) ? byDaemon(client) : await byVault(home);
  return async (bytes) => {
    const first = await here(bytes);
    const second = await values(first.bytes);
    return { bytes: second.bytes, found: first.found + second.found };
  };
}

async function isRunning(client: Client): Promise<boolean> {
  try {
    await client.call("daemon.status", {});
    return true;
  } catch (error) {
    if (isFault(error, "cli.unreachable")) return false;
    throw error;
  }
}

function byDaemon(client: Client): Cover {
  return async (bytes) => {
    const told = await client.call("support.cover", { bytes: bytes.toString("base64") });
    return { bytes: Buffer.from(told.bytes, "base64"), found: told.found };
  };
}

async function byVault(home: Home): Promise<Cover> {
  const isThere = existsSync(join(home.vault, "vault"));
  const unlock = { keyFile: join(home.keys, "vault.key") };
  const vault = isThere
    ? await openVault({ dir: home.vault, clock: systemClock, unlock }).catch((cause: unknown) => {
        throw new Fault("support.vault", `the vault does not open: ${describeError(cause)}`, {
          hint: "what it holds must be looked for: start the daemon and `cofferdam credential unlock`",
          cause,
        });
      })
    : undefined;
  const runs = runFolders(home).slice(-ENDED_RUNS);
  const cover = createCover({ home, vault, runs, environments: [], more: [] });
  return async (bytes) => cover(bytes);
}

/** Closed to others, and never over a file that is there. */
function write(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw unwritable(path, describeError(cause));
  }
}

function unwritable(path: string, why: string): Fault {
  return new Fault("support.out", `cannot write ${JSON.stringify(path)}: ${why}`, {
    hint: "--out takes the path of a file that is not there yet",
  });
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

function stamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}
