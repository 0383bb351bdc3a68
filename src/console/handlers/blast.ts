/**
 * How bad a task could get, and what its record says of its file.
 *
 * @module
 */
import type { Asker, ConsoleDesk, ConsoleHandlers } from "../desk.ts";
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
  const withHistory = async (place: string, source: string, asker: Asker) => {
    const about = { ...(await asked(place)), source };
    const { fileName, nowMs } = about;
    const texts = [{ source, fileName }];
    const [title] = await room.solver.ask({ kind: "titles", nowMs, texts }, asker);
    return { ...about, history: await historyOf(title?.task, asker.signal) };
  };
  return {
    "blast.assess": async ({ place, ...asks }, asker) =>
      room.solver.ask({ kind: "assess", ...(await asked(place)), ...asks }, asker),
    "blast.compare": async ({ place, before, after }, asker) =>
      room.solver.ask({ kind: "compare", ...(await asked(place)), before, after }, asker),
    "tighten.propose": async ({ place, source }, asker) => {
      const job = await withHistory(place, source, asker);
      return room.solver.ask({ kind: "tighten", ...job }, asker);
    },
    "autonomy.propose": async ({ place, source }, asker) => {
      const job = await withHistory(place, source, asker);
      return room.solver.ask({ kind: "autonomy", ...job }, asker);
    },
  };
}
