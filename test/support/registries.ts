/**
 * Doubles of what package managers ask, with one package in each: npm, PyPI, the Go proxy, crates.io.
 * Paths and contents by host; made by the host's own tar and Python.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What a package of the test says when it is used. */
export const SAYS = "from the registry";
export const PACKAGE = "cofferdam-sample";
export const GO_MODULE = "example.com/sample";

export type Pages = ReadonlyMap<string, string | Buffer>;

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** `https://HOST/PATH` of every document, with its content. */
export function registryPages(): Pages {
  return new Map([...npmPages(), ...pypiPages(), ...goPages(), ...cratesPages()]);
}

function npmPages(): readonly (readonly [string, string | Buffer])[] {
  const at = `https://registry.npmjs.org/${PACKAGE}`;
  const about = { name: PACKAGE, version: "1.0.0", main: "index.js" };
  const tarball = tar({
    "package/package.json": JSON.stringify(about),
    "package/index.js": `module.exports = ${JSON.stringify(SAYS)};`,
  });
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const version = { ...about, dist: { tarball: `${at}/-/${PACKAGE}-1.0.0.tgz`, integrity } };
  const document = {
    name: PACKAGE,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": version },
  };
  return [
    [at, JSON.stringify(document)],
    [`${at}/-/${PACKAGE}-1.0.0.tgz`, tarball],
  ];
}

/** The simple index (PEP 503) and a wheel (PEP 427). */
function pypiPages(): readonly (readonly [string, string | Buffer])[] {
  const module = PACKAGE.replace("-", "_");
  const info = `${module}-1.0.0.dist-info`;
  const wheel = zip({
    [`${module}.py`]: `says = ${JSON.stringify(SAYS)}\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${PACKAGE}\nVersion: 1.0.0\n`,
    [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${info}/RECORD`]: "",
  });
  const file = `${module}-1.0.0-py3-none-any.whl`;
  const url = `https://files.pythonhosted.org/packages/${file}`;
  const page = `<!DOCTYPE html><a href="${url}#sha256=${sha256(wheel)}">${file}</a>`;
  return [
    [`https://pypi.org/simple/${PACKAGE}/`, page],
    [url, wheel],
  ];
}

/** The module proxy's protocol (go.dev/ref/mod). */
function goPages(): readonly (readonly [string, string | Buffer])[] {
  const at = `https://proxy.golang.org/${GO_MODULE}/@v`;
  const mod = `module ${GO_MODULE}\n\ngo 1.19\n`;
  const within = `${GO_MODULE}@v1.0.0`;
  const source = `package sample\n\nconst Says = ${JSON.stringify(SAYS)}\n`;
  return [
    [`${at}/list`, "v1.0.0\n"],
    [`${at}/v1.0.0.info`, '{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}'],
    [`${at}/v1.0.0.mod`, mod],
    [`${at}/v1.0.0.zip`, zip({ [`${within}/go.mod`]: mod, [`${within}/sample.go`]: source })],
  ];
}

/** A sparse index (the Cargo book, "Index format") and a crate. */
function cratesPages(): readonly (readonly [string, string | Buffer])[] {
  const folder = `${PACKAGE}-1.0.0`;
  const crate = tar({
    [`${folder}/Cargo.toml`]: `[package]\nname = "${PACKAGE}"\nversion = "1.0.0"\nedition = "2021"\n`,
    [`${folder}/src/lib.rs`]: `pub const SAYS: &str = ${JSON.stringify(SAYS)};\n`,
  });
  const line = {
    name: PACKAGE,
    vers: "1.0.0",
    deps: [],
    cksum: sha256(crate),
    features: {},
    yanked: false,
  };
  return [
    ["https://index.crates.io/config.json", '{"dl":"https://static.crates.io/crates"}'],
    [`https://index.crates.io/co/ff/${PACKAGE}`, JSON.stringify(line)],
    [`https://static.crates.io/crates/${PACKAGE}/1.0.0/download`, crate],
  ];
}

type Files = Readonly<Record<string, string>>;

function tar(files: Files): Buffer {
  return inFolder(files, (folder) =>
    execFileSync("tar", ["-czf", "-", "-C", folder, ...topOf(files)]),
  );
}

function zip(files: Files): Buffer {
  return inFolder(files, (folder) => {
    // Each name as written: the Go tool wants no entries for folders.
    const script =
      "import sys, zipfile\nwith zipfile.ZipFile('out.zip', 'w') as z:\n  for n in sys.argv[1:]: z.write(n)";
    execFileSync("python3", ["-c", script, ...Object.keys(files)], { cwd: folder });
    return readFileSync(join(folder, "out.zip"));
  });
}

const topOf = (files: Files) => [
  ...new Set(Object.keys(files).map((name) => name.split("/")[0] ?? "")),
];

function inFolder(files: Files, use: (folder: string) => Buffer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-pack-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
