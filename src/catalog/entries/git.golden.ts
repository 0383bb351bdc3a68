/** Golden requests of git over HTTP; pushes in full are in test/corpus/git. */
import { goldenRows, type Golden } from "../golden.ts";

const HTTP = "https://git-scm.com/docs/gitprotocol-http";
const V2 = "https://git-scm.com/docs/gitprotocol-v2";
const PACK = "https://git-scm.com/docs/gitprotocol-pack";
/** SHA-256 of `x`. */
const X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
const LFS = "https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md";
const LOCKS = "https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md";
const UNKNOWN = ["publish", "execute", "delete", "administer"] as const;

const ONE = "1".repeat(40);
const TWO = "2".repeat(40);
const NONE = "0".repeat(40);
const OID = "a".repeat(64);

const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const fetched = (...lines: readonly string[]) => ({
  raw: { type: "application/x-git-upload-pack-request", text: lines.join("") },
});
const pushed = (...lines: readonly string[]) => ({
  raw: { type: "application/x-git-receive-pack-request", text: lines.join("") },
});
const deletes = (ref: string) => pushed(line(`${ONE} ${NONE} ${ref}\0report-status`), "0000");

export const golden: readonly Golden[] = [
  ...goldenRows(HTTP, [
    ["GET /me/site.git/info/refs?service=git-upload-pack", "repo.read", ["read"], "what is there"],
    [
      "GET /me/site.git/info/refs?service=git-receive-pack",
      "repo.read",
      ["read"],
      "the same list, before a push; the push itself is judged",
    ],
    ["GET /info/refs?service=git-upload-pack", "repo.read", ["read"], "a grant with `under`"],
    ["GET /a/b/c/d/e/f.git/info/refs?service=git-upload-pack", "repo.read", ["read"], "groups"],
    ["GET /me/site.git/info/refs", "unknown", UNKNOWN, "the dumb protocol"],
    [
      "GET /me/site.git/info/refs?service=git-upload-archive",
      "unknown",
      UNKNOWN,
      "no service of HTTP",
    ],
    [
      "GET /me/site.git/info/refs?service=git-upload-pack&service=git-receive-pack",
      "unknown",
      UNKNOWN,
      "twice: a server takes one of them",
    ],
    ["GET /me/site.git/HEAD", "unknown", UNKNOWN, "the dumb protocol"],
    ["GET /me/site.git/objects/info/packs", "unknown", UNKNOWN, "the dumb protocol"],
    ["PROPFIND /me/site.git/", "unknown", UNKNOWN, "WebDAV"],
    ["MKCOL /me/site.git/refs/heads/", "unknown", UNKNOWN, "WebDAV"],
    ["PUT /me/site.git/refs/heads/main", "unknown", UNKNOWN, "WebDAV"],
    ["LOCK /me/site.git/refs/heads/main", "unknown", UNKNOWN, "WebDAV"],
    ["GET /me/site.git/config", "unknown", UNKNOWN, "a file of the repository itself"],
    [
      "POST /me/site.git/git-upload-pack",
      "repo.read",
      ["read"],
      "a clone by version 0",
      fetched(line(`want ${ONE} side-band-64k ofs-delta\n`), "0000", line("done\n")),
    ],
    [
      "POST /me/site.git/git-upload-pack",
      "unknown",
      UNKNOWN,
      "a body that is not said to be git's",
      { raw: { type: "text/plain", text: "0000" } },
    ],
    [
      "POST /me/site.git/git-upload-pack",
      "unknown",
      UNKNOWN,
      "no packet lines",
      fetched("hello, world"),
    ],
    [
      "POST /me/site.git/git-receive-pack",
      "repo.read",
      ["read"],
      "a lone flush, by which a client with much to push asks whether it may",
      pushed("0000"),
    ],
  ]),
  ...goldenRows(V2, [
    [
      "POST /me/site.git/git-upload-pack",
      "repo.read",
      ["read"],
      "the list of refs by version 2",
      fetched(
        line("command=ls-refs\n"),
        line("agent=git/2.47.0\n"),
        "0001",
        line("symrefs\n"),
        "0000",
      ),
    ],
    [
      "POST /me/site.git/git-upload-pack",
      "repo.read",
      ["read"],
      "a part of a repository",
      fetched(
        line("command=fetch"),
        line("object-format=sha1"),
        "0001",
        line("thin-pack"),
        line("filter blob:none"),
        line("deepen 1"),
        line(`want ${ONE}\n`),
        line("done\n"),
        "0000",
      ),
    ],
    [
      "POST /me/site.git/git-upload-pack",
      "unknown",
      UNKNOWN,
      "a command of a version to come",
      fetched(line("command=push"), "0001", "0000"),
    ],
  ]),
  ...goldenRows(PACK, [
    [
      "POST /me/site.git/git-receive-pack",
      "push.delete",
      ["delete"],
      "a branch goes",
      deletes("refs/heads/old"),
    ],
    [
      "POST /me/site.git/git-receive-pack",
      "push.delete",
      ["delete", "publish"],
      "a branch that others build from",
      deletes("refs/heads/main"),
    ],
    [
      "POST /me/site.git/git-receive-pack",
      "push.refs",
      ["administer", "delete"],
      "neither branch nor tag",
      deletes("refs/pull/1/head"),
    ],
    [
      "POST /me/site.git/git-receive-pack",
      "unknown",
      UNKNOWN,
      "a pack that is none",
      pushed(line(`${ONE} ${TWO} refs/heads/x\0report-status`), "0000", "PACKED"),
    ],
    [
      "POST /me/site.git/git-receive-pack",
      "push",
      ["delete", "publish", "administer"],
      "several refs are several parts",
      pushed(
        line(`${ONE} ${NONE} refs/heads/old\0report-status`),
        line(`${ONE} ${NONE} refs/notes/commits`),
        line(`${ONE} ${NONE} refs/tags/v1`),
        "0000",
      ),
    ],
  ]),
  ...goldenRows(LFS, [
    [
      "POST /me/site.git/info/lfs/objects/batch",
      "lfs.read",
      ["read"],
      "where files are",
      { json: { operation: "download", objects: [{ oid: OID, size: 1 }] } },
    ],
    [
      "POST /me/site.git/info/lfs/objects/batch",
      "lfs.upload",
      ["write"],
      "where files go",
      { json: { operation: "upload", objects: [{ oid: OID, size: 1 }] } },
    ],
    [
      `PUT /me/site.git/gitlab-lfs/objects/${X}/1`,
      "lfs.upload",
      ["write"],
      "a file itself",
      {
        raw: { type: "application/octet-stream", text: "x" },
        source: "gitlab.com config/routes/git_http.rb",
      },
    ],
    [`GET /me/site.git/info/lfs/objects/${OID}`, "lfs.read", ["read"], "a file"],
    [`GET /alambic/media/7/aa/aa/${OID}`, "lfs.read", ["read"], "a file at a host of files"],
    [
      `PUT /me/site.git/info/lfs/objects/${OID}`,
      "unknown",
      UNKNOWN,
      "a file that is not what its name says",
      { raw: { type: "application/octet-stream", text: "x" } },
    ],
  ]),
  ...goldenRows(LOCKS, [
    [
      "POST /me/site.git/info/lfs/locks",
      "lfs.lock",
      ["write"],
      "others cannot push the file",
      { json: { path: "a.bin" } },
    ],
    ["GET /me/site.git/info/lfs/locks", "lfs.read", ["read"], "who locked what"],
    [
      "POST /me/site.git/info/lfs/locks/7/unlock",
      "lfs.unlock",
      ["write", "administer"],
      "somebody else's lock",
      { json: { force: true } },
    ],
    [
      "POST /me/site.git/info/lfs/locks/7/unlock",
      "lfs.unlock",
      ["write"],
      "its own lock",
      { json: {} },
    ],
  ]),
];
