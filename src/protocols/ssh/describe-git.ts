/**
 * git over SSH: what its programs at the server do, by the same verbs as over HTTP (docs/decisions/0300). A fetch
 * reads a repository. A push is its pack, and is judged when that is there; before, its refs are listed.
 *
 * @module
 */
import type { Effect, Json } from "../../action/index.ts";
import {
  describePush,
  GIT_FACT,
  isListedRepo,
  PUSH_VERBS,
  readKnown,
  samplePush,
} from "../../git/index.ts";
import type { Described, SampleOperation, Surroundings, VerbInfo } from "../protocol.ts";
import { optionsSchema } from "./options.ts";
import { segmentsOf, type Transfer } from "./transfer.ts";

/** Objects of the first are repositories, of the others refs and paths in one. */
export const GIT_VERBS: Readonly<Record<string, VerbInfo>> = {
  "repo.read": {
    effects: ["read", "read-private"],
    summary: "Fetch from a repository, list its refs, have an archive made.",
    separator: "/",
  },
  ...Object.fromEntries(
    Object.entries(PUSH_VERBS).map(([verb, { effects, summary }]) => [
      verb,
      { effects, summary: `${summary}.`, separator: "/" as const },
    ]),
  ),
};

/** Describes a git transfer, or says why it is none that may be. `command` is what is sent. */
export function describeGit(
  place: string,
  { service, paths }: Transfer,
  command: string,
  { host, body, facts, options }: Surroundings,
): Described | { readonly unread: string } {
  const [path = ""] = paths;
  const { data } = optionsSchema.safeParse(options);
  const { repos } = data ?? {};
  const isPush = service === "git-receive-pack";
  // Hooks and archivers are programs of the repository's own: which one that is, a person says.
  const isFetch = service === "git-upload-pack";
  if (repos === undefined ? !isFetch : !isListedRepo(repos.map(homeless), homeless(path))) {
    const what = isFetch ? "a repository" : `${service} of a repository`;
    return { unread: `${what} that the grant's \`with: repos\` does not name: ${path}` };
  }
  // Whoever has to log in to read it reads nothing public, unless the grant says so.
  const effects: readonly Effect[] = data?.private === false ? ["read"] : ["read-private"];
  const common = { target: `${place} ${path}`, impact: { reversible: true } };
  if (!isPush || body === undefined) {
    return {
      ...common,
      verb: "repo.read",
      effects,
      summary: `${isPush ? "List the refs before a push, and what it depends on, of" : READS[service ?? ""]} ${path} at ${host}`,
      fields: { command },
      parts: [{ verb: "repo.read", effects: [...effects], object: [...segmentsOf(path)] }],
    };
  }
  const push = describePush({
    body,
    known: readKnown(facts?.[GIT_FACT]),
    options: { protected: data?.protected, pushOptions: data?.push_options },
  });
  if ("unreadable" in push) return { unread: push.unreadable };
  return {
    ...common,
    verb: push.verb,
    effects: push.effects,
    summary: `${push.summary} (${path} at ${host})`,
    fields: { command, show: "push", body: { repo: path, ...push.content } },
    parts: push.parts.map(({ verb, effects: does, object }) => ({
      verb,
      effects: [...does],
      object: [...object],
    })),
    impact: { reversible: push.reversible },
  };
}

const READS: Readonly<Record<string, string>> = {
  "git-upload-pack": "Fetch from",
  "git-upload-archive": "Have an archive made of",
};

/** `push REPOSITORY create|update|force|delete REF [PATH]...`, for `explain`. */
export function samplePushOf(text: string): SampleOperation | undefined {
  const [, repo = "", words = ""] = /^push (\S+) (.+)$/.exec(text) ?? [];
  const push = samplePush(words);
  if (push === undefined) return undefined;
  return {
    operation: { op: "exec", command: `git-receive-pack ${repo}` },
    body: push.body,
    facts: { [GIT_FACT]: push.facts as unknown as Json },
    options: { repos: [repo] },
  };
}

/** A relative path is below the home of whoever logs in, and may be written so. */
function homeless(path: string): string {
  return path.replace(/^~\//, "");
}

/**
 * Programs with which large files (LFS) are asked for over SSH. The one answers with a login for another service,
 * which would be the run's then; the other sends files that nobody here reads.
 */
const LFS = /^git-lfs-(?:authenticate|transfer)$/;

/**
 * Why a plain command is not started, whatever is granted; `name` is its program's. A push in a form that is not
 * read as one would go past its judgement.
 */
export function refusalOf(name: string, words: readonly string[]): string | undefined {
  if (LFS.test(name)) {
    return `${name} is not spoken: large files go over HTTPS, by a grant of \`system: git\` and \`git config lfs.url https://HOST/REPOSITORY.git/info/lfs\``;
  }
  const isPush = name === "git-receive-pack" || (name === "git" && words.includes("receive-pack"));
  return isPush ? "git-receive-pack is started as `git push` starts it, or not at all" : undefined;
}
