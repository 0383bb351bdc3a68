/**
 * WordPress, by its REST API. XML-RPC, admin-ajax and the admin's own pages are named or unknown, and so
 * denied unless a task names them.
 *
 * @module
 */
import type { Case, EntrySource } from "../entry.ts";
import { shop } from "./woocommerce.ts";

const CHANGES = "POST|PUT|PATCH";
// Names of parts are none of a parameter, except those that are WordPress's own: id, parent, user_id, uuid.
const POSTS = "{kind:posts|pages|blocks}";
const TERMS = "{kind:categories|tags}";
const ID = "{id:\\d+}";
const DRAFT = ["draft", "pending"];
/** Without these an answer is the one that everybody gets; `_embed` adds what it points to, drafts too. */
const PUBLIC_VIEW = {
  "query.context": { absent: true },
  "query.status": { absent: true },
  "query.password": { absent: true },
  "query._embed": { absent: true },
} as const;
const PLAIN_VIEW = { ...PUBLIC_VIEW, "query.context": { only: ["view", "embed"] } };
const publicViews = (more: Case["when"] = {}): readonly Case[] =>
  [PUBLIC_VIEW, PLAIN_VIEW].map((view) => ({ when: { ...view, ...more }, effects: ["read"] }));
/** What waits is `future`; its content must be the approved one when the time comes, and after. */
const laterAt = (id: string): NonNullable<EntrySource["routes"][number]["later"]> => ({
  read: { entry: `/wp/v2/{path.kind}/${id}?context=edit` },
  at: "entry.date_gmt",
  waits: { "entry.status": { only: ["future"] } },
  withdrawn: { "entry.status": { only: [...DRAFT, "auto-draft", "private", "trash"] } },
  compare: [
    ...["title.raw", "content.raw", "excerpt.raw", "slug", "date_gmt", "password", "author"],
    ...["featured_media", "template", "format", "sticky", "parent", "comment_status"],
    ...["categories", "tags", "meta"],
  ].map((name) => `entry.${name}`),
  stop: [{ request: `POST /wp/v2/{path.kind}/${id}`, json: { status: "draft" } }],
});
const CURRENT_POST = { current: "/wp/v2/{path.kind}/{path.id}?context=edit" };

export const wordpress: EntrySource = {
  system: "wordpress",
  title: "WordPress",
  docs: [
    "https://developer.wordpress.org/rest-api/reference/",
    "https://developer.wordpress.org/rest-api/using-the-rest-api/global-parameters/",
  ],
  base: ["/wp-json", "/index.php/wp-json"],
  credential: [{ in: "header", name: "authorization", scheme: "Basic" }],
  unknown: ["administer"],
  dialect: ["php", "open-path"],
  override: { method: "_method", path: "rest_route", header: "x-http-method-override" },
  // An application password of the same user, for one run: core, class-wp-rest-application-passwords-controller.php.
  mint: {
    create: {
      request: "POST /wp-json/wp/v2/users/me/application-passwords",
      json: { name: "{label}" },
    },
    secret: "password",
    id: "uuid",
    revoke: { request: "DELETE /wp-json/wp/v2/users/me/application-passwords/{id}" },
  },
  routes: [
    {
      verb: "site.index",
      request: ["GET /", "GET /wp/v2", "OPTIONS /wp/v2/{rest...}"],
      effects: ["read"],
      summary: "Ask what the site's API has",
    },
    {
      verb: "post.list",
      request: "GET|HEAD /wp/v2/{kind:posts|pages}",
      effects: ["read-private"],
      summary: "Read {path.kind}",
      cases: [...publicViews()],
    },
    {
      // By its number a draft is read as what is public is.
      verb: "post.list",
      request: `GET|HEAD /wp/v2/{kind:posts|pages}/${ID}`,
      effects: ["read-private"],
      summary: "Read entry {path.id} of {path.kind}",
      lookup: CURRENT_POST,
      cases: [...publicViews({ "current.status": { only: ["publish"] } })],
    },
    {
      verb: "post.list",
      request: ["GET|HEAD /wp/v2/blocks", `GET|HEAD /wp/v2/blocks/${ID}`],
      effects: ["read-private"],
      summary: "Read blocks that editors keep",
    },
    {
      verb: "post.publish",
      request: `${CHANGES} /wp/v2/${POSTS}`,
      effects: ["publish"],
      summary: "Publish a new entry of {path.kind}: {param.title}",
      show: "post",
      takes_effect_at: "param.date_gmt",
      later: laterAt("{answer.id}"),
      cases: [
        {
          when: { "param.status": { only: DRAFT } },
          verb: "post.draft",
          effects: ["write"],
          summary: "Draft a new entry of {path.kind}: {param.title}",
        },
        {
          // wp_insert_post makes a draft of what has no status.
          when: { "param.status": { absent: true } },
          verb: "post.draft",
          effects: ["write"],
          summary: "Draft a new entry of {path.kind}: {param.title}",
        },
      ],
    },
    {
      verb: "post.publish",
      request: `${CHANGES} /wp/v2/${POSTS}/${ID}`,
      effects: ["publish"],
      summary: "Change what is public, or make it so: entry {path.id} of {path.kind}",
      lookup: CURRENT_POST,
      show: "post",
      takes_effect_at: "param.date_gmt",
      later: laterAt("{path.id}"),
      cases: [
        {
          when: {
            "param.status": { only: DRAFT },
            "current.status": { only: [...DRAFT, "auto-draft"] },
          },
          verb: "post.draft",
          effects: ["write"],
          summary: "Change the draft {path.id} of {path.kind}",
        },
        {
          when: {
            "param.status": { absent: true },
            "current.status": { only: [...DRAFT, "auto-draft"] },
          },
          verb: "post.draft",
          effects: ["write"],
          summary: "Change the draft {path.id} of {path.kind}",
        },
        {
          when: { "param.status": { only: [...DRAFT, "trash"] } },
          verb: "post.unpublish",
          effects: ["publish", "delete"],
          summary: "Take entry {path.id} of {path.kind} off the site",
        },
      ],
    },
    {
      verb: "post.delete",
      request: `DELETE /wp/v2/${POSTS}/${ID}`,
      effects: ["delete"],
      summary: "Delete entry {path.id} of {path.kind} for good",
      lookup: CURRENT_POST,
      cases: [
        {
          when: { "param.force": { absent: true } },
          verb: "post.trash",
          summary: "Move entry {path.id} of {path.kind} to the trash",
          reversible: true,
        },
      ],
    },
    {
      verb: "revision.list",
      request: [
        `GET /wp/v2/${POSTS}/{parent:\\d+}/{what:revisions|autosaves}`,
        `GET /wp/v2/${POSTS}/{parent:\\d+}/{what:revisions|autosaves}/${ID}`,
      ],
      effects: ["read-private"],
      summary: "Read {path.what} of entry {path.parent}",
    },
    {
      verb: "autosave.create",
      request: `POST /wp/v2/${POSTS}/${ID}/autosaves`,
      effects: ["publish"],
      summary: "Save entry {path.id} of {path.kind} aside",
      // Of one's own draft the autosave is the draft itself, so that a status publishes it; of all else it stays
      // aside, whatever it says.
      cases: [{ when: { "param.status": { absent: true } }, effects: ["write"] }],
    },
    {
      verb: "revision.delete",
      request: `DELETE /wp/v2/${POSTS}/{parent:\\d+}/revisions/${ID}`,
      effects: ["delete"],
      summary: "Delete a revision of entry {path.parent} for good",
    },
    {
      verb: "media.list",
      request: ["GET|HEAD /wp/v2/media", `GET|HEAD /wp/v2/media/${ID}`],
      effects: ["read-private"],
      // Files of drafts are in it, which only editors are shown.
      summary: "Read the media library",
    },
    {
      verb: "media.upload",
      request: "POST /wp/v2/media",
      effects: ["publish"],
      summary: "Put a file on the site, public at once: {param.title}",
      body: ["multipart", "raw", "json", "form"],
    },
    {
      verb: "media.update",
      request: [
        `${CHANGES} /wp/v2/media/${ID}`,
        `POST /wp/v2/media/${ID}/{what:edit|post-process}`,
      ],
      effects: ["publish"],
      summary: "Change the public file {path.id}",
    },
    {
      verb: "media.delete",
      request: `DELETE /wp/v2/media/${ID}`,
      effects: ["delete", "publish"],
      summary: "Delete the file {path.id} for good",
    },
    {
      verb: "comment.list",
      request: ["GET|HEAD /wp/v2/comments", `GET|HEAD /wp/v2/comments/${ID}`],
      effects: ["read-private"],
      // Those on drafts and private entries are among them, for those who may read these.
      summary: "Read comments",
    },
    {
      verb: "comment.create",
      request: "POST /wp/v2/comments",
      effects: ["publish", "send"],
      summary: "Comment on entry {param.post}; authors and moderators get mail",
    },
    {
      verb: "comment.update",
      request: `${CHANGES} /wp/v2/comments/${ID}`,
      effects: ["publish", "send"],
      summary: "Change or approve the comment {path.id}",
    },
    {
      verb: "comment.delete",
      request: `DELETE /wp/v2/comments/${ID}`,
      effects: ["delete", "publish"],
      summary: "Delete the comment {path.id}",
    },
    {
      verb: "term.list",
      request: [
        `GET|HEAD /wp/v2/${TERMS}`,
        `GET|HEAD /wp/v2/${TERMS}/${ID}`,
        "GET /wp/v2/taxonomies",
        "GET /wp/v2/taxonomies/{name}",
      ],
      effects: ["read"],
      summary: "Read categories and tags",
      cases: [{ when: { "query.context": { any: ["edit"] } }, effects: ["read-private"] }],
    },
    {
      verb: "term.create",
      request: `POST /wp/v2/${TERMS}`,
      // Everybody can list it at once, with no entry in it.
      effects: ["publish"],
      summary: "Make a new one of {path.kind}: {param.name}",
    },
    {
      verb: "term.update",
      request: `${CHANGES} /wp/v2/${TERMS}/${ID}`,
      effects: ["publish"],
      summary: "Rename or move {path.id} of {path.kind} on the live site",
    },
    {
      verb: "term.delete",
      request: `DELETE /wp/v2/${TERMS}/${ID}`,
      effects: ["delete", "publish"],
      summary: "Delete {path.id} of {path.kind} for good",
    },
    {
      verb: "search",
      request: "GET /wp/v2/search",
      effects: ["read"],
      summary: "Search the site for {query.search}",
    },
    {
      verb: "type.list",
      request: ["GET /wp/v2/{what:types|statuses}", "GET /wp/v2/{what:types|statuses}/{name}"],
      effects: ["read"],
      summary: "Read {path.what}",
      cases: [{ when: { "query.context": { any: ["edit"] } }, effects: ["read-private"] }],
    },
    {
      verb: "user.list",
      request: ["GET /wp/v2/users", "GET /wp/v2/users/{id:\\d+|me}"],
      effects: ["read-private"],
      summary: "Read users",
    },
    {
      verb: "user.create",
      request: "POST /wp/v2/users",
      effects: ["administer", "send"],
      summary: "Make the user {param.username} <{param.email}> with roles {param.roles}",
      recipients: ["param.email"],
    },
    {
      verb: "user.update",
      request: `${CHANGES} /wp/v2/users/{id:\\d+|me}`,
      effects: ["administer", "send"], // A new password or address is told to its user by mail.
      summary: "Change the user {path.id}: roles, mail, password",
    },
    {
      verb: "user.delete",
      request: "DELETE /wp/v2/users/{id:\\d+|me}",
      effects: ["administer", "delete"],
      summary: "Delete the user {path.id} for good",
    },
    {
      verb: "app-password.list",
      request: [
        "GET /wp/v2/users/{user_id:\\d+|me}/application-passwords",
        "GET /wp/v2/users/{user_id:\\d+|me}/application-passwords/{uuid}",
      ],
      effects: ["read-private"],
      summary: "List application passwords of user {path.user_id}",
    },
    {
      verb: "app-password.change",
      request: [
        "POST|DELETE /wp/v2/users/{user_id:\\d+|me}/application-passwords",
        `${CHANGES}|DELETE /wp/v2/users/{user_id:\\d+|me}/application-passwords/{uuid}`,
      ],
      effects: ["administer"],
      summary:
        "Make, change or revoke a password of user {path.user_id} that is good without Cofferdam",
    },
    {
      verb: "settings.read",
      request: "GET /wp/v2/settings",
      effects: ["read-private"],
      summary: "Read the site's settings",
    },
    {
      verb: "settings.update",
      request: `${CHANGES} /wp/v2/settings`,
      effects: ["administer", "publish"],
      summary: "Change the site's settings",
    },
    {
      verb: "plugin.list",
      request: [
        "GET /wp/v2/plugins",
        "GET /wp/v2/plugins/{plugin...}",
        "GET /wp/v2/block-directory/search",
      ],
      effects: ["read-private"],
      summary: "Read plugins",
    },
    {
      verb: "plugin.change",
      request: ["POST /wp/v2/plugins", `${CHANGES}|DELETE /wp/v2/plugins/{plugin...}`],
      effects: ["execute", "administer"],
      summary:
        "Install, switch or delete the plugin {param.slug}{path.plugin}: its code runs on the server",
    },
    {
      verb: "theme.list",
      request: ["GET /wp/v2/themes", "GET /wp/v2/themes/{stylesheet}"],
      effects: ["read-private"],
      summary: "Read themes",
    },
    {
      verb: "design.read",
      request: [
        "GET /wp/v2/{kind:templates|template-parts|global-styles|navigation|menus|menu-items|menu-locations|widgets|widget-types|sidebars}",
        "GET /wp/v2/{kind:templates|template-parts|global-styles|navigation|menus|menu-items|menu-locations|widgets|widget-types|sidebars}/{id...}",
        "GET /wp/v2/block-patterns/{kind:patterns|categories}",
        "GET /wp/v2/pattern-directory/patterns",
        "GET /wp/v2/block-types",
        "GET /wp/v2/block-types/{name...}",
      ],
      effects: ["read-private"],
      summary: "Read the site's design: {path.kind}",
    },
    {
      verb: "design.change",
      request: [
        "POST /wp/v2/{kind:templates|template-parts|navigation|menus|menu-items|widgets}",
        `${CHANGES}|DELETE /wp/v2/{kind:templates|template-parts|global-styles|navigation|menus|menu-items|widgets|sidebars}/{id...}`,
      ],
      effects: ["publish", "administer"],
      summary: "Change what every page shows: {path.kind}",
    },
    {
      verb: "site.fetch",
      request: [
        "GET /wp-block-editor/v1/url-details",
        "GET /oembed/1.0/proxy",
        "GET /wp-block-editor/v1/export",
        "GET /wp-site-health/v1/{what...}",
      ],
      // The server asks that address, with what the agent writes into it.
      effects: ["send", "read-private"],
      summary: "Have the server fetch {query.url}",
    },
    {
      verb: "oembed.read",
      request: "GET /oembed/1.0/embed",
      effects: ["read"],
      summary: "Read how {query.url} of this site is embedded",
    },
    {
      verb: "block.render",
      request: "GET|POST /wp/v2/block-renderer/{name...}",
      effects: ["execute"],
      summary: "Have the server render the block {path.name}, which runs its code",
    },
    {
      verb: "ability.list",
      request: [
        "GET /wp-abilities/v1/abilities",
        "GET /wp-abilities/v1/abilities/{namespace}/{name}",
        "GET /wp-abilities/v1/categories",
      ],
      effects: ["read"],
      summary: "List what plugins let be done",
    },
    {
      verb: "ability.run",
      request: "GET|POST|DELETE /wp-abilities/v1/abilities/{namespace}/{name}/run",
      effects: ["execute"],
      summary: "Run the ability {path.namespace}/{path.name} of a plugin",
    },
    {
      verb: "batch",
      request: "POST /batch/v1",
      effects: ["write"],
      summary: "Do several things at once",
      body: ["json"],
      children: { items: "body.requests", max: 25 },
    },
    ...shop,
    {
      verb: "xmlrpc.call",
      request: "POST /xmlrpc.php",
      root: true,
      body: ["raw"],
      effects: ["administer", "publish"],
      summary: "Call the old XML-RPC interface, which can do all that the API can",
    },
  ],
};
