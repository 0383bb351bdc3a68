/**
 * What answers the console's own endpoints; a file for each topic.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { sessionHandlers } from "./session.ts";

export function consoleHandlers(desk: ConsoleDesk): ConsoleHandlers {
  return { ...sessionHandlers(desk) };
}
