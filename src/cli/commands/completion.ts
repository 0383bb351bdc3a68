/**
 * `completion`: words for the shell, from the command table itself.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { EXIT, type Command } from "../command.ts";
import { loadCommands, SUMMARIES } from "./index.ts";

export const completionCommand: Command = {
  name: "completion",
  usage: "bash | zsh | fish",
  options: {},
  optionHelp: {},
  examples: ['eval "$(cofferdam completion bash)"', "cofferdam completion fish | source"],
  positionals: [1, 1],
  async run(context) {
    const words = (await loadCommands()).map((command) => ({
      name: command.name,
      summary: (SUMMARIES.get(command.name) ?? "").replaceAll("'", ""),
      options: Object.keys(command.options).map((option) => `--${option}`),
    }));
    const shell = context.positionals[0];
    if (shell === "bash" || shell === "zsh") {
      const cases = words
        .map((word) => `    ${word.name}) words='${word.options.join(" ")}' ;;`)
        .join("\n");
      const names = words.map((word) => word.name).join(" ");
      const zsh = shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
      context.out(`${zsh}_cofferdam() {
  local words
  case $COMP_CWORD in
  1) words='${names} help' ;;
  *) case \${COMP_WORDS[1]} in
${cases}
    *) words='' ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _cofferdam cofferdam
`);
      return EXIT.ok;
    }
    if (shell === "fish") {
      for (const { name, summary, options } of words) {
        context.out(`complete -c cofferdam -n __fish_use_subcommand -a ${name} -d '${summary}'\n`);
        for (const option of options) {
          context.out(
            `complete -c cofferdam -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}\n`,
          );
        }
      }
      return EXIT.ok;
    }
    throw new Fault("cli.shell", `no completion for ${JSON.stringify(shell)}`, {
      hint: "bash, zsh and fish are known",
    });
  },
};
