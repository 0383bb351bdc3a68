/**
 * What the golden rows speak of: entries 7 and 8, a file, a comment on another's
 * entry and a category, by their numbers.
 *
 * @module
 */
import type { Golden } from "../../src/catalog/golden.ts";
import type { WordPress } from "./kit.ts";

/** Makes them once, and keeps the site as it then is. */
export async function makeFixture(site: WordPress): Promise<void> {
  // The first use of a password is noted with it.
  for (const as of [site.editor, site.admin]) await site.ask("/wp-json/wp/v2/users/me", { as });
  const author = site.editor.id;
  await site.query(
    [
      insertPost(7, author, "publish", "post"),
      insertPost(8, author, "publish", "post"),
      insertPost(9, author, "inherit", "attachment"),
      insertPost(10, author, "draft", "post"),
      insertPost(11, author, "inherit", "attachment", 10),
      insertPost(12, site.admin.id, "publish", "post"),
      `INSERT INTO wp_comments (comment_ID, comment_post_ID, comment_author, comment_author_email, comment_content, comment_approved)
       VALUES (3, 12, 'Reader', 'reader@x.example', 'a comment', '1')`,
      "INSERT INTO wp_terms (term_id, name, slug) VALUES (4, 'Category', 'category-4')",
      "INSERT INTO wp_term_taxonomy (term_id, taxonomy, description) VALUES (4, 'category', '')",
    ].join(";"),
  );
  await site.keep();
}

/** Brings the fixture into the state that `row` speaks of. */
export async function setFixture(site: WordPress, row: Golden): Promise<void> {
  await site.restore();
  const { status = "publish" } = (row.facts?.["current"] ?? {}) as { readonly status?: string };
  const type = /\/(page|block)s\b/.exec(row.request)?.[1] ?? "post";
  const approves = JSON.stringify(row.json ?? {}).includes("approved");
  await site.query(
    `UPDATE wp_posts SET post_status = '${status}', post_type = '${type === "block" ? "wp_block" : type}' WHERE ID = 7;
     UPDATE wp_comments SET comment_approved = '${approves ? 0 : 1}' WHERE comment_ID = 3`,
  );
}

function insertPost(id: number, author: number, status: string, type: string, parent = 0): string {
  const texts = ["post_content", "post_title", "post_name"];
  const empty = ["post_excerpt", "to_ping", "pinged", "post_content_filtered"];
  const dates = ["post_date", "post_date_gmt", "post_modified", "post_modified_gmt"];
  const columns = ["ID", "post_author", "post_parent", "post_status", "post_type"];
  const name = type === "revision" ? `${parent}-revision-v1` : `${type}-${id}`;
  const values = [
    ...[id, author, parent, `'${status}'`, `'${type}'`, `'content ${id}'`, `'title ${id}'`],
    ...[`'${name}'`, ...empty.map(() => "''"), ...dates.map(() => "'2026-01-01'")],
  ];
  return `INSERT INTO wp_posts (${[...columns, ...texts, ...empty, ...dates].join(", ")}) VALUES (${values.join(", ")})`;
}
