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

const REFUSED: Answer = { status: 400, json: { message: "refused" } };

export async function startListmonk(options: ListmonkOptions): Promise<Listmonk> {
  const mailer = new Mailer(options.lists);
  const double = await startDouble((call, effects) => {
    if (!isAllowed(call, options)) return { status: 403, json: { message: "invalid credentials" } };
    const answered = mailer.answer(call);
    effects.push(...mailer.takeSent());
    return answered;
  });
  return {
    ...double,
    get effects() {
      return [...double.effects, ...mailer.later];
    },
    runScheduled() {
      mailer.runScheduled();
    },
  };
}

/** Campaigns, and the mail that they and /api/tx sent. */
class Mailer {
  /** What was sent when its time came. */
  readonly later: Effect[] = [];
  readonly #lists: ListmonkOptions["lists"];
  readonly #campaigns = new Map<number, Campaign>();
  #sent: Effect[] = [];

  constructor(lists: ListmonkOptions["lists"]) {
    this.#lists = lists;
  }

  takeSent(): readonly Effect[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  runScheduled(): void {
    for (const campaign of this.#campaigns.values())
      if (campaign.status === "scheduled") this.#send(campaign);
    this.later.push(...this.takeSent());
  }

  answer(call: Call): Answer | undefined {
    const [root, kind, id, part] = call.path;
    if (root !== "api") return undefined;
    if (kind === "tx" && call.method === "POST") {
      const isAny = ["external", "fallback"].includes(String(call.json["subscriber_mode"]));
      return this.#sendTo(textsOf(call.json["subscriber_emails"]), isAny, call);
    }
    if (kind !== "campaigns") return undefined;
    if (id === undefined) return call.method === "POST" ? this.#create(call) : undefined;
    const campaign = this.#campaigns.get(Number(id));
    return campaign && this.#answerOne(campaign, call, part);
  }

  #answerOne(campaign: Campaign, call: Call, part = ""): Answer | undefined {
    switch (`${call.method} ${part}`) {
      case "GET ":
        return shown(campaign);
      case "PUT ":
        return update(campaign, call);
      case "PUT status":
        return this.#setStatus(campaign, call);
      case "POST test":
        return this.#sendTo(textsOf(call.json["subscribers"]), false, call);
      case "DELETE ":
        this.#campaigns.delete(campaign.id);
        return { status: 200, json: { data: true } };
      default:
        return undefined;
    }
  }

  #create({ json }: Call): Answer {
    const id = this.#campaigns.size + 1;
    const campaign: Campaign = { id, status: "draft", subject: "", send_at: null, lists: [] };
    assign(campaign, json);
    this.#campaigns.set(id, campaign);
    return shown(campaign);
  }

  #setStatus(campaign: Campaign, { json }: Call): Answer {
    const status = String(json["status"]);
    if (FROM[status]?.includes(campaign.status) !== true) return REFUSED;
    if (status === "scheduled" && campaign.send_at === null) return REFUSED;
    campaign.status = status === "running" && campaign.send_at !== null ? "scheduled" : status;
    if (campaign.status === "running") this.#send(campaign);
    return shown(campaign);
  }

  #send(campaign: Campaign): void {
    campaign.status = "finished";
    const reached = new Set(campaign.lists.flatMap((list) => this.#lists[list] ?? []));
    for (const who of reached) this.#sent.push({ kind: "mail", who, what: campaign.subject });
  }

  #sendTo(wanted: readonly string[], isAny: boolean, { json }: Call): Answer {
    const everyone = new Set(Object.values(this.#lists).flat());
    const reached = wanted.filter((one) => isAny || everyone.has(one));
    for (const who of reached)
      this.#sent.push({ kind: "mail", who, what: String(json["subject"]) });
    const isWhole = reached.length === wanted.length && reached.length > 0;
    return isWhole ? { status: 200, json: { data: true } } : REFUSED;
  }
}

function update(campaign: Campaign, { json }: Call): Answer {
  if (!["draft", "paused", "scheduled"].includes(campaign.status)) return REFUSED;
  assign(campaign, json);
  if (campaign.status === "scheduled" && campaign.send_at === null) campaign.status = "draft";
  return shown(campaign);
}

function assign(campaign: Campaign, json: Call["json"]): void {
  const { subject, send_at: sendAt, lists } = json;
  if (typeof subject === "string") campaign.subject = subject;
  if (typeof sendAt === "string" || sendAt === null) campaign.send_at = sendAt;
  if (Array.isArray(lists)) campaign.lists = lists.map(Number);
}

function shown(campaign: Campaign): Answer {
  const lists = campaign.lists.map((id) => ({ id, name: `list ${id}` }));
  return { status: 200, json: { data: { ...campaign, lists } } };
}

function isAllowed({ headers }: Call, { user, token }: ListmonkOptions): boolean {
  const given = headers.authorization;
  const basic = Buffer.from(`${user}:${token}`).toString("base64");
  return given === `Basic ${basic}` || given === `token ${user}:${token}`;
}
