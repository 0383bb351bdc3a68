/**
 * Command lines with which copying tools start their other side: `scp -t`, `scp -f`, `rsync --server`,
 * `git-upload-pack`, `git-receive-pack`, `git-upload-archive`. Each is an operation on paths rather than a command.
 *
 * @module
 */
import type { SimpleLine } from "./command-line.ts";

export interface Transfer {
  readonly tool: "scp" | "rsync" | "git";
  /** Of git: the program at the server. */
  readonly service?: GitService;
  /** The server's side sends. */
  readonly isRead: boolean;
  /** As written. */
  readonly paths: readonly string[];
  /** Options that the other side is told. */
  readonly options: readonly string[];
}

export type GitService = "git-upload-pack" | "git-upload-archive" | "git-receive-pack";
const GIT_SERVICES: ReadonlyMap<string, GitService> = new Map(
  (["git-upload-pack", "git-upload-archive", "git-receive-pack"] as const).map((one) => [one, one]),
);

/** What `line` copies; `undefined` where it is an ordinary command. */
export function transferOf({ commands }: SimpleLine): Transfer | undefined {
  const [command, ...more] = commands;
  if (command === undefined || more.length > 0 || command.globs.size > 0) return undefined;
  const [program = "", ...words] = command.words;
  if (program === "scp") return readScp(words);
  if (program === "rsync") return readRsync(words);
  const service = GIT_SERVICES.get(program === "git" ? `git-${words[0]}` : program);
  if (service === undefined) return undefined;
  return readGit(program === "git" ? words.slice(1) : words, service);
}

function readScp(words: readonly string[]): Transfer | undefined {
  const options = words.filter((word) => word.startsWith("-"));
  const paths = words.filter((word) => !word.startsWith("-"));
  if (options.some((option) => !/^-([rpdvqft]+|-)$/.test(option))) return undefined;
  const letters = options.join("");
  const isRead = letters.includes("f");
  if (isRead === letters.includes("t")) return undefined;
  return isPlain(paths) ? { tool: "scp", isRead, paths, options } : undefined;
}

/**
 * `rsync --server [--sender] -logDtpre.iLsfxCIvu [--delete ...] . PATH...`: the options are the agent's, and
 * some of them write elsewhere or run something; those that are known not to are let through.
 */
const RSYNC_LONG =
  /^--(server|sender|delete(-(before|after|during|delay|excluded|missing-args))?|partial|stats|numeric-ids|existing|ignore-existing|ignore-times|size-only|checksum|inplace|append|append-verify|force|ignore-errors|safe-links|no-(implied-dirs|r|W|relative|inc-recursive|i-r)|omit-dir-times|omit-link-times|prune-empty-dirs|from0|compress|compress-level=\d+|zc=\w+|new-compress|old-compress|bwlimit=[\d.]+|timeout=\d+|max-delete=\d+|max-size=\w+|min-size=\w+|modify-window=\d+|out-format=[^/]*|log-format=[^/]*|info=[\w,]+|debug=[\w,]+|cc=\w+|checksum-seed=\d+|dirs|mkpath|preallocate|fuzzy|msgs2stderr|stderr=\w+|usage|iconv=[\w,.-]+)$/;
/**
 * Letters that take a value (B, M, T, e, f) would take the next word, `--sender` too; `s` has the server read other
 * arguments later. What a client says of itself stands behind `e.`, which ends the bundle.
 */
const RSYNC_SHORT = /^-[ACDEFGHIJKLNOPQRSUVWXYZabcdghijklmnopqrtuvwxyz0-9]*(?:e\.[A-Za-z]*)?$/;

function readRsync(words: readonly string[]): Transfer | undefined {
  if (words[0] !== "--server") return undefined;
  const end = words.indexOf(".");
  if (end < 0) return undefined;
  const options = words.slice(0, end);
  const isKnown = options.every((option) =>
    option.startsWith("--") ? RSYNC_LONG.test(option) : RSYNC_SHORT.test(option),
  );
  const paths = words.slice(end + 1);
  if (!isKnown || !isPlain(paths)) return undefined;
  return { tool: "rsync", isRead: options.includes("--sender"), paths, options };
}

/** git reads `~bob` as the home of somebody else, also in quotes. */
function readGit(words: readonly string[], service: GitService): Transfer | undefined {
  const options = words.filter((word) => word.startsWith("-"));
  const paths = words.filter((word) => !word.startsWith("-"));
  const isKnown = options.every(
    (option) =>
      service !== "git-upload-archive" && /^--(strict|no-strict|timeout=\d+)$/.test(option),
  );
  const isOne = paths.length === 1 && isPlain(paths) && !/^~[^/]/.test(paths[0] ?? "");
  const isRead = service !== "git-receive-pack";
  return isKnown && isOne ? { tool: "git", service, isRead, paths, options } : undefined;
}

function isPlain(paths: readonly string[]): boolean {
  return paths.length > 0 && paths.every((path) => path !== "" && !path.startsWith("-"));
}

/** The segments of a path as patterns name it: absolute, or below the login's home as `~`. */
export function segmentsOf(path: string): readonly string[] {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  return path.startsWith("/")
    ? segments
    : ["~", ...(segments[0] === "~" ? segments.slice(1) : segments)];
}
