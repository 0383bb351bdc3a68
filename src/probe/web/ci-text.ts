/**
 * What a file of CI says, read as text and not as its language: which secrets it names, for which environments, and where
 * it logs in by SSH. Comments count too: they are one edit away. It is whatever somebody wrote, so that it is bounded.
 *
 * @module
 */

export interface CiSays {
  /** Names of secrets and variables. */
  readonly secrets: readonly string[];
  /** It hands all of them on, or names them by an expression. */
  readonly takesAll: boolean;
  readonly environments: readonly string[];
  /** Where it deploys by SSH; without names where these are no literals. Absent where it does not. */
  readonly deploys?: { readonly host: string | undefined; readonly user: string | undefined };
}

const TEXT_CHARS_MAX = 100_000;
const NAMES_MAX = 50;

const SSH =
  /\b(?:ssh|scp|rsync|sftp|lftp|ansible-playbook|ssh-action|scp-action|ssh-deploy|rsync-deployments)\b/;
const AT =
  /(?<![\w./@-])([a-z_][a-z0-9_-]{0,31})@([a-z0-9](?:[a-z0-9-]{0,62}\.){1,10}[a-z][a-z0-9-]{1,62})(?![\w./@-]*\.git)/;
const HOST =
  /^[ \t-]*(?:host|hostname|remote_host|server)[ \t]*:[ \t]*["']?([a-z0-9][a-z0-9.-]{2,200})["']?[ \t]*$/im;
const USER =
  /^[ \t-]*(?:username|user|remote_user)[ \t]*:[ \t]*["']?([a-z_][a-z0-9_-]{0,31})["']?[ \t]*$/im;

/** Reads a workflow of GitHub Actions. */
export function readWorkflowText(text: string): CiSays {
  const cut = text.slice(0, TEXT_CHARS_MAX);
  return {
    secrets: named(cut, /\bsecrets(?:\.|\[\s{0,9}["'])([A-Za-z_][A-Za-z0-9_]{0,100})/g),
    takesAll:
      text.length > TEXT_CHARS_MAX ||
      /\bsecrets[ \t]*:[ \t]*inherit\b|toJSON\(\s{0,9}secrets\s{0,9}\)|\bsecrets\[(?!\s{0,9}["'])/i.test(
        cut,
      ),
    environments: named(
      cut,
      /^[ \t-]*environment[ \t]*:[ \t]*(?:\r?\n[ \t]+name[ \t]*:[ \t]*)?["']?([\w ./-]{1,100}?)["']?[ \t]*$/gm,
    ),
    ...deploysOf(cut),
  };
}

/** Reads a `.gitlab-ci.yml`: any variable may be a secret of the project. */
export function readPipelineText(text: string): CiSays {
  const cut = text.slice(0, TEXT_CHARS_MAX);
  const names = named(cut, /\$\{?([A-Z][A-Z0-9_]{1,100})\b/g);
  return {
    secrets: names.filter((name) => !/^(?:CI|GITLAB)(?:_|$)|^(?:HOME|PATH|PWD|USER)$/.test(name)),
    takesAll: text.length > TEXT_CHARS_MAX || /^[ \t]*include[ \t]*:/m.test(cut),
    environments: named(
      cut,
      /^[ \t]+environment[ \t]*:[ \t]*(?:\r?\n[ \t]+name[ \t]*:[ \t]*)?["']?([\w ./$-]{1,100}?)["']?[ \t]*$/gm,
    ),
    ...deploysOf(cut),
  };
}

function deploysOf(text: string): Pick<CiSays, "deploys"> {
  if (!SSH.test(text)) return {};
  const [, account, place] = AT.exec(text) ?? [];
  const host = HOST.exec(text)?.[1] ?? place;
  const user = USER.exec(text)?.[1] ?? account;
  return { deploys: { host, user } };
}

function named(text: string, pattern: RegExp): readonly string[] {
  const names = new Set<string>();
  for (const [, name = ""] of text.matchAll(pattern)) {
    names.add(name.trim());
    if (names.size === NAMES_MAX) break;
  }
  return [...names];
}
