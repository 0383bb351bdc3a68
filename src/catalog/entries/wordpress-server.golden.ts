/** Golden requests of WordPress: whose method, path and names the server takes. */
import { goldenRows, type Golden } from "../golden.ts";

const SERVER = "WordPress 6.1 wp-includes/rest-api/class-wp-rest-server.php";
const draft = { facts: { current: { status: "draft" } } };
const P = "/wp-json/wp/v2";

export const server: readonly Golden[] = [
  ...goldenRows(SERVER, [
    [
      `POST ${P}/posts/7?_method=DELETE`,
      "post.trash",
      ["delete"],
      "the query overrides the method",
    ],
    [`GET ${P}/posts/7?_method=delete`, "post.trash", ["delete"], "also of a GET, in any case"],
    [
      `GET ${P}/posts/7?%20_method=DELETE`,
      "post.trash",
      ["delete"],
      "PHP drops a space before a name",
    ],
    [
      `POST ${P}/posts/7`,
      "unknown",
      ["administer"],
      "in a body it counts for some only",
      { form: "_method=GET" },
    ],
    [`POST ${P}/posts/7?_method=GET&_method=DELETE`, "unknown", ["administer"], "said twice"],
    [
      `POST ${P}/posts/7`,
      "post.trash",
      ["delete"],
      "a header overrides it too",
      { headers: { "x-http-method-override": "DELETE" } },
    ],
    [
      `POST ${P}/posts/7`,
      "unknown",
      ["administer"],
      "CGI makes the same header of it",
      { headers: { x_http_method_override: "DELETE" } },
    ],
    [
      `POST ${P}/posts/7`,
      "unknown",
      ["administer"],
      "PHP makes the same header of it",
      { headers: { "x-http-method.override": "DELETE" } },
    ],
    [
      `POST ${P}/posts`,
      "unknown",
      ["administer"],
      "a second media type in the first one's shadow",
      { form: '{"title":"a","status":"publish"}', headers: { content_type: "application/json" } },
    ],
    [
      `POST ${P}/posts`,
      "unknown",
      ["administer"],
      "two media types in one header",
      { raw: { type: "text/plain, application/json", text: '{"title":"a","status":"publish"}' } },
    ],
    [
      `POST ${P}/posts?rest.route=/wp/v2/users/me/application-passwords`,
      "unknown",
      ["administer"],
      "PHP makes a route of it, beside a route",
      { json: { name: "x" } },
    ],
    [
      `POST ${P}/posts`,
      "unknown",
      ["administer"],
      "a route in a form, beside a route",
      { form: "rest_route=/wp/v2/users/me/application-passwords&name=x" },
    ],
    [
      "POST /?rest_route=/wp/v2/posts",
      "post.publish",
      ["publish"],
      "the route in the query",
      { json: { title: "a", status: "publish" } },
    ],
    [
      "GET /index.php?rest_route=/wp/v2/posts",
      "post.list",
      ["read"],
      "through the front controller",
    ],
    [
      "POST /?rest_route=/wp/v2/posts&rest_route=/wp/v2/tags",
      "unknown",
      ["administer"],
      "two routes",
    ],
    [`GET ${P}/tags?rest_route=/wp/v2/users`, "unknown", ["administer"], "a route beside a route"],
    ["GET /index.php/wp-json/wp/v2/posts", "post.list", ["read"], "the other prefix"],
    ["GET /wp-json", "site.index", ["read"], "the index of the API"],
    [
      "POST /wp-json/batch/v1",
      "batch",
      ["write", "publish"],
      "a batch does what its requests do",
      {
        json: {
          requests: [
            { path: "/wp/v2/posts", body: { title: "a", status: "draft" } },
            { path: "/wp/v2/posts", body: { title: "a", status: "publish" } },
          ],
        },
      },
    ],
    [
      "POST /wp-json/batch/v1",
      "batch",
      ["write", "delete"],
      "with their own methods",
      { json: { requests: [{ method: "DELETE", path: "/wp/v2/posts/7" }] } },
    ],
    [
      "POST /wp-json/batch/v1",
      "unknown",
      ["administer"],
      "a child's method is not overridden: this one publishes",
      {
        json: {
          requests: [{ path: "/wp/v2/posts/7?_method=DELETE", body: { status: "publish" } }],
        },
        ...draft,
      },
    ],
    [
      "POST /wp-json/batch/v1",
      "batch",
      ["write", "delete"],
      "a child's path may carry a query",
      { json: { requests: [{ method: "DELETE", path: "/wp/v2/posts/7?force=true" }] } },
    ],
    [
      "POST /wp-json/batch/v1",
      "unknown",
      ["administer"],
      "a child's number in its body is taken, not its path's",
      { json: { requests: [{ path: "/wp/v2/posts/7", body: { id: 8, content: "b" } }] } },
    ],
    [
      "POST /wp-json/batch/v1",
      "unknown",
      ["administer"],
      "an unknown child",
      { json: { requests: [{ path: "/x/y" }] } },
    ],
    [
      "POST /wp-json/batch/v1",
      "unknown",
      ["administer"],
      "a batch in a batch",
      { json: { requests: [{ path: "/batch/v1", body: { requests: [] } }] } },
    ],
    [
      "POST /wp-json/batch/v1",
      "unknown",
      ["administer"],
      "none at all",
      { json: { requests: [] } },
    ],
  ]),
];
