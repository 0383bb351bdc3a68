import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { connect } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  createLineReader,
  createTestCertificate,
  findTools,
  messageSchema,
  programPath,
  startHost,
  worldFault,
  type Tools,
} from "./index.ts";

test("missing programs are drill.tools, which names them all and what to install", () => {
  assert.throws(
    () => findTools("", []),
    (error: unknown) => {
      assert.ok(error instanceof Error && "code" in error && "hint" in error);
      assert.equal(error.code, "drill.tools");
      assert.match(error.message, /unshare.*ip.*sshd/);
      assert.match(String(error.hint), /openssh-server/);
      return true;
    },
  );
});

test("programs are found though PATH leaves the administrators' folders out", () => {
  assert.match(findTools("/nonexistent")("sshd"), /^\/.*\/sshd$/);
});

test("a refused namespace is drill.namespace; any other silent end is drill.lost", () => {
  const refused = worldFault(1, "unshare: unshare failed: Operation not permitted\n");
  assert.equal(refused.code, "drill.namespace");
  assert.match(refused.hint ?? "", /doctor/);
  assert.equal(worldFault(137, "").code, "drill.lost");
});

test("the test certificate is one that a real TLS client verifies, for its names only", async () => {
  const { ca, certificate, key } = createTestCertificate(["api.granted.example", "b.example"]);
  const leaf = new X509Certificate(certificate);
  const authority = new X509Certificate(ca);
  assert.equal(authority.ca, true);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.verify(authority.publicKey), true);
  assert.equal(leaf.checkHost("b.example"), "b.example");
  assert.equal(leaf.checkHost("c.example"), undefined);
  const server = createServer({ cert: certificate, key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const at = { host: "127.0.0.1", port: address.port };
  const good = connect({ ...at, ca, servername: "api.granted.example" });
  await once(good, "secureConnect");
  assert.equal(good.authorized, true);
  good.destroy();
  const stranger = connect({ ...at, ca, servername: "c.example" });
  const [error] = await once(stranger, "error");
  assert.match(String(error), /Hostname\/IP does not match/);
  server.close();
});

test("lines arrive whole however the stream is split", () => {
  const property = fc.property(
    fc.array(fc.string({ minLength: 1 }).filter((line) => !line.includes("\n"))),
    fc.array(fc.nat({ max: 40 })),
    (lines, cuts) => {
      const seen: string[] = [];
      const read = createLineReader((line) => void seen.push(line));
      let text = lines.map((line) => `${line}\n`).join("");
      for (const cut of cuts) {
        read(text.slice(0, cut));
        text = text.slice(cut);
      }
      read(text);
      assert.deepEqual(seen, lines);
    },
  );
  fc.assert(property);
});

test("a message from inside is taken only in one of its forms", () => {
  assert.equal(messageSchema.safeParse({ kind: "progress", text: "x" }).success, true);
  assert.equal(messageSchema.safeParse({ kind: "result", drill: {} }).success, false);
});

test("a program of ours has the ending of the file that asks for it", () => {
  assert.equal(
    programPath("file:///p/dist/drills/a.js", "./rome/inside"),
    "/p/dist/drills/rome/inside.js",
  );
  assert.equal(programPath("file:///p/drills/a.ts", "./rome/inside"), "/p/drills/rome/inside.ts");
});

const LINK = { name: "wan", ours: [], theirs: [], routes: [], files: {} };

/** Tools whose `unshare` makes no namespace and whose `ip` fails: faults before anything is changed. */
function brokenTools(folder: string): Tools {
  const unshare = join(folder, "unshare");
  writeFileSync(unshare, '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n');
  chmodSync(unshare, 0o755);
  const found = findTools(process.env["PATH"] ?? "");
  return (name) => (name === "unshare" ? unshare : name === "ip" ? "/bin/false" : found(name));
}

test("a host that does not live is drill.host; a link that cannot be made is drill.network", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-world-"));
  const tools = brokenTools(folder);
  await assert.rejects(startHost(tools, join(folder, "absent.mjs"), LINK), { code: "drill.host" });
  const program = join(folder, "host.mjs");
  const reply = "process.on('message', ({ id }) => process.send({ id, value: null }));";
  writeFileSync(program, `${reply}process.on('disconnect', () => process.exit(0));`);
  await assert.rejects(startHost(tools, program, LINK), { code: "drill.network" });
  rmSync(folder, { recursive: true });
});
