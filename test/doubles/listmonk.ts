/**
 * A double of listmonk, after its sources (github.com/knadh/listmonk: cmd/campaigns.go, cmd/tx.go,
 * internal/core/campaigns.go, queries/campaigns.sql, internal/auth/auth.go).
 *
 * Faithful: Basic and token credentials; a new campaign is a draft; which states lead to which; `running` with
 * a time to send is `scheduled`; only draft, paused and scheduled campaigns can be changed; a test goes to
 * subscribers that exist; the modes of /api/tx. Not faithful: a campaign is sent at once when it runs, with
 * neither queue nor clock, so that a scheduled one is sent when `runScheduled` is called; subscribers are
 * given at the start, each on one list.
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

export interface ListmonkOptions {
  readonly user: string;
  readonly token: string;
  /** Addresses by list. */
  readonly lists: Readonly<Record<number, readonly string[]>>;
}

export interface Listmonk extends Double {
  /** Sends what is scheduled, as if its time had come. */
  runScheduled(): void;
}

interface Campaign {
  readonly id: number;
  status: string;
  subject: string;
  send_at: string | null;
  lists: readonly number[];
}

/** From which states a campaign may be put into each (UpdateCampaignStatus). */
const FROM: Readonly<Record<string, readonly string[]>> = {
  draft: ["scheduled"],
  scheduled: ["draft", "paused"],
  running: ["draft", "paused"],
  paused: ["running"],
  cancelled: ["running", "paused"],
};

const REFUSED: Answer = { status: 400, json: { message: "not in this state" } };

export async function startListmonk(options: ListmonkOptions): Promise<Listmonk> {
  const campaigns = new Map<number, Campaign>();
  const everyone = new Set(Object.values(options.lists).flat());
  const send = (campaign: Campaign, effects: Effect[]) => {
    campaign.status = "finished";
    const reached = new Set(campaign.lists.flatMap((list) => options.lists[list] ?? []));
    for (const who of reached) effects.push({ kind: "mail", who, what: campaign.subject });
  };

  const update = (campaign: Campaign, { json }: Call): Answer => {
    if (!["draft", "paused", "scheduled"].includes(campaign.status)) return REFUSED;
    assign(campaign, json);
    if (campaign.status === "scheduled" && campaign.send_at === null) campaign.status = "draft";
    return { status: 200, json: { data: shown(campaign) } };
  };
  const setStatus = (campaign: Campaign, { json }: Call, effects: Effect[]): Answer => {
    const status = String(json["status"]);
    if (FROM[status]?.includes(campaign.status) !== true) return REFUSED;
    if (status === "scheduled" && campaign.send_at === null) return REFUSED;
    campaign.status = status === "running" && campaign.send_at !== null ? "scheduled" : status;
    if (campaign.status === "running") send(campaign, effects);
    return { status: 200, json: { data: shown(campaign) } };
  };
  const sendTo = (wanted: readonly string[], isAny: boolean, what: string, effects: Effect[]) => {
    const reached = wanted.filter((one) => isAny || everyone.has(one));
    for (const who of reached) effects.push({ kind: "mail", who, what });
    const isWhole = reached.length === wanted.length && reached.length > 0;
    return isWhole
      ? { status: 200, json: { data: true } }
      : { status: 400, json: { message: "not found" } };
  };
  const create = ({ json }: Call): Answer => {
    const campaign: Campaign = {
      id: campaigns.size + 1,
      status: "draft",
      subject: "",
      send_at: null,
      lists: [],
    };
    assign(campaign, json);
    campaigns.set(campaign.id, campaign);
    return { status: 200, json: { data: shown(campaign) } };
  };

  const all: Effect[][] = [];
  const double = await startDouble((call, effects) => {
    all[0] = effects;
    if (!isAllowed(call, options)) return { status: 403, json: { message: "invalid credentials" } };
    const [root, kind, id, part] = call.path;
    if (root !== "api") return undefined;
    if (kind === "tx" && call.method === "POST") {
      const isAny = ["external", "fallback"].includes(String(call.json["subscriber_mode"]));
      const wanted = textsOf(call.json["subscriber_emails"]);
      return sendTo(wanted, isAny, String(call.json["subject"]), effects);
    }
    if (kind !== "campaigns") return undefined;
    if (id === undefined) return call.method === "POST" ? create(call) : undefined;
    const campaign = campaigns.get(Number(id));
    if (campaign === undefined) return undefined;
    switch (`${call.method} ${part ?? ""}`) {
      case "GET ":
        return { status: 200, json: { data: shown(campaign) } };
      case "PUT ":
        return update(campaign, call);
      case "PUT status":
        return setStatus(campaign, call, effects);
      case "POST test":
        return sendTo(
          textsOf(call.json["subscribers"]),
          false,
          String(call.json["subject"]),
          effects,
        );
      case "DELETE ":
        campaigns.delete(campaign.id);
        return { status: 200, json: { data: true } };
      default:
        return undefined;
    }
  });
  return {
    ...double,
    runScheduled() {
      for (const campaign of campaigns.values())
        if (campaign.status === "scheduled") send(campaign, all[0] ?? []);
    },
  };
}

function assign(campaign: Campaign, json: Call["json"]): void {
  const { subject, send_at: sendAt, lists } = json;
  if (typeof subject === "string") campaign.subject = subject;
  if (typeof sendAt === "string" || sendAt === null) campaign.send_at = sendAt;
  if (Array.isArray(lists)) campaign.lists = lists.map(Number);
}

function shown(campaign: Campaign): unknown {
  return { ...campaign, lists: campaign.lists.map((id) => ({ id, name: `list ${id}` })) };
}

function isAllowed({ headers }: Call, { user, token }: ListmonkOptions): boolean {
  const given = headers.authorization;
  const basic = Buffer.from(`${user}:${token}`).toString("base64");
  return given === `Basic ${basic}` || given === `token ${user}:${token}`;
}
