/**
 * What answers the console's own endpoints; a file for each topic.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { lentHandlers } from "./credentials.ts";
import { doctorHandlers } from "./doctor.ts";
import { drillHandlers } from "./drills.ts";
import { incidentHandlers } from "./incidents.ts";
import { ledgerHandlers } from "./ledger.ts";
import { nowHandlers } from "./now.ts";
import { proofHandlers } from "./proof.ts";
import { sessionHandlers } from "./session.ts";

export function consoleHandlers(desk: ConsoleDesk): ConsoleHandlers {
  return {
    ...sessionHandlers(desk),
    ...ledgerHandlers(desk),
    ...nowHandlers(desk),
    ...proofHandlers(desk),
    ...incidentHandlers(desk),
    ...drillHandlers(desk),
    ...doctorHandlers(),
    ...lentHandlers(desk),
  };
}
