/**
 * The control contract's endpoints on commands and files of runs that live.
 *
 * @module
 */
import type { Handlers } from "./server.ts";
import type { Execs } from "./execs.ts";
import { listFiles, moveFile, makeFolder, removeFile, statFile } from "./run-paths.ts";
import type { Runs } from "./runs.ts";

type Names =
  | "run.exec"
  | `exec.${"list" | "input" | "signal" | "resize" | "cancel"}`
  | `file.${"stat" | "list" | "folder" | "remove" | "move"}`;

export function execHandlers(execs: Execs, runs: Runs): Pick<Handlers, Names> {
  return {
    "run.exec": async (start, { signal }) => execs.stream(runs.living(start.run), start, signal),
    "exec.list": async ({ run }) => execs.list(runs.living(run).id),
    "exec.input": async ({ run, exec, data, end }) => {
      const { streams } = execs.get(run, exec);
      if (streams.kind === "none") return {};
      const input = streams.kind === "terminal" ? streams.terminal : streams.stdin;
      if (data !== undefined && input.writable) {
        // Answered when it has been taken: a command that reads slowly slows its caller, not the daemon's memory.
        await new Promise<void>((resolve) => {
          input.write(Buffer.from(data, "base64"), () => resolve());
        });
      }
      if (end === true && streams.kind === "terminal") input.write(Buffer.from([4])); // VEOF, termios(3).
      else if (end === true) input.end();
      return {};
    },
    "exec.signal": async ({ run, exec, signal }) => {
      execs.get(run, exec).signal(signal);
      return {};
    },
    "exec.resize": async ({ run, exec, columns, rows }) => {
      const { streams } = execs.get(run, exec);
      if (streams.kind === "terminal") streams.terminal.resize(columns, rows);
      return {};
    },
    "exec.cancel": async ({ run, exec }) => {
      execs.cancel(run, exec);
      return {};
    },
    "file.stat": async (of, { signal: gone }) =>
      statFile(execs, runs.living(of.run), { ...of, gone }),
    "file.list": async (of, { signal: gone }) =>
      listFiles(execs, runs.living(of.run), { ...of, gone }),
    "file.folder": async (of, { signal: gone }) => {
      await makeFolder(execs, runs.living(of.run), { ...of, gone });
      return {};
    },
    "file.remove": async (of, { signal: gone }) => {
      await removeFile(execs, runs.living(of.run), { ...of, gone });
      return {};
    },
    "file.move": async (of, { signal: gone }) => {
      await moveFile(execs, runs.living(of.run), { ...of, gone });
      return {};
    },
  };
}
