/**
 * What entries of tool calls and results say: bounded, and without what is a secret by its form or its name. The
 * digests are of all of it.
 *
 * @module
 */
import type { Action, CALL_SOURCES, Event } from "../action/index.ts";
import { blackenSecrets } from "../git/index.ts";
import { briefOf, type CallInput, type ToolResult } from "../wire/index.ts";

import type { FlowRecord } from "./flow-record.ts";
import type { GatewayRun } from "./ports.ts";

type Source = (typeof CALL_SOURCES)[number];
type Data = NonNullable<Event["data"]>;

/** Of the input of a call, and of what came of it, in bytes. */
export const INPUT_BYTES_MAX = 4096;
export const EXCERPT_BYTES_MAX = 512;

/** A call as its entry has it. */
export function callData(
  call: {
    readonly id: string;
    readonly name: string;
    readonly input: CallInput;
    readonly hosted?: boolean;
  },
  source: Source,
  model?: string,
): Data {
  const { id, name, input, hosted = false } = call;
  const brief = briefOf(input, INPUT_BYTES_MAX);
  const text = inBytes(blackenSecrets(brief.text), INPUT_BYTES_MAX);
  return {
    ...{ call: id, name, source, input: text, bytes: input.bytes, digest: input.digest },
    ...(brief.isCut || text.length < brief.text.length ? { cut: true } : {}),
    ...(hosted ? { hosted: true } : {}),
    ...(model === undefined ? {} : { model }),
  };
}

/** A result as its entry has it. */
export function resultData(
  { id, isError, bytes, digest, excerpt }: ToolResult,
  source: Source,
): Data {
  const clean = hideNamed(blackenSecrets(excerpt));
  return { call: id, source, isError, bytes, digest, excerpt: inBytes(clean, EXCERPT_BYTES_MAX) };
}

/** What stands beside the name of a secret, as files of settings and answers of services have it. */
const NAMED =
  /((?:api[_-]?key|access[_-]?key|token|secret|passw(?:or)?d|passphrase|pwd|credential|authorization)[\w-]*["']?[ \t]*[:=][ \t]*(?:(?:bearer|basic|token)[ \t]+)?["']?)[^\s"',;}]{4,}/gi;

function hideNamed(text: string): string {
  return text.replaceAll(NAMED, "$1[secret]");
}

/** The beginning of `text`, in at most `bytes` of UTF-8. */
function inBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  return whole
    .subarray(0, bytes)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
}

/** What entries are about. */
export interface Told {
  readonly run: GatewayRun;
  readonly flow: FlowRecord;
  readonly action: Action;
}

/** Puts an entry on its way. What cannot be recorded ends the run, where it is recorded. */
export function recordTool({ run, flow, action }: Told, type: Event["type"], data: Data): void {
  const { system, target, id } = action;
  const { process } = flow;
  run.record({ type, system, target, flow: flow.id, action: id, process, data }).catch(() => {});
}
