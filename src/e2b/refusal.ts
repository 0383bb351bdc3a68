/**
 * What a caller is refused with, in both forms that E2B's clients read: a status with `{code, message}` from the control
 * plane and for files, a code of the Connect protocol from the sandbox's own services.
 *
 * @module
 */
import { isFault } from "../base/index.ts";

/** Codes of the Connect protocol with the HTTP status of each (connectrpc.com/docs/protocol, "Error codes"). */
export const STATUS = {
  invalid_argument: 400,
  failed_precondition: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  aborted: 409,
  resource_exhausted: 429,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
  deadline_exceeded: 504,
} as const;
export type RefusalCode = keyof typeof STATUS;

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** The daemon's refusals; what is not here is `internal`. */
const CODES: Readonly<Record<string, RefusalCode>> = {
  "daemon.no_such_run": "unavailable",
  "daemon.state": "unavailable",
  "daemon.no_such_exec": "not_found",
  "daemon.execs": "resource_exhausted",
  "daemon.request": "invalid_argument",
  "cli.unreachable": "unavailable",
};

/** Of a tool of the run that failed: its words (the C locale's, behind the file's name), and what they mean. */
const FILE_WORDS: readonly (readonly [RegExp, RefusalCode])[] = [
  [/: No such file or directory$/, "not_found"],
  [/: (?:Is|Not) a directory$/, "invalid_argument"],
  [/: File name too long$/, "invalid_argument"],
  [/: (?:Permission denied|Read-only file system|Operation not permitted)$/, "permission_denied"],
  [/: (?:No space left on device|Disk quota exceeded)$/, "resource_exhausted"],
];

/** Whatever was thrown, as what the caller is told; what nobody foresaw says nothing of our inside. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!isFault(error)) return new Refusal("internal", "the adapter failed; see its log", error);
  if (error.code === "daemon.file") {
    const words = error.message.trimEnd();
    const code = FILE_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? "failed_precondition";
    return new Refusal(code, words, error);
  }
  return new Refusal(CODES[error.code] ?? "internal", error.message, error);
}
