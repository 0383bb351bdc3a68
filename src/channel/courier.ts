/**
 * The courier of one channel: it brings cards there, listens, and takes to the approvals what a listed approver
 * decided. What it cannot bring now it brings later; what was said while it was away it hears when it is back.
 *
 * A decision is on disk before the place where we have listened to is: a daemon that dies between the two hears
 * it again, and what is decided is decided once (INV-57).
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  cardOf,
  codeOf,
  isOver,
  type Approval,
  type Approvals,
  type Deciders,
} from "../approval/index.ts";
import { describeError, Fault, isFault, visibleLine, type Log } from "../base/index.ts";
import { RateFault, type Channel, type Reply } from "./channel.ts";
import type { CourierStore, Shown } from "./courier-store.ts";
import { announcementOf, stateLine } from "./message.ts";
import { leadingCode, parseReply, type Wish } from "./reply.ts";

/** Wrong codes for one approval; after that it is decided at the command line only. */
export const WRONG_CODES_MAX = 5;
const RETRY_MS = 1000;
const RETRY_MS_MAX = 60_000;
const ALERT_CHARS_MAX = 500;
/** Expired and settled cards are looked for also when nobody says that something changed. */
const LOOK_MS = 15_000;

export interface CourierPorts {
  readonly channel: Channel;
  readonly approvals: Approvals;
  readonly store: CourierStore;
  readonly log: Log;
  /** Who may decide, asked anew at each reply. @throws {Fault} where that cannot be told */
  deciders(): Deciders;
}

/** How it stands with a channel. */
export interface ChannelStatus {
  readonly name: string;
  readonly state: "listening" | "retrying";
  readonly error?: string;
  /** What was said by nobody who is listed. */
  readonly strangers: number;
}

export class Courier {
  readonly #ports: CourierPorts;
  readonly #gone = new AbortController();
  readonly #loops: readonly Promise<void>[];
  readonly #unfollow: () => void;
  readonly #errors = new Map<string, string>();
  #strangers = 0;
  #wake = Promise.withResolvers<void>();

  constructor(ports: CourierPorts) {
    this.#ports = ports;
    this.#unfollow = ports.approvals.follow(() => this.#wake.resolve());
    this.#loops = [
      this.#forever("deliver", () => this.#deliver()),
      this.#forever("listen", () => this.#listen()),
    ];
  }

  get status(): ChannelStatus {
    const [error] = this.#errors.values();
    const state = error === undefined ? "listening" : "retrying";
    const { name } = this.#ports.channel;
    return { name, state, strangers: this.#strangers, ...(error === undefined ? {} : { error }) };
  }

  /** Says something harmless wherever cards go. @throws {Fault} `channel.api`, `channel.rate` */
  async test(): Promise<readonly string[]> {
    const { channel } = this.#ports;
    const text = "Cofferdam can reach you here. This is a test: nothing is asked of you.";
    for (const place of channel.places) await channel.say(place, text, this.#gone.signal);
    return channel.places;
  }

  /** Says `text` wherever cards go, and goes on; what a service does not take is noted. */
  alert(text: string): void {
    const { channel, log } = this.#ports;
    // Names that the run chose may stand in it: no part of it passes for a message of ours.
    const line = visibleLine(text);
    const short = line.length > ALERT_CHARS_MAX ? `${line.slice(0, ALERT_CHARS_MAX)}...` : line;
    for (const place of channel.places) {
      channel
        .say(place, `Cofferdam noticed: ${short}`, this.#gone.signal)
        .catch((error: unknown) =>
          log.warn("channel.alert", { channel: channel.name, error: describeError(error) }),
        );
    }
  }

  async close(): Promise<void> {
    this.#unfollow();
    this.#gone.abort();
    this.#wake.resolve();
    await Promise.all(this.#loops);
  }

  /** Does `act` again and again; after a failure later and later, or when the service says. */
  async #forever(what: string, act: () => Promise<void>): Promise<void> {
    const { log, channel } = this.#ports;
    for (let failures = 0; !this.#gone.signal.aborted;) {
      try {
        await act();
        failures = 0;
        this.#errors.delete(what);
      } catch (error) {
        if (this.#gone.signal.aborted) return;
        const own = Math.min(RETRY_MS * 2 ** failures, RETRY_MS_MAX);
        const waitMs = error instanceof RateFault ? error.waitMs : own;
        failures = Math.min(failures + 1, 16);
        this.#errors.set(what, describeError(error));
        log.warn(`channel.${what}`, { channel: channel.name, error: describeError(error), waitMs });
        // A new card is brought to the places that are not closed to us, however long we wait for the others.
        const isPressing = what === "deliver" && !(error instanceof RateFault);
        await this.#pause(isPressing ? RETRY_MS : waitMs);
        if (isPressing) await Promise.race([this.#wake.promise, this.#pause(waitMs - RETRY_MS)]);
      }
    }
  }

  /** Brings what is not there yet, and says of what is over that it is; then waits for a change. */
  async #deliver(): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    const { approvals, store, channel } = this.#ports;
    let failed: unknown;
    for (const { id, state, head } of approvals.list(false)) {
      if (state !== "requested" && state !== "shown") continue;
      const there = store.about(channel.key, id).filter(({ digest }) => digest === head.digest);
      for (const place of channel.places) {
        if (there.some((one) => one.isCard && one.place === place)) continue;
        try {
          await this.#announce(id, place);
        } catch (error) {
          if (error instanceof RateFault) throw error;
          failed = error; // One place that is closed to us keeps no other from being told.
        }
      }
    }
    await this.#settle();
    if (failed !== undefined) throw failed;
    this.#errors.delete("deliver");
    await Promise.race([this.#wake.promise, this.#pause(LOOK_MS)]);
  }

  async #announce(id: string, place: string): Promise<void> {
    const { approvals, store, channel } = this.#ports;
    const approval = approvals.show(id);
    const { digest } = approval.action;
    const announcement = announcementOf(cardOf(approval.action, contextOf(approval)), id, channel);
    const sent = await channel.announce(place, announcement, this.#gone.signal);
    const { isWhole } = announcement;
    const code = codeOf(approval.action);
    store.add(channel.key, { ...sent, approval: id, digest, code, isWhole, isCard: true });
  }

  /** Where a card cannot be answered any more (the chat is gone) it is left as it is. */
  async #settle(): Promise<void> {
    const { store, channel, log } = this.#ports;
    const cards = Map.groupBy(store.unsettled(channel.key), ({ approval }) => approval);
    for (const [id, messages] of cards) {
      const approval = this.#find(id);
      if (approval !== undefined && !isOver(approval.state)) continue;
      for (const { ref } of messages) {
        if (approval === undefined) break;
        try {
          await channel.settle(ref, stateLine(approval), this.#gone.signal);
        } catch (error) {
          if (!isFault(error, "channel.api")) throw error;
          log.warn("channel.settle", { channel: channel.name, error: describeError(error) });
        }
      }
      store.settle(channel.key, id);
    }
  }

  async #listen(): Promise<void> {
    const { channel, store } = this.#ports;
    const memory = {
      cursor: (key: string) => store.cursor(channel.key, key),
      open: () => store.unsettled(channel.key),
    };
    const batch = await channel.decisions(memory, this.#gone.signal);
    for (const reply of batch.replies) await this.#hear(reply);
    store.keep(channel.key, batch.cursors);
    this.#errors.delete("listen");
    await this.#pause(batch.pauseMs);
  }

  /** @throws {Fault} where nobody can tell who may decide: it is heard again then */
  async #hear(reply: Reply): Promise<void> {
    const { channel, log, deciders } = this.#ports;
    if (deciders().personOf(reply.from) === undefined) {
      this.#strangers += 1;
      log.warn("channel.stranger", { channel: channel.name, from: reply.from });
      return; // Nobody is told anything: who is not listed learns nothing here.
    }
    if (reply.press !== undefined) return await this.#ask(reply, reply.press);
    const about = this.#shown(reply.about);
    const wish = parseReply(reply.text);
    if (wish === undefined || (wish.kind === "approve" && wish.bare && about === undefined)) {
      if (about !== undefined) await this.#answer(reply, `${about.approval}: ${channel.how}`);
      return;
    }
    const outcome = await this.#decide(reply, wish, about).catch((error: unknown) => {
      if (isFault(error)) return describeError(error);
      throw error;
    });
    await this.#answer(reply, outcome);
  }

  /** A button was pressed: what it wishes is typed, as an answer to our question. */
  async #ask(reply: Reply, { wish, id }: NonNullable<Reply["press"]>): Promise<void> {
    const { store, channel } = this.#ports;
    const card = this.#shown(reply.about);
    const approval = this.#find(id);
    if (card === undefined || card.approval !== id || approval === undefined) {
      return void (await this.#answer(reply, "that button belongs to no card of this Cofferdam"));
    }
    if (approval.head.digest !== card.digest) {
      return void (await this.#answer(reply, `${id} was changed: its newer card has another code`));
    }
    if (isOver(approval.state)) return void (await this.#answer(reply, stateLine(approval)));
    const text =
      wish === "approve"
        ? `${id}: answer this with the code on its card to approve it`
        : `${id}: answer this with \`deny\` and why to refuse it`;
    const sent = await this.#answer(reply, text);
    if (sent !== undefined) store.add(channel.key, { ...card, ...sent, isCard: false });
  }

  /** @returns what came of it. @throws {Fault} why nothing did */
  async #decide(reply: Reply, wish: Wish, about: Shown | undefined): Promise<string> {
    const { approvals, store } = this.#ports;
    if (about !== undefined && wish.id !== undefined && wish.id !== about.approval) {
      throw refusal(`${wish.id} is not what the message that you answer is about`);
    }
    if (wish.kind === "approve" && about === undefined && !reply.isAlone) {
      throw refusal("others can write here: say yes by an answer to the card itself");
    }
    const { code, reason } =
      wish.kind === "approve"
        ? { code: wish.code, reason: "" }
        : about === undefined && wish.id === undefined
          ? leadingCode(wish.rest)
          : { code: "", reason: wish.rest };
    const shown = about ?? this.#target(reply, wish.kind, { ...wish, code });
    const { approval: id } = shown;
    const approval = approvals.show(id);
    if (isOver(approval.state)) throw refusal(stateLine(approval));
    if (store.wrong(id) >= WRONG_CODES_MAX) throw tooOften(id);
    const by = reply.from;
    if (wish.kind === "deny") return stateLine(await approvals.deny({ id, by, reason }));
    if (shown.digest !== approval.head.digest) {
      throw refusal(`${id} was changed since that card: look at its newer one`);
    }
    if (!shown.isWhole) {
      throw refusal(`${id} was not shown here whole: \`cofferdam approvals show ${id}\``);
    }
    if (code !== codeOf(approval.head)) throw this.#wrong([id], code);
    await approvals.shown({ id, by });
    return stateLine(await approvals.approve({ id, by, code, digest: shown.digest }));
  }

  /** The card that is meant: one that stood there when it was said, and no other could be. */
  #target(
    reply: Reply,
    kind: Wish["kind"],
    { id, code }: { readonly id?: string; readonly code: string },
  ): Shown {
    const { store, channel, approvals } = this.#ports;
    const cards =
      id === undefined ? store.withCode(channel.key, code) : store.about(channel.key, id);
    const meant = new Set(cards.map(({ approval }) => approval));
    if (meant.size > 1) {
      throw refusal(`${code} is the code of several cards: name one, or answer its message`);
    }
    const before = cards.filter(
      (one) => one.isCard && (one.place !== reply.place || one.order <= reply.order),
    );
    // The newest: an edited one has an older card, too.
    const card = before.findLast(({ place }) => place === reply.place) ?? before.at(-1);
    if (card !== undefined) return card;
    if (id !== undefined) throw refusal(`no card of ${id} was shown here`);
    if (kind === "deny") throw refusal("say which: `deny ID REASON`, or answer its card");
    const open = approvals.list(false).map((one) => one.id);
    const guessed = open.filter((one) => store.about(channel.key, one).length > 0);
    throw this.#wrong(guessed, code);
  }

  #wrong(ids: readonly string[], code: string): Fault {
    const { store } = this.#ports;
    const counts = ids.map((id) => store.addWrong(id));
    const [id] = ids;
    if (ids.length === 1 && id !== undefined && (counts[0] ?? 0) >= WRONG_CODES_MAX) {
      return tooOften(id);
    }
    const what = ids.length === 1 ? `the code of ${id}` : "the code of anything that waits";
    return refusal(`${visibleLine(JSON.stringify(code))} is not ${what}`);
  }

  #shown(ref: string | undefined): Shown | undefined {
    const { store, channel } = this.#ports;
    return ref === undefined ? undefined : store.message(channel.key, ref);
  }

  #find(id: string): Approval | undefined {
    try {
      return this.#ports.approvals.show(id);
    } catch (error) {
      if (isFault(error, "approval.none")) return undefined;
      throw error;
    }
  }

  /** What was decided stands, whether or not they can be told. */
  async #answer(reply: Reply, text: string) {
    const { channel, log } = this.#ports;
    try {
      return await channel.answer(reply, text, this.#gone.signal);
    } catch (error) {
      log.warn("channel.answer", { channel: channel.name, error: describeError(error) });
      return undefined;
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#gone.signal }).catch(() => {});
  }
}

function contextOf(approval: Approval) {
  const { id, run, task, state, note, asked, variantOf, expiresMs } = approval;
  const expiresAt = new Date(expiresMs).toISOString();
  return { id, run, task, state, note, asked, variantOf, expiresAt };
}

function refusal(why: string): Fault {
  return new Fault("channel.refused", why);
}

function tooOften(id: string): Fault {
  return new Fault("channel.codes", `${WRONG_CODES_MAX} wrong codes were given for ${id}`, {
    hint: "it is decided at the command line only, now",
  });
}
