/**
 * The part of the control contract that the console serves itself: what is worked out from the record, from task files
 * and from this machine, and would have no business in the daemon, which judges (docs/decisions/0394).
 *
 * `POST /api/NAME` serves this table, and the daemon's (endpoints.ts) to whoever has the role.
 *
 * @module
 */
import type { z } from "zod";
import type { Endpoint } from "../endpoint.ts";
import { ENDPOINTS } from "../endpoints.ts";
import { BLAST_ENDPOINTS } from "./blast.ts";
import { LENT_ENDPOINTS } from "./credentials.ts";
import { DOCTOR_ENDPOINTS } from "./doctor.ts";
import { DRILL_ENDPOINTS } from "./drills.ts";
import { INCIDENT_ENDPOINTS } from "./incidents.ts";
import { LEDGER_ENDPOINTS } from "./ledger.ts";
import { NOW_ENDPOINTS } from "./now.ts";
import { PASSKEY_ROOM_ENDPOINTS } from "./passkeys.ts";
import { PROOF_ENDPOINTS } from "./proof.ts";
import { RUN_ENDPOINTS } from "./runs.ts";
import { SESSION_ENDPOINTS } from "./session.ts";
import { TASK_ENDPOINTS } from "./tasks.ts";

export * from "./runs.ts";

export const CONSOLE_ENDPOINTS = {
  ...BLAST_ENDPOINTS,
  ...DOCTOR_ENDPOINTS,
  ...DRILL_ENDPOINTS,
  ...INCIDENT_ENDPOINTS,
  ...LEDGER_ENDPOINTS,
  ...LENT_ENDPOINTS,
  ...NOW_ENDPOINTS,
  ...PASSKEY_ROOM_ENDPOINTS,
  ...PROOF_ENDPOINTS,
  ...RUN_ENDPOINTS,
  ...SESSION_ENDPOINTS,
  ...TASK_ENDPOINTS,
} as const satisfies Readonly<Record<string, Endpoint>>;

/** All that can be asked of a console. */
export const CONSOLE_API = { ...ENDPOINTS, ...CONSOLE_ENDPOINTS } as const;

export type ConsoleEndpointName = keyof typeof CONSOLE_ENDPOINTS;
export type ApiName = keyof typeof CONSOLE_API;
/** What an endpoint of the console takes, as it is sent, and what it answers. */
export type Asks<Name extends ApiName> = z.input<(typeof CONSOLE_API)[Name]["takes"]>;
export type Answers<Name extends ApiName> = z.infer<(typeof CONSOLE_API)[Name]["gives"]>;
export type StreamingName = {
  [Name in ApiName]: (typeof CONSOLE_API)[Name]["streams"] extends true ? Name : never;
}[ApiName];

export type {
  BlastAmount,
  BlastCut,
  BlastNode,
  BlastOutcome,
  BlastPicture,
  BlastStep,
} from "./blast.ts";
export { placeSchema, TASK_FILE_NAME } from "./place.ts";
export type { ListedTask, TaskPart, TaskProblem, TaskText } from "./tasks.ts";
