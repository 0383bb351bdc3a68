/**
 * `passkeys`: whose passkeys are believed, for whoever owns this home.
 *
 * @module
 */
import { Fault, visibleLine } from "../../base/index.ts";
import { EXIT, JSON_HELP, JSON_OPTION, type Command } from "../command.ts";
import { table } from "./runs.ts";

const USAGE = "list|remove [ID]";

export const passkeysCommand: Command = {
  name: "passkeys",
  usage: USAGE,
  options: { ...JSON_OPTION },
  optionHelp: { ...JSON_HELP },
  examples: ["cofferdam passkeys list", "cofferdam passkeys remove k-0f3a91c27b5e"],
  positionals: [1, 2],
  async run(context) {
    const [word = "", id] = context.positionals;
    if (!(word === "list" && id === undefined) && !(word === "remove" && id !== undefined)) {
      throw new Fault("cli.usage", `passkeys takes ${USAGE}`, {
        hint: "one is added in the console: `cofferdam console`, People",
      });
    }
    const client = await context.daemon();
    const isJson = context.values["json"] === true;
    if (id !== undefined) {
      const removed = await client.call("passkey.remove", { id });
      const { person, label } = removed;
      context.out(
        isJson
          ? `${JSON.stringify(removed)}\n`
          : visibleLine(`removed ${id}: ${person}, ${label}; it decides and signs in no more`) +
              "\nwho is signed in by it stays so until their session ends, or the console does\n",
      );
      return EXIT.ok;
    }
    const passkeys = await client.call("passkey.list", {});
    if (isJson) {
      context.out(`${JSON.stringify(passkeys)}\n`);
      return EXIT.ok;
    }
    const rows = passkeys.map((one) => [
      one.id,
      one.person,
      visibleLine(one.label),
      one.roles.join(","),
      one.createdAt,
      one.usedAt ?? "never",
    ]);
    context.out(table([["ID", "PERSON", "LABEL", "ROLES", "ADDED", "USED"], ...rows]));
    return EXIT.ok;
  },
};
