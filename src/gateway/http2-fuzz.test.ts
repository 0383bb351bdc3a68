import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { block, converse, frame, TYPE, USUAL } from "./http2-frames-test-kit.ts";
import {
  askStream,
  plainSite,
  session,
  worldWith,
  type OnStream,
  type Site,
} from "./http2-test-kit.ts";
import { destroyAll } from "./test-kit.ts";

const serve: OnStream = (stream) => {
  stream.on("error", () => {});
  stream.on("data", () => {});
  stream.respond({ ":status": 200 });
  stream.end("fine");
};
const SITE: Site = { speaks: "h2", serve };
const PLAIN: Readonly<Record<string, string>> = { ":scheme": "http", ":authority": "plain.test" };
const ANSWER = block([
  [":status", "200"],
  ["x", "y"],
]);
const ODD_ANSWERS = [
  block([[":status", "103"]]),
  block([[":status", "100"]]),
  block([[":status", "999"]]),
  block([[":status", "204"]]),
  block([
    [":status", "200"],
    ["content-length", "5"],
  ]),
  block([
    [":status", "200"],
    ["etag", "1"],
    ["etag", "2"],
  ]),
  block([["x-t", "1"]]),
];

/** Frames of every type with plausible and odd contents, on few streams, so that they meet. */
function frames(blocks: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const payload = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...blocks) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
    fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from("\0\0\0\0"),
      Buffer.from("\0\0\0\x08"),
      Buffer.alloc(8),
    ),
  );
  const type = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 1) }, fc.nat(11));
  return fc
    .tuple(type, fc.constantFrom(0, 1, 4, 5, 8, 0x24), fc.constantFrom(0, 1, 1, 1, 3, 5), payload)
    .map((parts) => frame(...parts));
}

test("INV-35: whatever frames a client sends, the gateway lives and serves others", async (t) => {
  const it = await worldWith(t, SITE, { plain: plainSite(serve) });
  const usual = USUAL.map(([name, value]): [string, string] => [name, PLAIN[name] ?? value]);
  const post = [...usual.slice(1), [":method", "POST"] as const].toReversed();
  const sized = [...post, ["content-length", "2"] as const];
  const requests = [block(usual), block(post), block(sized), Buffer.from("hi")];
  const property = fc.asyncProperty(
    fc.array(fc.array(frames(requests), { maxLength: 8 }), { minLength: 20, maxLength: 20 }),
    async (lists) => {
      const talks = lists.map(async (list) => {
        const socket = await it.dial("plain.test", 80);
        const late = new Promise((resolve) => setTimeout(resolve, 40));
        await Promise.race([converse(socket, Buffer.concat(list), () => false), late]);
        socket.destroy();
      });
      await Promise.all(talks);
      assert.equal((await askStream(await session(it, t), [])).body, "fine");
    },
  );
  await fc.assert(property, { numRuns: 10, endOnFailure: true });
});

test("INV-35: whatever frames an upstream sends, the gateway lives and its client gets an end", async (t) => {
  let script = Buffer.alloc(0);
  const hostile = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(Buffer.concat([frame(TYPE.settings, 0, 0), script])));
    setTimeout(() => socket.destroy(), 40);
  });
  t.after(() => destroyAll([hostile]));
  const it = await worldWith(t, SITE, { plain: hostile });
  const answers = [ANSWER, ...ODD_ANSWERS, Buffer.from("hello")];
  const fields = [":scheme", "http", ":authority", "plain.test"];
  const property = fc.asyncProperty(fc.array(frames(answers), { maxLength: 8 }), async (list) => {
    script = Buffer.concat(list);
    const on = await session(it, t, "plain.test");
    await Promise.all([askStream(on, fields), askStream(on, [...fields, ":method", "POST"], "hi")]);
    on.destroy();
  });
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
});
