/**
 * Who may ask for what. A person who is signed in is a viewer; the other roles are given, and neither holds the other:
 * whoever runs the machine need not be the one who says yes.
 *
 * @module
 */
import { z } from "zod";

export const ROLES = ["viewer", "approver", "operator"] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;

/** What an endpoint asks of its caller; `owner` is whoever may open the control socket, and nobody over HTTP. */
export type Needs = Role | "owner";

/** Whether somebody with `roles` may ask for what needs `needs`. */
export function mayAsk(roles: readonly Role[], needs: Needs): boolean {
  return needs !== "owner" && roles.includes(needs);
}
