/**
 * What a run is answered about itself.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { canonicalJson, OWN_HOST, OWN_PORT, OWN_SYSTEM, UNKNOWN_PROCESS } from "../action/index.ts";
import { assert, type Clock } from "../base/index.ts";
import { findEntry } from "../catalog/index.ts";
import {
  mayDo,
  type AccessAnswer,
  type Claim,
  type DenialTold,
  type Enquiries,
} from "../enquiry/index.ts";
import { actionOfHeld, type HeldRequest } from "../gateway/index.ts";
import type { Desk } from "./desk.ts";
import type { RunEvent } from "./recorder.ts";
import type { Run } from "./run.ts";

const DENIALS_BYTES_MAX = 65_536; // Of the end of the run's file.
const WAITING_MAX = 20;

/** Answers about `run`, from its policy, its file of denials, and the desk. */
export function enquiriesOf(run: Run, desk: Desk, clock: Clock): Enquiries {
  return {
    mayDo: () => mayDo(run.task, run.policy),
    denials: () => readDenials(run.files.denials),
    waiting: () =>
      desk.approvals.ofRun(run.id, WAITING_MAX).map(({ id, state, head, reason, expiresMs }) => ({
        approval: id,
        state,
        summary: head.summary,
        reason,
        expiresAt: new Date(expiresMs).toISOString(),
      })),
    claimed: (claims) => {
      for (const claim of claims) run.recorder.note(claimEvent(claim));
    },
    requestAccess: (what, why) => requestAccess(run, desk, clock, { what, why }),
  };
}

const INPUT_CHARS_MAX = 4096;

/** What the agent's side says, as an entry: its source says that it is a claim. */
function claimEvent({ kind, source, call, name, input, isError, trace }: Claim): RunEvent {
  const text = input === undefined ? "" : JSON.stringify(input);
  const brief = text.length > INPUT_CHARS_MAX ? `${text.slice(0, INPUT_CHARS_MAX)}…` : input;
  return {
    type: kind === "call" ? "tool.call" : "tool.result",
    data: {
      call,
      name,
      source,
      ...(kind === "call" ? { input: brief ?? null } : { isError: isError ?? false }),
      ...(trace === undefined ? {} : { trace: { ...trace } }),
    },
  };
}

/** As if the run had sent it itself; the words alone make it the same or another. */
async function requestAccess(
  run: Run,
  desk: Desk,
  clock: Clock,
  words: { readonly what: string; readonly why: string },
): Promise<AccessAnswer> {
  const held: HeldRequest = {
    scheme: "http",
    host: OWN_HOST,
    port: OWN_PORT,
    method: "POST",
    target: "/access-requests",
    headers: ["content-type", "application/json"],
    body: Buffer.from(canonicalJson(words)),
    facts: {},
  };
  const grant = run.policy.grants.find(({ name }) => name === OWN_SYSTEM);
  assert(grant !== undefined, "every run may ask");
  const action = actionOfHeld(held, {
    run: run.id,
    at: clock.now(),
    grant,
    entry: findEntry(OWN_SYSTEM),
    cause: UNKNOWN_PROCESS,
  });
  const { effects } = action;
  const resolution = await desk.hold(run, held, { action, effects }, 0);
  const { approval } = resolution;
  if (resolution.kind === "answered") {
    return { approval, kind: "agreed", text: resolution.answer.body.toString("utf8") };
  }
  const next = "call request_access again with the same words to hear what they said";
  return resolution.kind === "pending"
    ? { approval, kind: "pending", text: `A person is asked (${approval}); ${next}.` }
    : { approval, kind: "denied", text: `No (${approval}): ${resolution.reason}` };
}

const denialSchema = z.object({
  at: z.string(),
  title: z.string(),
  reason: z.string(),
  rule: z.string(),
  system: z.string(),
  target: z.string(),
  allowed: z.array(z.string()),
  action: z.string().optional(),
  flow: z.string().optional(),
});

/** The latest denials of the file that the run itself can read. */
function readDenials(path: string): readonly DenialTold[] {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - DENIALS_BYTES_MAX);
    const bytes = Buffer.alloc(size - from);
    const read = readSync(file, bytes, 0, bytes.length, from);
    // The first line may have been cut.
    const lines = bytes
      .toString("utf8", 0, read)
      .split("\n")
      .slice(from === 0 ? 0 : 1);
    return lines.filter((line) => line !== "").map((line) => denialSchema.parse(JSON.parse(line)));
  } finally {
    closeSync(file);
  }
}
