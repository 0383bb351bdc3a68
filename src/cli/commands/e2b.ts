/**
 * `e2b`: the adapter for clients of E2B, until it is interrupted; and its keys.
 *
 * @module
 */
import { createLog, Fault } from "../../base/index.ts";
import { ApiKeys, openAdapter } from "../../e2b/index.ts";
import { EXIT, listOption, textOption, type Command, type Context } from "../command.ts";

const LISTEN = /^127\.0\.0\.1:(\d{1,5})$/;
const PORT_MAX = 65_535;
const LINGER_S = 10;
const LINGER_S_MAX = 86_400;
const SANDBOXES = 16;
const SANDBOXES_MAX = 1000;

export const e2bCommand: Command = {
  name: "e2b",
  usage:
    "[--listen 127.0.0.1:PORT] [--task FILE] [--template NAME=FILE,FOLDER]... | key add|remove|list [NAME]",
  options: {
    listen: { type: "string" },
    task: { type: "string" },
    template: { type: "string", multiple: true },
    linger: { type: "string" },
    sandboxes: { type: "string" },
  },
  optionHelp: {
    listen: "where: 127.0.0.1:PORT; any port that is free where it is not said",
    task: "the task file of the template base, over this folder",
    template: "a template: its name, task file and workspace (repeatable)",
    linger: `seconds that a command goes on which nobody listens to (${LINGER_S})`,
    sandboxes: `sandboxes of one key at once (${SANDBOXES})`,
  },
  examples: [
    "cofferdam e2b key add trainer",
    "cofferdam e2b --listen 127.0.0.1:8790 --task sandbox.yaml",
    "cofferdam e2b --template python=python.yaml,/srv/python --template web=web.yaml,/srv/web",
  ],
  positionals: [0, 3],
  async run(context) {
    if (context.positionals.length > 0) return keys(context);
    const task = textOption(context.values, "task");
    const templates = listOption(context.values, "template");
    const adapter = await openAdapter({
      home: context.home,
      cwd: process.cwd(),
      templates: [...(task === undefined ? [] : [`base=${task},.`]), ...templates],
      port: portOf(textOption(context.values, "listen")),
      lingerMs:
        1000 * numberOf(context, "linger", { usual: LINGER_S, least: 0, most: LINGER_S_MAX }),
      sandboxesMax: numberOf(context, "sandboxes", {
        usual: SANDBOXES,
        least: 1,
        most: SANDBOXES_MAX,
      }),
      client: await context.daemon(),
      log: createLog((line) => context.err(line)),
    });
    const { origin } = adapter.origin;
    context.out(
      `e2b: ${origin}\n     E2B_API_URL=${origin} E2B_SANDBOX_URL=${origin} E2B_API_KEY=(of \`cofferdam e2b key add\`)\n`,
    );
    await interrupted();
    await adapter.close();
    return EXIT.ok;
  },
};

function keys({ positionals, home, out }: Context): number {
  const [what, act, name] = positionals;
  const kept = new ApiKeys(home.root);
  if (what === "key" && act === "add" && name !== undefined) {
    out(`${kept.add(name)}\n`);
  } else if (what === "key" && act === "remove" && name !== undefined) {
    kept.remove(name);
  } else if (what === "key" && act === "list" && name === undefined) {
    for (const { name: one, createdAt } of kept.list()) out(`${one}  ${createdAt}\n`);
  } else {
    throw new Fault(
      "cli.usage",
      "of keys there are `key add NAME`, `key remove NAME` and `key list`",
    );
  }
  return EXIT.ok;
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(LISTEN.exec(text)?.[1]);
  if (Number.isInteger(port) && port <= PORT_MAX) return port;
  throw new Fault("cli.usage", `--listen takes 127.0.0.1:PORT, not ${JSON.stringify(text)}`, {
    hint: "it has no TLS, and keys pass over it: it stays on this machine",
  });
}

function numberOf(
  { values }: Context,
  name: string,
  { usual, least, most }: { readonly usual: number; readonly least: number; readonly most: number },
): number {
  const text = textOption(values, name);
  const number = text === undefined ? usual : Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Fault("cli.usage", `--${name} takes a number from ${least} to ${most}`);
}

async function interrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, resolve);
  });
}
