/** Golden requests of WordPress. */
import type { Golden } from "../golden.ts";

const POSTS = "https://developer.wordpress.org/rest-api/reference/posts/";
const GLOBAL = "https://developer.wordpress.org/rest-api/using-the-rest-api/global-parameters/";

export const golden: readonly Golden[] = [
  {
    request: "GET /wp-json/wp/v2/posts",
    verb: "post.list",
    effects: ["read"],
    why: "what everybody can see",
    source: POSTS,
  },
  {
    request: "POST /wp-json/wp/v2/posts",
    json: { title: "a", status: "publish" },
    verb: "post.publish",
    effects: ["publish"],
    reversible: false,
    why: "status publish is public at once",
    source: POSTS,
  },
  {
    request: "POST /wp-json/wp/v2/posts?status=publish",
    json: { title: "a", status: "draft" },
    verb: "post.publish",
    effects: ["publish"],
    why: "two sources of one parameter: the strictest counts",
    source: POSTS,
  },
  {
    request: "POST /wp-json/wp/v2/posts/7",
    json: { content: "b" },
    facts: { current: { status: "publish" } },
    verb: "post.publish",
    effects: ["publish"],
    why: "an edit of what is public already",
    source: POSTS,
  },
  {
    request: "POST /wp-json/wp/v2/posts/7",
    json: { content: "b" },
    facts: { current: { status: "draft" } },
    verb: "post.draft",
    effects: ["write"],
    why: "an edit of a draft",
    source: POSTS,
  },
  {
    request: "POST /wp-json/wp/v2/posts/7?_method=DELETE",
    verb: "post.trash",
    effects: ["delete"],
    why: "the method is overridden",
    source: GLOBAL,
  },
  {
    request: "POST /?rest_route=/wp/v2/posts",
    json: { status: "publish" },
    verb: "post.publish",
    effects: ["publish"],
    why: "the route in the query",
    source: GLOBAL,
  },
  {
    request: "POST /wp-json/batch/v1",
    json: { requests: [{ path: "/wp/v2/posts", body: { status: "publish" } }] },
    verb: "batch",
    effects: ["write", "publish"],
    why: "a batch does what its requests do",
    source: POSTS,
  },
];
