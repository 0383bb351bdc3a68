/**
 * Names of refs: which are valid, and what kind of thing each is. The server decides whether two spellings
 * are one ref; what could be one is treated as one.
 *
 * @module
 */

/** Where a ref stands. */
export type RefKind = "branch" | "tag" | "other";

const REF_BYTES_MAX = 250;

/** Whether git-check-ref-format takes `name`, and it begins with `refs/`. */
export function isRefName(name: string): boolean {
  if (!name.startsWith("refs/") || Buffer.byteLength(name) > REF_BYTES_MAX) return false;
  // Controls, space, ~ ^ : ? * [ \ and DEL; `..`, `@{`, `//`; ends in `.` or `/`.
  if (/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|[./]$/.test(name)) return false;
  const parts = name.split("/");
  // Text that shows as nothing, or as another name, is nobody's honest branch.
  if (/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\uFFFD]/u.test(name)) return false;
  return (
    parts.length >= 3 && parts.every((part) => !part.startsWith(".") && !/\.lock$/i.test(part))
  );
}

/** What `name` is; a branch or tag that reads like a ref, an object or `HEAD` is neither. */
export function kindOfRef(name: string): RefKind {
  const [, root = "", ...rest] = name.split("/");
  const short = rest.join("/");
  const isOdd = /^(?:refs\/.*|(?:.*\/)?HEAD|[A-Z_]+_HEAD|[0-9a-f]{40}|[0-9a-f]{64}|-.*|@)$/i.test(
    short,
  );
  if (isOdd) return "other";
  if (root === "heads") return "branch";
  return root === "tags" ? "tag" : "other";
}

/** Branches that are what others build from or ship, where a grant says nothing else. */
export const PROTECTED_BY_DEFAULT = [
  "main",
  "master",
  "trunk",
  "production",
  "prod",
  "staging",
  "gh-pages",
  "release/**",
  "releases/**",
  "release-*",
  "stable/**",
] as const;

/**
 * Whether a branch is protected by one of `patterns`: `*` is within a part, `**` anything below. Letter case
 * and forms of Unicode are no difference: some servers keep refs as files that fold them.
 */
export function isProtected(ref: string, patterns: readonly string[]): boolean {
  const name = fold(ref.replace(/^refs\/heads\//, ""));
  return patterns.some((pattern) => expressionOf(fold(pattern)).test(name));
}

function fold(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

function expressionOf(pattern: string): RegExp {
  const plain = pattern.replace(/^refs\/heads\//, "");
  const source = plain
    .split(/(\*\*|\*)/)
    .map((part) => {
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      return part.replaceAll(/[\\^$.+?()[\]{}|/-]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`, "s");
}

/** Whether two names could be one ref to a server that folds them. */
export function foldRef(ref: string): string {
  return fold(ref);
}
