import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ledgerHome } from "../../test/support/ledger.ts";
import { writeCommit } from "./commit.ts";
import { Folder } from "./folder.ts";
import { frameEntry } from "./tile.ts";

/** A real folder that tells what it did. */
class TellingFolder extends Folder {
  readonly told: string[] = [];
  override async write(name: string, bytes: Buffer | string, durable: boolean): Promise<void> {
    await super.write(name, bytes, durable);
    this.told.push(`${durable ? "durable" : "copy"} ${name}`);
  }
  override async move(from: string, to: string): Promise<void> {
    await super.move(from, to);
    this.told.push(`${from} -> ${to}`);
  }
  override async syncData(descriptor: number): Promise<void> {
    await super.syncData(descriptor);
    this.told.push("journal synced");
  }
  override async sync(): Promise<void> {
    await super.sync();
    this.told.push("names synced");
  }
}

// No kill -9 shows this order, since what was written outlives a process; only a power loss would.
test("a commit puts its checkpoint in place after all that it covers is on disk", async (t) => {
  const home = ledgerHome(t);
  mkdirSync(join(home.dir, "journal"), { recursive: true });
  const folder = new TellingFolder(home.dir);
  const entry = Buffer.from("{}");
  const segments = [256, 2].map((count, n) => {
    const entries = Array.from({ length: count }, () => entry);
    const descriptor = openSync(join(home.dir, `journal/${n}`), "ax");
    for (const one of entries) writeSync(descriptor, frameEntry(one));
    return { n, descriptor, entries, bytes: 4 * count, synced: 0, named: false };
  });
  const hashes = Array.from({ length: 256 }, () => Buffer.alloc(32));
  const sealed = await writeCommit(folder, {
    size: 258,
    before: 0,
    note: "a checkpoint",
    segments,
    rows: [hashes.slice(0, 2), hashes.slice(0, 1)],
    tiles: [{ level: 0, n: 0, hashes }],
  });
  for (const { descriptor } of segments) closeSync(descriptor);
  assert.equal(sealed, 1);
  assert.deepEqual(folder.told, [
    "journal synced",
    "journal synced",
    "journal/0 -> tile/entries/000",
    "durable tile/0/000",
    "copy tile/entries/001.p/2",
    "copy tile/0/001.p/2",
    "copy tile/1/000.p/1",
    "names synced",
    "durable checkpoint",
    "names synced",
  ]);
});
