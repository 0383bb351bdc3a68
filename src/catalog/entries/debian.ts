/**
 * A Debian repository, to install from. It is files only; apt asks for nothing that is not in an index. Names
 * of great entropy are for the detectors.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const FILE = "[A-Za-z0-9~%!:_.+-]{1,200}";
const FOLDERS = `(?:${FILE}/){0,8}`;

export const debian: EntrySource = {
  system: "debian",
  title: "Debian repository",
  docs: ["https://wiki.debian.org/DebianRepository/Format"],
  hosts: ["deb.debian.org", "security.debian.org"],
  base: ["/debian", "/debian-security", "/debian-debug", "/ubuntu", ""],
  unknown: ["publish", "delete"],
  routes: [
    {
      verb: "index.read",
      request: [
        `GET|HEAD /dists/{path...:(?:${FILE}/){1,4}(?:InRelease|Release|Release\\.gpg)}`,
        `GET|HEAD /dists/{path...:(?:${FILE}/){1,8}(?:Packages|Sources|Contents-[a-z0-9-]+|Translation-[A-Za-z_]+|Components-[a-z0-9-]+\\.yml|Commands-[a-z0-9-]+|Index|Release|icons-[0-9x@]+\\.tar)(?:\\.(?:gz|xz|bz2|lzma|zst))?}`,
        `GET|HEAD /dists/{path...:(?:${FILE}/){1,8}by-hash/(?:MD5Sum|SHA1|SHA256|SHA512)/[0-9a-f]{32,128}}`,
        `GET|HEAD /dists/{path...:(?:${FILE}/){1,8}(?:Packages|Sources|Contents-[a-z0-9-]+)\\.diff/${FILE}}`,
      ],
      effects: ["read"],
      summary: "Read the index {path.path}",
    },
    {
      verb: "package.read",
      request: `GET|HEAD /pool/{path...:${FOLDERS}${FILE}\\.(?:deb|udeb|ddeb|dsc|tar\\.(?:gz|xz|bz2|lzma)|diff\\.gz|asc|changes)}`,
      effects: ["read"],
      summary: "Fetch the package {path.path}",
    },
    {
      verb: "flat.read",
      request:
        "GET|HEAD /{file:(?:InRelease|Release|Release\\.gpg|(?:Packages|Sources)(?:\\.(?:gz|xz|bz2))?)}",
      effects: ["read"],
      summary: "Read the index {path.file} of a flat repository",
    },
    {
      // dput can upload so; Debian's own archive takes nothing by HTTP.
      verb: "package.upload",
      request: "PUT|POST /{rest...}",
      effects: ["publish"],
      summary: "Upload {path.rest} to the repository",
      body: ["none", "json", "form", "multipart", "raw"],
    },
  ],
};
