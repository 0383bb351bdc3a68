/**
 * What a run may do, in sentences for its agent: names, verbs and what waits. Where a grant's connections
 * really go, which files it names and what its credential is called are the host's affair, and left out.
 *
 * @module
 */
import { OWN_SYSTEM } from "../action/index.ts";
import {
  CONFIRMED_EFFECTS,
  type Grant,
  type Policy,
  printHostPattern,
  printVerbs,
  type Rule,
  type Task,
} from "../policy/index.ts";

/** Sentences on what `task` and the policy of now let a run do. */
export function mayDo(task: Pick<Task, "purpose">, policy: Policy): readonly string[] {
  const grants = policy.grants.filter(({ name }) => name !== OWN_SYSTEM);
  return [
    `This run is for: ${task.purpose}`,
    ...(grants.length === 0 ? ["It may reach nothing outside."] : grants.map(grantSentence)),
    "Everything else is refused and recorded. Trying another way to the same thing is recorded as a search for a way round; ask for access instead.",
    "What waits for a person is answered with 403 approval-pending: send the very same request again later, and it joins the one that waits.",
  ];
}

function grantSentence(grant: Grant): string {
  const { name, system, kind, hosts, ports, tls, revoked, rules } = grant;
  if (revoked) return `${name}: was taken back.`;
  const place = `${hosts.map(printHostPattern).join(" or ")}, port ${ports.join(", ")}`;
  if (kind === "splice" || kind === "opaque") return `${name}: connections to ${place}.`;
  const scheme = kind === "session" ? system : tls ? "https" : "http";
  const how = `${system === "http" ? "requests" : system} at ${scheme}://${place}`;
  return `${name} (${how}): ${rules.map(ruleSentence).join("; ")}.`;
}

function ruleSentence(rule: Rule): string {
  const { methods, paths, verbs, doing, effects, unattended } = rule;
  const what =
    verbs === undefined
      ? `${methods.join(", ")} ${paths.map((glob) => glob.source).join(" ")}`
      : printVerbs({ ...rule, verbs });
  const waiting = (doing ?? effects ?? []).filter((effect) => CONFIRMED_EFFECTS.has(effect));
  if (unattended !== undefined) return `${what} (${unattended.count} times without asking)`;
  if (waiting.length > 0) return `${what} (${waiting.join(", ")} waits for a person)`;
  return verbs !== undefined && doing === undefined
    ? `${what} (what publishes, sends, executes, deletes, administers or spends waits for a person)`
    : what;
}
