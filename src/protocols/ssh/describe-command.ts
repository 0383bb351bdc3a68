/**
 * What a command line does: which commands it is made of, with the effects of each.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { readCommandLine, spell, type SimpleCommand, type SimpleLine } from "./command-line.ts";
import { refusalOf } from "./describe-git.ts";
import { readingEffects } from "./reading-form.ts";
import { effectsOfPlace, holdsSecrets } from "./secret-paths.ts";
import { segmentsOf, transferOf, type Transfer } from "./transfer.ts";
import { baseOf, ESCALATIONS, wayOutOf } from "./ways-out.ts";

export interface CommandPart {
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly object: readonly string[];
}

export interface CommandMeaning {
  readonly parts: readonly CommandPart[];
  /** What is sent: our own spelling of what was judged, or the very text where it is a script. */
  readonly sent: string;
  /** Why it is no more than a script. */
  readonly why?: string;
  readonly transfer?: Transfer;
  /** Why it is never started. */
  readonly refusal?: string;
}

const DELETES = new Set(
  "rm rmdir unlink shred dd mkfs truncate wipefs blkdiscard dropdb userdel groupdel deluser delgroup".split(
    " ",
  ),
);
const ADMINISTERS = new Set(
  `useradd adduser usermod userdel deluser groupadd addgroup groupmod groupdel passwd chpasswd gpasswd chage chsh
  chfn visudo vipw chown chgrp setfacl chattr setcap chcon restorecon setenforce semanage crontab at ssh-keygen
  ssh-copy-id ssh-add iptables ip6tables nft ufw firewall-cmd sysctl modprobe insmod rmmod mount umount swapon
  kexec reboot shutdown poweroff halt init telinit hostnamectl loginctl authselect pam-auth-update update-ca-certificates
  update-alternatives grub-install efibootmgr cryptsetup passwd.org htpasswd certbot`
    .trim()
    .split(/\s+/),
);
const SENDS = new Set("mail mailx sendmail mutt swaks msmtp ssmtp wall write curl wget".split(" "));
const ESCALATES = /(^|[^\w.-])(sudo|doas|su|pkexec|run0|sudoedit)([^\w.-]|$)/;

/** Reads `command`; `isInteractive` where a terminal was asked for. */
export function meaningOf(command: string, isInteractive: boolean): CommandMeaning {
  const line = readCommandLine(command);
  if (line.kind === "script") return scriptOf(command, line.why);
  if (isInteractive) return scriptOf(command, "what runs on a terminal takes commands of its own");
  const transfer = transferOf(line);
  if (transfer !== undefined) {
    return { parts: partsOfTransfer(transfer), sent: sentTransfer(transfer, line), transfer };
  }
  // Every folder that it may be in: a `cd` may fail.
  const cwds: string[] = [];
  const parts = line.commands.map((one) => {
    const part = partOf(one, cwds);
    const [program, ...operands] = one.words.filter((word) => word !== "--");
    if (program === "cd") cwds.push(operands[0] ?? "~");
    return part;
  });
  const [refusal] = line.commands.flatMap(
    ({ words }) => refusalOf(baseOf(words[0] ?? ""), words) ?? [],
  );
  return { parts, sent: line.sent, ...(refusal === undefined ? {} : { refusal }) };
}

function scriptOf(command: string, why: string): CommandMeaning {
  const effects: readonly Effect[] = ESCALATES.test(command)
    ? ["execute", "administer"]
    : ["execute"];
  return { parts: [{ verb: "script", effects, object: [command] }], sent: command, why };
}

function partOf(command: SimpleCommand, cwds: readonly string[]): CommandPart {
  const { words } = command;
  const { verb, effects } = verbOf(command, cwds);
  // What runs other things is one text: no word of it bounds what the others do.
  return { verb, effects, object: verb === "exec" ? words : [words.map(spell).join(" ")] };
}

interface Meaning {
  readonly verb: "exec" | "script";
  readonly effects: readonly Effect[];
}

function verbOf(command: SimpleCommand, cwds: readonly string[]): Meaning {
  const reading = readingEffects(command, cwds);
  if (reading !== undefined) return { verb: "exec", effects: reading };
  const { words } = command;
  const name = baseOf(words[0] ?? "");
  if (ESCALATIONS.has(name)) return escalated(command);
  const more = effectsOfProgram(name, words);
  const verb = wayOutOf(words) === undefined ? "exec" : "script";
  return { verb, effects: strictest(["execute", ...more]) };
}

function effectsOfProgram(name: string, words: readonly string[]): readonly Effect[] {
  const effects: Effect[] = [];
  if (DELETES.has(name) || name.startsWith("mkfs.") || words.includes("-delete")) {
    effects.push("delete");
  }
  if (ADMINISTERS.has(name) || ESCALATES.test(words.join(" "))) effects.push("administer");
  if (words.slice(1).some((word) => effectsOfPlace(word).includes("administer"))) {
    effects.push("administer");
  }
  if (SENDS.has(name)) effects.push("send");
  return effects;
}

/** `sudo [-n] [-H] [-u USER] [--] COMMAND`; every other form may do anything. */
function escalated(command: SimpleCommand): Meaning {
  const { words, globs, isPiped } = command;
  let at = 1;
  for (; words[at]?.startsWith("-") === true; at += 1) {
    const word = words[at] ?? "";
    if (word === "--") {
      at += 1;
      break;
    }
    if (word === "-u" && /^[a-z_][\w-]*$/.test(words[at + 1] ?? "")) at += 1;
    else if (!/^-[nH]{1,2}$/.test(word)) return ESCALATED_SCRIPT;
  }
  const inner = words.slice(at);
  const [first] = inner;
  if (first === undefined || first.includes("=")) return ESCALATED_SCRIPT;
  const moved = new Set([...globs].map((position) => position - at));
  const { verb, effects } = verbOf({ words: inner, globs: moved, isPiped }, []);
  return { verb, effects: strictest([...effects, "execute", "administer"]) };
}

const ESCALATED_SCRIPT: Meaning = { verb: "script", effects: ["execute", "administer"] };

/**
 * What is copied by a tool that names its paths once and its files later, in its own stream: below a folder
 * anything may be written, also what is executed.
 */
function partsOfTransfer({ tool, isRead, paths, options }: Transfer): readonly CommandPart[] {
  return paths.map((path) => {
    const object = segmentsOf(path);
    if (isRead) {
      // Whatever lies below goes along.
      if (tool === "git") return { verb: "repo.read", effects: ["read-private"], object } as const;
      const isSecret = holdsSecrets(path, { cwd: undefined, isRecursive: true });
      const effects: readonly Effect[] = isSecret
        ? ["read-private", "administer"]
        : ["read-private"];
      return { verb: `${tool}.read`, effects, object } as const;
    }
    const deletes = options.some((option) => option.startsWith("--delete"));
    const effects: readonly Effect[] = [
      "write",
      "execute",
      ...(deletes ? (["delete"] as const) : []),
      ...effectsOfPlace(path),
    ];
    return { verb: `${tool}.write`, effects: strictest(effects), object };
  });
}

/** git's own restricted shell takes a repository in quotes only, and others compare the very text. */
function sentTransfer({ service, paths, options }: Transfer, { sent }: SimpleLine): string {
  const [path = ""] = paths;
  if (service === undefined || /['\\]/.test(path)) return sent;
  return [service, ...options, `'${path}'`].join(" ");
}

function strictest(effects: readonly Effect[]): readonly Effect[] {
  const all = [...new Set(effects)];
  // What executes may read; only what is worse than reading is said then.
  return all.includes("execute") ? all.filter((one) => one !== "read") : all;
}
