/**
 * Help, written from the command table so that it cannot say what is not there.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { SUMMARIES } from "./commands/index.ts";

const EXIT_CODES = `Exit codes: that of CMD for \`run\` and \`attach\` (128 + n where signal n ended it); 0 yes or done;
1 no (not intact, something missing, not contained); 2 usage; 125 Cofferdam refused or failed.
`;

/** All commands, a line each. */
export function overview(): string {
  const width = Math.max(...[...SUMMARIES.keys()].map((name) => name.length));
  const lines = [...SUMMARIES].map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`);
  return `cofferdam: give AI agents real access while the worst case stays small and known

  cofferdam run -- CMD...            run a command with no access but this folder
  cofferdam run --task FILE -- CMD   run it with the access that FILE grants

Commands:
${lines.join("\n")}

\`cofferdam help COMMAND\` says more. State lives in $COFFERDAM_HOME.
${EXIT_CODES}`;
}

/** One command whole. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    const value = option.type === "string" ? " VALUE" : "";
    const short = option.short === undefined ? "" : `-${option.short}, `;
    return `  ${`${short}--${name}${value}`.padEnd(24)}  ${command.optionHelp[name] ?? ""}`;
  });
  return [
    `cofferdam ${command.name} ${command.usage}`.trimEnd(),
    "",
    SUMMARIES.get(command.name) ?? "",
    ...(options.length > 0 ? ["", "Options:", ...options] : []),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
    "",
    EXIT_CODES,
  ].join("\n");
}
