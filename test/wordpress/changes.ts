/**
 * What happened at a site between two moments, told from its tables, its mail and who was asked: the effects that a
 * request really had.
 *
 * @module
 */
import type { Effect } from "../../src/action/index.ts";
import type { Tables } from "./kit.ts";

/** A site at one moment. */
export interface Moment {
  readonly tables: Tables;
  readonly mailChars: number;
  /** Requests that it made to others. */
  readonly fetches: number;
}

type Row = Tables[string][number];

const KEYS: Readonly<Record<string, string>> = {
  posts: "ID",
  comments: "comment_ID",
  terms: "term_id",
  users: "ID",
};
/** What WordPress notes for itself while it serves. */
const OWN_OPTIONS =
  /^(_(site_)?transient_|(cron|rewrite_rules|fresh_site|sticky_posts|recovery_keys)$|wp_calendar_|.*_children$)/;
const OWN_META = /^session_tokens$/;
const GONE = new Set(["trash", "spam"]);

/** The effects of what differs; none where nothing does. */
export function effectsBetween(before: Moment, after: Moment): ReadonlySet<Effect> {
  const [old, now] = [before.tables, after.tables];
  const effects = new Set<Effect>();
  const [shownBefore, shownAfter] = [shown(old), shown(now)];
  if ([...shownAfter].some(([name, text]) => shownBefore.get(name) !== text))
    effects.add("publish");
  if ([...shownBefore.keys()].some((name) => !shownAfter.has(name))) effects.add("delete");
  for (const name of Object.keys(KEYS)) {
    if ([...kept(old, name)].some((id) => !kept(now, name).has(id))) effects.add("delete");
  }
  if (authority(old) !== authority(now)) effects.add("administer");
  if (content(old) !== content(now)) effects.add("write");
  if (after.mailChars > before.mailChars || after.fetches > before.fetches) effects.add("send");
  return effects;
}

const rows = (tables: Tables, name: string): readonly Row[] => tables[name] ?? [];

/** What everybody can see, by its name. */
function shown(tables: Tables): ReadonlyMap<string, string> {
  const posts = rows(tables, "posts").filter(
    ({ post_status, post_type }) =>
      post_type !== "wp_block" &&
      (post_status === "publish" || (post_type === "attachment" && post_status === "inherit")),
  );
  const comments = rows(tables, "comments").filter((row) => row["comment_approved"] === "1");
  const titles = rows(tables, "options").filter(({ option_name }) =>
    /^(blogname|blogdescription|show_on_front)$/.test(option_name ?? ""),
  );
  const listed = taxonomies(tables, /^(category|post_tag)$/);
  return new Map([
    ...posts.map((row) => {
      const { ID, post_title, post_content, post_excerpt, post_name } = row;
      const text = JSON.stringify([post_title, post_content, post_excerpt, post_name]);
      return [`post ${ID}`, text] as const;
    }),
    ...comments.map(
      (row) => [`comment ${row["comment_ID"]}`, row["comment_content"] ?? ""] as const,
    ),
    ...rows(tables, "terms")
      .filter((row) => listed.has(row["term_id"]))
      .map((row) => [`term ${row["term_id"]}`, `${row["name"]} ${row["slug"]}`] as const),
    ...titles.map((row) => [row["option_name"] ?? "", row["option_value"] ?? ""] as const),
  ]);
}

/** What is there and not thrown away. */
function kept(tables: Tables, name: string): ReadonlySet<string | null | undefined> {
  const key = KEYS[name] ?? "";
  const there = rows(tables, name).filter(
    (row) => !GONE.has(row["post_status"] ?? "") && !GONE.has(row["comment_approved"] ?? ""),
  );
  return new Set(there.map((row) => row[key]));
}

function authority(tables: Tables): string {
  return JSON.stringify([
    rows(tables, "users"),
    rows(tables, "usermeta").filter((row) => !OWN_META.test(row["meta_key"] ?? "")),
    rows(tables, "options").filter((row) => !OWN_OPTIONS.test(row["option_name"] ?? "")),
    [...taxonomies(tables, /^nav_menu$/)],
    rows(tables, "posts").filter((row) =>
      /^(wp_(template|global|nav)|nav_)/.test(row["post_type"] ?? ""),
    ),
  ]);
}

function content(tables: Tables): string {
  return JSON.stringify(["posts", "comments", "terms"].map((name) => rows(tables, name)));
}

/** Numbers of terms that are of such a taxonomy. */
function taxonomies(tables: Tables, pattern: RegExp): ReadonlySet<string | null | undefined> {
  const of = rows(tables, "term_taxonomy").filter((row) => pattern.test(row["taxonomy"] ?? ""));
  return new Set(of.map((row) => row["term_id"]));
}
