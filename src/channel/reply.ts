/**
 * What an approver types: `CODE`, `approve [ID] CODE`, `deny [ID] REASON`. Anything else is talk.
 *
 * @module
 */

/** What somebody wants to be done. */
export type Wish =
  | {
      readonly kind: "approve";
      readonly id?: string;
      readonly code: string;
      readonly bare: boolean;
    }
  | { readonly kind: "deny"; readonly id?: string; readonly rest: string };

const REASON_CHARS_MAX = 500; // As at the command line.
const TEXT_CHARS_MAX = 1000;
const APPROVE = /^\/?approve\s+(?:(p-[0-9a-z]{1,20})\s+)?(\S{1,64})$/i;
const DENY = /^\/?deny(?:\s+(p-[0-9a-z]{1,20}))?(?:\s+(.*))?$/is;
const BARE = /^[0-9a-f]{6}$/i;

/** Reads `text`; `undefined` where it is talk. */
export function parseReply(text: string): Wish | undefined {
  const said = text.trim();
  if (said.length > TEXT_CHARS_MAX) return undefined;
  if (BARE.test(said)) return { kind: "approve", code: said.toLowerCase(), bare: true };
  const approve = APPROVE.exec(said);
  if (approve !== null) {
    const [, id, code = ""] = approve;
    return { kind: "approve", ...idOf(id), code: code.toLowerCase(), bare: false };
  }
  const deny = DENY.exec(said);
  if (deny === null) return undefined;
  const [, id, rest = ""] = deny;
  return { kind: "deny", ...idOf(id), rest: rest.slice(0, REASON_CHARS_MAX) };
}

/** `deny CODE REASON`: the code, where what was said begins with one. */
export function leadingCode(rest: string): { readonly code: string; readonly reason: string } {
  const [, code = "", reason = ""] = /^([0-9a-f]{6})(?:\s+(.*))?$/is.exec(rest) ?? [];
  return { code: code.toLowerCase(), reason };
}

function idOf(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id: id.toLowerCase() };
}
