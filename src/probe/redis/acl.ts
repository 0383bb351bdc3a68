/**
 * A user's rules of Redis, as `ACL LIST` has them (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/):
 *
 * ```
 * user agent on #5e88... ~app:* resetchannels &news -@all +@read -@dangerous +config|get
 * ```
 *
 * @module
 */

/** Categories that may be asked for: what a server calls one goes into no question, only these words of ours. */
export const CATEGORIES = (
  "keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow " +
  "blocking dangerous connection transaction scripting"
).split(" ");

export interface AclRules {
  readonly keys: readonly string[];
  /** In their order: `+@read`, `-get`, `+config|get`. */
  readonly commands: readonly string[];
}

/** Rules of `user` among lines of `ACL LIST`; `undefined` where they are not there, or more than is understood. */
export function parseAcl(lines: readonly string[], user: string): AclRules | undefined {
  const [line, ...more] = lines.filter((one) => one.startsWith(`user ${user} `));
  if (line === undefined || more.length > 0) return undefined;
  const keys: string[] = [];
  const commands: string[] = [];
  for (const word of line.slice(`user ${user} `.length).split(" ")) {
    if (
      /^(on|off|nopass|sanitize-payload|skip-sanitize-payload|resetchannels|allchannels|#[0-9a-f]{64}|&.*)$/.test(
        word,
      )
    )
      continue;
    const [, key] = /^(?:~|%[RW]{1,2}~)(.+)$/.exec(word) ?? [];
    if (word === "allkeys") keys.push("*");
    else if (key !== undefined) keys.push(key);
    else if (word === "allcommands") commands.push("+@all");
    else if (word === "nocommands") commands.push("-@all");
    else if (/^[+-](@[a-z]+|[a-z][a-z0-9_.-]*(\|[a-z0-9_-]+)?)$/.test(word)) commands.push(word);
    else return undefined;
  }
  return { keys, commands };
}

/** Categories that `rules` speak of. */
export function categoriesOf({ commands }: AclRules): readonly string[] {
  return CATEGORIES.filter((one) => commands.some((word) => word.slice(1) === `@${one}`));
}

/**
 * Which of `verbs` (`config.set`) the rules allow; `members` of categories are as `ACL CAT` tells them. A category that is
 * not known counts as all where it is added, and as none where it is taken away.
 */
export function allowedVerbs(
  { commands }: AclRules,
  verbs: readonly string[],
  members: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const allowed = new Set<string>();
  for (const word of commands) {
    const isAdded = word.startsWith("+");
    const name = word.slice(1);
    for (const verb of verbs) {
      if (!matches(name, verb, members, isAdded)) continue;
      if (isAdded) allowed.add(verb);
      else allowed.delete(verb);
    }
  }
  return [...allowed];
}

function matches(
  name: string,
  verb: string,
  members: ReadonlyMap<string, ReadonlySet<string>>,
  isAdded: boolean,
): boolean {
  const command = verb.replace(".", "|");
  if (name === "@all") return true;
  if (name.startsWith("@")) {
    const known = members.get(name.slice(1));
    return known === undefined ? isAdded : known.has(command);
  }
  return command === name || command.startsWith(`${name}|`);
}
