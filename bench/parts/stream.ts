/**
 * One large body to one client: plain, and through TLS that is ended and inspected, beside srt doing the
 * same, and beside srt's tunnel, which only passes bytes on.
 *
 * @module
 */
import { startDaemon } from "../daemon.ts";
import { curlWords, parseCurl, shellLine } from "../load.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { createSrt } from "../srt.ts";
import { inTurns } from "../statistics.ts";
import { runProgram } from "../program.ts";
import { BIG_BYTES, NAME, startUpstream } from "../upstream.ts";

const ROUNDS = 3;
const rate = async (text: Promise<string>) => parseCurl(await text, BIG_BYTES);

export const stream: Part = {
  name: "stream",
  async measure({ scratch, profiles }) {
    await using upstream = await startUpstream(scratch);
    const { port, tlsPort, caFile, task } = upstream;
    const terminating = createSrt(scratch, caFile, true);
    const tunnelling = createSrt(scratch, caFile);
    await using daemon = await startDaemon(scratch, { profiles });
    // Without this, curl would not use a proxy for loopback.
    const viaProxy = ["--noproxy", ""];
    const secure = shellLine(curlWords(`https://localhost:${tlsPort}/big`, ...viaProxy));
    const pinned = shellLine(
      curlWords(`https://localhost:${tlsPort}/big`, ...viaProxy, "--cacert", caFile),
    );
    const taken = await inTurns(ROUNDS, {
      plain: () => rate(daemon.run(curlWords(`http://${NAME}/big`), { task })),
      plainDirect: () => rate(runProgram(curlWords(`http://127.0.0.1:${port}/big`))),
      tls: () => rate(daemon.run(curlWords(`https://${NAME}/big`), { task })),
      tlsEnded: () => rate(terminating(secure)),
      tlsTunnel: () => rate(tunnelling(pinned)),
    });
    const unit = "MB/s";
    return [
      createRow({
        name: "stream/plain",
        unit,
        values: taken.plain,
        against: { name: "without Cofferdam", values: taken.plainDirect },
        goal: { of: "value", must: ">=", be: 500 },
      }),
      createRow({
        name: "stream/tls",
        unit,
        values: taken.tls,
        against: { name: "srt, tlsTerminate", values: taken.tlsEnded },
        goal: { of: "ratio", must: ">=", be: 2.5 },
      }),
      createRow({
        name: "stream/tls-tunnel",
        unit,
        values: taken.tls,
        against: { name: "srt, CONNECT tunnel, nothing inspected", values: taken.tlsTunnel },
      }),
    ];
  },
};
