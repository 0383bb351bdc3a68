import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startTelegram, TELEGRAM_TOKEN } from "../../test/doubles/telegram.ts";
import { createTelegram, replyOf } from "./telegram.ts";

const PRIVATE = { id: 4711, type: "private" };
const GROUP = { id: -100, type: "supergroup" };
const ADA = { id: 4711, is_bot: false, username: "ada" };
const message = (more: object) => ({
  update_id: 1,
  message: { message_id: 7, chat: PRIVATE, from: ADA, text: "approve 4f2a91", ...more },
});

test("what a person types in their own chat, or in a listed one, is theirs", () => {
  assert.deepEqual(replyOf(message({}), []), {
    from: "telegram:4711",
    text: "approve 4f2a91",
    order: 7,
    place: "4711",
    isAlone: true,
  });
  const room = replyOf(message({ chat: GROUP }), [-100]);
  assert.deepEqual([room?.place, room?.isAlone], ["-100", false]);
  const answer = message({ reply_to_message: { message_id: 5, chat: PRIVATE } });
  assert.equal(replyOf(answer, [])?.about, "4711/5");
});

const NOT_HEARD = [
  // message, why
  [{ from: { id: 4711, is_bot: true } }, "a bot"],
  [{ from: undefined }, "nobody, as in a channel"],
  [{ text: undefined }, "no text"],
  [{ chat: GROUP }, "a chat that is not listed"],
  [{ chat: { id: 815, type: "private" } }, "a private chat of somebody else"],
  [{ chat: { id: 4711, type: "channel" } }, "a channel"],
  [{ edit_date: 1 }, "edited"],
  [{ forward_origin: { type: "user", sender_user: ADA } }, "forwarded"],
  [{ forward_date: 1 }, "forwarded, as older servers say it"],
  [{ via_bot: { id: 9, is_bot: true } }, "written by a bot in their name"],
  [{ sender_chat: GROUP }, "in the name of a chat"],
  [{ sender_business_bot: { id: 9 } }, "sent by a business's bot"],
  [{ business_connection_id: "x" }, "through a business account"],
] as const;
for (const [more, why] of NOT_HEARD) {
  test(`INV-67: not heard: ${why}`, () => {
    assert.equal(replyOf(message(more), []), undefined);
  });
}

test("INV-67: an answer to another chat's message is not about ours", () => {
  const answer = message({ reply_to_message: { message_id: 5, chat: GROUP } });
  assert.equal(replyOf(answer, [])?.about, undefined);
});

test("a button says which card it is below, and nothing else counts as one", () => {
  const press = (data: string, chat = PRIVATE) => ({
    update_id: 1,
    callback_query: { id: "q", from: ADA, message: { message_id: 5, chat }, data },
  });
  const reply = replyOf(press("deny:p-1"), []);
  assert.deepEqual(reply?.press, { wish: "deny", id: "p-1", query: "q" });
  assert.equal(reply?.about, "4711/5");
  for (const data of ["deny:", "grant:p-1", "deny:p-1 x", "deny:P-1", ""]) {
    assert.equal(replyOf(press(data), []), undefined, data);
  }
  assert.equal(replyOf(press("deny:p-1", GROUP), []), undefined);
});

test("an update of any shape is heard or not, and never a failure", () => {
  const property = fc.property(fc.json(), fc.json(), (one, part) => {
    replyOf(JSON.parse(one) as unknown, []);
    const more = { reply_to_message: JSON.parse(part) as unknown };
    const reply = replyOf(message(more), []);
    assert.ok(reply === undefined || reply.from === "telegram:4711");
  });
  fc.assert(property);
});

test("INV-68: an update that is told again is heard once, also by the next daemon", async () => {
  const double = await startTelegram();
  const { signal } = new AbortController();
  try {
    const cursors = new Map<string, string>();
    const hear = async () => {
      const telegram = createTelegram({ api: double.url, token: TELEGRAM_TOKEN, chats: [4711] });
      const memory = { cursor: (key: string) => cursors.get(key), open: () => [] };
      const batch = await telegram.decisions(memory, signal);
      for (const [key, value] of batch.cursors) cursors.set(key, value);
      return batch.replies.map(({ text }) => text);
    };
    double.write({ from: 4711, chat: 4711, text: "one" });
    assert.deepEqual(await hear(), ["one"]);
    double.repeat();
    assert.deepEqual(await hear(), []);
    double.write({ from: 4711, chat: 4711, text: "two" });
    assert.deepEqual(await hear(), ["two"]);
  } finally {
    await double.close();
  }
});

test("fault channel.token: what is no token would change the path that it stands in", () => {
  for (const token of [
    "",
    "42:short",
    "42:../../evil/evil/evil/evil",
    "x:AAAAAAAAAAAAAAAAAAAAAAAA",
  ]) {
    assert.throws(() => createTelegram({ api: "https://t.example", token, chats: [1] }), {
      code: "channel.token",
    });
  }
});
