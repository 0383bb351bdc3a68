/**
 * How bad a task could get, and what its record says of its file.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import type { TaskRoom } from "./task-room.ts";

export function blastHandlers(
  desk: ConsoleDesk,
  room: TaskRoom,
): Pick<
  ConsoleHandlers,
  "blast.assess" | "blast.compare" | "tighten.propose" | "autonomy.propose"
> {
  const asked = async (place: string) => {
    return { nowMs: desk.now(), fileName: await room.fileOf(place) };
  };
  const historyOf = async (task: string | undefined, signal: AbortSignal) =>
    task === undefined ? { runs: [], actions: [] } : room.past.historyOf(task, signal);
  const withHistory = async (place: string, source: string, signal: AbortSignal) => {
    const about = { ...(await asked(place)), source };
    const { fileName, nowMs } = about;
    const texts = [{ source, fileName }];
    const [title] = await room.solver.ask({ kind: "titles", nowMs, texts }, signal);
    return { ...about, history: await historyOf(title?.task, signal) };
  };
  return {
    "blast.assess": async ({ place, ...asks }, { signal }) =>
      room.solver.ask({ kind: "assess", ...(await asked(place)), ...asks }, signal),
    "blast.compare": async ({ place, before, after }, { signal }) =>
      room.solver.ask({ kind: "compare", ...(await asked(place)), before, after }, signal),
    "tighten.propose": async ({ place, source }, { signal }) => {
      const job = await withHistory(place, source, signal);
      return room.solver.ask({ kind: "tighten", ...job }, signal);
    },
    "autonomy.propose": async ({ place, source }, { signal }) => {
      const job = await withHistory(place, source, signal);
      return room.solver.ask({ kind: "autonomy", ...job }, signal);
    },
  };
}
