/**
 * A push as policy and a person see it: verb, effects, what it is made of, and fields that a card shows.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { GIT_LIMITS } from "./limits.ts";
import { contentOf, type PushContent } from "./push-content.ts";
import { NOTHING_KNOWN, readPush, type Known, type Push, type RefChange } from "./push.ts";
import { PROTECTED_BY_DEFAULT } from "./ref-name.ts";
import type { Finding } from "./path-findings.ts";

/** Effects that a push can have; each is one of an action's. */
export type PushEffect = "read" | "write" | "publish" | "execute" | "delete" | "administer";

/** What may be granted of pushing, with the most that it does. */
export const PUSH_VERBS: Readonly<
  Record<string, { readonly effects: readonly PushEffect[]; readonly summary: string }>
> = {
  "push.create": {
    effects: ["write", "publish"],
    summary: "Make a branch; a protected one is published",
  },
  "push.update": {
    effects: ["write", "publish"],
    summary: "Add commits to a branch; a protected one is published",
  },
  "push.force": {
    effects: ["write", "delete", "publish"],
    summary: "Put a branch where its commits are not behind it",
  },
  "push.delete": { effects: ["delete", "publish"], summary: "Delete a branch or tag" },
  "push.tag": { effects: ["publish", "delete"], summary: "Make a tag, or move it" },
  "push.refs": {
    effects: ["administer", "delete"],
    summary: "Change a ref that is neither branch nor tag",
  },
  "push.option": {
    effects: ["execute", "administer"],
    summary: "Tell the server an option that the grant does not list",
  },
  "push.ci": { effects: ["execute"], summary: "Change what the forge runs" },
  "push.hooks": { effects: ["execute"], summary: "Change what git or a tool beside it runs" },
  "push.scripts": {
    effects: ["execute"],
    summary: "Change what a build, an install or a start runs",
  },
  "push.agents": { effects: ["execute"], summary: "Change what agents take as instructions" },
  "push.submodule": { effects: ["execute"], summary: "Change a submodule, or where it comes from" },
  "push.attributes": {
    effects: ["execute"],
    summary: "Change attributes that make git run or hide something",
  },
  "push.owners": { effects: ["administer"], summary: "Change who reviews" },
  "push.link": { effects: ["execute"], summary: "Bring a link that leads out of the repository" },
  "push.dotgit": {
    effects: ["execute", "administer"],
    summary: "Bring a name that is git's own on some file systems",
  },
  "push.unseen": { effects: ["execute"], summary: "Change what was not seen" },
  "push.secret": { effects: ["publish"], summary: "Bring what looks like a secret" },
};

/** What a grant may say of pushes. */
export interface PushOptions {
  /** Branches that are published by a push; `*` within a part, `**` below. */
  readonly protected?: readonly string[] | undefined;
  /** Push options that do no more than their push; exact. */
  readonly pushOptions?: readonly string[] | undefined;
}

export interface PushPart {
  readonly verb: string;
  readonly effects: readonly PushEffect[];
  /** The ref, the path or the option, in segments. */
  readonly object: readonly string[];
}

/** A push, described. */
export interface DescribedPush {
  readonly verb: string;
  readonly effects: readonly PushEffect[];
  readonly parts: readonly PushPart[];
  readonly summary: string;
  readonly content: PushContent;
  readonly reversible: boolean;
}

/** What nobody can read, with the reason for whoever asks. */
export interface UnreadablePush {
  readonly unreadable: string;
}

export interface PushInput {
  /** All that is sent to git-receive-pack. */
  readonly body: Uint8Array;
  readonly known?: Known | undefined;
  readonly options?: PushOptions | undefined;
}

/** Beyond as many, nobody reads the list. */
const PARTS_MAX = 1000;

/**
 * Describes a push. `undefined` verb never: a lone flush, with which clients ask whether they may push, is
 * `repo.read` and has no parts.
 */
export function describePush({ body, known, options }: PushInput): DescribedPush | UnreadablePush {
  const protects = options?.protected ?? PROTECTED_BY_DEFAULT;
  const read = readPush(body, known ?? NOTHING_KNOWN, protects);
  if (!read.ok) return { unreadable: read.reason };
  const push = read.value;
  if (push.missing.length > 0) {
    const reason =
      "the pack builds upon objects of the server, which were not to be had: the grant has to allow repo.read";
    return { unreadable: reason };
  }
  const content = contentOf(push, {
    bytes: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
  });
  if (push.refs.length === 0) {
    const summary = "Ask whether a push would be taken";
    return { verb: "repo.read", effects: ["read"], parts: [], summary, content, reversible: true };
  }
  const parts = [
    ...push.refs.map(partOfRef),
    ...push.request.options.map((option) => partOfOption(option, options?.pushOptions ?? [])),
    ...partsOfFindings(push.findings),
  ];
  const chars = parts.reduce((sum, { object }) => sum + object.join("/").length, 0);
  if (parts.length > PARTS_MAX || chars > GIT_LIMITS.partChars)
    return { unreadable: "it changes too many paths that something runs" };
  const effects = [...new Set(parts.flatMap((part) => part.effects))];
  const [only] = parts;
  return {
    verb: parts.length === 1 && only !== undefined ? only.verb : "push",
    effects,
    parts,
    summary: summaryOf(push),
    content,
    reversible: effects.every((effect) => effect === "write" || effect === "read"),
  };
}

/** What one ref of a push is. */
function partOfRef({ command, kind, how, isProtected }: RefChange): PushPart {
  const object = command.ref.split("/");
  const publishes: readonly PushEffect[] = isProtected ? ["publish"] : [];
  if (kind === "other") {
    const deletes: readonly PushEffect[] = how === "delete" ? ["delete"] : [];
    return { verb: "push.refs", effects: ["administer", ...deletes], object };
  }
  if (kind === "tag") {
    if (how === "create") return { verb: "push.tag", effects: ["publish"], object };
    const verb = how === "delete" ? "push.delete" : "push.tag";
    return { verb, effects: ["publish", "delete"], object };
  }
  if (how === "delete") return { verb: "push.delete", effects: ["delete", ...publishes], object };
  const effects: readonly PushEffect[] = how === "force" ? ["write", "delete"] : ["write"];
  return { verb: `push.${how}`, effects: [...effects, ...publishes], object };
}

function partOfOption(option: string, listed: readonly string[]): PushPart {
  const effects: readonly PushEffect[] = listed.includes(option)
    ? ["write"]
    : ["execute", "administer"];
  return { verb: "push.option", effects, object: [option] };
}

/** Each path once for each verb. */
function partsOfFindings(findings: readonly Finding[]): readonly PushPart[] {
  const parts = new Map<string, PushPart>();
  for (const { verb, path } of findings) {
    const effects = PUSH_VERBS[verb]?.effects ?? ["execute", "administer"];
    parts.set([verb, ...path].join("\0"), {
      verb,
      effects,
      object: path.length === 0 ? ["."] : path,
    });
  }
  return [...parts.values()];
}

const HOW: Readonly<Record<RefChange["how"], string>> = {
  create: "make",
  update: "add to",
  force: "OVERWRITE",
  delete: "DELETE",
};

function summaryOf({ refs, commits, findings }: Push): string {
  const named = refs
    .slice(0, 3)
    .map(({ command, how, isProtected }) => {
      const mark = isProtected ? " (protected)" : "";
      return `${HOW[how]} ${command.ref.replace(/^refs\/(?:heads|tags)\//, "")}${mark}`;
    })
    .join(", ");
  const more = refs.length > 3 ? ` and ${refs.length - 3} refs more` : "";
  const count =
    commits.length === 0
      ? "no commit that the server has not"
      : commits.length === 1
        ? "one new commit"
        : `${commits.length} new commits`;
  const kinds = [...new Set(findings.map(({ verb }) => WORDS[verb] ?? verb))];
  const found = kinds.length === 0 ? "" : `; it brings ${kinds.join(", ")}`;
  return `Push: ${named}${more} with ${count}${found}`;
}

const WORDS: Readonly<Record<string, string>> = {
  "push.ci": "changes to CI",
  "push.hooks": "changes to hooks",
  "push.scripts": "changes to build or install scripts",
  "push.agents": "instructions for agents",
  "push.submodule": "changes to submodules",
  "push.attributes": "attributes that run or hide",
  "push.owners": "changes to who reviews",
  "push.link": "links that lead elsewhere",
  "push.dotgit": "names that are git's own",
  "push.unseen": "what was not seen",
  "push.secret": "WHAT LOOKS LIKE A SECRET",
};
