import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SLACK_TOKEN, startSlack } from "../../test/doubles/slack.ts";
import { createSlack, escapeText, replyOf } from "./slack.ts";

const OWN = { user: "U0BOT", team: "T1" };
const TS = "1764176400.000200";
const CARD = "1764176400.000100";
const place = { channel: "C1", own: OWN, thread: CARD };
const message = (more: object = {}) => ({
  type: "message",
  ...{ ts: TS, user: "U024BE7LH", team: "T1", text: "4f2a91", thread_ts: CARD, ...more },
});

test("what a person types in a card's thread is theirs", () => {
  assert.deepEqual(replyOf(message(), place), {
    from: "slack:U024BE7LH",
    text: "4f2a91",
    order: 1764176400000200,
    place: "C1",
    isAlone: false,
    about: `C1/${CARD}`,
  });
  const escaped = message({ text: "deny a &lt; b &amp;amp; c" });
  assert.equal(replyOf(escaped, place)?.text, "deny a < b &amp; c");
  assert.equal(replyOf(message({ text: "<tel:991702|991702>" }), place)?.text, "991702");
});

const NOT_HEARD = [
  // message, why
  [{ bot_id: "B1" }, "posted by an app, as with a user's own token"],
  [{ app_id: "A1" }, "posted by an app"],
  [{ bot_profile: {} }, "posted by a bot"],
  [{ subtype: "bot_message", username: "ada" }, "a bot with a person's name"],
  [{ subtype: "message_changed" }, "what is told of a change"],
  [{ subtype: "thread_broadcast" }, "what stands in two places"],
  [{ edited: { user: "U024BE7LH", ts: TS } }, "edited"],
  [{ user: "U0BOT" }, "our own"],
  [{ user: undefined }, "nobody's"],
  [{ user: "ada" }, "a name"],
  [{ team: "T2" }, "of another workspace, in a shared channel"],
  [{ user_team: "T2" }, "of another workspace, as Slack also says it"],
  [{ thread_ts: "1764176399.000100" }, "in another thread"],
  [{ thread_ts: undefined }, "beside all threads, where a card may be another's"],
  [{ files: [] }, "with a file"],
  [{ ts: "soon" }, "without its time"],
  [{ type: "event" }, "no message"],
] as const;
for (const [more, why] of NOT_HEARD) {
  test(`INV-67: not heard: ${why}`, () => {
    assert.equal(replyOf(message(more), place), undefined);
  });
}

test("a message of any shape is heard or not, and never a failure", () => {
  const property = fc.property(fc.json(), fc.json(), (one, text) => {
    replyOf(JSON.parse(one) as unknown, place);
    const reply = replyOf(message({ text: JSON.parse(text) as unknown }), place);
    assert.ok(reply === undefined || reply.from === "slack:U024BE7LH");
  });
  fc.assert(property);
});

test("INV-68: nothing in a text is read by Slack as a mention, a link or a date", () => {
  assert.equal(
    escapeText("<!channel> <@U1> a&b &lt;"),
    "&lt;!channel&gt; &lt;@U1&gt; a&amp;b &amp;lt;",
  );
});

test("with many cards open each thread has its turn; a deleted card keeps none from it", async () => {
  const double = await startSlack("C1");
  const { signal } = new AbortController();
  try {
    const slack = createSlack({ api: double.url, token: SLACK_TOKEN, channel: "C1" });
    const open = [{ ref: "C1/1700000000.000000", order: 0 }];
    for (let n = 0; n < 12; n += 1) {
      open.push(await slack.announce("C1", { id: "p-1", text: "card", isWhole: true }, signal));
    }
    const [first, last] = [1, 12].map((at) => open[at]?.ref.split("/")[1] ?? "");
    for (let n = 0; n < 5; n += 1) double.write("U0ADA", `${n}`, first); // More than a page.
    double.write("U0ADA", "last", last);
    const cursors = new Map<string, string>();
    const hear = async () => {
      const memory = { cursor: (key: string) => cursors.get(key), open: () => open };
      const batch = await slack.decisions(memory, signal);
      for (const [key, value] of batch.cursors) cursors.set(key, value);
      assert.ok(batch.pauseMs >= 3000);
      return batch.replies.map(({ text }) => text);
    };
    assert.deepEqual(await hear(), ["0", "1", "2", "3", "4"]);
    assert.deepEqual(await hear(), ["last"]);
    double.write("U0ADA", "5", first);
    assert.deepEqual([await hear(), await hear()], [["5"], []]);
    const wrong = createSlack({ api: double.url, token: "xoxb-wrong", channel: "C1" });
    const memory = { cursor: () => undefined, open: () => open };
    await assert.rejects(wrong.decisions(memory, signal), { code: "channel.api" });
  } finally {
    await double.close();
  }
});
