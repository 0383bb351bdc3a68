/**
 * How long a run takes to start: through the API, beside bubblewrap alone, and through the command line,
 * beside Codex's sandbox and beside the very Node that the command line runs on.
 *
 * @module
 */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { peerFile, peerHome, ROOT, systemTool } from "../place.ts";
import { runProgram } from "../program.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed, timedProgram } from "../timing.ts";

const ROUNDS = 15;

/** The least that bubblewrap makes of namespaces like a run's. */
export function bareSandbox(): readonly string[] {
  const view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
  return [systemTool("bwrap", "bubblewrap"), ...view, "--unshare-all", "--die-with-parent"];
}

export const startApi: Part = {
  name: "start-api",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    await daemon.run(["true"]);
    const warm = async (work: () => unknown) => {
      await daemon.settle();
      return timed(work);
    };
    const { bwrap, answered, ended } = await inTurns(ROUNDS, {
      bwrap: () => timedProgram([...bareSandbox(), "true"]),
      answered: () => warm(() => daemon.start(["true"], { detach: true })),
      ended: () => warm(() => daemon.run(["true"])),
    });
    // No pause between them: the sandboxes for the next runs are made at the same time.
    const row = await inTurns(ROUNDS, {
      bwrap: () => timedProgram([...bareSandbox(), "true"]),
      ended: () => timed(() => daemon.run(["true"])),
    });
    const beside = { name: "the same", values: row.bwrap };
    const against = { name: "bare bubblewrap, to the end of true", values: bwrap };
    const goal = { of: "ratio", must: "<=", be: 2 } as const;
    return [
      createRow({ name: "start-api/running", unit: "ms", values: answered, against, goal }),
      createRow({ name: "start-api/ended", unit: "ms", values: ended, against, goal }),
      createRow({ name: "start-api/in-a-row", unit: "ms", values: row.ended, against: beside }),
    ];
  },
};

export const startCli: Part = {
  name: "start-cli",
  async measure({ scratch, profiles }) {
    const codex = peerFile("@openai/codex-linux-*/vendor/*/bin/codex");
    const codexHome = { CODEX_HOME: peerHome("codex") };
    await requireIsolation([codex, "sandbox", "--"], codexHome);
    await using daemon = await startDaemon(scratch, { profiles });
    const { environment, workspace } = daemon;
    const cli = [join(ROOT, "bin", "cofferdam"), "run", "--", "true"];
    await runProgram(cli, { cwd: workspace, environment });
    const { ours, peer, node } = await inTurns(ROUNDS, {
      ours: async () => {
        await daemon.settle();
        return timedProgram(cli, { cwd: workspace, environment });
      },
      peer: () =>
        timedProgram([codex, "sandbox", "--", "true"], { cwd: workspace, environment: codexHome }),
      node: () => timedProgram([process.execPath, "-e", "0"]),
    });
    return [
      createRow({
        name: "start-cli/codex",
        unit: "ms",
        values: ours,
        against: { name: "codex sandbox, its native program", values: peer },
        goal: { of: "ratio", must: "<", be: 1 },
      }),
      createRow({
        name: "start-cli/node",
        unit: "ms",
        values: ours,
        against: { name: "bare node -e 0", values: node },
        goal: { of: "ratio", must: "<=", be: 2 },
      }),
    ];
  },
};

/** A peer that quietly ran without a sandbox would be fast. @throws {Fault} `bench.peer` */
async function requireIsolation(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const inside = await runProgram([...words, "readlink", "/proc/self/ns/net"], { environment });
  if (inside.trim() !== readlinkSync("/proc/self/ns/net")) return;
  throw new Fault("bench.peer", "the peer runs its command in the host's network", {
    hint: "its sandbox needs unprivileged user namespaces",
  });
}
