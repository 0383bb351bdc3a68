/**
 * Approvals to test with; run as a program, one that performs for ever until it is killed: it writes a line
 * for each request that it sends, as the system that is asked would see it. With `forget` as its last word, one
 * whose clock goes on by a week at a time: one request of each week is denied, another waits.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { systemClock } from "../base/index.ts";
import type { ApprovalRequest } from "./approval.ts";
import { KEPT_MS } from "./store.ts";
import { Approvals, type ApprovalsOptions } from "./approvals.ts";

/** A request of `run` with this digest. */
export function requestOf(
  run: string,
  digest: string,
  more: Partial<Action> = {},
): ApprovalRequest {
  const action: Action = {
    id: `a-${digest}`,
    run,
    at: "2026-11-26T12:00:00.000Z",
    monoMs: 1,
    system: "blog",
    kind: "wordpress",
    verb: "post.publish",
    effects: ["publish"],
    target: "https://blog.example/wp-json/wp/v2/posts",
    summary: "Publish",
    fields: { body: { title: digest } },
    digest,
    impact: { reversible: false },
    cause: UNKNOWN_PROCESS,
    ...more,
  };
  return {
    run,
    task: "t",
    action,
    pin: { grant: "blog" },
    spool: { request: { method: "POST" }, body: Buffer.from(digest) },
    limits: { expiresMs: 60_000, undoMs: 0, needsTwo: false },
  };
}

export function openApprovals(file: string, more: Partial<ApprovalsOptions> = {}): Approvals {
  return new Approvals({ file, clock: systemClock, record: async () => {}, ...more });
}

if (import.meta.main) {
  const [file = "", sent = "", how = ""] = process.argv.slice(2);
  await (how === "forget" ? forgetting(file, sent) : performing(file, sent));
}

async function performing(file: string, sent: string): Promise<void> {
  const approvals = openApprovals(file);
  await approvals.recover();
  for (let n = 0; ; n += 1) {
    const digest = `${process.pid.toString(16)}${n.toString(16)}`.padStart(12, "0");
    const { id } = await approvals.request(requestOf("r-1", digest));
    appendFileSync(sent, `asked ${id}\n`);
    await approvals.approve({ id, by: "cli:0", code: digest.slice(0, 6) });
    appendFileSync(sent, `approved ${id}\n`);
    if (!(await approvals.consume(id))) continue;
    appendFileSync(sent, `sent ${id}\n`);
    const answer = { status: 200, headers: [], body: Buffer.from(id), isCut: false };
    await approvals.performed(id, answer);
    appendFileSync(sent, `performed ${id}\n`);
  }
}

async function forgetting(file: string, sent: string): Promise<void> {
  const clock = { now: () => ({ wallMs: Date.now() + weeks * KEPT_MS, monoMs: 0 }) };
  let weeks = 0;
  const approvals = openApprovals(file, { clock });
  for (; ; weeks += 1) {
    const digest = (part: string) =>
      `${part}${process.pid.toString(16)}${weeks.toString(16)}`.padEnd(12, "x");
    const limits = { expiresMs: KEPT_MS * 10_000, undoMs: 0, needsTwo: false };
    const waits = await approvals.request({ ...requestOf(digest("w"), digest("w")), limits });
    appendFileSync(sent, `waits ${waits.id}\n`);
    const { id } = await approvals.request({ ...requestOf("r-1", digest("d")), limits });
    await approvals.deny({ id, by: "cli:0", reason: "no" });
    appendFileSync(sent, `denied ${id}\n`);
    await approvals.sweep();
  }
}
