/**
 * What a credential adds to a request through the real gateway, on a connection that is kept: the same client asks
 * the same server under two names, one of which answers nobody without the credential.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "../daemon.ts";
import { loadWords, parseLoad } from "../load.ts";
import type { Part } from "../part.ts";
import { builtTool } from "../place.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { NAME, PRIVATE, startUpstream } from "../upstream.ts";

const ROUNDS = 15;
const SECONDS = 0.5; // Short, so that both of a round meet the same neighbours.
const CREDENTIAL = "bench";

export const attach: Part = {
  name: "attach",
  group: "actions",
  async measure({ scratch, profiles }) {
    await using upstream = await startUpstream(scratch);
    await using daemon = await startDaemon(scratch, { profiles });
    await daemon.client.call("credential.add", {
      spec: {
        name: CREDENTIAL,
        binding: { scheme: "http", hosts: [PRIVATE.host], port: 80 },
        how: { kind: "bearer" },
      },
      secret: { value: PRIVATE.credential },
    });
    const inside = join(daemon.workspace, "load");
    copyFileSync(builtTool("load"), inside);
    const task = taskOf(upstream.port);
    const p50 = (host: string) => async () => {
      const words = loadWords(inside, {
        mode: "keep",
        host,
        port: 80,
        clients: 1,
        seconds: SECONDS,
      });
      return parseLoad(await daemon.run(words, { task })).p50 / 1000;
    };
    const { plain, credentialed } = await inTurns(ROUNDS, {
      plain: p50(NAME),
      credentialed: p50(PRIVATE.host),
    });
    return [
      createRow({
        name: "actions/attach-keep-alive",
        unit: "ms",
        values: credentialed.map((value, n) => value - (plain[n] ?? Number.NaN)),
        against: { name: "the request without one", values: plain },
        goal: { of: "value", must: "<", be: 0.3 },
      }),
    ];
  },
};

function taskOf(port: number): string {
  const place = `ports: [80], tls: false, dial: "127.0.0.1:${port}"`;
  const allow = `allow: [{ methods: [GET], paths: ["/**"] }]`;
  return `task: bench
purpose: Measure what a credential adds.
grants:
  - { system: http, name: plain, hosts: [${NAME}], ${place}, ${allow} }
  - { system: http, name: private, hosts: [${PRIVATE.host}], credential: ${CREDENTIAL}, ${place}, ${allow} }
`;
}
