/** Task files worked out in threads: how bad each could get, what it means, what its record says of it. */
export type { Answered, Job, Places } from "./jobs.ts";
export { Solver, WAITING_MAX } from "./solver.ts";
