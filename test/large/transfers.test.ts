/** `npm run test:large`: a gigabyte into a run and out of it by either client, in constant memory of both sides. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "../../src/client/public.ts";
import { TestHome } from "../support/home.ts";

const run = promisify(execFile);
const PIECE = 1 << 16;
const BYTES = 1 << 30;
const GROWN_KIB_MAX = 192 << 10; // Garbage of the two that collect it, and far from a gibibyte.
const home = new TestHome();
after(async () => home.close());

/** The most memory that a process ever had, in KiB (proc(5)). */
function peak(pid: number | string): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

const PYTHON = `
import cofferdam, sys
def peak():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
files = cofferdam.connect().sandbox(sys.argv[1]).files
place, size, piece = sys.argv[2], int(sys.argv[3]), bytes(${PIECE})
files.write(place, piece)
before = peak()
sent = files.write(place, (piece for _ in range(size // len(piece))))
got = 0
with files.open(place) as stream:
    while data := stream.read(len(piece)):
        got += len(data)
print(sent, got, peak() - before)
`;

test("a gibibyte each way", async (context) => {
  const host = await connect({ home: home.state });
  await using box = await host.create({ workspace: home.workspace });
  const place = `${box.workspace}/large`;
  const daemon = (await host.client.call("daemon.status", {})).pid;
  await box.files.write(place, Buffer.alloc(PIECE));
  await box.files.read(place);
  const before = [peak(daemon), peak("self")];
  async function* pieces() {
    for (let at = 0; at < BYTES; at += PIECE) yield Buffer.alloc(PIECE, at);
  }
  assert.equal(await box.files.write(place, pieces()), BYTES);
  let got = 0;
  for await (const piece of await box.files.open(place)) got += (piece as Buffer).length;
  assert.equal(got, BYTES);
  const env = {
    ...process.env,
    COFFERDAM_HOME: home.state,
    PYTHONPATH: join(import.meta.dirname, "..", "..", "clients", "python"),
  };
  const said = await run("python3", ["-c", PYTHON, box.run, place, String(BYTES)], { env });
  const [sent, read, grown = NaN] = said.stdout.trim().split(" ").map(Number);
  assert.deepEqual([sent, read], [BYTES, BYTES]);
  const [daemons, own] = [peak(daemon) - (before[0] ?? 0), peak("self") - (before[1] ?? 0)];
  context.diagnostic(`KiB more at most: Python ${grown}, TypeScript ${own}, daemon ${daemons}`);
  for (const one of [grown, own, daemons]) assert.ok(one < GROWN_KIB_MAX, `${one} KiB`);
});
