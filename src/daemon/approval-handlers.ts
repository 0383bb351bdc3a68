/**
 * What answers the endpoints on approvals: a person's decisions, by the control socket's own peer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { OWN_SYSTEM } from "../action/index.ts";
import type { ApprovalInfo, Gives, Takes } from "../api/index.ts";
import {
  cardOf,
  codeOf,
  diffJson,
  findAttached,
  likenessOf,
  lookOf,
  printCard,
  type Approval,
  type ApprovalSummary,
  type CardContext,
} from "../approval/index.ts";
import { describeError, Fault } from "../base/index.ts";
import { provenDecider, type Decided, type Proof } from "./passkeys.ts";
import { isOperation } from "../gateway/index.ts";
import { leaveLines, worstNow } from "./blast-jobs.ts";
import type { Desk } from "./desk.ts";
import { heldOf } from "./pins.ts";
import type { Runs } from "./runs.ts";
import { ReadyAnswer, type Caller, type Handlers } from "./server.ts";
import type { World } from "./world.ts";

type ApprovalHandlers = Pick<Handlers, Extract<keyof Handlers, `approvals.${string}`>>;

/**
 * The identity of whoever speaks to the control socket, or for whom its process speaks: that one decides only where
 * `approvers.yaml` lists the very identity.
 */
function identityOf({ uid, claims }: Caller): string {
  return claims ?? `cli:${uid}`;
}

export function approvalHandlers(world: World, runs: Runs): ApprovalHandlers {
  const { desk, channels } = world;
  const { approvals } = desk;
  /** Who decides: the person whose passkey signed exactly this, else whoever speaks to the control socket. */
  const deciderOf = async (
    caller: Caller,
    { proof, ...what }: Decided & { readonly proof: Proof | undefined },
  ) => (proof === undefined ? { by: identityOf(caller) } : provenDecider(world, what, proof));
  return {
    "approvals.list": async ({ all }) => new ReadyAnswer(piecesOf(approvals.list(all))),
    "approvals.show": async ({ id, ...how }, caller) => {
      await approvals.shown({ id, by: identityOf(caller) });
      return shownOf(world, runs, approvals.show(id), how);
    },
    "approvals.widens": async ({ id }) => linesOf(await widensOf(world, runs, approvals.show(id))),
    "approvals.approve": async ({ id, code, digest, allowance, proof }, caller) => {
      const terms = allowance === undefined ? {} : { allowance };
      const said = { decision: "approve", ...terms } as const;
      const shown = digest === undefined ? {} : { digest };
      const decider = { ...shown, ...(await deciderOf(caller, { id, said, digest, proof })) };
      if (allowance === undefined) return infoOf(await approvals.approve({ id, code, ...decider }));
      requireLeave(approvals.show(id));
      const { forMs, recipients, amount, count } = allowance;
      const asking = runs.living(approvals.show(id).run);
      // Before the first is performed: the agent asks for the next as soon as it has its answer.
      const also = ({ action }: Approval) =>
        asking.allow({
          id,
          system: action.system,
          verb: action.verb,
          effects: action.effects,
          count,
          untilMs: desk.nowMs + forMs,
          ...(recipients === undefined ? {} : { recipientsMax: recipients }),
          ...(amount === undefined ? {} : { amount }),
          reached: action.impact?.recipients ?? [],
        });
      return infoOf(await approvals.approve({ id, code, ...decider }, also));
    },
    "approvals.deny": async ({ id, reason, proof }, caller) => {
      const said = { decision: "deny", reason } as const;
      const { by } = await deciderOf(caller, { id, said, proof });
      return infoOf(await approvals.deny({ id, by, reason }));
    },
    "approvals.undo": async ({ id, proof }, caller) => {
      const { by } = await deciderOf(caller, { id, said: { decision: "undo" }, proof });
      return infoOf(await approvals.undo({ id, by }));
    },
    "approvals.attachment": async ({ id, sha256 }) => {
      const bytes = findAttached(approvals.spool(id).body ?? Buffer.alloc(0), sha256);
      if (bytes !== undefined) return { bytes: Buffer.from(bytes).toString("base64") };
      throw new Fault("approval.attachment", `${id} holds nothing with SHA-256 ${sha256}`, {
        hint: "`cofferdam approvals show --body FILE` writes down all that is sent",
      });
    },
    "approvals.edit": async ({ id, body, proof }, caller) => {
      const bytes = Buffer.from(body, "base64");
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const { by } = await deciderOf(caller, { id, said: { decision: "edit", sha256 }, proof });
      return infoOf(await desk.edit(id, by, bytes));
    },
    "approvals.channels": async () => channels.status(),
    "approvals.test": async ({ channel }) => ({ places: [...(await channels.test(channel))] }),
    "approvals.follow": (_, { signal }) => follow(desk, signal),
  };
}

/** An approval as a person sees it before they decide: the card of text, and all that it is made of. */
async function shownOf(
  world: World,
  runs: Runs,
  approval: Approval,
  { columns, isBrief = false }: Omit<Takes<"approvals.show">, "id">,
): Promise<Gives<"approvals.show">> {
  const { approvals } = world.desk;
  const { id, run, action, limits, note, variantOf, asked } = approval;
  const info = infoOf(approval);
  const deeds = runs.deeds(run, action.id);
  const widens = isBrief ? {} : await widensOf(world, runs, approval);
  const look = lookOf(action);
  const card = cardOf(action, { ...info, note, variantOf, asked, deeds, ...widens }, look);
  const { request, body = Buffer.alloc(0) } = approvals.spool(id);
  const alike = likenessOf(action, limits, look);
  return {
    ...info,
    code: codeOf(action),
    action: { ...action },
    body: Buffer.from(body).toString("base64"),
    card: printCard(card, columns),
    isWhole: card.hidden === undefined,
    look,
    ...runs.reason(run, action.id),
    deeds: [...deeds],
    ...linesOf(widens),
    mayLeave: action.system !== OWN_SYSTEM && isLiving(runs, run) && mayLeave(approval),
    strangers: [...approvals.strangers(action.kind, action.impact?.recipients ?? [])],
    undoMs: limits.undoMs,
    changed: asked === undefined ? [] : [...diffJson(asked, action.fields["body"])],
    isEditable: !isOperation(heldOf({ request, body })),
    ...(alike === undefined ? {} : { alike }),
  };
}

/** Before and after of what a yes could widen: leave for more of the same, and a wish for more access. */
async function widensOf(
  world: World,
  runs: Runs,
  approval: Approval,
): Promise<Pick<CardContext, "leave" | "worst">> {
  const run = runs.live.find(({ id }) => id === approval.run);
  const { system, verb, effects } = approval.action;
  if (run === undefined) return {};
  try {
    if (system === OWN_SYSTEM) return { worst: [...(await worstNow(world, run.task)), UNWIDENED] };
    if (!mayLeave(approval)) return {};
    return { leave: await leaveLines(world, run.task, { grant: system, verb, effects }) };
  } catch (error) {
    // A person decides over what is shown all the same, and reads that this is not known.
    return { worst: [`not known: ${describeError(error)}`] };
  }
}

function linesOf({
  leave,
  worst,
}: Pick<CardContext, "leave" | "worst">): Gives<"approvals.widens"> {
  return {
    ...(leave === undefined ? {} : { leave: [...leave] }),
    ...(worst === undefined ? {} : { worst: [...worst] }),
  };
}

function isLiving(runs: Runs, run: string): boolean {
  return runs.live.some(({ id }) => id === run);
}

const UNWIDENED =
  "a yes changes none of it: access widens by another task file, which `cofferdam blast --diff OLD NEW` compares";

function mayLeave({ action, limits }: Approval): boolean {
  return !action.effects.includes("administer") && action.parts === undefined && !limits.needsTwo;
}

/** @throws {Fault} `approval.leave` where nobody may be given leave for more of the same. */
function requireLeave(approval: Approval): void {
  if (mayLeave(approval)) return;
  throw new Fault(
    "approval.leave",
    "what administers, needs two persons, or is many things at once is approved one by one",
    {
      hint: "approve it without --for-run",
    },
  );
}

async function* follow(desk: Desk, signal: AbortSignal): AsyncIterable<ApprovalInfo> {
  const waiting: ApprovalInfo[] = desk.approvals.list(false).map(infoOf);
  let wake = Promise.withResolvers<void>();
  const unfollow = desk.approvals.follow((approval) => {
    waiting.push(infoOf(approval));
    wake.resolve();
  });
  signal.addEventListener("abort", () => wake.resolve(), { once: true });
  try {
    while (!signal.aborted) {
      yield* waiting.splice(0);
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    unfollow();
  }
}

/** Lines of lists: of ten thousand that wait, few are others than in the list before. */
const LINES = new WeakMap<ApprovalSummary, string>();

const PIECE_LINES = 100;

/** A list as JSON, in pieces of some 50 KB. */
function* piecesOf(list: readonly ApprovalSummary[]): Iterable<Buffer> {
  for (let at = 0; at < list.length; at += PIECE_LINES) {
    const lines = list.slice(at, at + PIECE_LINES).map(lineOf);
    yield Buffer.from(`${at === 0 ? "[" : ","}${lines.join(",")}`);
  }
  yield Buffer.from(list.length === 0 ? "[]" : "]");
}

function lineOf(approval: ApprovalSummary): string {
  let line = LINES.get(approval);
  if (line === undefined) LINES.set(approval, (line = JSON.stringify(infoOf(approval))));
  return line;
}

/** An approval as a list has it. */
export function infoOf(approval: ApprovalSummary): ApprovalInfo {
  const { id, run, task, head, state, by, reason, note, variantOf, joins } = approval;
  const { system, kind, verb, effects, summary, target } = head;
  const at = (ms: number) => new Date(ms).toISOString();
  const { notBeforeMs, limits } = approval;
  return {
    ...{ id, run, task, system, kind, verb, effects: [...effects], summary, target, state },
    createdAt: at(approval.createdMs),
    expiresAt: at(approval.expiresMs),
    ...(notBeforeMs === 0 ? {} : { notBefore: at(notBeforeMs) }),
    ...(notBeforeMs === 0 || limits.leaveMs === undefined
      ? {}
      : { mayBeginUntil: at(notBeforeMs + limits.leaveMs) }),
    ...{ by: [...by], needs: limits.needsTwo ? 2 : 1, reason, note, joins },
    ...(variantOf === "" ? {} : { variantOf }),
  };
}
