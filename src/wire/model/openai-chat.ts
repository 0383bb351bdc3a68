/**
 * OpenAI's Chat Completions, also as other servers speak it (platform.openai.com, "Chat Completions", "The chat
 * completion chunk object"; openai-node, `ChatCompletionChunk`).
 *
 * A stream is chunks of deltas. A call's first piece has its id and name, and the others its arguments, told apart
 * by `index`; a choice is over with its `finish_reason`, the stream with `[DONE]`.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { InputText, readInput } from "./input.ts";
import { OPEN_MAX, type Dialect, type Reading } from "./reading.ts";

type Members = Readonly<Record<string, unknown>>;

interface Open {
  id: unknown;
  name: unknown;
  readonly input: InputText;
  isTold: boolean;
}

export function chatDialect(reading: Reading): Dialect {
  const open = new Map<string, Open>();

  const tell = (one: Open) => {
    if (one.isTold) return;
    one.isTold = true;
    reading.call(one.id, one.name, one.input.done(), false);
  };
  const close = (choice: string) => {
    for (const [key, one] of open) {
      if (!key.startsWith(choice)) continue;
      tell(one);
      open.delete(key);
    }
  };
  const grow = (key: string, { id, function: fn, custom }: Members) => {
    const body = asRecord(fn) ?? asRecord(custom);
    if (body === undefined && id === undefined) return reading.doubt("a call of no known form");
    let one = open.get(key);
    // Some servers send each call whole and number none, or all alike: another id is another call.
    if (one !== undefined && isSaid(id) && isSaid(one.id) && id !== one.id) {
      tell(one);
      one = undefined;
    }
    if (one === undefined) {
      if (open.size >= OPEN_MAX) return reading.doubt("too many calls are open");
      one = { id, name: undefined, input: new InputText(custom === undefined), isTold: false };
      open.set(key, one);
    }
    const name = body?.["name"];
    if (isSaid(name) && isSaid(one.name) && name !== one.name) {
      reading.doubt("one call under two names");
    }
    one.id = isSaid(one.id) ? one.id : id;
    one.name = isSaid(one.name) ? one.name : name;
    const text = body?.["arguments"] ?? body?.["input"] ?? "";
    // Not OpenAI's form, and some servers': the arguments as an object.
    const piece = typeof text === "string" ? text : JSON.stringify(text);
    if (one.isTold && piece.trim() !== "") reading.doubt("input behind the end of a call's input");
    one.input.push(piece);
    if (one.input.isOverfull) reading.doubt("input behind the end of a call's input");
    if (one.input.isWhole && isSaid(one.name)) tell(one);
  };
  const callsOf = (said: unknown): readonly Members[] => {
    const list = asRecord(said)?.["tool_calls"];
    return (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap((item) => {
      const call = asRecord(item);
      if (call === undefined) reading.doubt("a call of no known form");
      // Which of them counts depends on the client.
      else if (asRecord(call["function"]) && asRecord(call["custom"])) {
        reading.doubt("one call in two forms");
      }
      return call === undefined ? [] : [call];
    });
  };
  const choose = (choice: Members, at: number) => {
    const { index = at, delta, message, finish_reason } = choice;
    const key = `${String(index)}:`;
    reading.said(undefined, finish_reason);
    // One client reads the pieces and another the whole, whichever else is there.
    for (const [n, call] of callsOf(delta).entries()) {
      grow(`${key}${JSON.stringify(call["index"] ?? n)}`, call);
    }
    for (const call of callsOf(message)) whole(call);
    // What functions were before they were tools.
    const piece = asRecord(asRecord(delta)?.["function_call"]);
    if (piece !== undefined) grow(`${key}f`, { function: piece });
    const call = asRecord(asRecord(message)?.["function_call"]);
    if (call !== undefined) whole({ function: call });
    if (typeof finish_reason === "string") close(key);
  };
  const whole = ({ id, function: fn, custom }: Members) => {
    const body = asRecord(fn) ?? asRecord(custom);
    if (body === undefined) return reading.doubt("a call of no known form");
    const text = body["arguments"] ?? body["input"] ?? "";
    const input = typeof text === "string" ? text : JSON.stringify(text);
    reading.call(id, body["name"], readInput(input, custom === undefined), false);
  };

  return {
    take(document) {
      const { model, choices, usage, error } = document;
      // Clients differ in which errors they see, and go on to the choices where they see none.
      const isError = error !== undefined && error !== null;
      if (isError) reading.said(undefined, "error");
      reading.said(model);
      const counts = asRecord(usage);
      reading.used(counts?.["prompt_tokens"], counts?.["completion_tokens"]);
      if (!Array.isArray(choices)) {
        if (counts === undefined && !isError) reading.doubt("a chunk without choices");
        return;
      }
      for (const [at, item] of (choices as readonly unknown[]).entries()) {
        const choice = asRecord(item);
        if (choice === undefined) reading.doubt("a choice of no known form");
        else choose(choice, at);
      }
    },
    end() {
      if ([...open.values()].some(({ isTold }) => !isTold)) {
        reading.doubt("the answer broke off within a call");
      }
      close("");
    },
  };
}

function isSaid(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
