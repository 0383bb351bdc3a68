/**
 * Task files: listed, read, checked, explained, saved.
 *
 * @module
 */
import { basename } from "node:path";
import type { Answers, ListedTask } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { digestOf, profilesIn, type PastText } from "../tasks/index.ts";
import type { TaskRoom } from "./task-room.ts";

export function taskHandlers(
  desk: ConsoleDesk,
  room: TaskRoom,
): Pick<
  ConsoleHandlers,
  "task.list" | "task.read" | "task.save" | "task.check" | "task.help" | "task.history"
> {
  const nowMs = () => desk.now();
  return {
    "task.list": async (_, asker) => {
      const found = await foundTasks(desk, room);
      const texts = found.map(({ file, source }) => ({ fileName: file, source }));
      const titles = await room.solver.ask({ kind: "titles", nowMs: nowMs(), texts }, asker);
      const runs = Map.groupBy(await room.past.texts(), ({ task }) => task);
      const tasks = found.map(({ source: _source, ...one }, at): ListedTask => {
        const title = titles[at];
        const count = title === undefined ? 0 : (runs.get(title.task)?.length ?? 0);
        return { ...one, grants: 0, ...title, runs: count };
      });
      return { folder: room.folder.path, tasks };
    },
    "task.read": async ({ place }) => {
      const { file, source } = await room.find(place);
      const isEditable = place.startsWith("tasks/");
      return { place, file, source, digest: digestOf(source), isEditable };
    },
    "task.save": async ({ name, source, base }, asker) => {
      const fileName = room.folder.fileOf(name);
      const { problems } = await room.solver.ask(
        { kind: "check", nowMs: nowMs(), source, fileName },
        asker,
      );
      const [first] = problems;
      if (first !== undefined) {
        const { line, column, message, hint } = first;
        throw new Fault("console.task_text", `${name}:${line}:${column}: ${message}`, { hint });
      }
      const { file } = room.folder.save(name, source, base);
      return {
        ...{ place: `tasks/${name}`, file, source },
        ...{ digest: digestOf(source), isEditable: true },
      };
    },
    "task.check": async ({ place, source }, asker) => {
      const fileName = await room.fileOf(place);
      return room.solver.ask({ kind: "check", nowMs: nowMs(), source, fileName }, asker);
    },
    "task.help": async (asks, asker) =>
      room.solver.ask({ kind: "help", nowMs: nowMs(), ...asks }, asker),
    "task.history": async ({ task }) => {
      const texts = (await room.past.texts()).filter((one) => one.task === task);
      return { versions: versionsOf(texts) };
    },
  };
}

type Found = Omit<ListedTask, "task" | "purpose" | "grants" | "runs"> & { readonly source: string };

/** One's own, what ships, and files from elsewhere as runs last used them. */
async function foundTasks(desk: ConsoleDesk, room: TaskRoom): Promise<readonly Found[]> {
  const own = room.folder.list().map(({ name, file, source, writtenMs }): Found => {
    const at = new Date(writtenMs).toISOString();
    return { place: `tasks/${name}`, kind: "own", file, source, at };
  });
  const profiles = profilesIn(desk.packageRoot).map(({ name, file, source }): Found => {
    return { place: `profile/${name}`, kind: "profile", file, source };
  });
  const known = new Set([...own, ...profiles].map(({ file }) => file));
  const latest = new Map<string, PastText>();
  for (const text of await room.past.texts()) {
    if (!known.has(text.file)) latest.set(text.file, text);
  }
  const used = [...latest.values()].reverse().map(({ run, file, source, at }): Found => {
    return { place: `run/${run}`, kind: "run", file, source, at };
  });
  return [...own, ...used.slice(0, USED_MAX), ...profiles];
}
/** Files from elsewhere that are listed: those used last. */
const USED_MAX = 200;

function versionsOf(texts: readonly PastText[]): Answers<"task.history">["versions"] {
  const byDigest = Map.groupBy(texts, ({ source }) => digestOf(source));
  const versions = [...byDigest].flatMap(([digest, [first, ...later]]) =>
    first === undefined
      ? []
      : [
          {
            ...{ place: `run/${first.run}`, digest, file: basename(first.file), at: first.at },
            runs: [first, ...later].map(({ run }) => run),
          },
        ],
  );
  return versions.reverse();
}
