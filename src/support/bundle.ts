/**
 * The bundle: parts that were covered, as one archive, looked at once more as a whole.
 *
 * INV-237: what is written holds no secret that is known here, in any spelling: each part is redacted by shape and covered
 * by value before it is put in, and where the look at the finished archive still finds one there is no archive.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describeError, Fault } from "../base/index.ts";
import { redactShapes } from "../incident/index.ts";

/** Of the archive before it is packed; a request to the daemon holds it. */
export const BUNDLE_BYTES_MAX = 2 << 20;

/** A file of the bundle. */
export interface Part {
  readonly name: string;
  readonly text: string;
}

/** Covers secrets by value; tells how many there were. */
export type Cover = (bytes: Buffer) => Promise<{ readonly bytes: Buffer; readonly found: number }>;

export interface Bundle {
  /** A gzipped tar archive. */
  readonly archive: Buffer;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
  /** How often a secret was covered. */
  readonly covered: number;
}

/** What is done to each part first; a test leaves it out, to see the last look. */
export type Redact = (text: string) => string;

/**
 * @throws {Fault} `support.secret` where the finished archive holds a secret still, `support.size`, `support.tar` where
 *   there is no tar program.
 */
export async function makeBundle(
  parts: readonly Part[],
  cover: Cover,
  redact: { readonly shapes: Redact; readonly values: Cover } = {
    shapes: redactShapes,
    values: cover,
  },
): Promise<Bundle> {
  let covered = 0;
  const clean: Part[] = [];
  for (const { name, text } of parts) {
    const { bytes, found } = await redact.values(Buffer.from(redact.shapes(text)));
    covered += found;
    clean.push({ name, text: bytes.toString("utf8") });
  }
  const archive = packed(clean);
  if (archive.length > BUNDLE_BYTES_MAX) {
    throw new Fault("support.size", `the bundle has ${archive.length} bytes`, {
      hint: "leave --with-tasks out",
    });
  }
  const { found } = await cover(archive);
  if (found > 0) {
    throw new Fault("support.secret", `${found} secrets would be in the bundle; none was written`, {
      hint: "please say so where this is developed: what redacts has a hole",
    });
  }
  return {
    archive: gzipSync(archive),
    parts: clean.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) })),
    covered,
  };
}

/** As tar has it; names are ours. */
function packed(parts: readonly Part[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-support-")); // 0700.
  try {
    for (const { name, text } of parts) writeFileSync(join(folder, name), text, { mode: 0o600 });
    const names = parts.map(({ name }) => name);
    const owner = ["--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
    const { status, stdout, stderr, error } = spawnSync(
      "tar",
      ["-c", "-C", folder, ...owner, "--", ...names],
      { maxBuffer: 4 * BUNDLE_BYTES_MAX },
    );
    if (status === 0) return stdout;
    const why = error === undefined ? stderr.toString().trim() : describeError(error);
    throw new Fault("support.tar", `tar could not pack the bundle: ${why}`, {
      hint: "install tar",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
