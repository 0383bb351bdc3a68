/**
 * git's own requests: what a client asks for before it fetches or pushes, a fetch, and a push.
 *
 * @module
 */
import {
  describePush,
  GIT_FACT,
  gitOptionsSchema,
  isListedRepo,
  readFetchRequest,
  readKnown,
  type GitOptions,
} from "../../git/index.ts";
import type { Readable, Reading, Unread } from "../reader.ts";

const SERVICES = new Set(["git-upload-pack", "git-receive-pack"]);

/** `GET /info/refs?service=git-upload-pack` and nothing else. */
export function readDiscovery(readable: Readable): Reading | Unread {
  const { query } = readable.content;
  const options = optionsOf(readable);
  if ("unread" in options) return options;
  const [only] = query;
  if (query.length !== 1 || only?.[0] !== "service" || !SERVICES.has(only[1])) {
    return {
      unread: "only the smart protocol is spoken: ?service=git-upload-pack or git-receive-pack",
    };
  }
  return { ...reads(options), summary: `List the refs of ${repoOf(readable)}` };
}

/** The body of a POST to git-upload-pack. */
export function readFetch(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  if ("unread" in options) return options;
  const body = bodyOf(readable, "git-upload-pack");
  if ("unread" in body) return body;
  const asked = readFetchRequest(body.bytes, body.isPacked);
  if (!asked.ok) return { unread: asked.reason };
  return { ...reads(options), summary: `Fetch from ${repoOf(readable)} (${asked.value})` };
}

/** The body of a POST to git-receive-pack, over what was asked of the server. */
export function readPush(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  if ("unread" in options) return options;
  const body = bodyOf(readable, "git-receive-pack");
  if ("unread" in body) return body;
  if (body.isPacked) return { unread: "a push that is packed as a whole" };
  const described = describePush({
    body: body.bytes,
    known: readKnown(readable.facts?.[GIT_FACT]),
    options: { protected: options.protected, pushOptions: options.push_options },
  });
  if ("unreadable" in described) return { unread: described.unreadable };
  const { verb, effects, parts, summary, content, reversible } = described;
  const repo = repoOf(readable);
  if (parts.length === 0) return { ...reads(options), verb, summary: `${summary} by ${repo}` };
  return {
    verb,
    effects,
    parts,
    summary: `${summary} (${repo})`,
    impact: { reversible },
    fields: { body: { repo, ...content } },
  };
}

/** How strict it is to read there. */
export function reads({ private: isPrivate }: GitOptions): Pick<Reading, "effects"> {
  return { effects: isPrivate === true ? ["read-private"] : ["read"] };
}

/** The grant's options, where they are for this repository. */
export function optionsOf(readable: Readable): GitOptions | Unread {
  const parsed = gitOptionsSchema.safeParse(readable.options ?? {});
  if (!parsed.success) return { unread: "the grant's options are not those of git" };
  const repo = repoOf(readable);
  const names = repo.split("/").length === depthOf(readable);
  if (!names || /[\\%\0]/.test(repo))
    return { unread: "a repository of which the path is escaped" };
  const { repos } = parsed.data;
  const isListed = repos === undefined || isListedRepo(repos, repo);
  return isListed ? parsed.data : { unread: `the grant is for ${(repos ?? []).join(", ")}` };
}

function depthOf({ path }: Readable): number {
  return Math.max(1, Object.keys(path).filter((name) => name.startsWith("repo_")).length);
}

/** The path of the repository, as far as the grant leaves it open. */
export function repoOf({ path }: Readable): string {
  const names = Object.entries(path).filter(([name]) => name.startsWith("repo_"));
  return names.map(([, value]) => value).join("/");
}

function bodyOf(
  { content }: Readable,
  service: string,
): { readonly bytes: Uint8Array; readonly isPacked: boolean } | Unread {
  const { bytes, headers, query } = content;
  if (query.length > 0) return { unread: `what is sent to ${service} has no parameters` };
  if (headers["content-type"] !== `application/x-${service}-request`) {
    return { unread: `what is sent to ${service} is not said to be that` };
  }
  if (bytes === undefined) return { unread: "there is no body" };
  return { bytes, isPacked: headers["content-encoding"] === "gzip" };
}
