/**
 * The desk: where what waits for a person is put, and from where it is performed once a person said yes.
 *
 * What is performed is the stored request, by a worker, on a connection of its own. Before, the state that
 * its effect depends on is read again: where it is not what the person saw, nothing is sent (F18).
 *
 * @module
 */
import type { Action, Effect } from "../action/index.ts";
import {
  Approvals,
  isOver,
  type Approval,
  type ApprovalsOptions,
  type ApprovalSummary,
} from "../approval/index.ts";
import { createId, describeError, Fault, type Clock, type Log } from "../base/index.ts";
import { isBare, readFact, type Facts } from "../catalog/index.ts";
import {
  catalogRequestOf,
  isOperation,
  lookupTargets,
  requestOf,
  type Attempt,
  type CertificateAuthority,
  type Credentialed,
  type Held,
  type Resolution,
} from "../gateway/index.ts";
import type { EnquiryServer } from "../enquiry/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { decide, type Policy } from "../policy/index.ts";
import type { Place as VaultPlace } from "../vault/index.ts";
import type { ServedGateway, Workers } from "../worker/index.ts";
import type { Credentials } from "./credentials.ts";
import { DeskRecord, isSession } from "./desk-record.ts";
import { leaseFor } from "./lending.ts";
import { Performer } from "./performer.ts";
import {
  changedNames,
  editedOf,
  entryOf,
  heldOf,
  isSameAction,
  lastingOf,
  onlyGrant,
  pinOf,
  policyOf,
  requestHeldIn,
  spoolOf,
  withFacts,
  type Pin,
} from "./pins.ts";
import type { Consoles } from "./consoles.ts";
import type { Lineages } from "./lineages.ts";
import type { McpServers } from "./mcp-servers.ts";
import { connectOwn, createWayOut } from "./way-out.ts";
import type { Run } from "./run.ts";
import { Watches, type Hand, type WatchPorts } from "./watches.ts";

/** How long after a yes a conversation may begin. */
const LEAVE_MS = 10 * 60_000;

export interface DeskPorts {
  readonly file: string;
  /** Where it is kept what takes effect later. */
  readonly watches: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly workers: Workers;
  readonly authority: CertificateAuthority;
  readonly credentials: Credentials;
  readonly enquiries: EnquiryServer;
  readonly servers: McpServers;
  readonly consoles: Consoles;
  readonly lineages: Lineages;
  readonly deciders: NonNullable<ApprovalsOptions["deciders"]>;
}

export class Desk {
  readonly approvals: Approvals;
  readonly #ports: DeskPorts;
  /** Those that are being performed, or wait for their time. */
  readonly #due = new Map<string, NodeJS.Timeout>();
  readonly #performing = new Set<Promise<void>>();
  readonly #watches: Watches;
  readonly #record: DeskRecord;
  /** Runs that asked and live. */
  readonly #living = new Map<string, Run>();
  readonly #unfollow: () => void;

  /** @throws {Fault} `approval.store`, `daemon.watches` */
  constructor(ports: DeskPorts) {
    this.#ports = ports;
    this.#record = new DeskRecord(ports.clock, ports.ledger);
    this.approvals = new Approvals({
      file: ports.file,
      clock: ports.clock,
      deciders: () => ports.deciders(),
      record: (approval, step) => this.#record.step(approval, step),
    });
    this.#watches = new Watches({
      file: ports.watches,
      clock: ports.clock,
      log: ports.log,
      approvals: this.approvals,
      requestOf: (approval) => this.#plainOf(approval),
      open: (approval) => this.#open(approval),
      recordAction: (approval, action, reason) => this.#record.action(approval, action, reason),
      recordOutcome: (approval, action, outcome) => this.#record.outcome(approval, action, outcome),
      notice: (run, text) => this.#living.get(run)?.console.notice(text),
    });
    this.#unfollow = this.approvals.follow((approval) => this.#look(approval));
  }

  /** Sees to what an earlier daemon left. */
  async recover(): Promise<void> {
    await this.approvals.recover();
    this.lookAgain();
    this.#watches.look();
  }

  /** Asks a person about `action` of `run`, and holds whoever waits for as long as the task says. */
  async hold(
    run: Run,
    request: Held,
    { action: described, effects }: { action: Action; effects: readonly Effect[] },
    wantedMs = run.task.approvals.holdMs,
  ): Promise<Resolution> {
    const waitMs = Math.min(wantedMs, run.task.approvals.holdMs);
    const action: Action = { ...described, effects: [...effects] };
    if (!this.#living.has(run.id)) {
      this.#living.set(run.id, run);
      void run.ended.then(() => this.#living.delete(run.id));
    }
    const { expiresMs, undoMs, fourEyes } = run.task.approvals;
    const isReversible = action.impact?.reversible === true;
    const asked = await this.approvals.request({
      run: run.id,
      task: run.task.task,
      action,
      pin: pinOf(run, request, described),
      spool: spoolOf(request),
      limits: {
        expiresMs,
        undoMs: isReversible ? 0 : undoMs,
        needsTwo: effects.some((effect) => fourEyes.includes(effect)),
        ...(isConversation(action) ? { leaveMs: LEAVE_MS } : {}),
      },
    });
    if (asked.state === "requested" && asked.joins === 0) {
      run.console.notice(
        `${asked.id} waits for you: ${action.summary}; \`cofferdam approvals show ${asked.id}\` shows all of it`,
        true,
      );
    }
    if (asked.limits.leaveMs !== undefined) return await this.#letIn(asked, described);
    return this.#resolutionOf(await this.approvals.wait(asked.id, waitMs));
  }

  /**
   * A conversation is not waited for: its run asks again once there is a yes, and begins it then, once. What is said
   * in it nobody has seen (docs/decisions/0308).
   */
  async #letIn(approval: Approval, action: Action): Promise<Resolution> {
    const { id, state } = approval;
    if (state === "approved" && (await this.approvals.consume(id))) {
      await this.#record.action(approval, action, `approved by ${approval.by.join(" and ")}`);
      await this.approvals.begun(id);
      const answer = { status: 200, headers: [], body: Buffer.alloc(0), isCut: false };
      return { kind: "answered", approval: id, answer };
    }
    if (isOver(state)) return this.#resolutionOf(this.approvals.show(id));
    const minutes = LEAVE_MS / 60_000;
    const reason = `it waits for approval ${id} (${state}); repeat the very same command: once it is approved it begins, within ${minutes} minutes, and once`;
    return { kind: "pending", approval: id, reason };
  }

  /** What is kept of approvals, and of those that are watched. */
  get kept(): { readonly approvals: Approvals["kept"]; readonly watches: Watches["kept"] } {
    return { approvals: this.approvals.kept, watches: this.#watches.kept };
  }

  get nowMs(): number {
    return this.#ports.clock.now().wallMs;
  }

  /** Replaces the body of what waits by a person's; it has another code then. @throws {Fault} `approval.edit` */
  async edit(id: string, by: string, body: Buffer): Promise<Approval> {
    const approval = this.approvals.show(id);
    const held = heldOf(this.approvals.spool(id));
    if (isOperation(held)) {
      const hint = "deny it with a reason, and have the agent ask for what you want";
      throw new Fault("daemon.no_edit", `${approval.head.kind} cannot be edited`, { hint });
    }
    const facts = { ...held.facts, ...(approval.action.fields["current"] as Facts | undefined) };
    const policy = policyOf((approval.pin as unknown as Pin).grant);
    const own = await this.#actionOf(approval, policy, { ...held, body, facts });
    const edited = editedOf(approval, own);
    const note = `${by} changed ${changedNames(approval.action.fields["body"], own.fields["body"]).join(", ") || "it"}`;
    return await this.approvals.edit({ id, by }, edited.action, body, note, edited.pin);
  }

  /** Ends what waits of `run` and would not be let through to a person any more. */
  async recheck(run: Run, policy: Policy, state: Parameters<typeof decide>[1]): Promise<void> {
    await this.approvals.cancel(
      run.id,
      ({ action }) => decide(policy, state, action).verdict === "deny",
      "its grant was taken back",
    );
  }

  async close(): Promise<void> {
    this.#unfollow();
    for (const timer of this.#due.values()) clearTimeout(timer);
    await Promise.all(this.#performing);
    await this.#watches.close();
    this.approvals.close();
  }

  #resolutionOf(approval: Approval): Resolution {
    const { id, state, reason, note } = approval;
    if (state === "performed") {
      const answer = this.approvals.takeAnswer(id);
      if (answer !== undefined) {
        const body = Buffer.from(answer.body);
        return {
          kind: "answered",
          approval: id,
          answer: { ...answer, body },
          ...(note === "" ? {} : { note }),
        };
      }
      const why = "it was performed, and its answer was given once already";
      return { kind: "denied", approval: id, reason: why };
    }
    if (isOver(state)) {
      return {
        kind: "denied",
        approval: id,
        reason: `${state}: ${reason || "no reason was given"}`,
      };
    }
    const next = `ask again with the very same request later: it joins ${id}`;
    return {
      kind: "pending",
      approval: id,
      reason: `a person decides over this (${state}); ${next}`,
    };
  }

  /** Whatever is approved is performed when its time has come. */
  #look(approval: ApprovalSummary): void {
    const { id, state, notBeforeMs } = approval;
    if (state !== "approved") {
      clearTimeout(this.#due.get(id));
      this.#due.delete(id);
      return;
    }
    if (this.#due.has(id)) return;
    if (approval.limits.leaveMs !== undefined) return; // Its run begins it itself.
    const waitMs = Math.max(0, notBeforeMs - this.#ports.clock.now().wallMs);
    const timer = setTimeout(() => {
      const work = this.#perform(id).catch((error: unknown) => {
        this.#ports.log.warn("approval.perform", { approval: id, error: describeError(error) });
      });
      this.#performing.add(work);
      void work.finally(() => this.#performing.delete(work));
    }, waitMs);
    this.#due.set(id, timer);
  }

  lookAgain(): void {
    for (const approval of this.approvals.list(false)) this.#look(approval);
  }

  /** Whether it waits for a lineage of its run to go on; then it is looked at again (INV-242). */
  #waits({ id, run }: ApprovalSummary): boolean {
    if (!this.#ports.lineages.isHeld(run)) return false;
    this.#due.delete(id);
    return true;
  }

  async #perform(id: string): Promise<void> {
    const approval = this.approvals.show(id);
    if (this.#waits(approval)) return;
    const { effects: described } = approval.pin as unknown as Pin;
    const held = heldOf(this.approvals.spool(id));
    const performer = this.#performerOf(approval, id);
    let gateway: ServedGateway | undefined;
    try {
      gateway = await this.#serve(performer, approval.run);
      const facts = await this.#factsOf(gateway, approval, held);
      const now = await this.#actionOf(approval, performer.policy, { ...held, facts });
      if (!isSameAction(now, { ...approval.action, effects: described })) {
        const names = changedNames(approval.action.fields["found"], now.fields["found"]).join(", ");
        const what = `what it acts on is not what it was when it was shown${names && ` (${names})`}`;
        const used =
          "nothing was sent, and the approval is used up: ask again, and it is shown anew";
        return await this.approvals.failed(id, `${what}; ${used}`);
      }
      const entry = entryOf(approval, onlyGrant(performer.policy));
      const bare = isBare(entry, approval.action.verb);
      const credential = await this.#credentialOf(approval, held, bare);
      if (this.#waits(approval)) return;
      const { lineages } = this.#ports;
      const lack = lineages.admit(lineages.everOf(approval.run), now);
      if (lack !== undefined) return await this.approvals.failed(id, `${lack}; nothing was sent`);
      if (!(await this.approvals.consume(id))) return;
      this.#watches.sending(approval);
      // Whoever performs it holds what was found a last time against what it then does.
      await this.#send(approval, gateway, withFacts(held, facts), credential, performer.attempts);
    } catch (error) {
      const { state } = this.approvals.show(id);
      const known =
        state === "approved" ? "nothing was sent" : "it is not known whether it was sent";
      await this.approvals.failed(id, `${describeError(error)}; ${known}`);
    } finally {
      await gateway?.close();
      this.#watches.look();
    }
  }

  #performerOf({ pin }: Approval, name: string): Performer {
    const { grant, ca, own } = pin as unknown as Pin;
    const authorities = new Map(ca === undefined ? [] : [[grant.name, ca]]);
    return new Performer(name, { policy: policyOf(grant), authorities, own }, this.#ports.log);
  }

  /** What speaks to the system of `approval` once more, with what is pinned to it. */
  async #open(approval: Approval): Promise<Hand> {
    // To a worker each time is a run of its own: what comes late from one is not heard in the next.
    const performer = this.#performerOf(approval, createId("w", this.nowMs));
    const gateway = await this.#serve(performer, approval.run);
    return {
      held: requestHeldIn(this.approvals.spool(approval.id)),
      ask: async (request) => gateway.perform(request, await this.#credentialOf(approval, request)),
      actionOf: (request) => {
        const now = this.#ports.clock.now();
        const action = { ...approval.action, at: at(now.wallMs), monoMs: now.monoMs };
        return this.#actionOf({ ...approval, action }, performer.policy, request);
      },
      close: () => gateway.close(),
    };
  }

  /** The request of `approval` as its system reads it. */
  #plainOf(approval: Approval): ReturnType<WatchPorts["requestOf"]> {
    const grant = onlyGrant(policyOf((approval.pin as unknown as Pin).grant));
    const entry = entryOf(approval, grant);
    if (entry === undefined) return undefined;
    const held = requestHeldIn(this.approvals.spool(approval.id));
    return { entry, request: catalogRequestOf(requestOf(held), held.body, grant) };
  }

  async #send(
    approval: Approval,
    gateway: ServedGateway,
    held: Held,
    credential: Credentialed | undefined,
    attempts: readonly Attempt[],
  ): Promise<void> {
    const { id, action } = approval;
    await this.#record.action(approval, action, `approved by ${approval.by.join(" and ")}`);
    const { outcome, answer } = await gateway.perform(held, credential);
    await this.#record.outcome(approval, action, outcome, attempts);
    if (answer === undefined || outcome.failure !== undefined) {
      const why = outcome.failure?.detail ?? "no answer came";
      return await this.approvals.failed(
        id,
        `${why}; look at ${action.target} itself before it is tried again`,
      );
    }
    this.#watches.answered(approval, answer);
    await this.approvals.performed(id, answer);
  }

  #serve(performer: Performer, run: string): Promise<ServedGateway> {
    const { clock, authority, workers } = this.#ports;
    return workers.serve(performer, {
      clock,
      authority,
      connect: createWayOut(this.#ports, (host) => connectOwn(this.#ports, run, host)),
    });
  }

  /** The state that the effect of `held` depends on, read anew. */
  async #factsOf(gateway: ServedGateway, approval: Approval, held: Held): Promise<Facts> {
    if (isOperation(held)) {
      const credential = await this.#credentialOf(approval, held);
      const { answer } = await gateway.look(held, credential);
      const found = answer === undefined ? {} : (JSON.parse(answer.body.toString("utf8")) as Facts);
      return { ...found, ...lastingOf(held.facts).facts };
    }
    const grant = onlyGrant(policyOf((approval.pin as unknown as Pin).grant));
    const facts: Record<string, Facts[string]> = { ...held.facts };
    for (const { name, request } of lookupTargets(held, grant, entryOf(approval, grant))) {
      const { answer } = await gateway.perform(
        request,
        await this.#credentialOf(approval, request),
      );
      const fact = answer?.status === 200 && !answer.isCut ? readFact(answer.body) : undefined;
      if (fact !== undefined) facts[name] = fact;
    }
    return facts;
  }

  /** As the run itself had it; for a path the very placeholder that stands in the stored request. */
  async #credentialOf(
    approval: Approval,
    held: Held,
    bare = false,
  ): Promise<Credentialed | undefined> {
    const { grant } = approval.pin as unknown as Pin;
    const { host, port } = held;
    const scheme = (isOperation(held) ? grant.system : held.scheme) as VaultPlace["scheme"];
    const place = { scheme, host, port };
    const entryOfKind = (kind: string) => entryOf(approval, { system: kind });
    const given = await leaseFor(this.#ports.credentials, {
      ...{ run: approval.run, grant, place, entryOf: entryOfKind },
    });
    return given === undefined || !bare ? given : { ...given, bare };
  }

  #actionOf(approval: Approval, policy: Policy, held: Held): Promise<Action> {
    const { action } = approval;
    const grant = onlyGrant(policy);
    const at = { wallMs: Date.parse(action.at), monoMs: action.monoMs };
    const own = entryOf(approval, grant);
    const { run, cause } = action;
    return this.#ports.workers.describe(held, { run, at, grant, own, cause });
  }
}

/** Whether nobody can see before what will be said in it: its own describer says so. */
function isConversation(action: Action): boolean {
  return isSession(action) && typeof action.fields["conversation"] === "string";
}

function at(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
