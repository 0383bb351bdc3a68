/**
 * OpenAI's Responses (platform.openai.com, "Responses", "Streaming events"; openai-node, `ResponseOutputItem`,
 * `ResponseStreamEvent`).
 *
 * An item begins with `response.output_item.added`, its arguments come in deltas and once more whole, then the item
 * stands whole in `response.output_item.done`, and in `response.completed` with all others. Clients act on any of
 * these, so each is read; what is told twice counts once, and what is told in two forms is told twice, and said.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { InputText, inputOf, readInput, type CallInput } from "./input.ts";
import { OPEN_MAX, type Dialect, type Reading } from "./reading.ts";

type Members = Readonly<Record<string, unknown>>;

export interface ItemCall {
  readonly id: unknown;
  readonly name: unknown;
  readonly input: CallInput;
  readonly hosted: boolean;
}

/** Tools that the agent performs itself, by the kind of their item: name, and the member that is the input. */
const LOCAL: Readonly<Record<string, readonly [name: string, member: string]>> = {
  local_shell_call: ["local_shell", "action"],
  shell_call: ["shell", "action"],
  apply_patch_call: ["apply_patch", "operation"],
  computer_call: ["computer", "action"],
};
/** Those of the provider's: the members that are the input. */
const HOSTED: Readonly<Record<string, readonly string[]>> = {
  web_search_call: ["action"],
  file_search_call: ["queries"],
  code_interpreter_call: ["code", "container_id"],
  image_generation_call: [],
};

/** The call that `item` is, if it is one and whole. */
export function callOfItem(item: Members): ItemCall | undefined {
  const { type, id, call_id = id, name } = item;
  if (typeof type !== "string" || !type.endsWith("_call")) return undefined;
  if (type === "function_call") {
    return { id: call_id, name, input: inputOfText(item["arguments"], true), hosted: false };
  }
  if (type === "custom_tool_call") {
    return { id: call_id, name, input: inputOfText(item["input"], false), hosted: false };
  }
  if (type === "mcp_call") {
    const label = typeof item["server_label"] === "string" ? `${item["server_label"]}.` : "";
    const input = inputOfText(item["arguments"], true);
    return { id: call_id, name: `${label}${String(name)}`, input, hosted: true };
  }
  if (type === "tool_search_call") {
    const hosted = item["execution"] !== "client";
    return { id: call_id, name: "tool_search", input: inputOf(item["arguments"]), hosted };
  }
  const local = LOCAL[type];
  if (local !== undefined) {
    // A shell can also be a container at the provider.
    const place = asRecord(item["environment"])?.["type"];
    const isThere = typeof place === "string" && place.startsWith("container");
    const hosted = type === "shell_call" && isThere;
    const input = inputOf(item[local[1]] ?? item[`${local[1]}s`]);
    return { id: call_id, name: local[0], input, hosted };
  }
  const members = HOSTED[type];
  if (members !== undefined) {
    const input = Object.fromEntries(members.map((member) => [member, item[member] ?? null]));
    return {
      id: call_id,
      name: type.slice(0, -"_call".length),
      input: inputOf(input),
      hosted: true,
    };
  }
  // A kind that is new: who performs it is not known, so it counts as the agent's.
  const { type: _type, status: _status, ...rest } = item;
  return { id: call_id, name: type.slice(0, -"_call".length), input: inputOf(rest), hosted: false };
}

function inputOfText(text: unknown, isJson: boolean): CallInput {
  return typeof text === "string" ? readInput(text, isJson) : inputOf(text);
}

interface Open {
  readonly item: Members;
  readonly input: InputText;
  isTold: boolean;
}

const DELTA =
  /^response\.(?:function_call_arguments|custom_tool_call_input|mcp_call_arguments)\.delta$/;
const ENDED = /^response\.(?:completed|incomplete|failed|cancelled)$/;
const STREAMED: ReadonlySet<unknown> = new Set(["function_call", "custom_tool_call", "mcp_call"]);

/** Whether an event of this kind is the last of its response. */
export function isLastEvent(type: unknown): boolean {
  return typeof type === "string" && (ENDED.test(type) || type === "error");
}

export function responsesDialect(reading: Reading): Dialect {
  const open = new Map<string, Open>();
  /** What was told, by id: its name and digest. */
  const told = new Map<string, string>();

  const tell = ({ id, name, input, hosted }: ItemCall) => {
    const key = `${String(id)} ${String(hosted)}`;
    const form = `${String(name)} ${input.digest}`;
    const before = told.get(key);
    if (before === form) return;
    if (before !== undefined) reading.doubt("one call in two forms");
    if (told.size < OPEN_MAX) told.set(key, form);
    reading.call(id, name, input, hosted);
  };
  /** An item that is whole; a hosted one only once it is over, since its input grows. */
  const finish = (value: unknown) => {
    const item = asRecord(value);
    const call = item === undefined ? undefined : callOfItem(item);
    if (call !== undefined) tell(call);
  };
  const keyOf = ({ item_id, output_index }: Members) =>
    typeof item_id === "string" && open.has(item_id) ? item_id : `#${String(output_index)}`;
  const add = ({ output_index, item: value }: Members) => {
    const item = asRecord(value);
    if (item === undefined) return reading.doubt("an item of no known form");
    if (!STREAMED.has(item["type"])) return;
    if (open.size >= 2 * OPEN_MAX) return reading.doubt("too many calls are open");
    const key = `#${String(output_index)}`;
    if (open.has(key)) reading.doubt("two items under one index");
    const input = new InputText(item["type"] !== "custom_tool_call");
    const one: Open = { item, input, isTold: false };
    open.set(key, one);
    if (typeof item["id"] === "string") open.set(item["id"], one);
  };
  const grow = (event: Members) => {
    const one = open.get(keyOf(event));
    const { delta } = event;
    if (one === undefined || typeof delta !== "string") return reading.doubt("input of no call");
    one.input.push(delta);
    if (one.input.isOverfull) reading.doubt("input behind the end of a call's input");
    if (one.input.isWhole && !one.isTold) tellOpen(one);
  };
  const tellOpen = (one: Open) => {
    one.isTold = true;
    const call = callOfItem({ ...one.item, arguments: "", input: "" });
    if (call !== undefined) tell({ ...call, input: one.input.done() });
  };
  const summarize = (value: unknown) => {
    const response = asRecord(value);
    if (response === undefined) return;
    const { model, status, usage, output } = response;
    const reason = asRecord(response["incomplete_details"])?.["reason"];
    const counts = asRecord(usage);
    reading.said(model, reason ?? status);
    reading.used(counts?.["input_tokens"], counts?.["output_tokens"]);
    if (Array.isArray(output)) for (const item of output as readonly unknown[]) finish(item);
  };

  return {
    take(document) {
      const { type, object, output } = document;
      // Clients that asked for it whole look at nothing else, and those that asked for events at the type alone.
      const isWhole = object === "response" || Array.isArray(output);
      if (isWhole) summarize(document);
      if (typeof type !== "string") {
        if (isWhole) return;
        if (asRecord(document["error"]) !== undefined) return reading.said(undefined, "error");
        return reading.doubt("an event of no kind");
      }
      if (type === "response.output_item.added") return add(document);
      if (DELTA.test(type)) return grow(document);
      if (type === "response.output_item.done") {
        const one = open.get(`#${String(document["output_index"])}`);
        if (one !== undefined) one.isTold = true;
        return finish(document["item"]);
      }
      if (type === "error") return reading.said(undefined, "error");
      if (ENDED.test(type) || type === "response.created") summarize(document["response"]);
    },
    end() {
      for (const one of open.values()) {
        if (one.isTold) continue;
        reading.doubt("the answer broke off within a call");
        tellOpen(one);
      }
      open.clear();
    },
  };
}
