import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { ATTACKS, HALF, TWINS, type SmugglingCase } from "./smuggling-corpus.ts";
import { listening, openWorld, readAll, type World } from "./test-kit.ts";

// How the bytes are cut: a parser that looks at chunks rather than at a stream shows here.
const CUTS = [1, 2, 7, Number.POSITIVE_INFINITY];

/** An upstream that believes anything, and remembers every whole request: `case` -> what it saw. */
const oracle = {
  seen: new Map<string, string[]>(),
  server: createServer({ insecureHTTPParser: true, requireHostHeader: false }),
};
let world: World;

before(async () => {
  oracle.server.on("request", (request, response) => {
    const [, kind = "", id = ""] = /^\/(ok|bad)\/([^/?#]*)/.exec(request.url ?? "") ?? [];
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const seen = kind === "ok" ? `${request.method} ${body}` : `${kind}: ${request.url}`;
      oracle.seen.set(id, [...(oracle.seen.get(id) ?? []), seen]);
      response.end("fine");
    });
  });
  const port = await listening(oracle.server);
  world = await openWorld({
    grants: `  - system: http
    name: a
    hosts: [a.test]
    ports: [80]
    dial: 127.0.0.1:${port}
    allow: [{ methods: [GET, POST], paths: ["/ok/**"] }]
`,
    limits: { lingerMs: 20 },
  });
});
after(async () => {
  await world.close();
  oracle.server.closeAllConnections();
  oracle.server.close();
});

function textOf({ bytes }: SmugglingCase, id: string): Buffer {
  return Buffer.from(bytes.replaceAll("OK", `/ok/${id}`).replaceAll("BAD", `/bad/${id}`), "latin1");
}

/** Delivers one case in pieces of `cut` bytes; resolves with all that came back. */
async function deliver(one: SmugglingCase, id: string, cut: number): Promise<string> {
  const socket = await world.dial("a.test", 80);
  const answers = one.answers ?? Math.max(one.sees.length, 1);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const answer = readAll(socket, (text) => (text.match(COMPLETE)?.length ?? 0) >= answers);
  const bytes = textOf(one, id);
  const step = Math.min(cut, bytes.length);
  // A head of 40 kB byte by byte shows nothing that its first kilobyte does not.
  const fine = Math.min(bytes.length, 1500);
  for (let at = 0; at < bytes.length && !socket.destroyed; at += at < fine ? step : bytes.length) {
    await written(socket, bytes.subarray(at, at < fine ? at + step : bytes.length));
  }
  if (one.isCutOff === true) socket.end();
  const text = await answer;
  socket.end();
  await closed;
  return text;
}

// An answer of the oracle, or a problem of ours.
const COMPLETE = /fine|\}\n/g;

async function written(socket: Socket, bytes: Buffer): Promise<void> {
  socket.write(bytes);
  await new Promise((resolve) => setImmediate(resolve));
}

for (const cut of CUTS) {
  const pieces = cut === Number.POSITIVE_INFINITY ? "whole" : `${cut} at a time`;
  suite(`requests delivered ${pieces}`, { concurrency: 32 }, () => {
    [...ATTACKS, ...HALF].forEach((one, n) => {
      test(`INV-13: no hidden or broken request arrives: ${one.why}`, async () => {
        const id = `x${n}-${cut}`;
        const answer = await deliver(one, id, cut);
        assert.deepEqual(oracle.seen.get(id) ?? [], one.sees);
        assert.ok(!answer.includes("fine"), answer);
      });
    });
    TWINS.forEach((one, n) => {
      test(`passes: ${one.why}`, async () => {
        const id = `t${n}-${cut}`;
        await deliver({ ...one, bytes: lengthened(one.bytes, id) }, id, cut);
        const sees = one.sees.map((text) => textOf({ ...one, bytes: text }, id).toString("latin1"));
        assert.deepEqual(oracle.seen.get(id) ?? [], sees);
      });
    });
  });
}

test("INV-13: nothing arrived late either", () => {
  const isTwin = (id: string) => id.startsWith("t");
  assert.deepEqual(
    [...oracle.seen.keys()].filter((id) => !isTwin(id)),
    [],
  );
  for (const [id, seen] of oracle.seen) {
    assert.equal(seen.length, TWINS[Number(id.slice(1).split("-")[0])]?.sees.length, id);
  }
});

/** Bodies grow when `BAD` is replaced; their lengths follow. */
function lengthened(bytes: string, id: string): string {
  const grown = (text: string) => textOf({ why: "", bytes: text, sees: [] }, id).length;
  const [head = "", body = ""] = bytes.split(/(?<=Content-Length: )\d+/);
  if (body !== "") {
    const at = body.indexOf("\r\n\r\n") + 4;
    const length = /Content-Length: (\d+)/.exec(bytes)?.[1] ?? "0";
    return `${head}${grown(body.slice(at, at + Number(length)))}${body}`;
  }
  return bytes.replace(
    /(\r\n\r\n)([0-9a-f]+)\r\n(GET BAD[^]*)\r\n0\r\n\r\n$/,
    (_all, end: string, _size: string, text: string) =>
      `${end}${grown(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  );
}
