/** Golden requests of a Debian repository. */
import { goldenRows, type Golden } from "../golden.ts";

const FORMAT = "https://wiki.debian.org/DebianRepository/Format";
const LAYOUT =
  "https://docs.rs/debian-packaging/0.12.0/debian_packaging/repository/builder/enum.PoolLayout.html";
const UNKNOWN = ["publish", "delete"] as const;

export const golden: readonly Golden[] = [
  ...goldenRows(FORMAT, [
    ["GET /debian/dists/stable/InRelease", "index.read", ["read"], "signed in itself"],
    ["GET /debian/dists/stable/Release", "index.read", ["read"], "signed beside it"],
    ["GET /debian/dists/stable/Release.gpg", "index.read", ["read"], "the signature"],
    [
      "GET /debian-security/dists/stable/updates/InRelease",
      "index.read",
      ["read"],
      "a name with a slash",
    ],
    [
      "GET /debian/dists/stable/main/binary-amd64/Packages.xz",
      "index.read",
      ["read"],
      "what there is",
    ],
    ["GET /debian/dists/stable/main/source/Sources.gz", "index.read", ["read"], "their sources"],
    [
      "GET /debian/dists/stable/main/i18n/Translation-en.bz2",
      "index.read",
      ["read"],
      "descriptions",
    ],
    [
      "GET /debian/dists/stable/main/Contents-amd64.gz",
      "index.read",
      ["read"],
      "which files are in which package",
    ],
    [
      `GET /debian/dists/stable/main/binary-amd64/by-hash/SHA256/${"ab".repeat(32)}`,
      "index.read",
      ["read"],
      "by its sum",
    ],
    [
      "GET /debian/dists/stable/main/binary-amd64/Packages.diff/Index",
      "index.read",
      ["read"],
      "what changed",
    ],
    ["GET /dists/stable/InRelease", "index.read", ["read"], "an archive at the root of its host"],
    ["GET /Packages.gz", "flat.read", ["read"], "a flat repository"],
    ["GET /debian/dists/stable/InRelease/x", "unknown", UNKNOWN, "no file of the format"],
    ["GET /debian/project/x", "unknown", UNKNOWN, "no file of the format"],
    ["DELETE /debian/dists/stable/InRelease", "unknown", UNKNOWN, "an archive is only read"],
  ]),
  ...goldenRows(LAYOUT, [
    [
      "GET /debian/pool/main/libz/libzstd/zstd_1.4.8+dfsg-2.1_amd64.deb",
      "package.read",
      ["read"],
      "a name that begins with lib",
    ],
    [
      "GET /debian/pool/main/p/python3.9/python3.9_3.9.9-1_arm64.deb",
      "package.read",
      ["read"],
      "any other name",
    ],
    [
      `GET /debian/pool/main/p/${"a".repeat(201)}/x.deb`,
      "unknown",
      UNKNOWN,
      "longer than a name is: it says something else",
    ],
  ]),
  ...goldenRows("memory", [
    [
      "PUT /upload/x_1.0_amd64.deb",
      "package.upload",
      ["publish"],
      "dput by HTTP",
      { raw: { type: "application/octet-stream", text: "x" } },
    ],
  ]),
];
