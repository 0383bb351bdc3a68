/**
 * gRPC as its specification frames it: HTTP/2, a prefix of five bytes before each message, the status in
 * trailers. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { test } from "node:test";
import { askStream, plainSite, session, worldWith, type OnStream } from "./http2-test-kit.ts";

const CALL = [":method", "POST", "te", "trailers", "content-type", "application/grpc"];

function message(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

function answer(stream: ServerHttp2Stream, status = "0"): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () =>
    stream.sendTrailers({ "grpc-status": status, "grpc-message": "done" }),
  );
}

const serve: OnStream = (stream, headers) => {
  const method = headers[":path"];
  if (headers["te"] !== "trailers") stream.respond({ ":status": 400 }, { endStream: true });
  else if (method === "/t.T/None") {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
      { endStream: true },
    );
  } else if (method === "/t.T/Chat") {
    answer(stream);
    stream.on("data", (chunk: Buffer) => stream.write(chunk));
    stream.on("end", () => stream.end());
  } else {
    stream.resume().on("end", () => {
      answer(stream, method === "/t.T/Fail" ? "7" : "0");
      stream.end(message("pong"));
    });
  }
};

for (const host of ["a.test", "plain.test"]) {
  const scheme = host === "a.test" ? "https" : "http";
  const call = [...CALL, ":scheme", scheme, ":authority", host];
  const world = (t: Parameters<typeof worldWith>[0]) =>
    worldWith(t, { speaks: "h2", serve }, { plain: plainSite(serve) });

  test(`a unary call over ${scheme} brings its message and the status in trailers`, async (t) => {
    const it = await world(t);
    const on = await session(it, t, host);
    const said = await askStream(on, [...call, ":path", "/t.T/Ping"], message("ping"));
    assert.equal(said.body, message("pong").toString("latin1"));
    assert.deepEqual(said.trailers, ["grpc-status", "0", "grpc-message", "done"]);
    const failed = await askStream(on, [...call, ":path", "/t.T/Fail"], message("ping"));
    assert.equal(failed.trailers[1], "7");
    assert.deepEqual(
      it.actions.map(({ target }) => target),
      [`${scheme}://${host}/t.T/Ping`, `${scheme}://${host}/t.T/Fail`],
    );
  });

  test(`an answer over ${scheme} that is trailers only stays that`, async (t) => {
    const on = await session(await world(t), t, host);
    const said = await askStream(on, [...call, ":path", "/t.T/None"], message("ping"));
    assert.deepEqual([said.isWhole, said.headers.includes("grpc-status")], [true, true]);
  });

  test(`a conversation over ${scheme} streams both ways, message by message`, async (t) => {
    const on = await session(await world(t), t, host);
    const stream = on.request([...call, ":path", "/t.T/Chat"]);
    await once(stream, "response");
    for (const text of ["one", "two", "three"]) {
      stream.write(message(text));
      const [back] = (await once(stream, "data")) as [Buffer];
      assert.deepEqual(back, message(text), "each comes back before the next is sent");
    }
    const trailers = once(stream, "trailers");
    stream.end();
    const [fields] = (await trailers) as [Record<string, string>];
    assert.equal(fields["grpc-status"], "0");
  });
}

test("a method that is not granted is denied by its path, as any request", async (t) => {
  const allow = `[{ methods: [POST], paths: ["/t.T/Ping"] }]`;
  const it = await worldWith(t, { speaks: "h2", serve }, { allow });
  const on = await session(it, t);
  assert.equal((await askStream(on, [...CALL, ":path", "/t.T/Ping"], message("x"))).status, 200);
  assert.equal((await askStream(on, [...CALL, ":path", "/t.T/Drop"], message("x"))).status, 403);
});
