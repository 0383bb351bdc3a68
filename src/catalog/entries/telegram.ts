/**
 * Telegram's Bot API. The token stands in the path, methods have no case, and each is called by GET or POST
 * alike, with parameters in query, form, JSON and parts at once; of two of a name the first counts. The paths
 * of the test environment have `/test` before the method. A request without a method takes it from a
 * parameter, and is unknown.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Routes = EntrySource["routes"];
type Route = Routes[number];

const ANY_BODY = ["none" as const, "json" as const, "form" as const, "multipart" as const];

/** A route of the methods `names`. */
function route(names: string, more: Omit<Route, "request" | "body">): Route {
  const method = `{method:(?i:${names.split(" ").join("|")})}`;
  return {
    ...more,
    request: [`GET|POST /bot{token:[^/]+}/${method}`, `GET|POST /bot{token:[^/]+}/test/${method}`],
    body: ANY_BODY,
  };
}

const CHAT = ["param.chat_id"];
const STARS = { value: "param.star_count", currency: "XTR" };

const MESSAGES: Routes = [
  {
    // A broadcast beyond the limits costs Stars by the message.
    ...route(
      "sendMessage sendPhoto sendAudio sendDocument sendVideo sendAnimation sendVoice sendVideoNote " +
        "sendLivePhoto sendMediaGroup sendPaidMedia sendLocation sendVenue sendContact sendPoll " +
        "sendChecklist sendDice sendSticker sendGame sendInvoice copyMessage copyMessages " +
        "forwardMessage forwardMessages",
      {
        verb: "message.send-paid",
        effects: ["send", "spend"],
        summary:
          "Send to {param.chat_id}, for Stars where there are many: {param.text} {param.caption}",
        recipients: CHAT,
        show: "message",
      },
    ),
    cases: [{ absent: true as const }, { only: ["false"] }].map((paid) => ({
      when: { "param.allow_paid_broadcast": paid },
      verb: "message.send",
      effects: ["send" as const],
      summary:
        "Send to {param.chat_id}: {param.text} {param.caption} {param.from_chat_id} ({path.method})",
    })),
  },
  route("sendMessageDraft sendChatAction setMessageReaction readBusinessMessage pinChatMessage", {
    verb: "message.signal",
    effects: ["send"],
    summary: "Show something in {param.chat_id}: {param.text} {param.reaction} ({path.method})",
    recipients: CHAT,
    show: "message",
  }),
  route(
    "editMessageText editMessageCaption editMessageMedia editMessageChecklist " +
      "editMessageReplyMarkup editMessageLiveLocation stopMessageLiveLocation stopPoll setGameScore",
    {
      verb: "message.edit",
      effects: ["send"],
      summary:
        "Change {param.message_id}{param.inline_message_id} in {param.chat_id}: {param.text} {param.caption}",
      recipients: [...CHAT, "param.inline_message_id"],
      show: "message",
    },
  ),
  route(
    "deleteMessage deleteMessages deleteBusinessMessages deleteMessageReaction " +
      "deleteAllMessageReactions unpinChatMessage unpinAllChatMessages unpinAllForumTopicMessages " +
      "unpinAllGeneralForumTopicMessages deleteForumTopic deleteStory",
    {
      verb: "message.delete",
      effects: ["delete"],
      summary:
        "Delete {param.message_id}{param.message_ids}{param.story_id} in {param.chat_id} ({path.method})",
    },
  ),
  route(
    "answerCallbackQuery answerInlineQuery answerWebAppQuery answerGuestQuery declineSuggestedPost " +
      "setPassportDataErrors",
    {
      verb: "query.answer",
      effects: ["send"],
      summary: "Answer {param.user_id}{param.chat_id}: {param.text} ({path.method})",
      recipients: [
        "param.callback_query_id",
        "param.inline_query_id",
        "param.web_app_query_id",
        "param.guest_query_id",
        "param.user_id",
        "param.chat_id",
      ],
      show: "message",
    },
  ),
  route("postStory repostStory editStory approveSuggestedPost", {
    verb: "story.publish",
    effects: ["publish"],
    summary: "Publish a story or a post: {param.caption} {param.chat_id} ({path.method})",
    recipients: CHAT,
    takes_effect_at: "param.send_date",
    show: "post",
  }),
  route("savePreparedInlineMessage savePreparedKeyboardButton uploadStickerFile", {
    verb: "message.prepare",
    effects: ["write"],
    summary: "Prepare what {param.user_id} may send ({path.method})",
  }),
];

const MONEY: Routes = [
  route("answerPreCheckoutQuery answerShippingQuery", {
    verb: "payment.answer",
    effects: ["spend"],
    summary:
      "Let the payment {param.pre_checkout_query_id}{param.shipping_query_id} go on: {param.ok} {param.error_message}",
    show: "payment",
  }),
  route("refundStarPayment", {
    verb: "payment.refund",
    effects: ["spend"],
    summary: "Give {param.user_id} back the Stars of {param.telegram_payment_charge_id}",
    recipients: ["param.user_id"],
    show: "payment",
  }),
  route(
    "sendGift giftPremiumSubscription upgradeGift transferGift convertGiftToStars " +
      "transferBusinessAccountStars editUserStarSubscription",
    {
      verb: "stars.spend",
      effects: ["spend"],
      summary:
        "Spend Stars ({param.star_count}) for {param.user_id}{param.chat_id}{param.new_owner_chat_id} ({path.method})",
      recipients: ["param.user_id", "param.chat_id", "param.new_owner_chat_id"],
      amount: STARS,
      show: "payment",
    },
  ),
  route("createInvoiceLink", {
    verb: "invoice.publish",
    effects: ["publish"],
    summary: "Make a link by which everyone can pay for {param.title}: {param.prices}",
  }),
];

const CHATS: Routes = [
  route(
    "setChatTitle setChatDescription setChatPhoto deleteChatPhoto setChatStickerSet " +
      "deleteChatStickerSet createForumTopic editForumTopic closeForumTopic reopenForumTopic " +
      "editGeneralForumTopic closeGeneralForumTopic reopenGeneralForumTopic hideGeneralForumTopic " +
      "unhideGeneralForumTopic",
    {
      verb: "chat.change",
      effects: ["send"],
      summary:
        "Change the chat {param.chat_id}: {param.title} {param.description} {param.name} ({path.method})",
      recipients: CHAT,
    },
  ),
  route(
    "promoteChatMember restrictChatMember banChatMember kickChatMember unbanChatMember " +
      "banChatSenderChat unbanChatSenderChat setChatAdministratorCustomTitle setChatMemberTag " +
      "setChatPermissions approveChatJoinRequest declineChatJoinRequest exportChatInviteLink " +
      "createChatInviteLink createChatSubscriptionInviteLink editChatInviteLink " +
      "editChatSubscriptionInviteLink revokeChatInviteLink leaveChat",
    {
      verb: "member.administer",
      effects: ["administer"],
      summary:
        "Change who may do what in {param.chat_id}: {param.user_id}{param.sender_chat_id} ({path.method})",
      recipients: ["param.user_id", "param.sender_chat_id"],
    },
  ),
  route(
    "setMyName setMyDescription setMyShortDescription setMyCommands deleteMyCommands " +
      "setMyProfilePhoto removeMyProfilePhoto setChatMenuButton",
    {
      verb: "bot.publish",
      effects: ["publish"],
      summary: "Change how the bot looks to all: {param.name} {param.commands} ({path.method})",
    },
  ),
  route(
    "setMyDefaultAdministratorRights setUserEmojiStatus verifyUser verifyChat " +
      "removeUserVerification removeChatVerification setBusinessAccountName " +
      "setBusinessAccountUsername setBusinessAccountBio setBusinessAccountProfilePhoto " +
      "removeBusinessAccountProfilePhoto setBusinessAccountGiftSettings " +
      "setManagedBotAccessSettings getManagedBotToken replaceManagedBotToken",
    {
      // The token of another bot works without Cofferdam.
      verb: "account.administer",
      effects: ["administer"],
      summary:
        "Change an account or its rights: {param.user_id}{param.chat_id}{param.business_connection_id} ({path.method})",
      recipients: ["param.user_id", "param.chat_id"],
    },
  ),
  route(
    "createNewStickerSet addStickerToSet replaceStickerInSet setStickerSetTitle " +
      "setStickerSetThumb setStickerSetThumbnail setCustomEmojiStickerSetThumbnail " +
      "setStickerPositionInSet setStickerEmojiList setStickerKeywords setStickerMaskPosition",
    {
      verb: "sticker.publish",
      effects: ["publish"],
      summary: "Change stickers that everyone can use: {param.name} {param.title} ({path.method})",
    },
  ),
  route("deleteStickerSet deleteStickerFromSet", {
    verb: "sticker.delete",
    effects: ["delete"],
    summary: "Delete the stickers {param.name}{param.sticker}",
  }),
];

const UPDATES: Routes = [
  {
    ...route("setWebhook", {
      verb: "webhook.reset",
      effects: ["administer", "send", "delete"],
      summary: "Send all updates to {param.url}, and forget those that wait",
      recipients: ["param.url"],
    }),
    cases: [{ absent: true as const }, { only: ["false"] }].map((drop) => ({
      when: { "param.drop_pending_updates": drop },
      verb: "webhook.set",
      effects: ["administer" as const, "send" as const],
      summary: "Send all updates to {param.url}",
    })),
  },
  {
    ...route("deleteWebhook", {
      verb: "webhook.delete",
      effects: ["administer", "delete"],
      summary: "Send updates nowhere ({param.drop_pending_updates})",
    }),
  },
  route("logOut close", {
    verb: "bot.close",
    effects: ["administer"],
    summary: "Take the bot from its server ({path.method})",
  }),
  {
    // What comes before the offset is forgotten; a negative one is counted from the end.
    ...route("getUpdates", {
      verb: "update.discard",
      effects: ["read-private", "delete"],
      summary: "Read updates from {param.offset} on, and forget all before",
    }),
    cases: [
      {
        when: {
          "param.offset": { absent: true },
          "param.allowed_updates": { absent: true },
        },
        verb: "update.read",
        effects: ["read-private"],
        summary: "Read what was sent to the bot",
      },
      ...[{ absent: true as const }, { only_like: "^(?:\\d{1,9}|1\\d{9}|20\\d{8})$" }].map(
        (offset) => ({
          when: { "param.offset": offset },
          verb: "update.consume",
          effects: ["read-private" as const, "write" as const],
          summary:
            "Read what was sent to the bot from {param.offset} on; what was before is done with",
        }),
      ),
    ],
  },
];

const READS: Routes = [
  route(
    "getMe getMyName getMyDescription getMyShortDescription getMyCommands " +
      "getMyDefaultAdministratorRights getForumTopicIconStickers getStickerSet " +
      "getCustomEmojiStickers getAvailableGifts",
    {
      verb: "bot.read",
      effects: ["read"],
      summary: "Read what everyone can read ({path.method})",
    },
  ),
  route(
    "getChat getChatMember getChatAdministrators getChatMemberCount getChatMembersCount " +
      "getUserProfilePhotos getUserProfileAudios getUserChatBoosts getChatMenuButton getFile " +
      "getWebhookInfo getGameHighScores getBusinessConnection getBusinessAccountStarBalance " +
      "getBusinessAccountGifts getUserGifts getChatGifts getMyStarBalance getStarTransactions " +
      "getManagedBotAccessSettings getUserPersonalChatMessages",
    {
      verb: "data.read",
      effects: ["read-private"],
      summary: "Read {param.chat_id}{param.user_id}{param.file_id} ({path.method})",
    },
  ),
  {
    verb: "file.read",
    request: ["GET /file/bot{token:[^/]+}/{path...}"],
    effects: ["read-private"],
    summary: "Read the file {path.path}",
  },
];

export const telegram: EntrySource = {
  system: "telegram",
  title: "Telegram Bot API",
  docs: ["https://core.telegram.org/bots/api", "https://github.com/tdlib/telegram-bot-api"],
  hosts: ["api.telegram.org"],
  credential: [{ in: "path", after: "/bot" }],
  unknown: ["spend", "publish", "send", "delete", "administer"],
  routes: [...MESSAGES, ...MONEY, ...CHATS, ...UPDATES, ...READS],
};
