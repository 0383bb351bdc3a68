/**
 * The ledger as one checkpoint covers it, read beside its writer: what a backup holds, and what an old proof is made
 * anew from.
 *
 * Full tiles and sealed bundles never change; the end, which does, is read once and kept. Only a pruning takes a bundle
 * away: whoever needs all of them keeps the daemon from one meanwhile.
 *
 * @module
 */
import { assert, Fault } from "../base/index.ts";
import { partialContent } from "./commit.ts";
import { Folder, readIfThere } from "./folder.ts";
import { inclusionPath, leafHash, splitHashes, TILE_WIDTH, type Frontier } from "./merkle.ts";
import { openCheckpoint, parseVerifierKey } from "./note.ts";
import { parsePointer } from "./pruned.ts";
import { formatProof, parseProof, verifyProof, type Proven } from "./proof.ts";
import { readFrontier } from "./recover.ts";
import * as tile from "./tile.ts";

/** A file of the ledger's folder: its bytes, or where they stay as they are. */
export type LedgerFile = { readonly path: string } & (
  | { readonly bytes: Buffer }
  | { readonly at: string }
);

export class LedgerSnapshot {
  readonly size: number;
  /** The signed checkpoint. */
  readonly note: string;
  readonly verifierKey: string;
  readonly #folder: Folder;
  readonly #tree: Frontier;
  /** The entries after the last full bundle. */
  readonly #last: readonly Buffer[];
  readonly #pointer: string;

  private constructor(
    parts: { readonly folder: Folder; readonly note: string; readonly verifierKey: string },
    tree: Frontier,
    last: readonly Buffer[],
    pointer: string,
  ) {
    this.size = tree.size;
    this.note = parts.note;
    this.verifierKey = parts.verifierKey;
    this.#folder = parts.folder;
    this.#tree = tree;
    this.#last = last;
    this.#pointer = pointer;
  }

  /**
   * Reads the ledger in `dir` up to its checkpoint.
   *
   * @throws {Fault} `ledger.note` where the checkpoint is not of its key, `ledger.corrupt` where the folder does not lead to it.
   */
  static async read(dir: string): Promise<LedgerSnapshot> {
    const folder = new Folder(dir);
    const text = async (name: string) => (await readIfThere(folder.path(name)))?.toString() ?? "";
    const verifierKey = (await text(tile.VERIFIER_KEY_FILE)).trim();
    const note = await text(tile.CHECKPOINT_FILE);
    const { size, root } = openCheckpoint(note, parseVerifierKey(verifierKey));
    const n = Math.floor(size / TILE_WIDTH);
    const tree = await readFrontier(folder, n);
    const last = await readLast(folder, n, size % TILE_WIDTH);
    for (const entry of last) tree.append(leafHash(entry), () => undefined);
    if (tree.size !== size || !tree.root().equals(root)) {
      throw new Fault("ledger.corrupt", `the folder does not lead to its checkpoint of ${size}`, {
        hint: "run `cofferdam verify`",
      });
    }
    const pointer = await text(tile.PRUNED_FILE);
    const isCovered = (parsePointer(pointer)?.seq ?? Infinity) < size;
    return new LedgerSnapshot({ folder, note, verifierKey }, tree, last, isCovered ? pointer : "");
  }

  /** Every file that the checkpoint needs, and no other; a pruned bundle is none. */
  async *files(): AsyncIterable<LedgerFile> {
    for (const name of this.#fullTiles()) yield { path: name, at: this.#folder.path(name) };
    const segment = { n: Math.floor(this.size / TILE_WIDTH), entries: [...this.#last] };
    for (const partial of tile.partialTiles(this.size)) {
      const bytes = partialContent(partial, { rows: this.#tree.rows, segments: [segment] });
      yield { path: tile.tilePath(partial), bytes };
    }
    if (this.#last.length > 0) {
      const bytes = Buffer.concat(this.#last.map(tile.frameEntry));
      yield { path: tile.journalPath(segment.n), bytes };
    }
    const rest = [
      [tile.PRUNED_FILE, this.#pointer],
      [tile.VERIFIER_KEY_FILE, `${this.verifierKey}\n`],
      [tile.CHECKPOINT_FILE, this.note],
    ] as const;
    for (const [path, text] of rest) if (text !== "") yield { path, bytes: Buffer.from(text) };
  }

  /** The hashes beside leaf `seq` on its way to the root. */
  async pathOf(seq: number): Promise<readonly Buffer[]> {
    return inclusionPath(seq, this.size, async (level, n) => {
      const count = Math.floor(this.size / TILE_WIDTH ** level);
      if (n === Math.floor(count / TILE_WIDTH)) return this.#tree.rows[level] ?? [];
      const bytes = await readIfThere(
        this.#folder.path(tile.tilePath({ level, n, width: TILE_WIDTH })),
      );
      return splitHashes(bytes ?? Buffer.alloc(0));
    });
  }

  *#fullTiles(): Iterable<string> {
    const full = Math.floor(this.size / TILE_WIDTH);
    for (let n = 0; n < full; n += 1)
      yield tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
    for (
      let level = 0, count = full;
      count > 0;
      level += 1, count = Math.floor(count / TILE_WIDTH)
    ) {
      for (let n = 0; n < count; n += 1) yield tile.tilePath({ level, n, width: TILE_WIDTH });
    }
  }
}

async function readLast(folder: Folder, n: number, count: number): Promise<readonly Buffer[]> {
  const sealed = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
  // A journal that is sealed between two looks has become the bundle.
  for (const path of [tile.journalPath(n), sealed]) {
    const bytes = await readIfThere(folder.path(path));
    if (bytes === undefined) continue;
    return tile.splitBundle(bytes, () => true).entries.slice(0, count);
  }
  return [];
}

/**
 * The old proof `text` as one against the checkpoint of now of the ledger in `dir`: also where the entry was pruned
 * since, for its hash is in the tree, and the entry stands in the proof.
 *
 * @throws {Fault} `ledger.proof` where the old proof does not hold, or its entry is not in the ledger of now.
 */
export async function renewProof(
  dir: string,
  text: string,
): Promise<{ readonly proof: string; readonly proven: Proven }> {
  const snapshot = await LedgerSnapshot.read(dir);
  const { seq, size } = verifyProof(text, snapshot.verifierKey);
  const { entry } = parseProof(text);
  assert(entry, "a proof that holds has its entry");
  if (size > snapshot.size) {
    throw new Fault(
      "ledger.proof",
      `the proof is of ${size} entries, and the record has ${snapshot.size}: it was cut off`,
    );
  }
  const path = await snapshot.pathOf(seq);
  const proof = formatProof({ seq, entry, path, checkpoint: snapshot.note });
  return { proof, proven: verifyProof(proof, snapshot.verifierKey) };
}
