/**
 * What an account may do by sudo: of several commands that match, the last one counts (sudoers(5)), and whoever is asked
 * for a password has not become anybody yet.
 *
 * @module
 */
import type { SudoCommand, SudoEntry, SudoList } from "./sudo-list.ts";

/** One thing that sudo lets an account do as `target`. */
export interface SudoPower {
  readonly target: string;
  readonly kind:
    | "become" // anything
    | "word" // `program`, with arguments of its own
    | "fixed" // `program`, with these arguments and no other
    | "edit"; // the content of the file `program`
  readonly program: string;
  /** Of `fixed`. */
  readonly args: string;
  /** Nobody asks for a password. */
  readonly isFree: boolean;
  /** It was not told what stands there: a folder, a regular expression, a group. */
  readonly isAssumed: boolean;
  readonly how: string;
}

const LOADERS =
  /\b(LD_(PRELOAD|LIBRARY_PATH|AUDIT)|BASH_ENV|ENV|PYTHONPATH|PYTHONSTARTUP|PERL5LIB|PERL5OPT|RUBYLIB|RUBYOPT|NODE_OPTIONS|SHELLOPTS|PS4|EDITOR|VISUAL|PAGER|\*)(?![A-Za-z0-9_])/;
const GROUPS = new Set(
  "root docker lxd incus disk shadow sudo wheel admin adm kmem libvirt podman ALL".split(" "),
);
/** Folders with programs that give a shell. */
const PROGRAM_FOLDER = /^\/(usr\/)?(local\/)?s?bin\/(\*+)?$/;
const TARGETS_MAX = 50;

/** What `list` gives; `accounts` are those of the host, by number. */
export function powersOf(
  list: SudoList,
  accounts: ReadonlyMap<string, string>,
  self: string,
): readonly SudoPower[] {
  const targets = targetsOf(list, accounts);
  const powers = targets.flatMap((target) => powersAs(target, list, accounts));
  return [...powers, ...groupPowers(list, self)];
}

/** Whom it could become: root where that may be, since root is everyone; else whoever is named. */
function targetsOf(
  { entries }: SudoList,
  accounts: ReadonlyMap<string, string>,
): readonly string[] {
  const names = new Set<string>();
  for (const { users } of entries) {
    for (const user of users) {
      const name = nameOf(user, accounts);
      if (user === "ALL") names.add("root");
      else if (/^[%+]/.test(user)) names.add("root");
      else if (!user.startsWith("!") && name !== undefined) names.add(name);
    }
    const isRootLeftOut =
      users.includes("ALL") && users.some((one) => one === "!root" || one === "!#0");
    if (isRootLeftOut) for (const name of accounts.values()) names.add(name);
  }
  return [...names].slice(0, TARGETS_MAX);
}

function nameOf(user: string, accounts: ReadonlyMap<string, string>): string | undefined {
  if (!user.startsWith("#")) return user;
  return user === "#0" ? "root" : (accounts.get(user.slice(1)) ?? user);
}

/** Whether `users` cover `target`; the last that speaks of it counts. A group or netgroup may be anybody. */
function covers(
  users: readonly string[],
  target: string,
  accounts: ReadonlyMap<string, string>,
): "yes" | "no" | "perhaps" {
  for (const user of users.toReversed()) {
    const isNot = user.startsWith("!");
    const name = isNot ? user.slice(1) : user;
    if (name === "ALL" || nameOf(name, accounts) === target) return isNot ? "no" : "yes";
    if (/^[%+]/.test(name) && !isNot) return "perhaps";
  }
  return "no";
}

function powersAs(
  target: string,
  { entries, defaults }: SudoList,
  accounts: ReadonlyMap<string, string>,
): readonly SudoPower[] {
  const powers: SudoPower[] = [];
  const decided = new Set<string>();
  for (const entry of entries.toReversed()) {
    const covered = covers(entry.users, target, accounts);
    if (covered === "no") continue;
    for (const command of entry.commands.toReversed()) {
      if (decided.has(command.text)) continue;
      if (covered === "yes") decided.add(command.text);
      if (!command.isNegated) {
        const power = powerOf(command, entry, defaults);
        powers.push({ ...power, target, isAssumed: power.isAssumed || covered === "perhaps" });
      }
      // What it says of all commands rules whatever stands before it.
      if (command.what === "all" && covered === "yes") return powers;
    }
  }
  return powers;
}

type Power = Omit<SudoPower, "target">;

function powerOf(command: SudoCommand, { options }: SudoEntry, defaults: string): Power {
  const isOpen = /(^|, )!authenticate(,| |$)/.test(defaults) && !options.has("authenticate");
  const isFree = options.has("!authenticate") || isOpen;
  const how = `sudo ${isFree ? "NOPASSWD: " : ""}${command.text}`.slice(0, 200);
  const base = { isFree, how, program: command.path, args: command.args ?? "", isAssumed: false };
  if (command.what === "all") return { ...base, kind: "become" };
  const isLoading = options.has("setenv") || keepsLoaders(defaults);
  if (isLoading) return { ...base, kind: "become", how: `${how}, with variables of its own` };
  if (command.what === "edit") {
    const isPattern = /[*?[^]/.test(command.path);
    return { ...base, kind: isPattern ? "become" : "edit", isAssumed: isPattern };
  }
  if (PROGRAM_FOLDER.test(command.path)) return { ...base, kind: "become" };
  // Which programs those are was not told.
  if (/[*?[^]|\/$/.test(command.path)) return { ...base, kind: "become", isAssumed: true };
  const isFixed = command.args !== undefined && !/[*?[]|^\^/.test(command.args);
  return { ...base, kind: isFixed ? "fixed" : "word" };
}

/** `env_keep+="LD_PRELOAD FOO"`; without `env_reset` sudo still takes these away. */
function keepsLoaders(defaults: string): boolean {
  const kept = [...defaults.matchAll(/env_keep\+?=("[^"]*"|[^,\s]+)/g)].map(
    ([, value = ""]) => value,
  );
  return kept.some((value) => LOADERS.test(value));
}

/** `(:docker) ...`: the same account with another group, whose members become root where that is one of those. */
function groupPowers({ entries, defaults }: SudoList, self: string): readonly SudoPower[] {
  return entries.flatMap((entry) => {
    const { users, groups, commands } = entry;
    const group = groups.find((one) => GROUPS.has(one));
    if (group === undefined || !users.every((one) => one === self)) return [];
    return commands
      .filter(({ isNegated }) => !isNegated)
      .map((command) => {
        const power = powerOf(command, entry, defaults);
        return {
          ...power,
          target: "root",
          isAssumed: true,
          how: `${power.how}, with group ${group}`,
        };
      });
  });
}
