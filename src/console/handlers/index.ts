/**
 * What answers the console's own endpoints; a file for each topic.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { blastHandlers } from "./blast.ts";
import { lentHandlers } from "./credentials.ts";
import { doctorHandlers } from "./doctor.ts";
import { drillHandlers } from "./drills.ts";
import { incidentHandlers } from "./incidents.ts";
import { ledgerHandlers } from "./ledger.ts";
import { nowHandlers } from "./now.ts";
import { passkeyHandlers } from "./passkeys.ts";
import { proofHandlers } from "./proof.ts";
import { runHandlers } from "./runs.ts";
import { sessionHandlers } from "./session.ts";
import { openTaskRoom } from "./task-room.ts";
import { taskHandlers } from "./tasks.ts";

export function consoleHandlers(desk: ConsoleDesk): ConsoleHandlers {
  const room = openTaskRoom(desk);
  return {
    ...blastHandlers(desk, room),
    ...doctorHandlers(),
    ...drillHandlers(desk),
    ...incidentHandlers(desk),
    ...ledgerHandlers(desk),
    ...lentHandlers(desk),
    ...nowHandlers(desk),
    ...passkeyHandlers(desk),
    ...proofHandlers(desk),
    ...runHandlers(desk),
    ...sessionHandlers(desk),
    ...taskHandlers(desk, room),
  };
}
