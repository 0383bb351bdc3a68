/**
 * Commands of SMTP submission (RFC 5321, 4.1.1; RFC 4954; RFC 3207; RFC 1870; RFC 6152).
 *
 *     verb [SP argument] CRLF
 *     MAIL FROM:<mailbox> [SP esmtp-param]...        esmtp-param = keyword ["=" value]
 *
 * @module
 */

/** One line, taken apart. */
export interface SmtpCommand {
  /** In capitals. */
  readonly verb: string;
  readonly argument: string;
}

/** What MAIL or RCPT names. */
export interface SmtpPath {
  /** What stands between the angle brackets. */
  readonly path: string;
  /** Keywords in capitals; without a value that is empty. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Takes `line` apart; `undefined` where it begins with no word. */
export function readSmtpCommand(line: string): SmtpCommand | undefined {
  const [, verb, argument = ""] = /^([A-Za-z]{1,16})(?: (.*))?$/.exec(line.trimEnd()) ?? [];
  return verb === undefined ? undefined : { verb: verb.toUpperCase(), argument };
}

const PATH = /^(FROM|TO): ?<([^<>]*)>((?: [A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?)*)$/i;

/** The argument of `MAIL` (`FROM`) or `RCPT` (`TO`); `undefined` where it is not of that form, or names a parameter twice. */
export function readSmtpPath(argument: string, word: "FROM" | "TO"): SmtpPath | undefined {
  const [, said = "", path, given = ""] = PATH.exec(argument) ?? [];
  if (path === undefined || said.toUpperCase() !== word) return undefined;
  const parameters = new Map<string, string>();
  for (const one of given.split(" ").filter((text) => text !== "")) {
    const at = one.indexOf("=");
    const keyword = (at < 0 ? one : one.slice(0, at)).toUpperCase();
    if (parameters.has(keyword)) return undefined;
    parameters.set(keyword, at < 0 ? "" : one.slice(at + 1));
  }
  return { path, parameters };
}
