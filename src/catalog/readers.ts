/**
 * Readers by name.
 *
 * @module
 */
import type { Readable, Reader, ReaderName, Reading, Unread } from "./reader.ts";
import { readEthereum } from "./readers/ethereum.ts";
import { readLfs, readLfsBatch, readLfsChange, readLfsUpload } from "./readers/git-lfs.ts";
import { readDiscovery, readFetch, readPush } from "./readers/git.ts";
import { readGraphql } from "./readers/graphql.ts";
import { readMail } from "./readers/mime.ts";
import { readWorkflow } from "./readers/n8n-workflow.ts";
import { readSolana } from "./readers/solana.ts";

const READERS: Readonly<Partial<Record<ReaderName, Reader>>> = {
  ethereum: readEthereum,
  "git-discovery": readDiscovery,
  "git-fetch": readFetch,
  "git-lfs": readLfs,
  "git-lfs-batch": readLfsBatch,
  "git-lfs-change": readLfsChange,
  "git-lfs-upload": readLfsUpload,
  "git-push": readPush,
  graphql: readGraphql,
  mime: readMail,
  "n8n-workflow": readWorkflow,
  solana: readSolana,
};

/** What the reader `name` finds; `undefined` where it cannot read it. */
export function readWith(name: ReaderName, readable: Readable): Reading | Unread | undefined {
  return READERS[name]?.(readable);
}
