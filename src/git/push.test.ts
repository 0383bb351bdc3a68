/** What could be a branch of the server's is treated as that, also where it is spelled otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FORMATS } from "./object-format.ts";
import { FLUSH, packet } from "./pkt-line.ts";
import { readPush } from "./push.ts";

const OLD = "1".repeat(40);
const REFS = {
  head: "refs/heads/develop",
  branches: new Map([["refs/heads/develop", OLD]]),
  aliases: new Map<string, string>(),
};

for (const [ref, isProtected] of [
  ["refs/heads/develop", true],
  ["refs/heads/Develop", true],
  ["refs/heads/ＤＥＶＥＬＯＰ", true],
  ["refs/heads/develop2", false],
] as const) {
  test(`${ref} ${isProtected ? "is" : "is not"} the server's default branch`, () => {
    const command = packet(`${OLD} ${FORMATS.sha1.none} ${ref}\0report-status`);
    const body = Buffer.concat([command, FLUSH]);
    const push = readPush(body, { refs: REFS, objects: new Map() }, []);
    assert.equal(push.ok && push.value.refs[0]?.isProtected, isProtected);
  });
}
