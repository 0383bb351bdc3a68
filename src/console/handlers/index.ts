/**
 * What answers the console's own endpoints; a file for each topic.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { blastHandlers } from "./blast.ts";
import { ledgerHandlers } from "./ledger.ts";
import { nowHandlers } from "./now.ts";
import { passkeyHandlers } from "./passkeys.ts";
import { runHandlers } from "./runs.ts";
import { sessionHandlers } from "./session.ts";
import { openTaskRoom } from "./task-room.ts";
import { taskHandlers } from "./tasks.ts";

export function consoleHandlers(desk: ConsoleDesk): ConsoleHandlers {
  const room = openTaskRoom(desk);
  return {
    ...sessionHandlers(desk),
    ...passkeyHandlers(desk),
    ...nowHandlers(desk),
    ...ledgerHandlers(desk),
    ...runHandlers(desk),
    ...blastHandlers(desk, room),
    ...taskHandlers(desk, room),
  };
}
