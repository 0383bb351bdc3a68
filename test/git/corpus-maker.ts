/** How cases of the corpus are made: by git itself where it would make them. */
import { Repository, type Wish } from "./kit.ts";

type Effects = readonly string[];
export interface Expect {
  readonly verdict?: string;
  readonly verb?: string;
  readonly effects?: Effects;
  readonly includes?: Effects;
  readonly excludes?: Effects;
  readonly parts?: readonly { readonly verb: string; readonly object?: readonly string[] }[];
}
export interface More {
  readonly with?: object;
  readonly allow?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly knowsNothing?: boolean;
  readonly branches?: Readonly<Record<string, string>>;
}

export const cases: object[] = [];
export const RECEIVE = "POST /me/site.git/git-receive-pack";
const TYPE = { "content-type": "application/x-git-receive-pack-request" };

export function add(
  name: string,
  body: Buffer,
  expect: Expect,
  more: More & { readonly facts?: object } = {},
): void {
  cases.push({
    name,
    request: more.request ?? RECEIVE,
    headers: { ...TYPE, ...more.headers },
    bodyBase64: body.toString("base64"),
    ...(more.with === undefined ? {} : { with: more.with }),
    ...(more.allow === undefined ? {} : { allow: more.allow }),
    ...(more.facts === undefined ? {} : { facts: { git: more.facts } }),
    expect,
  });
}

export const BASE = {
  "README.md": "# Site\n",
  "src/a.txt": Array.from({ length: 12 }, (_, at) => `line ${at}\n`).join(""),
  "package.json": '{ "name": "site" }\n',
  ".github/workflows/ci.yml": "on: push\n",
  "ci/deploy.yml": "on: push\n",
  ".gitattributes": "* text=auto\n",
};

export type Made = {
  readonly wishes: readonly Wish[];
  readonly has?: readonly string[];
  readonly extra?: string;
  readonly tail?: Buffer;
  readonly thin?: boolean;
  /** A ref of the server that only names main. */
  readonly symbolic?: string;
};

/** A push of a real repository: `make` gets it after one commit on main, and the commit. */
export function real(
  name: string,
  make: (it: Repository, base: string) => Made,
  expect: Expect,
  more: More = {},
): void {
  const it = new Repository();
  try {
    const base = it.commit(BASE, "first");
    const made = make(it, base);
    const body = Buffer.concat([
      it.pushBody(made.wishes, {
        has: made.has ?? [base],
        thin: made.thin ?? true,
        ...(made.extra === undefined ? {} : { extra: made.extra }),
      }),
      made.tail ?? Buffer.alloc(0),
    ]);
    // The server has main where it was, and what the push says is there.
    it.git(["update-ref", "refs/heads/main", base]);
    it.git(["checkout", "-q", "-f", "main"]);
    for (const ref of it.text(["for-each-ref", "--format=%(refname)"]).split("\n")) {
      if (ref !== "refs/heads/main") it.git(["update-ref", "-d", ref]);
    }
    for (const { ref, old } of made.wishes) if (old !== undefined) it.git(["update-ref", ref, old]);
    for (const [branch, id] of Object.entries(more.branches ?? {}))
      it.git(["update-ref", branch, id]);
    if (made.symbolic !== undefined) it.git(["symbolic-ref", made.symbolic, "refs/heads/main"]);
    const facts = more.knowsNothing === true ? undefined : it.inquire(body).facts;
    add(name, body, expect, { ...more, ...(facts === undefined ? {} : { facts }) });
  } finally {
    it.remove();
  }
}

export const AGENT = "refs/heads/agent/x";
export const object = (ref: string) => ref.split("/");

/** A push of one commit of `files` to `ref`, after the base. */
export const change =
  (files: Readonly<Record<string, string | undefined>>, ref = AGENT) =>
  (it: Repository) => ({
    wishes: [{ ref, new: it.commit(files) }],
  });
export const update = (ref: string) => (it: Repository, base: string) => ({
  wishes: [{ ref, old: base, new: it.commit({ "src/a.txt": "other\n" }) }],
});
