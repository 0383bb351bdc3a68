/**
 * git over HTTP (smart protocol) and its large files (LFS). A fetch reads. A push is read whole: what it does
 * to each ref, and every path of every new commit, is told by src/git. The protocol of files for dumb clients
 * and WebDAV are no routes, and so are unknown.
 *
 * @module
 */
import { PUSH_VERBS } from "../../git/index.ts";
import type { EntrySource } from "../entry.ts";

const DEPTH_MAX = 6; // Of a repository below its host, or below the grant's `under`.
const NAME = "[^/]{1,200}";

/** Forms of a path below a repository of any depth. */
const below = (methods: string, rest: string) =>
  Array.from({ length: DEPTH_MAX + 1 }, (_, depth) => {
    const names = Array.from({ length: depth }, (_none, at) => `/{repo_${"abcdef"[at]}:${NAME}}`);
    return `${methods} ${names.join("")}/${rest}`;
  });

const OID = "{oid:[0-9a-f]{64}}";
/** Where servers have large files themselves; GitHub and others at any path, by the name alone. */
const TRANSFERS = [`info/lfs/objects/${OID}`, `gitlab-lfs/objects/${OID}`, OID];

const TEMPLATE = `# git over HTTPS: fetching, and pushes judged ref by ref and path by path.
- system: git
  name: forge
  hosts: [git.example.com]
  credential: forge             # cofferdam credential add forge --kind basic --user bot --host git.example.com
  with:
    repos: [me/site]            # paths of repositories, with or without .git; all where this is left out
    protected: [main, "release/**"]   # pushes to these are published; so are those to the default branch
    # push_options: [ci.skip]   # what -o may say without more
    # lfs_bytes: 104857600    # of one large file; 100 MiB where this is left out
    # private: true             # what is fetched is nobody else's: writes to other systems then wait
  allow:
    - verbs: [repo.read, lfs.read]
    - verbs: [push.create, push.update, push.force]
      on: ["refs/heads/agent/**"]     # its own branches; a forced push waits for a person
    - verbs: [push.update]
      on: [refs/heads/main]           # waits for a person, who sees log and difference
    - verbs: [push.scripts]           # package.json, Makefile, lock files: waits
    # push.ci, push.hooks, push.owners, push.submodule, push.attributes, push.agents, push.link, push.secret,
    # push.dotgit, push.unseen, push.option, push.tag, push.delete, push.refs: refused unless they stand here
`;

export const git: EntrySource = {
  system: "git",
  title: "git over HTTP",
  docs: [
    "https://git-scm.com/docs/gitprotocol-http",
    "https://git-scm.com/docs/gitprotocol-pack",
    "https://git-scm.com/docs/gitprotocol-v2",
    "https://git-scm.com/docs/gitformat-pack",
    "https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md",
    "https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md",
  ],
  credential: [
    { in: "header", name: "authorization", scheme: "Basic" },
    { in: "header", name: "authorization", scheme: "Bearer" },
  ],
  unknown: ["publish", "execute", "delete", "administer"],
  speaks: "git",
  objects: { separator: "/" },
  template: TEMPLATE,
  routes: [
    {
      // Without `service` it is the dumb protocol, which the reader refuses.
      verb: "repo.read",
      request: below("GET", "info/refs"),
      effects: ["read"],
      summary: "List the refs of a repository",
      reader: "git-discovery",
    },
    {
      verb: "repo.read",
      request: below("POST", "git-upload-pack"),
      effects: ["read"],
      summary: "Fetch from a repository",
      body: ["raw"],
      reader: "git-fetch",
    },
    {
      verb: "push",
      request: below("POST", "git-receive-pack"),
      effects: ["publish", "execute", "delete", "administer"],
      summary: "Push to a repository",
      body: ["raw"],
      show: "push",
      reader: "git-push",
      reads: Object.entries(PUSH_VERBS).map(([verb, { effects, summary }]) => ({
        verb,
        effects: [...effects],
        summary,
      })),
    },
    {
      // What it answers says where the files go: elsewhere needs a grant of its own.
      verb: "lfs.upload",
      request: below("POST", "info/lfs/objects/batch"),
      effects: ["write"],
      summary: "Ask where large files go",
      body: ["json"],
      reader: "git-lfs-batch",
      reads: [{ verb: "lfs.read", effects: ["read"], summary: "Ask where large files are" }],
    },
    {
      verb: "lfs.read",
      request: [...below("GET", "info/lfs/locks"), ...below("POST", "info/lfs/locks/verify")],
      effects: ["read"],
      summary: "Read who locked large files",
      body: ["none", "json"],
      reader: "git-lfs",
    },
    {
      verb: "lfs.read",
      request: TRANSFERS.flatMap((rest) => below("GET|HEAD", rest)),
      effects: ["read"],
      summary: "Read a large file",
      reader: "git-lfs",
    },
    {
      verb: "lfs.upload",
      request: [
        ...TRANSFERS.flatMap((rest) => below("PUT", rest)),
        ...below("PUT", `info/lfs/objects/${OID}/{size:\\d+}`),
        ...below("PUT", `gitlab-lfs/objects/${OID}/{size:\\d+}`),
      ],
      effects: ["write"],
      summary: "Upload a large file",
      body: ["none", "json", "raw"],
      reader: "git-lfs-upload",
    },
    {
      verb: "lfs.upload",
      request: [
        ...below("POST", "info/lfs/verify"),
        ...below("POST", `info/lfs/objects/${OID}/verify`),
      ],
      effects: ["write"],
      summary: "Say that a large file was uploaded",
      body: ["none", "json"],
      reader: "git-lfs-change",
    },
    {
      verb: "lfs.lock",
      request: below("POST", "info/lfs/locks"),
      effects: ["write"],
      summary: "Lock {body.path}",
      body: ["json"],
      reader: "git-lfs-change",
    },
    {
      verb: "lfs.unlock",
      request: below("POST", "info/lfs/locks/{lock:[A-Za-z0-9_-]{1,100}}/unlock"),
      effects: ["write", "administer"],
      summary: "Take a lock away, also that of somebody else",
      body: ["json"],
      reader: "git-lfs-change",
      cases: [
        {
          when: { "body.force": { only: [false] } },
          effects: ["write"],
          summary: "Give up a lock of its own",
        },
        {
          when: { "body.force": { absent: true } },
          effects: ["write"],
          summary: "Give up a lock of its own",
        },
      ],
    },
  ],
};
