/**
 * What a grant may say of git, over HTTP and over SSH.
 *
 * @module
 */
import { z } from "zod";

/** Of one large file, where a grant says nothing else; forges commonly take 100 MB and more. */
export const LFS_BYTES_MAX = 100 << 20;

/** Of `with:`. */
export const gitOptionsSchema = z.strictObject({
  /** Repositories that it is for, as paths below the host, with or without `.git`; all by default. */
  repos: z.array(z.string().regex(/^[^/\s][^\s]*[^/\s]$/)).optional(),
  /** Branches whose change is published: `*` within a part, `**` below. */
  protected: z.array(z.string().min(1).max(200)).optional(),
  /** Push options that do nothing more than their push, as they are sent. */
  push_options: z.array(z.string().min(1).max(1000)).optional(),
  /** What is read there is not for everybody. */
  private: z.boolean().optional(),
  /** Of one large file (LFS) that is uploaded. */
  lfs_bytes: z.int().positive().optional(),
});
export type GitOptions = z.output<typeof gitOptionsSchema>;

/** Whether `repos` names `repo`. Letter case is a difference, since on some servers it makes another repository. */
export function isListedRepo(repos: readonly string[], repo: string): boolean {
  return repos.some((one) => bare(one) === bare(repo));
}

function bare(repo: string): string {
  return repo.replace(/\.git$/, "");
}
