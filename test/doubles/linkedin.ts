/**
 * A double of LinkedIn's posts, comments and messages, after its documentation (learn.microsoft.com/linkedin:
 * posts-api, network-update-social-actions, messages, methods, query-tunneling).
 *
 * Faithful: a Bearer credential; `lifecycleState`; the header `X-RestLi-Method: PARTIAL_UPDATE`; the id of a new
 * post in `x-restli-id`; a method that `X-HTTP-Method-Override` names. Not faithful, since nothing was read of
 * it: which fields are required, permissions, versions, limits, and the texts of errors.
 *
 * @module
 */
import {
  startDouble,
  textsOf,
  type Answer,
  type Call,
  type Double,
  type Effect,
} from "./double.ts";

interface Post {
  readonly id: string;
  readonly author: string;
  commentary: string;
  lifecycleState: string;
}

export async function startLinkedin(options: { readonly token: string }): Promise<Double> {
  const posts = new Map<string, Post>();
  let made = 0;
  const publish = (post: Post, effects: Effect[]) => {
    if (post.lifecycleState === "PUBLISHED")
      effects.push({ kind: "post", who: post.author, what: post.commentary });
  };

  const create = ({ json }: Call, effects: Effect[]): Answer => {
    made += 1;
    const post: Post = {
      id: `urn:li:share:${made}`,
      author: String(json["author"]),
      commentary: String(json["commentary"]),
      lifecycleState: String(json["lifecycleState"]),
    };
    posts.set(post.id, post);
    publish(post, effects);
    return { status: 201, headers: { "x-restli-id": post.id } };
  };
  const change = (post: Post, call: Call, effects: Effect[]): Answer => {
    if (call.headers["x-restli-method"] !== "PARTIAL_UPDATE") return { status: 400 };
    const patch = call.json["patch"] as { readonly $set?: Partial<Post> } | undefined;
    post.commentary = patch?.$set?.commentary ?? post.commentary;
    post.lifecycleState = patch?.$set?.lifecycleState ?? post.lifecycleState;
    publish(post, effects);
    return { status: 204 };
  };

  return startDouble((call, effects) => {
    if (call.headers.authorization !== `Bearer ${options.token}`) return { status: 401 };
    const [base, kind, id, part] = call.path;
    if (base !== "rest" && base !== "v2") return undefined;
    const method = String(call.headers["x-http-method-override"] ?? call.method);
    if (kind === "userinfo" && method === "GET")
      return { status: 200, json: { sub: "1", name: "Ann" } };
    if (kind === "messages" && method === "POST") {
      for (const who of textsOf(call.json["recipients"]))
        effects.push({ kind: "message", who, what: String(call.json["body"]) });
      return { status: 201 };
    }
    if (kind === "socialActions" && part === "comments" && method === "POST") {
      const { actor, message } = call.json as { actor?: string; message?: { text?: string } };
      effects.push({ kind: "comment", who: String(actor), what: String(message?.text) });
      return { status: 201 };
    }
    if (kind !== "posts") return undefined;
    if (id === undefined) return method === "POST" ? create(call, effects) : undefined;
    const post = posts.get(id);
    if (post === undefined) return undefined;
    if (method === "GET") return { status: 200, json: post };
    if (method === "POST") return change(post, call, effects);
    if (method !== "DELETE") return undefined;
    posts.delete(id);
    effects.push({ kind: "delete", who: post.author, what: post.commentary });
    return { status: 204 };
  });
}
