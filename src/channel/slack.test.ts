import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeText, replyOf } from "./slack.ts";

const OWN = { user: "U0BOT", team: "T1" };
const TS = "1764176400.000200";
const CARD = "1764176400.000100";
const place = { channel: "C1", own: OWN };
const message = (more: object = {}) => ({
  type: "message",
  ...{ ts: TS, user: "U024BE7LH", team: "T1", text: "approve 4f2a91", ...more },
});

test("what a person types beside, or in a card's thread, is theirs", () => {
  assert.deepEqual(replyOf(message(), place), {
    from: "slack:U024BE7LH",
    text: "approve 4f2a91",
    order: 1764176400000200,
    place: "C1",
  });
  const below = replyOf(message({ thread_ts: CARD }), { ...place, thread: CARD });
  assert.equal(below?.about, `C1/${CARD}`);
  assert.equal(replyOf(message({ text: "deny a &lt; b &amp;amp; c" }), place)?.text, "deny a < b &amp; c");
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
  [{ thread_ts: "1764176399.000100" }, "in another thread"],
  [{ files: [] }, "with a file"],
  [{ ts: "soon" }, "without its time"],
  [{ type: "event" }, "no message"],
] as const;
for (const [more, why] of NOT_HEARD) {
  test(`INV-67: not heard: ${why}`, () => {
    assert.equal(replyOf(message(more), place), undefined);
  });
}

test("INV-68: nothing in a text is read by Slack as a mention, a link or a date", () => {
  assert.equal(escapeText("<!channel> <@U1> a&b &lt;"), "&lt;!channel&gt; &lt;@U1&gt; a&amp;b &amp;lt;");
});
