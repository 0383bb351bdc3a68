import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HOST, site, worldOf } from "./http-test-kit.ts";
import { readAll } from "./test-kit.ts";

const MUTATIONS = fc.record({
  base: fc.constantFrom(
    `GET /ok/1 HTTP/1.1\r\n${HOST}\r\n`,
    `POST /ok/2 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabcGET /ok/3 HTTP/1.1\r\n${HOST}\r\n`,
    `POST /ok/4 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  ),
  edits: fc.array(
    fc.record({
      at: fc.nat(120),
      cut: fc.nat(4),
      put: fc.constantFrom(
        "",
        "\r",
        "\n",
        "\r\n",
        " ",
        "\t",
        "\0",
        ":",
        ",",
        "0",
        "/../no",
        "\r\n\r\n",
        "chunked",
        "Host: b.test\r\n",
        "GET /no HTTP/1.1\r\n",
        "Content-Length: 9\r\n",
        "\xff",
      ),
    }),
    { maxLength: 4 },
  ),
});

test("INV-13: whatever a request is turned into, an upstream sees granted requests only", async (t) => {
  const seen: string[] = [];
  const it = await worldOf(
    t,
    site((request, response) => {
      seen.push(`${request.headers.host} ${request.method} ${request.url}`);
      request.resume().on("end", () => response.end("fine"));
    }),
    { allow: `[{ methods: [GET, POST], paths: ["/ok/**"] }]`, limits: { lingerMs: 5 } },
  );
  const texts = fc.array(MUTATIONS, { minLength: 40, maxLength: 40 });
  const property = fc.asyncProperty(texts, async (list) => {
    const asked = list.map(async ({ base, edits }) => {
      const text = edits.reduce<string>(
        (so_far, { at, cut, put }) => so_far.slice(0, at) + put + so_far.slice(at + cut),
        base,
      );
      const socket = await it.dial("a.test", 80);
      const answer = readAll(socket);
      socket.write(Buffer.from(text, "latin1"));
      await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 60))]);
      socket.destroy();
    });
    await Promise.all(asked);
    for (const one of seen) assert.match(one, /^a\.test (GET|POST) \/ok\/[^ ]*$/);
    assert.ok(!seen.some((one) => one.includes("..")));
  });
  await fc.assert(property, { numRuns: 10, endOnFailure: true });
  assert.ok(seen.length > 0);
});
