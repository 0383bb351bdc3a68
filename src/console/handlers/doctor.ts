/**
 * This machine's prerequisites.
 *
 * @module
 */
import { examineHost } from "../../sandbox/index.ts";
import type { ConsoleHandlers } from "../desk.ts";
import { shared } from "../share.ts";

export function doctorHandlers(): Pick<ConsoleHandlers, "doctor.examine"> {
  return { "doctor.examine": shared(examineHost) }; // It makes a sandbox for a trial.
}
