import assert from "node:assert/strict";
import { test } from "node:test";
import { AGENT } from "./test-kit.ts";
import { askStream, plainSite, session, worldWith, type Site } from "./http2-test-kit.ts";

const ECHO_1: Site = {
  speaks: "http/1.1",
  serve(request, response) {
    response.sendDate = false;
    const seen = `${request.httpVersion} ${request.method} ${request.headers.host} ${request.url}`;
    request.on("data", () => {});
    request.on("end", () => response.end(seen));
  },
};
const ECHO_2: Site = {
  speaks: "h2",
  serve(stream, headers) {
    const seen = `2.0 ${headers[":method"]} ${headers[":authority"]} ${headers[":path"]}`;
    stream.on("data", () => {});
    stream.on("end", () => {
      stream.respond({ ":status": 200, "x-seen": "y" });
      stream.end(seen);
    });
  },
};

for (const site of [ECHO_1, ECHO_2]) {
  test(`a client of HTTP/2 reads from an upstream of ${site.speaks}, and the record is whole`, async (t) => {
    const it = await worldWith(t, site);
    const client = await session(it, t);
    const version = site.speaks === "h2" ? "2.0" : "1.1";
    const said = await Promise.all(
      ["/one", "/two", "/three"].map((path) => askStream(client, [":path", path, "x-a", "1"])),
    );
    assert.deepEqual(
      said.map(({ status, body }) => [status, body]),
      ["/one", "/two", "/three"].map((path) => [200, `${version} GET a.test ${path}`]),
    );
    client.close();
    await it.flowsClosed(1);
    const types = it.events.map((event) => event.type).sort();
    assert.deepEqual(types, [
      ...Array.from({ length: 3 }, () => "action"),
      "flow.close",
      "flow.open",
      ...Array.from({ length: 3 }, () => "outcome"),
    ]);
    const { bytesOut, bytesIn, upstreamOut, upstreamIn } = it.event("flow.close")?.data ?? {};
    for (const count of [bytesOut, bytesIn, upstreamOut, upstreamIn]) {
      assert.ok(typeof count === "number" && count > 0);
    }
    assert.deepEqual(it.event("action")?.process, AGENT);
    assert.deepEqual([it.denials, it.findings], [[], []]);
  });
}

test("prior knowledge of HTTP/2 works where plain HTTP is granted", async (t) => {
  const plain = plainSite((stream, headers) => {
    stream.respond({ ":status": 200 });
    stream.end(String(headers[":authority"]));
  });
  const it = await worldWith(t, ECHO_1, { plain });
  const client = await session(it, t, "plain.test");
  const fields = [":scheme", "http", ":authority", "plain.test"];
  assert.equal((await askStream(client, fields)).body, "plain.test");
});
