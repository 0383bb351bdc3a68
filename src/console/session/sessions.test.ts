import assert from "node:assert/strict";
import { test } from "node:test";
import { keyHashOf, Sessions, type Person } from "./sessions.ts";

const MINUTE = 60_000;
const KEY = "k".repeat(43);
const ANN: Person = { person: "Ann", identity: "cli:1", roles: ["viewer"] };
const BEN: Person = { person: "Ben", identity: "cli:2", roles: ["viewer", "operator"] };

function open() {
  let ms = 1_000_000;
  const sessions = new Sessions(() => ms);
  return { sessions, later: (by: number) => void (ms += by) };
}

test("INV-204, fault console.link: a link signs in once, within two minutes", () => {
  const { sessions, later } = open();
  const link = sessions.link(ANN);
  assert.ok(Buffer.from(link, "base64url").length >= 32);
  assert.deepEqual(sessions.takeLink(link), ANN);
  assert.throws(() => sessions.takeLink(link), { code: "console.link" });
  const old = sessions.link(ANN);
  later(2 * MINUTE);
  assert.throws(() => sessions.takeLink(old), { code: "console.link" });
  for (const never of ["", "x", "constructor"]) {
    assert.throws(() => sessions.takeLink(never), { code: "console.link" });
  }
  const good = sessions.link(ANN);
  for (let n = 0; n < 1000; n += 1) assert.throws(() => sessions.takeLink(`no-${n}`));
  assert.deepEqual(sessions.takeLink(good), ANN, "wrong tries lock nobody out");
});

test("INV-204: of many links that nobody takes the oldest is dropped", () => {
  const { sessions } = open();
  const links = Array.from({ length: 9 }, () => sessions.link(ANN));
  assert.throws(() => sessions.takeLink(links[0] ?? ""), { code: "console.link" });
  assert.deepEqual(sessions.takeLink(links[1] ?? ""), ANN);
});

test("INV-204: a session ends after half an hour without use, and after twelve hours with it", () => {
  const { sessions, later } = open();
  const idle = sessions.begin(ANN, keyHashOf(KEY));
  const { id, signal } = sessions.of(idle, KEY) ?? assert.fail();
  later(30 * MINUTE - 1);
  assert.ok(sessions.has(id), "asking whether it is there is no use of it");
  later(1);
  assert.ok(!sessions.has(id) && signal.aborted, "what it has coming ends, too");
  assert.throws(() => sessions.require(id), { code: "console.session" });
  const used = sessions.begin(ANN, keyHashOf(KEY));
  for (let n = 1; n < 12 * 60; n += 1) {
    later(MINUTE);
    assert.ok(sessions.of(used, KEY) !== undefined);
  }
  later(MINUTE);
  assert.equal(sessions.of(used, KEY), undefined);
});

test("INV-204: half a session is none, also for whoever gets the cookie before its page uses it", () => {
  const { sessions } = open();
  const token = sessions.begin(ANN, keyHashOf(KEY));
  assert.equal(
    sessions.of(token, "x".repeat(43)),
    undefined,
    "a server on another port was quicker",
  );
  assert.equal(sessions.of("x", KEY), undefined, "a key alone");
  assert.equal(sessions.of(token, KEY)?.person, "Ann");
});

test("INV-204: an ended session is over at once, and no other", () => {
  const { sessions } = open();
  const [one, other] = [sessions.begin(ANN, keyHashOf(KEY)), sessions.begin(BEN, keyHashOf(KEY))];
  const ended = sessions.of(one, KEY) ?? assert.fail();
  sessions.end(ended.id);
  assert.ok(ended.signal.aborted);
  assert.equal(sessions.of(one, KEY), undefined);
  assert.equal(sessions.of(other, KEY)?.person, "Ben");
  assert.deepEqual(
    sessions.list().map(({ person }) => person),
    ["Ben"],
  );
});

test("a ninth session of one person ends the one that rested longest, and nobody else's", () => {
  const { sessions, later } = open();
  const others = sessions.begin(BEN, keyHashOf(KEY));
  const tokens = Array.from({ length: 8 }, () => {
    later(1);
    return sessions.begin(ANN, keyHashOf(KEY));
  });
  later(1);
  assert.ok(sessions.of(tokens[0] ?? "", KEY));
  later(1);
  sessions.begin(ANN, keyHashOf(KEY));
  assert.ok(sessions.of(tokens[0] ?? "", KEY), "it was used since");
  assert.equal(sessions.of(tokens[1] ?? "", KEY), undefined);
  assert.ok(sessions.of(others, KEY));
});

test("fault console.busy: a session has so many answers coming, and no more", () => {
  const { sessions } = open();
  const { id } = sessions.of(sessions.begin(ANN, keyHashOf(KEY)), KEY) ?? assert.fail();
  const leaves = Array.from({ length: 24 }, () => sessions.enter(id));
  assert.throws(() => sessions.enter(id), { code: "console.busy" });
  leaves[0]?.();
  sessions.enter(id);
  assert.throws(() => sessions.enter("none"), { code: "console.session" });
});

test("fault console.busy: a session asks so much at once, whatever streams it has, and no other waits for it", () => {
  const { sessions } = open();
  const idOf = (who: Person) =>
    (sessions.of(sessions.begin(who, keyHashOf(KEY)), KEY) ?? assert.fail()).id;
  const [ann, ben] = [idOf(ANN), idOf(BEN)];
  const leaves = Array.from({ length: 48 }, () => sessions.enter(ann, "question"));
  assert.throws(() => sessions.enter(ann, "question"), { code: "console.busy" });
  sessions.enter(ann, "stream");
  sessions.enter(ben, "question");
  leaves[0]?.();
  sessions.enter(ann, "question");
});
