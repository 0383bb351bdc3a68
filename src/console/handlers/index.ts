/**
 * What answers the console's own endpoints; a file for each topic.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { ledgerHandlers } from "./ledger.ts";
import { nowHandlers } from "./now.ts";
import { runHandlers } from "./runs.ts";
import { sessionHandlers } from "./session.ts";

export function consoleHandlers(desk: ConsoleDesk): ConsoleHandlers {
  return {
    ...sessionHandlers(desk),
    ...nowHandlers(desk),
    ...ledgerHandlers(desk),
    ...runHandlers(desk),
  };
}
