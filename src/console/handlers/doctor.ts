/**
 * This machine's prerequisites.
 *
 * @module
 */
import { examineHost } from "../../sandbox/index.ts";
import type { ConsoleHandlers } from "../desk.ts";

export function doctorHandlers(): Pick<ConsoleHandlers, "doctor.examine"> {
  return { "doctor.examine": async () => examineHost() };
}
