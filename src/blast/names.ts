/**
 * How facts name what a grant leads to, so that what a probe found and what a task file says meet.
 *
 * @module
 */
import { printDial, variableOf, type TaskGrant } from "../policy/index.ts";

/** The way of whoever has no gateway between. */
export const ITSELF = "itself";

/** An object that stands for whatever there is. */
export const ANY = "any";

/** Who the requests of `grant` are sent as: `postgres:shop-agent@db.internal.example:5432`. */
export function principalOf(
  grant: Pick<TaskGrant, "system" | "credential" | "candidates" | "hosts" | "ports">,
): string {
  const { system, credential, candidates } = grant;
  const kept = candidates?.find((one) => variableOf(one) === undefined);
  const who = credential ?? kept ?? candidates?.[0] ?? "nobody";
  return `${system}:${who}@${grant.hosts[0] ?? ""}:${grant.ports[0] ?? 0}`;
}

/** Places that `grant` leads to: the address under `dial`, else each host and port. */
export function placesOf({
  dial,
  hosts,
  ports,
}: Pick<TaskGrant, "dial" | "hosts" | "ports">): readonly string[] {
  if (dial !== undefined) return [printDial(dial)];
  return hosts.flatMap((host) => ports.map((port) => `${host}:${port}`));
}

/** What stands for all that `grant` leads to, where its system was not asked what there is. */
export function everythingAt({ name }: Pick<TaskGrant, "name">): string {
  return `everything at ${name}`;
}
