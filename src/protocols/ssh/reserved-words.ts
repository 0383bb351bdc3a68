/**
 * Words that a shell takes for its own where a command is named: in one shell of sh, dash, bash, zsh, ksh and fish.
 *
 * @module
 */

const RESERVED: ReadonlySet<string> = new Set(
  `! { } [[ ]] (( )) . : if then elif else fi for foreach while until do done case esac in select function
  time coproc repeat begin end and or not switch nocorrect noglob
  alias unalias abbr autoload bg bind bindkey break builtin caller command compgen complete compopt continue
  declare dirs disable disown emulate enable eval exec exit export fc fg functions getopts hash history jobs
  let local logout mapfile popd print pushd read readarray readonly return sched set setopt setenv shift shopt
  source string suspend trap typeset ulimit umask unfunction unset unsetopt wait whence zcompile zmodload
  zstyle zle funced funcsave psub status argparse contains count math random emit block
  login newgrp limit unlimit onintr setty`
    .split(/\s+/)
    .filter((word) => word !== "." && word !== ":"),
);

/** Reports whether a shell may take `word` for its own rather than for a program's name. */
export function isReservedWord(word: string): boolean {
  return word === "." || word === "-" || RESERVED.has(word) || /^[0-9]+$/.test(word);
}
