import assert from "node:assert/strict";
import { Duplex, Readable } from "node:stream";
import { test } from "node:test";
import { ConsoleBuffer } from "./console-buffer.ts";

test("a notice is plain text, whatever stands in it: no byte of it drives a terminal", () => {
  const console = new ConsoleBuffer(false);
  let said = "";
  const viewer = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  console.attach(viewer, { frame: () => undefined });
  console.notice("mining: \u001b]0;owned\u0007 \u009b2J\r\nfake line, and a benign ü");
  assert.match(said, /mining: {2}\]0;owned {3}2J {2}fake line, and a benign ü/);
  assert.doesNotMatch(said, /\\u00|\\r|\\n/);
  console.notice("left \u202eto right");
  assert.match(said, /left {2}to right/);
});

/** A viewer that takes what it is sent, or never does; and a run that says 64 MiB as fast as it is read. */
async function readBy(isReading: boolean): Promise<number> {
  const console = new ConsoleBuffer(false);
  const viewer = new Duplex({
    read() {},
    write(_chunk: Buffer, _encoding, done) {
      if (isReading) setImmediate(done);
    },
  });
  console.attach(viewer, { frame: () => undefined });
  let said = 0;
  const source = new Readable({
    read() {
      said += 1;
      this.push(said > 1024 ? null : Buffer.alloc(64 * 1024));
    },
  });
  console.take("stdout", source);
  // What is paused says nothing more, however long one waits.
  for (let turn = 0; turn < 5000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return said;
}

test("a viewer that does not read holds the run, and not the daemon's memory", async () => {
  assert.ok((await readBy(false)) < 200, "some 8 MiB");
  assert.ok((await readBy(true)) > 1024, "one that reads gets all");
});
