/**
 * Anthropic's Messages (platform.claude.com, "Messages", "Streaming messages"; anthropic-sdk-typescript,
 * `RawMessageStreamEvent`, `ContentBlock`).
 *
 *     message_start *( content_block_start *content_block_delta content_block_stop ) message_delta message_stop
 *
 * The input of a call is JSON in pieces (`input_json_delta`); of blocks that are no calls nothing is kept.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { InputText, inputOf } from "./input.ts";
import { OPEN_MAX, type Dialect, type Reading } from "./reading.ts";

type Members = Readonly<Record<string, unknown>>;

/** Whether a block is a call; those but `tool_use` are performed at the provider. */
export function isCallBlock(type: unknown): type is string {
  return typeof type === "string" && /^(?:\w+_)?tool_use$/.test(type);
}

interface Open {
  readonly block: Members;
  readonly input: InputText;
  isTold: boolean;
}

export function anthropicDialect(reading: Reading): Dialect {
  const open = new Map<unknown, Open>();

  const tell = (one: Open) => {
    if (one.isTold) return;
    one.isTold = true;
    const { id, name, input, type } = one.block;
    const read = one.input.isEmpty ? inputOf(input) : one.input.done();
    reading.call(id, name, read, type !== "tool_use");
  };
  const start = ({ index, content_block }: Members) => {
    const block = asRecord(content_block);
    if (block === undefined || typeof index !== "number") return reading.doubt("an odd block");
    const before = open.get(index);
    if (before !== undefined) {
      reading.doubt("two blocks under one index");
      tell(before);
      open.delete(index);
    }
    if (!isCallBlock(block["type"])) return;
    if (open.size >= OPEN_MAX) return reading.doubt("too many blocks are open");
    open.set(index, { block, input: new InputText(true), isTold: false });
  };
  const grow = ({ index, delta }: Members) => {
    const piece = asRecord(delta);
    if (piece?.["type"] !== "input_json_delta") return;
    const one = open.get(index);
    const text = piece["partial_json"];
    if (one === undefined || typeof text !== "string") return reading.doubt("input of no call");
    if (one.isTold && text.trim() !== "") reading.doubt("input behind the end of a call's input");
    one.input.push(text);
    if (one.input.isOverfull) reading.doubt("input behind the end of a call's input");
    if (one.input.isWhole) tell(one);
  };
  const use = (usage: unknown) => {
    const counts = asRecord(usage);
    if (counts === undefined) return;
    const parts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    const known = parts.flatMap((name) => (typeof counts[name] === "number" ? [counts[name]] : []));
    // The last message has the sum again only where it changed.
    const sum = known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0);
    reading.used(sum, counts["output_tokens"]);
  };

  /** A message with what it holds by now: all of it, or what a stream begins with. */
  const message = ({ content, model, stop_reason, usage }: Members) => {
    reading.said(model, stop_reason);
    use(usage);
    if (!Array.isArray(content)) return reading.doubt("a message without content");
    for (const item of content as readonly unknown[]) {
      const { type, id, name, input } = asRecord(item) ?? {};
      if (isCallBlock(type)) reading.call(id, name, inputOf(input), type !== "tool_use");
    }
  };

  return {
    take(document) {
      const { type, content } = document;
      // Clients that asked for it whole take its content whatever it says of its type.
      if (Array.isArray(content) && type !== "message") message(document);
      switch (type) {
        case "message_start":
          return message(asRecord(document["message"]) ?? {});
        case "content_block_start":
          return start(document);
        case "content_block_delta":
          return grow(document);
        case "content_block_stop": {
          const one = open.get(document["index"]);
          open.delete(document["index"]);
          if (one !== undefined) tell(one);
          return;
        }
        case "message_delta":
          reading.said(undefined, asRecord(document["delta"])?.["stop_reason"]);
          return use(document["usage"]);
        case "message":
          return message(document);
        case "error":
          return reading.said(undefined, "error");
        case "ping":
        case "message_stop":
          return;
        default:
          // New kinds may come ("Streaming messages", "Other events"); one without a kind is none of them.
          if (typeof type !== "string") reading.doubt("an event of no kind");
      }
    },
    end() {
      for (const one of open.values()) {
        if (!one.isTold) reading.doubt("the answer broke off within a call");
        tell(one);
      }
      open.clear();
    },
  };
}
