/**
 * The ledger as another implementation sees it: golang.org/x/mod/sumdb (Debian: golang-go and
 * golang-golang-x-mod-dev). Where that is missing these tests fail: run `npm run setup` with tests.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ledgerHome, sampleEvent, type LedgerHome } from "../support/ledger.ts";

const SIZES = [1, 2, 255, 256, 257, 700]; // Around the width of a tile; the last has a proof in it.
const PROVED = 300;
// 65,536 entries fill the first tile of the second level; one more step of each kind lies beyond.
const LARGE = 65_536 + 300;

const folder = mkdtempSync(join(tmpdir(), "cofferdam-peer-"));
const peer = join(folder, "tlog-peer");
after(() => rmSync(folder, { recursive: true, force: true }));
before(() => {
  const env = {
    ...process.env,
    GO111MODULE: "off",
    GOPATH: "/usr/share/gocode",
    GOCACHE: join(folder, "cache"),
    CGO_ENABLED: "0",
  };
  const source = join(import.meta.dirname, "main.go");
  const built = spawnSync("go", ["build", "-o", peer, source], { env, encoding: "utf8" });
  const hint = "apt-get install golang-go golang-golang-x-mod-dev";
  assert.equal(built.status, 0, `${String(built.error ?? built.stderr)}; ${hint}`);
});

interface Written {
  readonly home: LedgerHome;
  readonly key: string;
  readonly proof: string;
  readonly earlier: string;
}

/** Writes a ledger, keeping a checkpoint of `earlierSize` and a proof of entry `proved`. */
async function write(
  home: LedgerHome,
  sizes: Record<"earlier" | "size" | "proved", number>,
): Promise<Written> {
  const ledger = await home.open();
  let earlier = await ledger.checkpoint();
  for (let n = 0; n < sizes.size; n += 1) {
    await ledger.append(sampleEvent(n));
    if (ledger.size === sizes.earlier) earlier = await ledger.checkpoint();
  }
  await ledger.checkpoint();
  const proof = await ledger.prove(sizes.proved);
  const key = ledger.verifierKey;
  await ledger.close();
  return { home, key, proof, earlier };
}

function askPeer(written: Written): { status: number | null; said: string } {
  const files = {
    proof: join(written.home.root, "proof"),
    earlier: join(written.home.root, "earlier"),
  };
  writeFileSync(files.proof, written.proof);
  writeFileSync(files.earlier, written.earlier);
  const args = [written.key, written.home.dir, files.proof, files.earlier];
  const { status, stdout, stderr } = spawnSync(peer, args, { encoding: "utf8" });
  return { status, said: (stdout + stderr).trim() };
}

for (const [n, size] of SIZES.entries()) {
  const earlier = SIZES[n - 1] ?? 1;
  test(`another implementation accepts checkpoint, tiles, bundles, proof and growth at ${size} entries`, async (t) => {
    const proved = Math.min(PROVED, size - 1);
    const written = await write(ledgerHome(t), { earlier, size, proved });
    const said = `size ${size}, proved ${proved}, continues ${earlier}`;
    assert.deepEqual(askPeer(written), { status: 0, said });
  });
}

test("another implementation accepts a tree with a full tile of the second level", async (t) => {
  const written = await write(ledgerHome(t), { earlier: 65_000, size: LARGE, proved: 65_700 });
  const said = `size ${LARGE}, proved 65700, continues 65000`;
  assert.deepEqual(askPeer(written), { status: 0, said });
});

const REFUSED: readonly (readonly [string, (written: Written) => Written, RegExp])[] = [
  [
    "a proof of another place",
    (w) => ({ ...w, proof: w.proof.replace(`index ${PROVED}`, "index 299") }),
    /^proof: /,
  ],
  ["another key's name", (w) => ({ ...w, key: w.key.replace("+", "x+") }), /^verifier key: /],
  ["another root, with the old signature", changeRoot, /^checkpoint: /],
  ["an altered entry", (w) => alter(w, "tile/entries/001"), /^entries: entry 256 is not/],
  ["an altered tile", (w) => alter(w, "tile/0/001"), /^entries: /],
];

function changeRoot(written: Written): Written {
  const path = join(written.home.dir, "checkpoint");
  writeFileSync(path, readFileSync(path, "utf8").replace(/\n[^\n]{8}/, "\n7\nAAAAAA"));
  return written;
}

function alter(written: Written, file: string): Written {
  const path = join(written.home.dir, file);
  const bytes = readFileSync(path);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  return written;
}
for (const [why, change, said] of REFUSED) {
  test(`another implementation refuses ${why}`, async (t) => {
    const written = await write(ledgerHome(t), { earlier: 300, size: 700, proved: PROVED });
    const answer = askPeer(change(written));
    assert.equal(answer.status, 1);
    assert.match(answer.said, said);
  });
}
