/**
 * WordPress, by its REST API; XML-RPC and the admin's own pages are unknown, and so denied.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const CHANGES = "POST|PUT|PATCH";
const POST_TYPES = "{type:posts|pages}";

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
  dialect: ["php"],
  override: { method: "_method", path: "rest_route", header: "x-http-method-override" },
  routes: [
    {
      verb: "post.list",
      request: [`GET /wp/v2/${POST_TYPES}`, `GET /wp/v2/${POST_TYPES}/{id:\\d+}`],
      effects: ["read-private"],
      summary: "Read {path.type}",
      cases: [
        {
          // Without these only what everybody can see is shown.
          when: {
            "query.context": { absent: true },
            "query.status": { absent: true },
            "query.password": { absent: true },
          },
          effects: ["read"],
        },
        {
          when: {
            "query.context": { only: ["view", "embed"] },
            "query.status": { absent: true },
            "query.password": { absent: true },
          },
          effects: ["read"],
        },
      ],
    },
    {
      verb: "post.publish",
      request: `${CHANGES} /wp/v2/${POST_TYPES}`,
      effects: ["publish"],
      summary: "Publish a new entry of {path.type}: {param.title}",
      show: "post",
      takes_effect_at: "param.date_gmt",
      cases: [
        {
          when: { "param.status": { only: ["draft", "pending"] } },
          verb: "post.draft",
          effects: ["write"],
          summary: "Draft a new entry of {path.type}: {param.title}",
        },
        {
          // Without a status WordPress makes a draft (WP_REST_Posts_Controller, default of wp_insert_post).
          when: { "param.status": { absent: true } },
          verb: "post.draft",
          effects: ["write"],
          summary: "Draft a new entry of {path.type}: {param.title}",
        },
      ],
    },
    {
      verb: "post.publish",
      request: `${CHANGES} /wp/v2/${POST_TYPES}/{id:\\d+}`,
      effects: ["publish"],
      summary: "Change what is public: entry {path.id} of {path.type}",
      lookup: { current: "/wp/v2/{path.type}/{path.id}?context=edit" },
      show: "post",
      takes_effect_at: "param.date_gmt",
      cases: [
        {
          when: {
            "param.status": { only: ["draft", "pending"] },
            "current.status": { only: ["draft", "pending", "auto-draft"] },
          },
          verb: "post.draft",
          effects: ["write"],
          summary: "Change the draft {path.id} of {path.type}",
        },
        {
          when: {
            "param.status": { absent: true },
            "current.status": { only: ["draft", "pending", "auto-draft"] },
          },
          verb: "post.draft",
          effects: ["write"],
          summary: "Change the draft {path.id} of {path.type}",
        },
        {
          when: { "param.status": { only: ["draft", "pending", "trash"] } },
          verb: "post.unpublish",
          effects: ["publish", "delete"],
          summary: "Take entry {path.id} of {path.type} off the site",
        },
      ],
    },
    {
      verb: "post.delete",
      request: `DELETE /wp/v2/${POST_TYPES}/{id:\\d+}`,
      effects: ["delete"],
      summary: "Delete entry {path.id} of {path.type} for good",
      lookup: { current: "/wp/v2/{path.type}/{path.id}?context=edit" },
      cases: [
        {
          when: { "param.force": { absent: true } },
          verb: "post.trash",
          summary: "Move entry {path.id} of {path.type} to the trash",
          reversible: true,
        },
      ],
    },
    {
      verb: "batch",
      request: "POST /batch/v1",
      effects: ["write"],
      summary: "Do several things at once",
      body: ["json"],
      children: { items: "body.requests", max: 25 },
    },
  ],
};
