/** Real repositories of git, and pushes made of them, for tests. */
import { execFileSync, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { FORMATS, idOf, type ObjectKind } from "../../src/git/object-format.ts";
import {
  answerOf,
  describePush,
  FLUSH,
  packet,
  PushInquiry,
  readKnown,
  type DescribedPush,
  type PushOptions,
} from "../../src/git/index.ts";

export const NONE = "0".repeat(40);
const CAPABILITIES = "report-status side-band-64k agent=git/2.39.5";
const ENVIRONMENT = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Agent",
  GIT_AUTHOR_EMAIL: "agent@example.org",
  GIT_COMMITTER_NAME: "Agent",
  GIT_COMMITTER_EMAIL: "agent@example.org",
  GIT_AUTHOR_DATE: "1700000000 +0000",
  GIT_COMMITTER_DATE: "1700000000 +0000",
};

/** A ref of a push: what was there, and what is to be there. */
export interface Wish {
  readonly ref: string;
  readonly old?: string;
  readonly new?: string;
}

/** A repository in a folder of its own. */
export class Repository {
  readonly folder: string;

  constructor({ format = "sha1" }: { readonly format?: "sha1" | "sha256" } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "cofferdam-git-"));
    this.git(["init", "-q", "-b", "main", `--object-format=${format}`]);
    this.git(["config", "uploadpack.allowFilter", "true"]);
    this.git(["config", "core.protectNTFS", "false"]);
    this.git(["config", "core.protectHFS", "false"]);
  }

  git(args: readonly string[], input?: string | Uint8Array, more: NodeJS.ProcessEnv = {}): Buffer {
    return execFileSync("git", [...args], {
      cwd: this.folder,
      env: { ...ENVIRONMENT, ...more },
      ...(input === undefined ? {} : { input }),
      maxBuffer: 256 << 20,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  text(args: readonly string[], input?: string | Uint8Array): string {
    return this.git(args, input).toString("utf8").trim();
  }

  /** Writes files (`undefined` removes, `-> x` links) and commits them. */
  commit(files: Readonly<Record<string, string | undefined>>, message = "change"): string {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      rmSync(file, { recursive: true, force: true });
      if (content === undefined) continue;
      mkdirSync(dirname(file), { recursive: true });
      if (content.startsWith("-> ")) symlinkSync(content.slice(3), file);
      else writeFileSync(file, content);
    }
    this.git(["add", "-A", "--force"]);
    this.git(["commit", "-q", "--allow-empty", "-m", message]);
    return this.head();
  }

  head(): string {
    return this.text(["rev-parse", "HEAD"]);
  }

  /** A commit of a tree that `git add` would not make. */
  commitTree(entries: readonly string[], parents: readonly string[] = []): string {
    const tree = this.text(["mktree", "--missing"], `${entries.join("\n")}\n`);
    return this.text(["commit-tree", tree, "-m", "tree", ...parents.flatMap((id) => ["-p", id])]);
  }

  blob(content: string): string {
    return this.text(["hash-object", "-w", "--stdin"], content);
  }

  /** What a client would send to push `wishes`, where the server has all of `has`. */
  pushBody(
    wishes: readonly Wish[],
    {
      has = wishes.flatMap(({ old }) => old ?? []),
      thin = true,
      extra = "",
    }: { readonly has?: readonly string[]; readonly thin?: boolean; readonly extra?: string } = {},
  ): Buffer {
    const news = wishes.flatMap((one) => one.new ?? []);
    const none = "0".repeat((news[0] ?? NONE).length);
    const format = none.length === 64 ? " object-format=sha256" : "";
    const lines = wishes.map(({ ref, old = none, new: now = none }, at) =>
      packet(`${old} ${now} ${ref}${at === 0 ? `\0 ${CAPABILITIES}${format}${extra}` : ""}`),
    );
    if (news.length === 0) return Buffer.concat([...lines, FLUSH]);
    const revisions = [...news, ...has.map((id) => `^${id}`)].join("\n");
    const how = ["--revs", "--stdout", "-q", "--delta-base-offset", ...(thin ? ["--thin"] : [])];
    return Buffer.concat([...lines, FLUSH, this.git(["pack-objects", ...how], `${revisions}\n`)]);
  }

  /** Asks this repository, as a server, what has to be asked about `body`. */
  inquire(body: Uint8Array): { readonly facts: object; readonly questions: number } {
    const inquiry = new PushInquiry(body);
    let questions = 0;
    for (let one = inquiry.next(); one !== undefined; one = inquiry.next()) {
      questions += 1;
      inquiry.tell(this.answer(one.body));
    }
    return { facts: inquiry.facts(), questions };
  }

  /** As {@link inquire}, of a server that speaks protocol version 0. */
  inquirePlain(body: Uint8Array): object {
    const inquiry = new PushInquiry(body);
    for (let one = inquiry.next(); one !== undefined; one = inquiry.next()) {
      // It may give up before it has read all.
      const { stdout } = spawnSync("git", ["upload-pack", "."], {
        cwd: this.folder,
        env: ENVIRONMENT,
        input: one.plain,
        maxBuffer: 256 << 20,
      });
      inquiry.tell(answerOf(stdout, true));
    }
    return inquiry.facts();
  }

  /** What git-upload-pack answers to a request of protocol version 2. */
  answer(request: Uint8Array): Buffer | undefined {
    try {
      return this.git(["upload-pack", "--stateless-rpc", "."], request, {
        GIT_PROTOCOL: "version=2",
      });
    } catch {
      return undefined;
    }
  }

  /** The push of `body`, judged over what this repository answers. */
  judge(body: Uint8Array, options?: PushOptions): DescribedPush {
    const described = describePush({
      body,
      known: readKnown(JSON.parse(JSON.stringify(this.inquire(body).facts))),
      options,
    });
    if ("unreadable" in described) throw new Error(described.unreadable);
    return described;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Numbers that look random and are the same each time (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

/** `verb object` of each part, sorted. */
export function partsOf({ parts }: DescribedPush): readonly string[] {
  return parts.map(({ verb, object }) => `${verb} ${object.join("/")}`).sort();
}

/** Any objects as a pack, also such as git would not make. */
export function packOf(
  objects: readonly { readonly kind: ObjectKind; readonly data: Buffer; readonly says?: number }[],
  count = objects.length,
): Buffer {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  header.writeUInt32BE(count, 8);
  const kinds = { commit: 1, tree: 2, blob: 3, tag: 4 };
  const entries = objects.map(({ kind, data, says = data.length }) => {
    const head = [(kinds[kind] << 4) | (says & 15)];
    for (let rest = Math.floor(says / 16); rest > 0; rest = Math.floor(rest / 128)) {
      head[head.length - 1] = (head.at(-1) ?? 0) | 0x80;
      head.push(rest & 0x7f);
    }
    return Buffer.concat([Buffer.from(head), deflateSync(data)]);
  });
  const all = Buffer.concat([header, ...entries]);
  return Buffer.concat([all, Buffer.from(hash("sha1", all), "hex")]);
}

/** A push of `ref` to the last of `objects`, with a pack of all. */
export function handMade(
  objects: readonly { readonly kind: ObjectKind; readonly data: Buffer }[],
  ref = "refs/heads/agent/x",
  pack = packOf(objects),
): Buffer {
  const last = objects.at(-1);
  const id = last === undefined ? NONE : idOf(last, FORMATS.sha1);
  return Buffer.concat([packet(`${NONE} ${id} ${ref}\0 ${CAPABILITIES}`), FLUSH, pack]);
}

/** A commit's content. */
export function commitData(tree: string, more = "", message = "x\n"): Buffer {
  const who = "A <a@example.org> 1700000000 +0000";
  return Buffer.from(`tree ${tree}\n${more}author ${who}\ncommitter ${who}\n\n${message}`);
}

/** A tree's content, in the order given. */
export function treeData(
  entries: readonly (readonly [mode: string, name: string, id: string])[],
): Buffer {
  return Buffer.concat(
    entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
    ),
  );
}
