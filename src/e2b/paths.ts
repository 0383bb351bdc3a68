/**
 * Paths and users as callers name them, and what they are in a sandbox.
 *
 * @module
 */
import { posix } from "node:path";
import { Refusal } from "./refusal.ts";
import type { Sandbox } from "./sandboxes.ts";

const PATH_BYTES_MAX = 4096;
/** A sandbox has one user. Callers may call it by either of the names that E2B's templates have. */
const USERS: ReadonlySet<string> = new Set(["user", "root"]);

/**
 * The absolute path that `said` stands for: a relative one begins at the workspace. Nothing is decided by it: the run
 * itself opens it, with no more rights than its agent has.
 *
 * @throws {Refusal} `invalid_argument` where it is no path.
 */
export function pathIn({ order }: Sandbox, said: string): string {
  if (said.includes("\0")) throw new Refusal("invalid_argument", "a path with a zero byte");
  if (said === "~" || said.startsWith("~/")) {
    throw new Refusal(
      "invalid_argument",
      "no home is put in for ~ here: say the whole path, or one from the workspace",
    );
  }
  const path = posix.resolve(order.template.workspace, said);
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new Refusal("invalid_argument", `a path above ${PATH_BYTES_MAX} bytes`);
  }
  return path;
}

/** @throws {Refusal} `unauthenticated` where a caller means somebody else than the one user there is. */
export function requireUser(name: string | undefined): void {
  if (name === undefined || name === "" || USERS.has(name)) return;
  throw new Refusal(
    "unauthenticated",
    `unknown user ${JSON.stringify(name.slice(0, 64))}: a sandbox has one, called user or root`,
  );
}

/** The user of an `Authorization: Basic` header, which has a name and no password. */
export function userOf(authorization: string | undefined): string | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,512})$/.exec(authorization ?? "") ?? [];
  if (encoded === undefined) return undefined;
  return Buffer.from(encoded, "base64").toString("utf8").split(":", 1)[0];
}
