import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { createResponseReader } from "../wire/index.ts";
import { HOST, worldOf } from "./http-test-kit.ts";
import { readAll } from "./test-kit.ts";

const BASES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\nhello",
  "HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n",
];
const PUTS = [
  ..."\r \n \r\n \t \0 : , ; 0 1 a \xff \r\n\r\n chunked close HTTP/1.0 101".split(" "),
  " ",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];
const ANSWERS = fc.record({
  base: fc.constantFrom(...BASES),
  edits: fc.array(
    fc.record({ at: fc.nat(100), cut: fc.nat(4), put: fc.constantFrom("", ...PUTS) }),
    { maxLength: 4 },
  ),
  cut: fc.integer({ min: 1, max: 60 }),
});

/** What is left of `text` as answers to GET, and how it ends. */
function answersIn(text: string): { final: number; isBroken: boolean; isCut: boolean } {
  const reader = createResponseReader({ headBytes: 65_536, fields: 400 });
  reader.push(Buffer.from(text, "latin1"));
  let final = 0;
  for (;;) {
    const event = reader.next();
    if (event === undefined)
      return { final, isBroken: false, isCut: text === "" || reader.end()?.kind === "bad" };
    if (event.kind === "bad") return { final, isBroken: true, isCut: false };
    if (event.kind === "head" && event.head.status >= 200) final += 1;
  }
}

test("INV-45, INV-46: whatever an upstream answers, a client reads one answer, or one that looks cut", async (t) => {
  const texts = new Map<string, { text: string; cut: number }>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (asked: Buffer) => {
      const id = /\/(\d+) /.exec(asked.toString("latin1"))?.[1] ?? "";
      const { text = "", cut = 1 } = texts.get(id) ?? {};
      for (let at = 0; at < text.length; at += cut)
        socket.write(text.slice(at, at + cut), "latin1");
      socket.end();
    });
  });
  const it = await worldOf(t, server);
  let count = 0;
  let whole = 0;
  const property = fc.asyncProperty(
    fc.array(ANSWERS, { minLength: 30, maxLength: 30 }),
    async (list) => {
      const asked = list.map(async ({ base, edits, cut }) => {
        const text = edits.reduce<string>(
          (so_far, edit) => so_far.slice(0, edit.at) + edit.put + so_far.slice(edit.at + edit.cut),
          base,
        );
        const id = String((count += 1));
        texts.set(id, { text, cut });
        const socket = await it.dial("a.test", 80);
        const said = readAll(socket);
        socket.write(`GET /${id} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
        const { final, isBroken, isCut } = answersIn(await said);
        assert.ok(!isBroken, JSON.stringify({ text, said: await said }));
        assert.ok(final === 1 || isCut, JSON.stringify({ text, said: await said }));
        if (!isCut) whole += 1;
      });
      await Promise.all(asked);
    },
  );
  await fc.assert(property, { numRuns: 15, endOnFailure: true });
  assert.ok(whole > 50, `${whole} whole answers`);
});
