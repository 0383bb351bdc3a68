/**
 * Programs, and forms of programs, that run whatever they are told to: wrappers, interpreters, editors, options
 * that name a command. Such a command is no `exec` of the program that it names first, but a `script`, so that
 * no pattern over plain commands covers it: `find /srv **` is not `find /srv -exec rm {} ;`.
 *
 * The table cannot be whole, and need not be: what is not in it and not known to read is `execute`, for which
 * a person is asked. It keeps a pattern that a person wrote from meaning more than it says.
 *
 * @module
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Run what their operands say. */
const WRAPPERS = words(`
  env xargs parallel nohup timeout time nice ionice setsid stdbuf unbuffer strace ltrace gdb valgrind perf script
  expect flock watch chroot unshare nsenter firejail bwrap setpriv capsh runuser start-stop-daemon systemd-run
  systemd-inhibit systemd-nspawn at batch screen tmux dtach abduco faketime fakeroot proot taskset chrt numactl
  prlimit cgexec torsocks torify proxychains proxychains4 entr run-parts run-one chronic ts sem daemonize daemon
  setarch linux32 linux64 sg newgrp busybox toybox ssh slogin sshpass mosh rsh rlogin telnet autossh socat nc
  ncat netcat cron anacron incron inotifywait ld.so ld-linux.so.2 ld-linux-x86-64.so.2 choom uuidd catchsegv
  dbus-run-session dbus-launch xvfb-run scriptreplay pexec rc-service make-run eatmydata softlimit
  chpst setuidgid envdir envuidgid su sux machinectl lxc-attach incus virsh vagrant ansible salt puppet fab
  sftp-server internal-sftp git-shell rrsync lua5.1 gawk mawk nawk awk original-awk bpftrace stap`);

/** Shells and languages: with a file named first they run that; else what they are told or read. */
const INTERPRETERS =
  /^(?:(?:r|da|ba|z|k|mk|pdk|ya|a|c|tc|fi|po|el|nu)?sh|(?:python|pypy|perl|ruby|php|lua|luajit|node|nodejs|tclsh|wish|julia|Rscript|R|guile|scheme|ocaml|ghci|erl|elixir|iex|groovy|scala|jshell|bun|deno|tsx|ts-node|pwsh|irb|pry|m4|bc|dc)[\d.]*)$/;

/** Take commands within what they edit, show or are told. */
const INTERACTIVE = words(`
  vi vim vim.basic vim.tiny nvim view vimdiff rvim ex ed red nano rnano pico emacs emacsclient joe jed mcedit mc
  less more most pg man info lynx links w3m elinks mutt mail mailx ftp lftp tftp psql mysql mariadb sqlite3 sqlite
  redis-cli mongo mongosh ghostscript gs ipython gnuplot octave bluetoothctl nmcli-edit fdisk parted visudo vipw
  crontab-edit sudoedit dialog whiptail fzf ranger nnn htop btop iotop nethogs`);

/** Options that name what is run or where from; of a long one every abbreviation counts. */
interface Known {
  readonly short?: string;
  readonly long?: string;
  readonly words?: RegExp;
}

const OPTIONS: Readonly<Record<string, Known>> = {
  find: {
    words: /^-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls|files0-from)$/,
  },
  tar: {
    short: "IF",
    long: "checkpoint-action to-command use-compress-program rsh-command info-script new-volume-script rmt-command use-compress",
    words: /^[a-zA-Z]*[IF]/,
  },
  bsdtar: { long: "use-compress-program" },
  cpio: { long: "rsh-command", short: "F" },
  sort: { long: "compress-program" },
  split: { long: "filter" },
  rsync: { short: "e", long: "rsh rsync-path daemon config" },
  scp: { short: "SoF" },
  sftp: { short: "SoFbD" },
  zip: { short: "T", long: "unzip-command test" },
  wget: { short: "ei", long: "use-askpass execute config" },
  curl: { short: "K", long: "config" },
  make: { long: "eval", words: /=/ },
  gmake: { long: "eval", words: /=/ },
  tcpdump: { short: "zw" },
  nmap: { long: "script interactive" },
  ip: { short: "b", long: "batch", words: /^(netns|n|ne|net|netn|vrf|v|vr)$/ },
  git: {
    short: "cu",
    long: "config exec-path config-env upload-pack receive-pack upload-archive exec ext-diff textconv open-files-in-pager extcmd tool-help recurse-submodules template",
    words:
      /^(difftool|mergetool|bisect|rebase|submodule|filter-branch|config|send-email|web--browse|instaweb|gui|citool|daemon|shell|alias|ext::.*|am|hook|maintenance|replay)$|^ext::/,
  },
  systemctl: {
    short: "HM",
    long: "host machine root",
    words: /^(edit|set-environment|import-environment|link|kexec|switch-root)$/,
  },
  journalctl: { short: "DM", long: "directory file root machine" },
  install: { long: "strip-program" },
  apt: { short: "oc", long: "option config-file" },
  "apt-get": { short: "oc", long: "option config-file" },
  dpkg: { long: "pre-invoke post-invoke admindir root instdir status-logger" },
  pip: { long: "python editable config-settings" },
  mysqldump: { long: "init-command defaults-file defaults-extra-file plugin-dir" },
  docker: {
    short: "H",
    long: "host config",
    words:
      /^(run|exec|build|buildx|compose|cp|plugin|attach|create|commit|load|import|context|stack|swarm|service)$/,
  },
  podman: {
    long: "url",
    words: /^(run|exec|build|cp|attach|create|commit|load|import|unshare|play|kube|machine)$/,
  },
  nerdctl: { words: /^(run|exec|build|cp|attach|create|commit|load|import|compose)$/ },
  kubectl: {
    long: "kubeconfig",
    words: /^(exec|run|debug|attach|cp|proxy|plugin|edit|port-forward)$/,
  },
  crictl: { words: /^(exec|run|create|attach)$/ },
  lxc: { words: /^(exec|console|launch|file|publish)$/ },
  openssl: { words: /^(engine)$|^-(engine|provider-path|provider|CAfile|config)$/ },
};

/** Run what their first operand says as another user: escalations, which are read further. */
export const ESCALATIONS = words("sudo doas pkexec run0 calife super");

/** What a program is called, without the folder that it is taken from. */
export function baseOf(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

/** Why a command with these words runs more than the program it names; `undefined` where nothing is known. */
export function wayOutOf([program = "", ...rest]: readonly string[]): string | undefined {
  const name = baseOf(program);
  if (WRAPPERS.has(name)) return `${name} runs what it is given`;
  if (INTERACTIVE.has(name)) return `${name} takes commands`;
  if (INTERPRETERS.test(name)) {
    const [first] = rest;
    const hasFile = first !== undefined && /^[^-+]/.test(first) && !first.includes("=");
    return hasFile ? undefined : `${name} runs what it is told or reads`;
  }
  if (name === "sed") return "sed's scripts write files and run commands";
  const known = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (known === undefined) return undefined;
  const found = rest.find((word) => isWayOut(known, word));
  return found === undefined ? undefined : `${name} ${found} runs or does more than ${name}`;
}

function isWayOut({ short = "", long = "", words: pattern }: Known, word: string): boolean {
  if (pattern?.test(word) === true) return true;
  if (word.startsWith("--")) {
    const name = word.slice(2).split("=", 1)[0] ?? "";
    return name !== "" && long.split(" ").some((one) => one !== "" && one.startsWith(name));
  }
  return /^-[^-]/.test(word) && short.split("").some((letter) => word.slice(1).includes(letter));
}
