import assert from "node:assert/strict";
import { Duplex } from "node:stream";
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
});
