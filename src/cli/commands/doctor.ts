/**
 * `doctor`: every prerequisite with its fix.
 *
 * @module
 */
import { EXIT, JSON_HELP, JSON_OPTION, type Command } from "../command.ts";

export const doctorCommand: Command = {
  name: "doctor",
  usage: "[--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam doctor", "cofferdam doctor --json"],
  positionals: [0, 0],
  async run(context) {
    const { examineHost } = await import("../../sandbox/index.ts");
    const checks = await examineHost();
    const ok = checks.every((check) => check.ok);
    if (context.values["json"] === true) context.out(`${JSON.stringify({ ok, checks })}\n`);
    else {
      for (const check of checks) {
        context.out(`${check.ok ? "ok     " : "MISSING"}  ${check.name}: ${check.found}\n`);
        if (!check.ok)
          context.out(`         needed: ${check.needed}\n         fix: ${check.fix}\n`);
      }
    }
    return ok ? EXIT.ok : EXIT.no;
  },
};
