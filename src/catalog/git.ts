/**
 * What clients of git need besides HTTP: objects of the server that a push is judged over, and refusals that
 * they show to whoever pushes.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import {
  GIT_FACT,
  gitOptionsSchema,
  LFS_BYTES_MAX,
  PushInquiry,
  rejectionOf,
  samplePush,
} from "../git/index.ts";
import type { CatalogRequest } from "./describe.ts";
import type { Entry } from "./entry.ts";
import type { Facts } from "./values.ts";

/** Questions that are asked one after another before a request is judged; each depends on the answers before. */
export interface Inquiry {
  /** The next, as a POST beside the request. */
  next():
    | { readonly target: string; readonly headers: readonly string[]; readonly body: Buffer }
    | undefined;
  /** The body of the answer, where one of success came. */
  tell(answer: Uint8Array | undefined): void;
  /** What was learnt. */
  facts(): Facts;
}

const RECEIVE = "/git-receive-pack";
const UPLOAD = "/git-upload-pack";

/** What has to be asked before `request` can be judged. */
export function inquiryOf(entry: Entry, request: CatalogRequest): Inquiry | undefined {
  const { path, method, body, query } = request;
  if (entry.speaks !== "git" || method !== "POST" || body === undefined || query !== "")
    return undefined;
  if (!path.endsWith(RECEIVE)) return undefined;
  const inquiry = new PushInquiry(body);
  const target = `${path.slice(0, -RECEIVE.length)}${UPLOAD}`;
  return {
    next() {
      const question = inquiry.next();
      return question && { target, headers: HEADERS, body: question.body };
    },
    tell: (answer) => inquiry.tell(answer),
    facts: () => inquiry.named() as Facts,
  };
}

const HEADERS = [
  ...["Content-Type", "application/x-git-upload-pack-request"],
  ...["Accept", "application/x-git-upload-pack-result"],
  ...["Git-Protocol", "version=2"],
];

/**
 * Whether a fact stays true: objects have the name of their content, and a server takes a push only where its
 * refs are still what the push says they are. Such facts are kept with the request, and not read again.
 */
export function isLasting(name: string): boolean {
  return name === GIT_FACT;
}

/** What a body has to be. */
export interface ExpectedContent {
  /** Hexadecimal, in lower case. */
  readonly sha256: string;
  readonly bytesMax: number;
}

const LARGE_FILE = /\/([0-9a-f]{64})(?:\/\d+)?$/;

/** Whether the body of `request` is judged by its name alone, and held to that on its way. */
export function isNamedByContent(
  entry: Entry | undefined,
  { method, path }: Pick<CatalogRequest, "method" | "path">,
): boolean {
  return entry?.speaks === "git" && method === "PUT" && LARGE_FILE.test(path);
}

/**
 * What the name of a large file says of its content, which is too long to be read before it is judged. `verb` is
 * what was made of the request; a name that is written in another way than it was read is none that fits.
 */
export function contentOf(
  entry: Entry | undefined,
  verb: string,
  { method, path, options }: Pick<CatalogRequest, "method" | "path" | "options">,
): ExpectedContent | undefined {
  if (entry?.speaks !== "git" || method !== "PUT" || verb !== "lfs.upload") return undefined;
  const sha256 = LARGE_FILE.exec(path)?.[1] ?? "";
  const { lfs_bytes: bytesMax = LFS_BYTES_MAX } = gitOptionsSchema.parse(options ?? {});
  return { sha256, bytesMax };
}

/** An answer that git shows to whoever pushes or fetches. */
export interface GitRefusal {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** The refusal of `request` as its client reads it; `undefined` where it reads none but HTTP's. */
export function gitRefusalOf(
  entry: Entry | undefined,
  request: {
    readonly method: string;
    readonly path: string;
    readonly body?: Uint8Array | undefined;
  },
  said: { readonly short: string; readonly lines: readonly string[] },
): GitRefusal | undefined {
  if (entry?.speaks !== "git") return undefined;
  const { method, path, body } = request;
  if (method === "POST" && path.endsWith(RECEIVE) && body !== undefined) {
    const report = rejectionOf(body, said);
    const contentType = "application/x-git-receive-pack-result";
    if (report !== undefined) return { status: 200, contentType, body: report };
  }
  // git-lfs shows the message of an error of its API, and git what is plain text.
  if (path.includes("/info/lfs/") || LARGE_FILE.test(path)) {
    const message = JSON.stringify({ message: said.lines.join("\n") });
    return { status: 403, contentType: "application/vnd.git-lfs+json", body: Buffer.from(message) };
  }
  const text = `${said.lines.join("\n")}\n`;
  return { status: 403, contentType: "text/plain; charset=utf-8", body: Buffer.from(text) };
}

/** A request that is described in words. */
export interface SampleRequest {
  readonly request: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly facts: Facts;
}

/** What a push in words (`update refs/heads/main Makefile`) is as a request to `entry`, where it has such. */
export function sampleOf(entry: Entry | undefined, text: string): SampleRequest | undefined {
  const push = entry?.speaks === "git" ? samplePush(text) : undefined;
  if (push === undefined) return undefined;
  return {
    request: `POST /repository.git${RECEIVE}`,
    headers: ["content-type", "application/x-git-receive-pack-request"],
    body: push.body,
    facts: { [GIT_FACT]: push.facts as unknown as Json },
  };
}
