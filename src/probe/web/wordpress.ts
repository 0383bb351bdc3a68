/**
 * WordPress by its REST API: who the account is, its capabilities, and what is there. What a capability lets one do over
 * REST is read from the controllers of WordPress 6.1 and 6.8 (wp-includes/rest-api/endpoints). Settings in wp-config.php
 * (DISALLOW_FILE_MODS, DISALLOW_UNFILTERED_HTML) and whether it is a network of sites cannot be asked: assumed.
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { every, Findings, mailboxOf, some, type Power, type Told } from "./findings.ts";
import { Asker, countIn, type Answer } from "./questions.ts";

/** PHP's truth: plugins write capabilities as true, 1 or "1". */
const CAPABILITY = z
  .union([z.boolean(), z.number(), z.string(), z.null()])
  .transform((value) => ![false, 0, "", "0", null].includes(value));
const ME = z.object({
  id: z.number().int().positive(),
  email: z.string().max(320).optional(),
  capabilities: z.record(z.string(), CAPABILITY),
});
const INDEX = z.object({ namespaces: z.array(z.string()).max(1000) });
const MAILED = z.array(z.object({ email: z.string().min(1).max(320) })).max(20);
/** Of a list only its header is read. */
const LIST = z.array(z.unknown());
/** Ways to the API: of sites with pretty links, of those without rewriting, and of those without either. */
const BASES = ["wp-json", "index.php/wp-json", "?rest_route="] as const;
type Base = (typeof BASES)[number];

export const wordpressProbe: Probe = {
  system: "wordpress",
  asks: [
    "who the account is and its capabilities (users/me)",
    "numbers of users, entries, comments, orders",
    "plugins, and which parts of the API there are",
  ],
  probe: (ports) => new WordPressProbe(ports).run(),
};

/** What is there: `undefined` where it was not told. */
interface Inventory {
  readonly users: Answer<unknown>;
  readonly posts: Answer<unknown>;
  readonly own: Answer<unknown>;
  readonly comments: Answer<unknown>;
  readonly orders: Answer<unknown>;
  readonly plugins: Answer<unknown>;
  readonly hasShop: Told;
  readonly hasAbilities: Told;
}

class WordPressProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;
  #base: Base = "wp-json";

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    // 401 is what whoever may not gets where the site took them for nobody; a login was sent, so 403 it must be.
    this.#asker = new Asker(ports, this.#findings);
  }

  async run(): Promise<Probed> {
    const me = await this.#me();
    const there = await this.#inventory(me.value?.id ?? 0);
    const has = this.#capabilities(me, there);
    this.#findings.powers(me.where, powersOf(has, there, this.#objects()));
    this.#amounts(me, there);
    await this.#mailboxes(me, there.users.may);
    this.#administrator(me.where, has);
    this.#machine();
    return this.#findings.probed();
  }

  #target(path: string, query = ""): string {
    if (this.#base === "?rest_route=")
      return `?rest_route=/${path}${query === "" ? "" : `&${query}`}`;
    return `${this.#base}/${path}${query === "" ? "" : `?${query}`}`;
  }

  /** Asks by each way to the API until one knows the account. */
  async #me(): Promise<Answer<z.infer<typeof ME>>> {
    let first: Answer<z.infer<typeof ME>> | undefined;
    for (const base of BASES) {
      this.#base = base;
      const query = "context=edit&_fields=id,email,capabilities";
      const answer = await this.#asker.get(this.#target("wp/v2/users/me", query), ME);
      if (answer.value !== undefined) return answer;
      first ??= answer;
    }
    this.#base = "wp-json";
    return { may: undefined, status: 0, where: first?.where ?? "", header: () => undefined };
  }

  async #inventory(id: number): Promise<Inventory> {
    const list = (path: string, query: string) =>
      this.#asker.get(this.#target(path, `per_page=1&_fields=id&${query}`), LIST);
    const index = await this.#asker.get(this.#target("", "_fields=namespaces"), INDEX);
    const hasPart = (name: string): Told =>
      index.value?.namespaces.some((one) => one.startsWith(name));
    const hasShop = hasPart("wc/v");
    const none: Answer<unknown> = {
      may: false,
      status: 0,
      where: index.where,
      header: () => undefined,
    };
    return {
      users: await list("wp/v2/users", "context=edit"),
      posts: await list("wp/v2/posts", "context=edit&status=any"),
      own: await list("wp/v2/posts", `context=edit&status=any&author=${id}`),
      comments: await list("wp/v2/comments", "context=edit&status=all"),
      orders: hasShop === false ? none : await list("wc/v3/orders", ""),
      plugins: await this.#asker.get(this.#target("wp/v2/plugins", "_fields=plugin"), LIST),
      hasShop,
      hasAbilities: hasPart("wp-abilities/"),
    };
  }

  /** Whether the account has one of some capabilities. */
  #capabilities(me: Answer<z.infer<typeof ME>>, there: Inventory): (...names: string[]) => Told {
    const listed = me.value?.capabilities;
    const has = (name: string) => listed?.[name] === true;
    // The administrator of a network of sites may do what no capability of theirs says: map_meta_cap, has_cap.
    const isMore =
      (there.users.may === true && !has("list_users")) ||
      (there.plugins.may === true && !has("activate_plugins")) ||
      (there.comments.may === true && !has("moderate_comments")) ||
      has("manage_network");
    if (listed !== undefined && isMore) {
      this.#findings.note(
        `${me.where}: the account may do more than its capabilities say, as administrators of a network may; all counts as possible`,
      );
    }
    return (...names) => {
      if (names.some(has)) return true;
      return listed === undefined || isMore ? undefined : false;
    };
  }

  #objects(): Objects {
    const object = (what: string) => this.#findings.object(what);
    return {
      shown: object("what everyone sees"),
      site: object("site"),
      posts: object("entries"),
      own: this.#findings.own("entries"),
      users: object("users"),
      self: this.#findings.own("account"),
      comments: object("comments"),
      answers: this.#findings.own("comments on its entries"),
      authors: object("authors and moderators"),
      orders: object("orders"),
    };
  }

  #amounts(me: Answer<unknown>, there: Inventory): void {
    const { users, comments, answers, authors, orders, posts, own } = this.#objects();
    const findings = this.#findings;
    const count = (answer: Answer<unknown>, object: string, predicates: readonly string[]) => {
      const total = answer.may === true ? countIn(answer.header("x-wp-total")) : undefined;
      for (const predicate of predicates) findings.amount(answer.where, predicate, object, total);
    };
    for (const object of [users, comments, orders])
      findings.so(me.where, "label", object, "customer");
    count(there.users, users, ["rows", "people"]);
    count(there.comments, comments, ["rows"]);
    findings.assume("comments on its entries are not counted", "rows", answers, UNBOUNDED);
    const most = countIn(there.users.header("x-wp-total")) ?? UNBOUNDED;
    findings.assume("who is told of comments is a setting", "people", authors, most);
    count(there.posts, posts, ["rows"]);
    count(there.own, own, ["rows"]);
    if (there.hasShop === false) return;
    count(there.orders, orders, ["rows"]);
    const why = "an order may be made for any address, and its sums are not added up";
    findings.assume(why, "people", orders, UNBOUNDED);
    findings.assume(why, "money", orders, UNBOUNDED);
  }

  /** Whose mail has passwords reset: one's own, and an administrator's. */
  async #mailboxes(me: Answer<z.infer<typeof ME>>, listsUsers: Told): Promise<void> {
    const findings = this.#findings;
    const { principal } = findings;
    const own = me.value?.email;
    if (own !== undefined && own !== "") findings.so(me.where, "resets", mailboxOf(own), principal);
    if (listsUsers !== true) return;
    const query = "context=edit&roles=administrator&per_page=20&_fields=email";
    const { value, where } = await this.#asker.get(this.#target("wp/v2/users", query), MAILED);
    for (const { email } of value ?? [])
      findings.so(where, "resets", mailboxOf(email), findings.object("administrator"));
  }

  /** Who administers the site: what accounts can become, and what the site's code can. */
  #administrator(where: string, has: (...names: string[]) => Told): void {
    const findings = this.#findings;
    const { principal } = findings;
    const administrator = findings.object("administrator");
    const objects = this.#objects();
    findings.so(where, "principal", administrator, "wordpress");
    findings.so(where, "at", administrator, findings.site);
    const all: Told = true;
    const there = { hasShop: undefined, hasAbilities: undefined };
    for (const [verbs, object, may] of powersOf(() => all, there, objects)) {
      if (may === false) continue;
      for (const verb of verbs.split(" ")) {
        findings.assume("administrators may do all", "can", administrator, verb, object);
      }
    }
    const leads = (may: Told, predicate: string, verb: string) => {
      if (may === true) findings.so(where, predicate, principal, verb, administrator);
      if (may === undefined)
        findings.assume(
          `${where} did not tell of ${verb}`,
          predicate,
          principal,
          verb,
          administrator,
        );
    };
    // class-wp-rest-users-controller.php, check_role_update: whoever may make users may give them any role.
    leads(has("create_users"), "logs_in_as", "user.create");
    leads(has("edit_users"), "logs_in_as", "user.update");
    leads(has("edit_users"), "logs_in_as", "app-password.change");
    leads(every(has("edit_users"), has("promote_users")), "raises", "user.update");
    if (has("unfiltered_html") === false) return;
    const why =
      "an administrator looks at what it writes; whether the site filters HTML is not told";
    for (const verb of ["post.publish", "post.draft", "media.upload", "comment.create"])
      findings.assume(why, "scripts", principal, verb, administrator);
  }

  /** Where its code runs, and what that finds. */
  #machine(): void {
    const findings = this.#findings;
    const [host, user] = [`the machine of ${findings.site}`, "the web server's user"];
    const code = findings.object("code");
    const config = findings.object("wp-config.php");
    const why = "WordPress does not tell of its machine";
    const assume = (predicate: string, ...terms: string[]) => {
      findings.assume(why, predicate, ...terms);
    };
    assume("host", host);
    for (const one of [findings.principal, findings.object("administrator")])
      assume("runs_on", one, host, user);
    assume("is_service", code, host, user);
    assume("principal", code, "wordpress code");
    assume("stored_on", config, host);
    assume("readable", host, user, config);
    assume("contains", config, `DB_PASSWORD in ${config}`);
    assume("contains", config, `keys and salts in ${config}`);
    const { users, comments, orders, posts, site } = this.#objects();
    for (const object of [users, comments, orders, posts]) {
      assume("can", code, "database.read", object);
      assume("can", code, "database.delete", object);
    }
    const mail = findings.object("mail");
    assume("can", code, "page.change", site);
    assume("can", code, "account.make", users);
    assume("can", code, "mail.send", mail);
    findings.assume("its code may write to any address", "people", mail, UNBOUNDED);
  }
}

type Objects = Readonly<
  Record<
    | ("shown" | "site" | "posts" | "own" | "users" | "self")
    | ("comments" | "answers" | "authors" | "orders"),
    string
  >
>;

function powersOf(
  has: (...names: string[]) => Told,
  { hasShop, hasAbilities }: Pick<Inventory, "hasShop" | "hasAbilities">,
  { shown, site, posts, own, users, self, comments, answers, authors, orders }: Objects,
): readonly Power[] {
  const edits = has("edit_posts", "edit_pages");
  const editsPublished = has("edit_published_posts", "edit_published_pages");
  const deletesAll = has("delete_others_posts", "delete_others_pages");
  const deletes = has("delete_posts", "delete_pages", "delete_published_posts");
  const shop = (...names: string[]) => every(hasShop, has(...names));
  return [
    ["site.index search oembed.read batch ability.list", shown, true],
    ["post.list media.list comment.list term.list type.list user.list", shown, true],
    ["post.list revision.list autosave.create post.draft", posts, edits],
    ["post.publish", site, some(has("publish_posts", "publish_pages"), editsPublished)],
    ["post.unpublish", site, editsPublished],
    ["post.trash post.delete revision.delete media.delete", posts, deletesAll],
    ["post.trash post.delete revision.delete media.delete", own, deletes],
    ["media.upload", site, has("upload_files")],
    ["media.update", site, has("edit_posts", "upload_files")],
    // Writing a comment needs an account, or not even that; authors and moderators get mail.
    ["comment.create", authors, true],
    ["comment.update", authors, some(has("moderate_comments"), editsPublished)],
    ["comment.list comment.delete", comments, has("moderate_comments")],
    ["comment.delete", answers, editsPublished],
    ["term.create", site, has("manage_categories", "edit_posts")],
    ["term.update term.delete", site, has("manage_categories")],
    ["user.list", users, has("list_users", "edit_users")],
    ["user.create", users, has("create_users")],
    ["user.update app-password.list app-password.change", self, true],
    ["user.update app-password.list app-password.change", users, has("edit_users")],
    ["user.delete", users, has("delete_users", "remove_users")],
    ["settings.read settings.update", site, has("manage_options")],
    ["plugin.list", site, has("activate_plugins", "install_plugins")],
    ["plugin.change", site, unsure(has("install_plugins", "activate_plugins", "delete_plugins"))],
    ["theme.list design.read", site, has("switch_themes", "edit_theme_options", "edit_posts")],
    ["design.change", site, has("edit_theme_options")],
    ["site.fetch block.render", site, some(edits, has("edit_theme_options", "manage_options"))],
    ["ability.run", site, hasAbilities === false ? false : undefined],
    [
      "order.list",
      orders,
      shop("read_private_shop_orders", "edit_shop_orders", "edit_others_shop_orders"),
    ],
    ["order.change order.refund", orders, shop("edit_shop_orders", "publish_shop_orders")],
    ["order.delete", orders, shop("delete_shop_orders", "delete_others_shop_orders")],
    ["coupon.change", orders, shop("edit_shop_coupons", "publish_shop_coupons")],
    // The old interface takes the same passwords for the same account, and may be closed.
    ["xmlrpc.call", site, unsure(some(has("publish_posts", "publish_pages"), editsPublished))],
  ];
}

/** A yes that settings may take back which nobody can ask. */
function unsure(told: Told): Told {
  return told === false ? false : undefined;
}
