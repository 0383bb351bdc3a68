/** Who is signed in, for any screen. */
import type { Answers, Role } from "../../src/api/index.ts";
import { useCall } from "../calls/index.ts";

export type SignedIn = Answers<"session.show">;

/** Whether the one who looks has the role; what they may not do is not offered. */
export function useRole(role: Role): boolean {
  return useCall("session.show", {}).data?.roles.includes(role) ?? false;
}

/** Who looks; `undefined` until it is known. */
export function useSession(): SignedIn | undefined {
  return useCall("session.show", {}).data;
}
