/**
 * Programs that only read, in the forms in which they do. What is not written here is not read-only: an option
 * that is missing, a way of writing it that getopt would take, a subcommand, an operand. The table says what a
 * form does; the forms in which known programs run others stand in ways-out.ts.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";

/** A program's reading forms. */
export interface Program {
  /** `read`: how the system is. `read-private`: what its files and journals say. */
  readonly effect: Extract<Effect, "read" | "read-private">;
  /** Letters of options without a value. */
  readonly flags?: string;
  /** Letters of options with a value. */
  readonly valued?: string;
  /** Long options, exactly: `name`, `name=` with a value, `name?=` with one after `=` only. */
  readonly long?: readonly string[];
  /** What else may stand there; at most {@link operandsMax} of it. Nothing by default. */
  readonly operands?: RegExp;
  readonly operandsMax?: number;
  /** Its operands are files whose content it tells. */
  readonly tells?: true;
  /** Goes into what lies below its operands. */
  readonly recursiveFlags?: RegExp;
  /** Reads its options one by one: a bundle of letters is not what getopt makes of it. */
  readonly isUnbundled?: true;
  /** Letters of options whose value is a number, or which have none. */
  readonly counted?: string;
  /** `-5` is an option. */
  readonly isNumbered?: boolean;
  /** Must be among the options. */
  readonly needs?: RegExp;
  /** What the first operand says is done; the rest is read by that one. */
  readonly subcommands?: Readonly<Record<string, Program>>;
}

const ANY = /^/;
const FILES = { operands: ANY, tells: true } as const;
const split = (text: string): readonly string[] => text.split(" ");

const SYSTEMCTL = split(
  "no-pager full all failed type= state= lines= property= quiet plain no-legend value reverse user",
);
const systemctl = (effect: Program["effect"] = "read"): Program => ({
  effect,
  flags: "laq",
  valued: "tnp",
  long: SYSTEMCTL,
  operands: ANY,
});
const SUMS: Program = { effect: "read", flags: "bctz", long: ["tag"], operands: ANY };
const GREP: Program = {
  effect: "read-private",
  flags: "acEFGhHiILlnoPqRrsTUvwxZ",
  valued: "ABCem",
  long: split(
    "color?= count ignore-case invert-match line-number recursive word-regexp max-count= after-context= before-context= context= only-matching no-filename with-filename fixed-strings extended-regexp perl-regexp include= exclude= exclude-dir= quiet",
  ),
  operands: ANY,
  tells: true,
  isNumbered: true,
  recursiveFlags: /^-[A-Za-z]*[rR]|^--recursive$/,
};
const DOCKER_NAMES: Program = { effect: "read-private", operands: /^[A-Za-z0-9][\w.:/@-]*$/ };

const TABLE: Readonly<Record<string, Program>> = {
  // How the system is.
  uptime: { effect: "read", flags: "ps" },
  uname: { effect: "read", flags: "asnrvmpio" },
  arch: { effect: "read" },
  nproc: { effect: "read" },
  whoami: { effect: "read" },
  hostname: { effect: "read", flags: "fsidA" },
  id: { effect: "read", flags: "ugGnrz", operands: /^[a-z_][\w-]*$/ },
  groups: { effect: "read", operands: /^[a-z_][\w-]*$/ },
  w: { effect: "read", flags: "hsf" },
  who: { effect: "read", flags: "abdHlmqrsTtu" },
  last: { effect: "read", flags: "adFiRwx", valued: "n", isNumbered: true },
  date: {
    effect: "read",
    flags: "uR",
    valued: "d",
    long: split("utc iso-8601?="),
    operands: /^\+/,
  },
  free: { effect: "read", flags: "bkmghtlwv" },
  vmstat: { effect: "read", flags: "awtS", operands: /^\d+$/, operandsMax: 2 },
  df: {
    effect: "read",
    flags: "ahHiklmPT",
    valued: "tx",
    long: split("total local"),
    operands: ANY,
  },
  du: { effect: "read", flags: "abchHkLmsSx0", valued: "d", long: ["max-depth="], operands: ANY },
  lsblk: { effect: "read", flags: "abdfilmnprtS", valued: "o" },
  lscpu: { effect: "read", flags: "aeJ" },
  lsmod: { effect: "read" },
  lsb_release: { effect: "read", flags: "aicdrs" },
  getent: { effect: "read", operands: /^(?!g?shadow$)[\w.:-]+$/ },
  ps: {
    effect: "read-private",
    flags: "AadeFfjlMTwxH",
    valued: "CGopqstUu",
    long: split("forest sort= no-headers"),
    operands: /^[aujxlfwTr]+$/,
  },
  pgrep: { effect: "read-private", flags: "aflnovxc", valued: "uUPG", operands: ANY },
  pstree: { effect: "read-private", flags: "aAclpstu", operands: /^\w+$/ },
  top: { effect: "read-private", flags: "bcHiS", valued: "nopuw", needs: /^-[A-Za-z]*b/ },
  ss: { effect: "read", flags: "aehilmnopst46uxwHr" },
  netstat: { effect: "read", flags: "aeilnpstuw46r" },
  lsof: { effect: "read", flags: "nPlR", valued: "ip", operands: ANY },
  ip: {
    effect: "read",
    flags: "46dhjorst",
    long: [],
    subcommands: Object.fromEntries(
      ["addr", "address", "a", "link", "l", "route", "r", "neigh", "rule"].map((name) => [
        name,
        { effect: "read", operands: /^(show|list|ls|dev|[\w.@-]*\d)$/, operandsMax: 3 },
      ]),
    ),
  },
  mount: { effect: "read" },
  timedatectl: { effect: "read", subcommands: { status: { effect: "read" } } },
  hostnamectl: { effect: "read", subcommands: { status: { effect: "read" } } },
  systemctl: {
    effect: "read",
    flags: "laq",
    valued: "tnp",
    long: SYSTEMCTL,
    subcommands: {
      status: systemctl("read-private"),
      "is-active": systemctl(),
      "is-enabled": systemctl(),
      "is-failed": systemctl(),
      "list-units": systemctl(),
      "list-unit-files": systemctl(),
      "list-timers": systemctl(),
      "list-sockets": systemctl(),
      "list-dependencies": systemctl(),
      show: systemctl("read-private"),
      cat: systemctl("read-private"),
    },
  },
  journalctl: {
    effect: "read-private",
    flags: "abefkmqrx",
    valued: "uopStgU",
    counted: "n",
    long: split(
      "no-pager unit= lines?= output= priority= since= until= grep= reverse follow boot dmesg quiet all user-unit= identifier= utc no-hostname list-boots disk-usage",
    ),
    operands: /^_?[A-Z][A-Z0-9_]*=/,
  },
  dmesg: { effect: "read-private", flags: "dekLrTtux" },
  crontab: { effect: "read-private", flags: "l", needs: /^-l$/ },
  "dpkg-query": { effect: "read", flags: "WlsLS", valued: "f", operands: /^[\w.+*:/-]+$/ },
  "apt-cache": {
    effect: "read",
    subcommands: Object.fromEntries(
      ["policy", "show", "search", "madison", "depends", "rdepends"].map((name) => [
        name,
        { effect: "read", operands: /^[\w.+:-]+$/ },
      ]),
    ),
  },
  docker: {
    effect: "read",
    subcommands: {
      ps: { effect: "read", flags: "alqs", valued: "f", long: split("all no-trunc format=") },
      images: { effect: "read", flags: "aq", long: ["all"] },
      version: { effect: "read" },
      logs: {
        ...DOCKER_NAMES,
        flags: "ft",
        valued: "n",
        long: split("tail= since= until= timestamps follow"),
      },
      inspect: { ...DOCKER_NAMES, flags: "s", valued: "f", long: split("format= type=") },
      stats: { ...DOCKER_NAMES, long: ["no-stream"], needs: /^--no-stream$/ },
      top: { ...DOCKER_NAMES, operandsMax: 1 },
    },
  },
  nginx: { effect: "read-private", flags: "tTvVq", needs: /^-[tTvV]/ },

  // What lies where.
  ls: {
    effect: "read",
    flags: "aABbCcdFfgGhHiklLmnNopqQrRsStUuvxXZ1",
    long: split(
      "all almost-all color?= human-readable reverse recursive size sort= time= time-style= full-time group-directories-first directory inode",
    ),
    operands: ANY,
  },
  tree: {
    effect: "read",
    flags: "aCdDfFghilnpQrstux",
    valued: "LIP",
    operands: ANY,
    isUnbundled: true,
  },
  pwd: { effect: "read", flags: "LP" },
  cd: { effect: "read", operands: /^\/[^*]*$/, operandsMax: 1 },
  stat: { effect: "read", flags: "fLt", valued: "c", long: ["format="], operands: ANY },
  file: { effect: "read", flags: "bikLNrs", operands: ANY },
  readlink: { effect: "read", flags: "efmnqsvz", operands: ANY },
  realpath: { effect: "read", flags: "emLPsz", operands: ANY },
  basename: { effect: "read", flags: "az", valued: "s", operands: ANY },
  dirname: { effect: "read", flags: "z", operands: ANY },
  which: { effect: "read", flags: "a", operands: /^[\w.+-]+$/ },
  type: { effect: "read", operands: /^[\w.+-]+$/ },
  md5sum: SUMS,
  sha1sum: SUMS,
  sha256sum: SUMS,
  sha512sum: SUMS,
  cksum: { effect: "read", operands: ANY },

  // What files say.
  cat: { effect: "read-private", flags: "AbeEnstTuv", ...FILES },
  tac: { effect: "read-private", ...FILES },
  rev: { effect: "read-private", ...FILES },
  nl: { effect: "read-private", valued: "bw", ...FILES },
  head: {
    effect: "read-private",
    flags: "qvz",
    valued: "nc",
    long: split("lines= bytes= quiet"),
    isNumbered: true,
    ...FILES,
  },
  tail: {
    effect: "read-private",
    flags: "fFqvz",
    valued: "ncs",
    long: split("lines= bytes= follow?= quiet retry"),
    isNumbered: true,
    ...FILES,
  },
  wc: { effect: "read", flags: "cmlLw", operands: ANY },
  cut: {
    effect: "read-private",
    flags: "nsz",
    valued: "bcdf",
    long: split("complement output-delimiter= fields= delimiter="),
    ...FILES,
  },
  sort: { effect: "read-private", flags: "bdfghinMRrsuVz", valued: "kt", ...FILES },
  uniq: { effect: "read-private", flags: "cdDiuz", valued: "fsw", ...FILES, operandsMax: 1 },
  tr: { effect: "read-private", flags: "cCdst", operands: ANY, operandsMax: 2 },
  paste: { effect: "read-private", flags: "sz", valued: "d", ...FILES },
  comm: { effect: "read-private", flags: "123z", ...FILES },
  join: { effect: "read-private", flags: "iz", valued: "12jtoa", ...FILES },
  fold: { effect: "read-private", flags: "bs", valued: "w", ...FILES },
  column: { effect: "read-private", flags: "tx", valued: "scN", ...FILES },
  grep: GREP,
  egrep: GREP,
  fgrep: GREP,
  diff: {
    effect: "read-private",
    flags: "abBcdeiNqrstuwy",
    valued: "UC",
    recursiveFlags: /^-[A-Za-z]*r/,
    ...FILES,
  },
  cmp: { effect: "read-private", flags: "bls", valued: "n", ...FILES },
  od: { effect: "read-private", flags: "bcdovx", valued: "AjNt", ...FILES },
  hexdump: { effect: "read-private", flags: "bcCdovx", valued: "ns", ...FILES },
  xxd: {
    effect: "read-private",
    flags: "bpu",
    valued: "lsc",
    ...FILES,
    operandsMax: 1,
    isUnbundled: true,
  },
  strings: { effect: "read-private", flags: "af", valued: "nte", ...FILES },
  base64: { effect: "read-private", flags: "di", valued: "w", long: ["decode"], ...FILES },
  // A program may read other files, and the environment.
  jq: {
    effect: "read-private",
    flags: "rcsSeMCaj",
    operands:
      /^(?![^]*\b(?:import|include|env|ENV|inputs?|input_filename|get_search_list|modulemeta)\b)/,
    tells: true,
  },
  zcat: { effect: "read-private", ...FILES },
  printenv: { effect: "read-private", operands: /^\w+$/ },

  // What only says, or waits.
  true: { effect: "read", operands: ANY },
  false: { effect: "read", operands: ANY },
  ":": { effect: "read", operands: ANY },
  echo: { effect: "read", flags: "neE", operands: ANY },
  seq: { effect: "read", operands: /^-?[\d.]+$/ },
  sleep: { effect: "read", operands: /^[\d.]+[smh]?$/, operandsMax: 1 },
};

/** Each by its name. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map(Object.entries(TABLE));
