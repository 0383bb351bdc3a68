/** Task files as the console finds them: the home's own, those that ship, and the texts that runs were started with. */
export { digestOf, TaskFolder, type OwnTask } from "./task-folder.ts";
export { PastTasks, type PastText } from "./past-tasks.ts";
export { profilesIn, type Profile } from "./profiles.ts";
