/** Datagrams to a real socket; who holds the other end stands in test/support. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { listenAsManager } from "../../test/support/notify-socket.ts";
import { notifyService } from "./index.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-notify-"));
after(() => rmSync(place, { recursive: true }));

for (const path of [join(place, "notify"), `@cofferdam-test-${process.pid}`]) {
  test(`each text is one datagram: ${path.startsWith("@") ? "abstract" : "by path"}`, async (t) => {
    const manager = await listenAsManager(path);
    t.after(manager.end);
    notifyService(path, "READY=1\nSTATUS=serving");
    notifyService(path, "WATCHDOG=1");
    assert.equal(await manager.next(), "READY=1\nSTATUS=serving");
    assert.equal(await manager.next(), "WATCHDOG=1");
  });
}

const REFUSED = [
  // path, text, fault, why
  ["relative", "READY=1", "sys.notify_socket", "no absolute path"],
  ["/a\0b", "READY=1", "sys.notify_socket", "a zero byte would cut it"],
  [`/${"a".repeat(120)}`, "READY=1", "sys.notify_socket", "longer than an address"],
  ["/run/x", "", "sys.notify_socket", "nothing to say"],
  ["/run/x", "x".repeat(5000), "sys.notify_socket", "longer than a manager reads"],
  ["/nonexistent/notify", "READY=1", "sys.call", "nobody listens"],
] as const;
for (const [path, text, code, why] of REFUSED) {
  test(`refused: ${why}`, () => assert.throws(() => notifyService(path, text), { code }));
}
