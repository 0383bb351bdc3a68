/**
 * What handlers of task files share: where a place of the contract is, and who works texts out.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { Solver } from "../assess/index.ts";
import type { ConsoleDesk } from "../desk.ts";
import { PastTasks, profilesIn, TaskFolder } from "../tasks/index.ts";

export interface TaskRoom {
  readonly folder: TaskFolder;
  readonly past: PastTasks;
  readonly solver: Solver;
  /** The text at a place. @throws {Fault} `console.no_such_task` */
  find(place: string): Promise<{ readonly file: string; readonly source: string }>;
  /** The file of a place, which need not be there yet where it is one's own. @throws {Fault} `console.no_such_task` */
  fileOf(place: string): Promise<string>;
}

export function openTaskRoom({
  home,
  record,
  client,
  packageRoot,
  closing,
}: ConsoleDesk): TaskRoom {
  const folder = new TaskFolder(home.root);
  const past = new PastTasks(record, client);
  const find = async (place: string) => {
    const [kind, name = ""] = place.split("/");
    const found =
      kind === "tasks"
        ? folder.read(name)
        : kind === "profile"
          ? profilesIn(packageRoot).find((one) => one.name === name)
          : (await past.texts()).find(({ run }) => run === name);
    if (found === undefined) throw missing(place);
    return { file: found.file, source: found.source };
  };
  return {
    folder,
    past,
    solver: new Solver(home, closing),
    find,
    fileOf: async (place) =>
      place.startsWith("tasks/")
        ? folder.fileOf(place.slice("tasks/".length))
        : (await find(place)).file,
  };
}

function missing(place: string): Fault {
  return new Fault("console.no_such_task", `there is no task file ${place}`, {
    hint: "`cofferdam console` lists those of its own folder, those that ship and those that runs used",
  });
}
