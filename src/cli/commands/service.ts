/**
 * `service`: Cofferdam as a service of systemd.
 *
 * @module
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { Fault } from "../../base/index.ts";
import { DAEMON_FLAGS } from "../../client/index.ts";
import { EXIT, listOption, textOption, type Command, type Context } from "../command.ts";
import { listenAddress } from "../listen.ts";
import { daemonUnit, metricsUnit, type UnitOptions } from "../service-unit.ts";

const DEEDS = ["print", "install"] as const;
const KINDS = ["daemon", "metrics"] as const;
const ACCOUNT = /^[a-z_][a-z0-9_-]{0,30}$/i;
const SYSTEM_HOME = "/var/lib/cofferdam";
const LISTEN_DEFAULT = "127.0.0.1:9464";

export const serviceCommand: Command = {
  name: "service",
  usage: "print|install [daemon|metrics] [--user] [--run-as ACCOUNT] [--writable FOLDER]...",
  options: {
    user: { type: "boolean" },
    "run-as": { type: "string" },
    home: { type: "string" },
    writable: { type: "string", multiple: true },
    listen: { type: "string" },
  },
  optionHelp: {
    user: "for your own manager (`systemctl --user`); else for the machine's",
    "run-as": "whose service it is, of the machine's manager; `cofferdam` where it is not said",
    home: `where its state is; ${SYSTEM_HOME}, or yours with --user`,
    writable: "a folder of workspaces, which `apply` writes to (repeatable)",
    listen: `where the metrics are served; ${LISTEN_DEFAULT} where it is not said`,
  },
  examples: [
    "cofferdam service print",
    "cofferdam service install --run-as trainer --writable /srv/rollouts",
    "cofferdam service install --user",
    "cofferdam service print metrics --listen 127.0.0.1:9464",
  ],
  positionals: [1, 2],
  async run(context) {
    const [deed = "", kind = "daemon"] = context.positionals;
    if (!isOneOf(DEEDS, deed) || !isOneOf(KINDS, kind)) {
      throw new Fault(
        "cli.usage",
        `service takes ${DEEDS.join(" or ")}, and ${KINDS.join(" or ")}`,
      );
    }
    const options = optionsOf(context);
    const listen = textOption(context.values, "listen") ?? LISTEN_DEFAULT;
    const unit =
      kind === "daemon" ? daemonUnit(options) : metricsUnit(options, listenAddress(listen).text);
    if (deed === "print") process.stdout.write(unit);
    else install(context, options, kind === "daemon" ? "cofferdam" : "cofferdam-metrics", unit);
    return EXIT.ok;
  },
};

function optionsOf({ values }: Context): UnitOptions {
  const isUser = values["user"] === true;
  const account = textOption(values, "run-as") ?? "cofferdam";
  if (!ACCOUNT.test(account)) {
    throw new Fault(
      "cli.usage",
      `--run-as takes the name of an account, not ${JSON.stringify(account)}`,
    );
  }
  const named = textOption(values, "home") ?? process.env["COFFERDAM_HOME"];
  const place = named ?? (isUser ? undefined : SYSTEM_HOME);
  const writable = listOption(values, "writable");
  for (const path of [...writable, ...(place === undefined ? [] : [place])]) {
    if (isAbsolute(path) && !/\p{Cc}/u.test(path)) continue;
    throw new Fault("cli.usage", `${JSON.stringify(path)} is not an absolute path`);
  }
  const program = [process.execPath, ...DAEMON_FLAGS, process.argv[1] ?? ""];
  return { isUser, account, home: place, program, writable };
}

function install(context: Context, { isUser, account }: UnitOptions, name: string, unit: string) {
  const folder = isUser
    ? join(process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "systemd", "user")
    : "/etc/systemd/system";
  const path = join(folder, `${name}.service`);
  if (existsSync(path)) {
    throw new Fault("cli.service_there", `there is a unit already: ${path}`, {
      hint: "compare it with what `cofferdam service print` says, and remove it first",
    });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, unit, { flag: "wx", mode: 0o644 });
  const ask = isUser ? "systemctl --user" : "systemctl";
  const login = isUser ? "loginctl enable-linger   # so that it lives without a login\n" : "";
  const user = isUser ? "" : `id ${account}   # the account must be there\n`;
  context.out(`${path}\n${user}${login}${ask} daemon-reload\n${ask} enable --now ${name}\n`);
}

function isOneOf<Word extends string>(words: readonly Word[], word: string): word is Word {
  return (words as readonly string[]).includes(word);
}
