/**
 * `console`: the web console, until it is interrupted.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createLog, Fault } from "../../base/index.ts";
import { ROLES, roleSchema, type Role } from "../../api/index.ts";
import { askForLink, openConsole } from "../../console/index.ts";
import { EXIT, listOption, textOption, type Command } from "../command.ts";
import { PACKAGE_ROOT } from "../../client/profile.ts";

const PORT_MAX = 65_535;

export const consoleCommand: Command = {
  name: "console",
  usage: "[--port PORT] [--role ROLE]... [--link]",
  options: {
    port: { type: "string" },
    role: { type: "string", multiple: true },
    link: { type: "boolean" },
  },
  optionHelp: {
    port: "the port; any that is free where it is not said",
    role: "what the link's bearer is: viewer, approver, operator (repeatable); all where none is said",
    link: "only print a new link, for the console that is open",
  },
  examples: [
    "cofferdam console",
    "cofferdam console --port 8700 --role approver",
    "cofferdam console --link --role viewer",
  ],
  positionals: [0, 0],
  async run(context) {
    const roles = rolesOf(listOption(context.values, "role"));
    if (context.values["link"] === true) {
      const link = await askForLink(context.home.consoleSocket, roles);
      context.out(`sign in: ${link.href}\n         (once, within two minutes)\n`);
      return EXIT.ok;
    }
    const port = portOf(textOption(context.values, "port"));
    const opened = await openConsole({
      home: context.home,
      client: await context.daemon(),
      packageRoot: PACKAGE_ROOT,
      assets: assetsFolder(),
      port,
      log: createLog((line) => context.err(line)),
    });
    context.out(`console: ${opened.origin.origin}\n`);
    const link = opened.link(roles);
    if (link === undefined) context.out("sign in: there, at the provider of console.yaml\n");
    else {
      context.out(`sign in: ${link.href}\n`);
      context.out("         (once, within two minutes; Ctrl+C ends the console)\n");
    }
    await interrupted();
    await opened.close();
    return EXIT.ok;
  },
};

/** A person who is signed in is a viewer, whatever else. */
function rolesOf(said: readonly string[]): readonly Role[] {
  if (said.length === 0) return ROLES;
  for (const one of said) {
    if (roleSchema.safeParse(one).success) continue;
    throw new Fault("cli.usage", `--role takes ${ROLES.join(", ")}, not ${JSON.stringify(one)}`);
  }
  return ROLES.filter((role) => role === "viewer" || said.includes(role));
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port;
  throw new Fault(
    "cli.usage",
    `--port takes a number up to ${PORT_MAX}, not ${JSON.stringify(text)}`,
  );
}

/** Built by scripts/build-web.ts in a checkout, and shipped in dist/. */
function assetsFolder(): string {
  const built = join(PACKAGE_ROOT, "build", "web");
  return existsSync(built) ? built : join(PACKAGE_ROOT, "dist", "web");
}

async function interrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, resolve);
  });
}
