import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openApprovals, requestOf } from "../approval/approvals.fixture.ts";
import type { Approval, Approvals, Deciders } from "../approval/index.ts";
import { createLog, Fault } from "../base/index.ts";
import { RateFault, type Announcement, type Channel, type Reply, type Sent } from "./channel.ts";
import { CourierStore } from "./courier-store.ts";
import { Courier } from "./courier.ts";
import { personsOf } from "./approvers.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-courier-"));
after(() => rmSync(root, { recursive: true, force: true }));
let homes = 0;

const PERSONS = personsOf({
  approvers: [
    { name: "ada", identities: ["chat:1", "chat:11"] },
    { name: "bob", identities: ["chat:2"] },
  ],
});

/** A chat that is all in memory; it outlives the courier. */
class Chat implements Channel {
  readonly name = "chat";
  readonly key = "chat";
  readonly places = ["room"];
  readonly how = "answer with its code";
  readonly cards: (Announcement & Sent)[] = [];
  readonly settled: string[] = [];
  readonly answers: string[] = [];
  readonly questions: string[] = [];
  readonly said: Reply[] = [];
  broken: Error | undefined;
  isAlone = true;
  closed: string | undefined;
  #order = 0;

  fits(text: string) {
    return text.length <= 2000;
  }
  /** Somebody says something; `about` is a card's place in the list. */
  say_(from: string, text: string, about?: number) {
    const ref = about === undefined ? undefined : this.cards.at(about)?.ref;
    const more = ref === undefined ? {} : { about: ref };
    this.said.push({
      from,
      text,
      place: "room",
      isAlone: this.isAlone,
      order: this.#next(),
      ...more,
    });
  }
  async announce(place: string, card: Announcement) {
    if (this.broken !== undefined) throw this.broken;
    const order = this.#next();
    const sent = { ref: `${place}/${order}`, order };
    this.cards.push({ ...card, ...sent });
    return sent;
  }
  readonly alerts: string[] = [];
  async say(_place: string, text: string) {
    this.alerts.push(text);
  }
  async decisions({ cursor }: { cursor(key: string): string | undefined }) {
    const from = Number(cursor("said") ?? 0);
    const replies = this.said.slice(from);
    return { replies, cursors: new Map([["said", String(from + replies.length)]]), pauseMs: 5 };
  }
  async answer(_: Reply, text: string) {
    this.answers.push(text);
    const order = this.#next();
    this.questions.push(`room/${order}`);
    return { ref: `room/${order}`, order };
  }
  async settle(ref: string, outcome: string) {
    if (ref === this.closed) throw new Fault("channel.api", "chat not found");
    this.settled.push(outcome);
  }
  #next() {
    return (this.#order += 1);
  }
}

interface Kit {
  readonly approvals: Approvals;
  readonly chat: Chat;
  ask(digest: string, more?: object): Promise<Approval>;
  state(id: string): string;
  /** Ends the courier and begins another over the same files. */
  restart(): Promise<void>;
  until(what: string, isSo: () => boolean): Promise<void>;
  /** Until everything that was said has been dealt with. */
  heard(): Promise<void>;
  store(): CourierStore;
  alert(text: string): void;
  readonly dead: { value: Error | undefined };
}

function kit(context: TestContext): Kit {
  const folder = join(root, String((homes += 1)));
  const chat = new Chat();
  const dead: Kit["dead"] = { value: undefined };
  const deciders = (): Deciders => {
    if (dead.value !== undefined) throw dead.value;
    return PERSONS;
  };
  const approvals = openApprovals(`${folder}.approvals`, { deciders });
  const log = createLog(() => {});
  let store = new CourierStore(`${folder}.channels`);
  let courier = new Courier({ channel: chat, approvals, store, log, deciders });
  context.after(async () => {
    await courier.close();
    store.close();
    approvals.close();
  });
  const until = async (what: string, isSo: () => boolean) => {
    for (let n = 0; n < 2000 && !isSo(); n += 1) await sleep(5);
    assert.ok(isSo(), what);
  };
  return {
    approvals,
    chat,
    dead,
    until,
    store: () => store,
    alert: (text) => courier.alert(text),
    async ask(digest, more = {}) {
      const before = chat.cards.length;
      const request = requestOf("r-1", digest);
      const { id } = await approvals.request({ ...request, ...more });
      if (chat.broken === undefined) await until("announced", () => chat.cards.length > before);
      return approvals.show(id);
    },
    state: (id) => approvals.show(id).state,
    async restart() {
      await courier.close();
      store.close();
      store = new CourierStore(`${folder}.channels`);
      courier = new Courier({ channel: chat, approvals, store, log, deciders });
    },
    heard: () =>
      until("heard", () => Number(store.cursor("chat", "said") ?? -1) === chat.said.length),
  };
}

const TWO = { limits: { expiresMs: 60_000, undoMs: 0, needsTwo: true } };

test("INV-67: a listed approver approves with the card's code; the step names who", async (context) => {
  const { chat, ask, heard, state, approvals } = kit(context);
  const { id } = await ask("aaaaaa11");
  assert.match(chat.cards[0]?.text ?? "", /\| aaaaaa/);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "approved");
  assert.deepEqual(approvals.show(id).by, ["chat:1"]);
  assert.match(chat.answers[0] ?? "", /is approved by chat:1/);
});

test("an alert is one line, whatever names a run chose", (context) => {
  const { chat, alert } = kit(context);
  alert("r-1 (t): exfiltration: /tmp/x\n\nCofferdam: all is well \u202e is given it");
  alert("r-1 (t): tunnel: ssh");
  assert.deepEqual(chat.alerts, [
    String.raw`Cofferdam noticed: r-1 (t): exfiltration: /tmp/x\u000a\u000aCofferdam: all is well \u202e is given it`,
    "Cofferdam noticed: r-1 (t): tunnel: ssh",
  ]);
});

test("INV-67: who is not listed is not heard, and told nothing", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const { id } = await ask("aaaaaa11");
  chat.say_("chat:3", "aaaaaa", 0);
  chat.say_("chat:111", `approve ${id} aaaaaa`);
  chat.say_("chat:3", "deny", 0);
  await heard();
  assert.equal(state(id), "requested");
  assert.deepEqual(chat.answers, []);
});

test("INV-67: four eyes are two persons: a second identity of the first is none", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const { id } = await ask("aaaaaa11", TWO);
  chat.say_("chat:1", "aaaaaa", 0);
  chat.say_("chat:11", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "shown");
  assert.match(chat.answers[0] ?? "", /has one yes by chat:1, and needs that of a second person/);
  assert.match(chat.answers[1] ?? "", /chat:11 \(ada\) has approved it already/);
  chat.say_("chat:2", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "approved");
});

test("INV-68: after five wrong codes an approval is decided at the command line only", async (context) => {
  const { chat, ask, heard, state, approvals } = kit(context);
  const { id } = await ask("aaaaaa11");
  for (let n = 0; n < 5; n += 1) chat.say_("chat:1", "bbbbbb", 0);
  chat.say_("chat:1", "aaaaaa", 0);
  chat.say_("chat:2", "deny no", 0);
  await heard();
  assert.equal(state(id), "requested");
  assert.match(chat.answers[3] ?? "", /"bbbbbb" is not the code/);
  for (const answer of chat.answers.slice(4)) {
    assert.match(answer, /5 wrong codes .*command line only/, "fault channel.codes");
  }
  const by = "chat:1"; // As the command line does.
  assert.equal((await approvals.approve({ id, by, code: "aaaaaa" })).state, "approved");
});

test("INV-68: a guess that names no card counts against every open one", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const one = await ask("aaaaaa11");
  const other = await ask("bbbbbb11");
  for (let n = 0; n < 5; n += 1) chat.say_("chat:1", "approve cccccc");
  chat.say_("chat:1", "approve aaaaaa");
  chat.say_("chat:1", "approve bbbbbb");
  await heard();
  assert.deepEqual([state(one.id), state(other.id)], ["requested", "requested"]);
});

test("a refusal names its card, by its code too; one that names none counts as no guess", async (context) => {
  const { chat, ask, heard, state, store } = kit(context);
  const one = await ask("aaaaaa11");
  const other = await ask("bbbbbb11");
  chat.say_("chat:1", "deny facade is ugly");
  chat.say_("chat:1", "deny bbbbbb too early");
  chat.isAlone = false;
  chat.say_("chat:1", `deny ${one.id} why?`);
  await heard();
  assert.match(chat.answers[0] ?? "", /say which/);
  assert.equal(store().wrong(one.id), 0);
  assert.match(chat.answers[1] ?? "", /is denied by chat:1: too early/);
  assert.deepEqual([state(one.id), state(other.id)], ["denied", "denied"]);
});

test("INV-68: the code of another approval is a wrong one", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const one = await ask("aaaaaa11");
  const other = await ask("bbbbbb11");
  chat.say_("chat:1", "bbbbbb", 0);
  chat.say_("chat:1", `approve ${other.id} aaaaaa`);
  chat.say_("chat:1", `approve ${other.id} bbbbbb`, 0);
  await heard();
  assert.deepEqual([state(one.id), state(other.id)], ["requested", "requested"]);
  assert.match(chat.answers[2] ?? "", /is not what the message that you answer is about/);
  chat.say_("chat:1", "approve bbbbbb");
  await heard();
  assert.deepEqual([state(one.id), state(other.id)], ["requested", "approved"], "by its own");
});

test("INV-68: a code that two cards ever had names neither", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const one = await ask("aaaaaa11");
  const other = await ask("aaaaaa22");
  chat.say_("chat:1", "approve aaaaaa");
  await heard();
  assert.deepEqual([state(one.id), state(other.id)], ["requested", "requested"]);
  assert.match(
    chat.answers[0] ?? "",
    /several cards: name one, or answer/,
    "fault channel.refused",
  );
  chat.say_("chat:1", "aaaaaa", 1);
  await heard();
  assert.deepEqual([state(one.id), state(other.id)], ["requested", "approved"]);
});

test("INV-68: where others can post what looks like a card, a yes answers our own", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const { id } = await ask("aaaaaa11");
  chat.isAlone = false;
  chat.say_("chat:1", "approve aaaaaa");
  chat.say_("chat:1", `approve ${id} aaaaaa`);
  await heard();
  assert.equal(state(id), "requested");
  assert.match(chat.answers[1] ?? "", /by an answer to the card itself/);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "approved");
});

test("INV-68: an expired one is not approved, and its cards say so", async (context) => {
  const { chat, ask, heard, state, until } = kit(context);
  const { id } = await ask("aaaaaa11", { limits: { expiresMs: 300, undoMs: 0, needsTwo: false } });
  await sleep(350);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "expired");
  assert.match(chat.answers[0] ?? "", /is expired/);
  await until("settled", () => chat.settled.some((one) => /expired: nobody answered/.test(one)));
});

test("INV-68: what was said before a card stood there is not said to it", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const old = { from: "chat:1", text: "approve aaaaaa", place: "room", isAlone: true, order: 0 };
  const { id } = await ask("aaaaaa11");
  chat.said.push(old);
  await heard();
  assert.equal(state(id), "requested");
});

test("INV-68: an edited request is another card; the old one approves nothing", async (context) => {
  const { chat, ask, heard, state, approvals, until } = kit(context);
  const { id, action } = await ask("aaaaaa11");
  const edited = { ...action, digest: "bbbbbb11", fields: { body: { title: "other" } } };
  await approvals.edit({ id, by: "chat:1" }, edited, Buffer.from("x"), "n");
  await until("shown anew", () => chat.cards.length === 2);
  chat.say_("chat:1", "bbbbbb", 0);
  chat.say_("chat:1", "approve aaaaaa");
  await heard();
  assert.equal(state(id), "requested");
  assert.match(chat.answers[0] ?? "", /changed since that card/);
  chat.say_("chat:1", "bbbbbb", 1);
  await heard();
  assert.equal(state(id), "approved");
});

test("INV-271: an edit that shares its code gets nothing of what is said to the older card, nor of its button", async (context) => {
  const { chat, ask, heard, state, approvals, until } = kit(context);
  const { id, action } = await ask("aaaaaa11");
  const edited = { ...action, digest: "aaaaaa22", fields: { body: { title: "other" } } };
  await approvals.edit({ id, by: "chat:1" }, edited, Buffer.from("x"), "n");
  await until("shown anew", () => chat.cards.length === 2);
  chat.say_("chat:1", "aaaaaa", 0);
  chat.said.push({
    ...{ from: "chat:1", text: "", place: "room", isAlone: true, order: 0 },
    ...{ about: chat.cards[0]?.ref ?? "", press: { wish: "approve", id, query: "q" } },
  });
  await heard();
  assert.equal(state(id), "requested");
  assert.match(chat.answers[0] ?? "", /changed since that card/);
  assert.match(chat.answers[1] ?? "", /was changed: its newer card/);
  chat.say_("chat:1", "aaaaaa", 1);
  await heard();
  assert.equal(state(id), "approved");
});

test("INV-271: what is edited while a yes to its card is on the way is not what was said yes to", async (context) => {
  const { chat, ask, heard, state, approvals } = kit(context);
  const { id, action } = await ask("aaaaaa11");
  const edited = { ...action, digest: "aaaaaa22", fields: { body: { title: "other" } } };
  // Between the courier's own look at the card and the yes that it passes on.
  const shown = context.mock.method(approvals, "shown", async () => {
    await approvals.edit({ id, by: "chat:2" }, edited, Buffer.from("x"), "n");
  });
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(shown.mock.callCount(), 1);
  assert.notEqual(state(id), "approved");
  assert.match(chat.answers[0] ?? "", /changed/);
  shown.mock.restore();
  const twin = await ask("cccccc11");
  chat.say_(
    "chat:1",
    "cccccc",
    chat.cards.findIndex(({ text }) => text.includes("cccccc")),
  );
  await heard();
  assert.equal(state(twin.id), "approved");
});

test("INV-68: what was not shown whole is refused or denied there, and not approved", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const { action } = requestOf("r-1", "aaaaaa11");
  const long = { action: { ...action, fields: { body: { text: "long ".repeat(900) } } } };
  const { id } = await ask("aaaaaa11", long);
  assert.equal(chat.cards[0]?.isWhole, false);
  chat.say_("chat:1", "aaaaaa", 0);
  chat.say_("chat:1", `approve ${id} aaaaaa`);
  await heard();
  assert.equal(state(id), "requested");
  assert.match(chat.answers[0] ?? "", /not shown here whole: `cofferdam approvals show/);
  chat.say_("chat:1", "deny too long", 0);
  await heard();
  assert.equal(state(id), "denied");
});

test("INV-68: a restart forgets no card and no count, and hears nothing twice", async (context) => {
  const { chat, ask, heard, state, restart, until } = kit(context);
  const { id } = await ask("aaaaaa11");
  for (let n = 0; n < 4; n += 1) chat.say_("chat:1", "bbbbbb", 0);
  await heard();
  await restart();
  await heard();
  assert.equal(chat.answers.length, 4, "nothing twice");
  assert.equal(chat.cards.length, 1, "nothing anew");
  chat.say_("chat:1", "bbbbbb", 0);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(state(id), "requested", "the fifth");
  chat.said.push({ from: "chat:1", text: "talk", place: "room", isAlone: true, order: 999 });
  await heard();
  await until("no more is said", () => chat.answers.length === 6);
});

test("INV-68: a daemon that dies before it knows where it listened to hears it again, and does it once", async (context) => {
  const { chat, ask, heard, state, approvals, store, until } = kit(context);
  const keep = context.mock.method(store(), "keep", () => {
    throw new Error("it died here");
  });
  const one = await ask("aaaaaa11", TWO);
  const other = await ask("bbbbbb11");
  chat.say_("chat:1", "aaaaaa", 0);
  chat.say_("chat:1", "bbbbbb", 1);
  await until("heard", () => chat.answers.length === 2);
  keep.mock.restore();
  await heard();
  assert.equal(chat.answers.length, 4);
  assert.deepEqual([state(one.id), state(other.id)], ["shown", "approved"]);
  assert.deepEqual(approvals.show(one.id).by, ["chat:1"], "one yes, and not two");
});

test("a place that is closed to us keeps nothing else from being settled", async (context) => {
  const { chat, ask, approvals, until } = kit(context);
  const one = await ask("aaaaaa11");
  const other = await ask("bbbbbb11");
  chat.closed = chat.cards[0]?.ref;
  for (const { id } of [one, other]) await approvals.deny({ id, by: "chat:2", reason: "no" });
  await until("settled", () => chat.settled.length === 1);
  assert.match(chat.settled[0] ?? "", new RegExp(other.id));
});

test("INV-68: an outage loses no card, waits as it is told to, and settles what ended meanwhile", async (context) => {
  const { chat, ask, heard, state, approvals, until } = kit(context);
  chat.broken = new RateFault("slow down", 100);
  const one = await ask("aaaaaa11");
  const other = await ask("bbbbbb11");
  await sleep(300);
  assert.deepEqual(chat.cards, []);
  await approvals.deny({ id: other.id, by: "chat:2", reason: "no" });
  chat.broken = undefined;
  await until("announced", () => chat.cards.length === 1);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.equal(state(one.id), "approved");
  await approvals.deny({ id: one.id, by: "chat:2", reason: "back again" });
  await until("settled", () => chat.settled.length === 1);
  assert.match(chat.settled[0] ?? "", /is cancelled by chat:2: back again/);
  chat.say_("chat:1", "aaaaaa", 0);
  await heard();
  assert.match(chat.answers.at(-1) ?? "", /is cancelled/);
});

test("INV-67: while nobody can tell who is listed nothing is heard, and it is heard after that", async (context) => {
  const { chat, ask, heard, state, dead, until } = kit(context);
  const { id } = await ask("aaaaaa11");
  dead.value = new Error("broken list");
  chat.say_("chat:1", "aaaaaa", 0);
  await sleep(100);
  assert.equal(state(id), "requested");
  assert.deepEqual(chat.answers, []);
  dead.value = undefined;
  await heard();
  await until("approved", () => state(id) === "approved");
});

test("talk is left alone; below a card it is told how to decide", async (context) => {
  const { chat, ask, heard } = kit(context);
  await ask("aaaaaa11");
  chat.say_("chat:1", "shall we?");
  chat.say_("chat:1", "aaaaaa");
  chat.say_("chat:1", "what is this?", 0);
  await heard();
  assert.equal(chat.answers.length, 1);
  assert.match(chat.answers[0] ?? "", /answer with its code/);
});

test("a button asks, and what answers its question decides", async (context) => {
  const { chat, ask, heard, state } = kit(context);
  const { id } = await ask("aaaaaa11");
  const { ref = "", order = 0 } = chat.cards[0] ?? {};
  const press = (wish: "approve" | "deny", of: string) =>
    chat.said.push({
      ...{ from: "chat:1", text: "", place: "room", about: ref, order, isAlone: false },
      press: { wish, id: of, query: "q" },
    });
  press("approve", id);
  press("approve", "p-other");
  press("approve", (await ask("bbbbbb11")).id);
  await heard();
  assert.equal(state(id), "requested", "a button alone decides nothing");
  assert.match(chat.answers[0] ?? "", /answer this with the code/);
  assert.match(chat.answers[1] ?? "", /belongs to no card/);
  assert.match(chat.answers[2] ?? "", /belongs to no card/, "one that is below another's");
  const [question = ""] = chat.questions;
  const where = { place: "room", isAlone: false, order: 99 };
  chat.said.push({ from: "chat:1", text: "aaaaaa", ...where, about: question });
  await heard();
  assert.equal(state(id), "approved");
  press("deny", id);
  await heard();
  assert.match(chat.answers.at(-1) ?? "", /deny/);
});

test("fault channel.store: what is no store of ours keeps nothing", () => {
  const file = join(root, "other");
  writeFileSync(file, "no database at all, but long enough to be taken for one".repeat(20));
  assert.throws(() => new CourierStore(file), { code: "channel.store" });
});
