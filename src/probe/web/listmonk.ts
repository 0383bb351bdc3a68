/**
 * listmonk by its API: who the account is with the permissions of its roles (GET /api/profile), its lists with their
 * subscribers, and where mail goes out. Which permission each request needs is read from its sources (cmd/handlers.go,
 * permissions.json, internal/auth/models.go of July 2026); role 1 is the super admin, who has all.
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { Findings, nameOf, some, type Power, type Told } from "./findings.ts";
import { Asker, COUNT } from "./questions.ts";

const ID = z.number().int().positive();
const NAMES = z.array(z.string()).max(500);
const PROFILE = z.object({
  data: z.object({
    user_role_id: ID.optional(),
    user_role: z.object({ id: z.number().int(), permissions: NAMES.nullish() }),
    list_role: z
      .object({ lists: z.array(z.object({ id: ID, permissions: NAMES.nullish() })).nullish() })
      .nullish(),
  }),
});
const LIST = z.object({
  id: ID,
  name: z.string(),
  // A number that is none makes its list unbounded, and no other.
  subscriber_count: COUNT.optional().catch(undefined),
});
const LISTS = z
  .object({ data: z.object({ results: z.array(LIST).max(1000) }) })
  .transform(({ data }) => data.results);
const COUNTS = z.object({
  data: z.object({ subscribers: z.object({ total: COUNT, orphans: COUNT }) }),
});
const SETTINGS = z.object({
  data: z.object({
    smtp: z
      .array(
        z.object({
          host: z.string().max(253),
          port: z.number().int(),
          username: z.string(),
          enabled: z.boolean(),
        }),
      )
      .max(100),
  }),
});

const PER_PAGE = 100;
const PAGES_MAX = 3;
const SUPER_ADMIN = 1;

export const listmonkProbe: Probe = {
  system: "listmonk",
  asks: [
    "who the account is, with its permissions (profile)",
    "lists with their numbers of subscribers",
    "mail servers that are set, without their passwords",
  ],
  probe: (ports) => new ListmonkProbe(ports).run(),
};

class ListmonkProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    this.#asker = new Asker(ports, this.#findings);
  }

  async run(): Promise<Probed> {
    const profile = await this.#asker.get("api/profile", PROFILE);
    const role = profile.value?.data;
    const permissions = role && new Set(role.user_role.permissions ?? []);
    const isSuper = role?.user_role_id === SUPER_ADMIN || role?.user_role.id === SUPER_ADMIN;
    const has = (...names: string[]): Told =>
      permissions && (isSuper || names.some((name) => permissions.has(name)));
    const manages = new Set(
      (role?.list_role?.lists ?? [])
        .filter((list) => (list.permissions ?? []).includes("list:manage"))
        .map(({ id }) => id),
    );
    const lists = await this.#lists();
    const powers = lists.flatMap(({ id, object }) =>
      listPowers(object, has, some(has("lists:manage_all"), permissions && manages.has(id))),
    );
    const objects = this.#objects();
    this.#findings.powers(profile.where, [...powers, ...serverPowers(has, objects)]);
    await this.#people(has);
    this.#superAdmin(
      profile.where,
      has,
      lists.map(({ object }) => object),
    );
    if (has("settings:get") !== false) await this.#settings(has("subscribers:sql_query"));
    return this.#findings.probed();
  }

  #objects(): Objects {
    const object = (what: string) => this.#findings.object(what);
    return {
      server: object("server"),
      orphans: object("subscribers on no list"),
      anyone: object("any address"),
      tables: object("all tables"),
    };
  }

  async #lists(): Promise<readonly { readonly id: number; readonly object: string }[]> {
    const findings = this.#findings;
    const target = (page: number) =>
      `api/lists?page=${page}&per_page=${PER_PAGE}&order_by=id&order=asc`;
    const { items, isWhole, where } = await this.#asker.pages(target, LISTS, {
      perPage: PER_PAGE,
      pagesMax: PAGES_MAX,
    });
    const lists = items.map(({ id, name, subscriber_count: count }) => {
      const object = findings.object(`list ${id} ${nameOf(name)}`);
      findings.so(where, "label", object, "customer");
      for (const predicate of ["rows", "people"]) findings.amount(where, predicate, object, count);
      return { id, object };
    });
    if (isWhole) return lists;
    const object = findings.object("lists that were not told");
    findings.assume(`${where} did not tell all`, "label", object, "customer");
    for (const predicate of ["rows", "people"])
      findings.amount(where, predicate, object, undefined);
    return [...lists, { id: 0, object }];
  }

  /** Who is on no list, who is no subscriber, and what SQL reads. */
  async #people(has: (...names: string[]) => Told): Promise<void> {
    const findings = this.#findings;
    const { orphans, anyone, tables } = this.#objects();
    const counts = await this.#asker.get("api/dashboard/counts", COUNTS);
    const subscribers = counts.value?.data.subscribers;
    findings.so(counts.where, "label", orphans, "customer");
    for (const predicate of ["rows", "people"])
      findings.amount(counts.where, predicate, orphans, subscribers?.orphans);
    const why = "these go to whatever address is given";
    findings.so(why, "people", anyone, UNBOUNDED);
    const kept = "campaigns, templates and files are not counted";
    findings.assume(kept, "rows", this.#objects().server, UNBOUNDED);
    if (has("subscribers:sql_query") === false) return;
    // internal/core/subscribers.go, validateQueryTables: newer versions look at the tables of the query's plan, in
    // which those that a function such as query_to_xml reads do not stand; older ones look at none.
    const most = "an SQL expression reads what the database's role may";
    findings.assume(most, "label", tables, "customer");
    if (subscribers === undefined) findings.assume(most, "rows", tables, UNBOUNDED);
    else findings.assume(most, "rows", tables, subscribers.total);
    findings.assume(most, "contains", tables, `passwords of mail servers in ${tables}`);
  }

  /** What the super admin may, and how one becomes it. */
  #superAdmin(where: string, has: (...names: string[]) => Told, lists: readonly string[]): void {
    const findings = this.#findings;
    const admin = findings.object("super admin");
    const { principal } = findings;
    findings.so(where, "principal", admin, "listmonk");
    findings.so(where, "at", admin, findings.site);
    const all = () => true;
    const powers = [
      ...lists.flatMap((list) => listPowers(list, all, true)),
      ...serverPowers(all, this.#objects()),
    ];
    for (const [verbs, object] of powers) {
      for (const verb of verbs.split(" "))
        findings.so("the super admin has every permission", "can", admin, verb, object);
    }
    const leads = (may: Told, predicate: string, verb: string) => {
      if (may === true) findings.so(where, predicate, principal, verb, admin);
      if (may === undefined)
        findings.assume(`${where} did not tell of ${verb}`, predicate, principal, verb, admin);
    };
    // A user may be given role 1, and an API user's token is in the answer; a role may be given every permission.
    leads(has("users:manage"), "logs_in_as", "user.write");
    leads(some(has("users:manage"), has("roles:manage")), "raises", "user.write");
    if (has("settings:manage") === false) return;
    // appearance.admin.custom_js: served to whoever opens the admin's pages.
    findings.assume(
      "an administrator opens listmonk",
      "scripts",
      principal,
      "settings.update",
      admin,
    );
  }

  /** Mail servers, by name: their passwords are masked, and lie in the database. */
  async #settings(reads: Told): Promise<void> {
    const { value, where } = await this.#asker.get("api/settings", SETTINGS);
    const findings = this.#findings;
    for (const { host, port, username, enabled } of value?.data.smtp ?? []) {
      if (!enabled) continue;
      const account = `smtp:${nameOf(username)}@${nameOf(host)}:${port}`;
      const secret = `password of ${account}`;
      const reach = `whom ${account} may write to`;
      findings.so(where, "principal", account, "kept mail");
      findings.so(where, "at", account, `${nameOf(host)}:${port}`);
      findings.so(where, "opens", secret, account);
      findings.so(where, "can", account, "use", reach);
      findings.assume("a mail server takes any recipient", "people", reach, UNBOUNDED);
      if (reads !== false)
        findings.assume("settings lie in the database", "contains", this.#objects().tables, secret);
    }
  }
}

type Has = (...names: string[]) => Told;
type Objects = Readonly<Record<"server" | "orphans" | "anyone" | "tables", string>>;

/** What is done to the subscribers of one list that the account sees. */
function listPowers(list: string, has: Has, manages: Told): readonly Power[] {
  const manage = has("subscribers:manage");
  const campaigns = has("campaigns:manage_all", "campaigns:manage");
  return [
    ["list.read", list, true],
    ["list.update list.publish list.delete", list, manages],
    ["subscriber.read subscriber.export", list, has("subscribers:get_all", "subscribers:get")],
    [
      "subscriber.write subscriber.preconfirm subscriber.ask-again subscriber.unlist " +
        "subscriber.relist subscriber.send-optin subscriber.blocklist subscriber.add subscriber.remove " +
        "subscriber.lists subscriber.delete subscriber.bulk",
      list,
      manage,
    ],
    ["campaign.start campaign.schedule", list, has("campaigns:send")],
    // A test goes to any subscriber, and needs no leave to send; a campaign on its way takes a new content.
    ["campaign.test campaign.change-live", list, campaigns],
    ["template.change-live template.delete-live", list, has("templates:manage")],
    ["tx.send", list, has("tx:send")],
  ];
}

function serverPowers(has: Has, { server, orphans, anyone, tables }: Objects): readonly Power[] {
  const campaigns = has("campaigns:manage_all", "campaigns:manage");
  const settings = has("settings:manage");
  return [
    ["public.read server.read list.read", server, true],
    // Whoever asks subscribes an address, which may be asked by mail for consent.
    ["public.subscribe", anyone, undefined],
    ["subscriber.read subscriber.export", orphans, has("subscribers:get_all")],
    ["subscriber.delete subscriber.bulk", orphans, has("subscribers:manage")],
    ["campaign.test", orphans, campaigns],
    ["tx.send", orphans, has("tx:send")],
    // Whoever is subscribed may be asked by mail for consent.
    ["subscriber.subscribe subscriber.preconfirm", anyone, has("subscribers:manage")],
    ["tx.send-external", anyone, has("tx:send")],
    ["subscriber.query", tables, has("subscribers:sql_query")],
    ["bounce.read", server, has("bounces:get")],
    ["bounce.delete", server, has("bounces:manage")],
    ["bounce.report", server, has("webhooks:post_bounce")],
    ["import.read import.start import.stop", server, has("subscribers:import")],
    ["list.create list.publish", server, has("lists:manage_all")],
    ["campaign.read", server, has("campaigns:get_all", "campaigns:get", "campaigns:get_analytics")],
    [
      "campaign.draft campaign.create-archived campaign.archive campaign.unarchive campaign.delete",
      server,
      campaigns,
    ],
    ["campaign.pause campaign.unschedule campaign.cancel", server, has("campaigns:send")],
    ["template.read", server, has("templates:get")],
    ["template.create template.update template.delete", server, has("templates:manage")],
    ["media.read", server, has("media:get")],
    ["media.upload media.delete", server, has("media:manage")],
    ["settings.read", server, has("settings:get")],
    ["settings.update server.reload", server, settings],
    ["settings.test-mail", anyone, settings],
    ["user.read", server, has("users:get", "roles:get")],
    // One's own name and address anybody may change; that gives nobody anything.
    ["user.write user.delete", server, has("users:manage", "roles:manage")],
    ["maintenance.delete", orphans, has("settings:maintain")],
    ["maintenance.export", server, has("settings:maintain")],
  ];
}
