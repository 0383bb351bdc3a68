/**
 * Writing that waits: for room, and not for a channel that is gone.
 */
import assert from "node:assert/strict";
import { Duplex, PassThrough } from "node:stream";
import { test } from "node:test";
import { chunksOf, writeAll } from "./flow-control.ts";

test("a writer waits for room, and is told of a channel that is closed (ssh.closed)", async () => {
  const to = new PassThrough({ highWaterMark: 4 });
  let isWritten = false;
  const waiting = writeAll(to, Buffer.from("more than four")).then(() => {
    isWritten = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isWritten, false);
  to.read();
  await waiting;
  const stuck = writeAll(to, Buffer.from("more than four"));
  to.destroy();
  await assert.rejects(stuck, { code: "ssh.closed" });
  await assert.rejects(writeAll(to, Buffer.from("x")), { code: "ssh.closed" });
});

test("a side that was read to its end goes on being written to", async () => {
  const to = new Duplex({
    read() {
      this.push("all");
      this.push(null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(to)) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).toString(), "all");
  assert.equal(to.destroyed, false);
});
