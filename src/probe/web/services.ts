/**
 * Services that do not say what a credential may, but refuse what it may not: each is asked to read a little of each kind,
 * and what it refuses the credential has not. Where leave to write contains leave to read, it has not that either; where
 * reading was let, writing is not told, and counts as possible.
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe } from "../probe.ts";
import { Findings, type Power } from "./findings.ts";
import { Asker } from "./questions.ts";

/** One kind of thing. */
interface Kind {
  /** `GET /...` without the slash. */
  readonly target: string;
  readonly json?: { readonly page_size: number };
  readonly object: string;
  /** Verbs that are possible exactly where this was answered. */
  readonly reads: string;
  /** Verbs that are not possible where this was refused. */
  readonly writes?: string;
  /** It holds data of people, so many records. */
  readonly counts?: z.ZodType<number | undefined>;
}

interface Service {
  readonly system: string;
  readonly asks: readonly string[];
  readonly kinds: readonly Kind[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses by which it refuses. */
  readonly refusals: readonly number[];
  /** What uses of it cost, which no API of it bounds: verbs are on this object. */
  readonly billed?: string;
}

const ANYTHING = z.object({});

/** `{ data: [] }` is none; anything else is some. */
function listOf(name: string): z.ZodType<number | undefined> {
  return z
    .object({ [name]: z.array(z.unknown()).optional(), has_more: z.boolean().optional() })
    .transform((value) => {
      const list = value[name];
      return Array.isArray(list) && list.length === 0 ? 0 : undefined;
    });
}

const NOTION = { "notion-version": "2022-06-28" };
const ANTHROPIC = { "anthropic-version": "2023-06-01" };

const SERVICES: readonly Service[] = [
  {
    // https://developers.google.com/workspace/drive/api/guides/api-specific-auth: 403 names the scopes that are missing.
    system: "google-drive",
    asks: ["whose drive it is, files and shared drives"],
    refusals: [403],
    kinds: [
      { target: "drive/v3/about?fields=user", object: "account", reads: "account.read" },
      {
        target: "drive/v3/files?pageSize=1&fields=files(id)",
        object: "files",
        reads: "file.read file.export",
        counts: listOf("files"),
      },
      {
        target: "drive/v3/files/generateIds?count=1",
        object: "account",
        reads: "file.generate-ids",
      },
    ],
  },
  {
    system: "google-calendar",
    asks: ["calendars"],
    refusals: [403],
    kinds: [
      {
        target: "calendar/v3/users/me/calendarList?maxResults=1",
        object: "calendars",
        reads: "calendar.read",
        writes: "calendar-list.write",
      },
      {
        target: "calendar/v3/calendars/primary/events?maxResults=1",
        object: "events",
        reads: "event.read",
        writes:
          "event.create event.update event.delete event.import event.move event.quick-add event.cancel",
        counts: listOf("items"),
      },
      {
        target: "calendar/v3/calendars/primary/acl?maxResults=1",
        object: "calendars",
        reads: "acl.read",
        writes: "acl.share acl.delete",
      },
    ],
  },
  {
    // https://platform.claude.com/docs/en/api/models-list; keys of an organization's administration are other ones.
    system: "anthropic",
    asks: ["models, files, batches, and whether it administers the organization"],
    refusals: [403],
    headers: ANTHROPIC,
    billed: "model",
    kinds: [
      { target: "v1/models?limit=1", object: "models", reads: "model.list" },
      {
        target: "v1/files?limit=1",
        object: "files",
        reads: "data.read",
        writes: "file.upload",
        counts: listOf("data"),
      },
      {
        target: "v1/organizations/users?limit=1",
        object: "organization",
        reads: "data.read",
        writes: "organization.administer",
      },
    ],
  },
  {
    // https://platform.openai.com/docs/api-reference/authentication: restricted keys answer 401 or 403 for what they lack.
    system: "openai",
    asks: ["models, files, batches, and whether it administers the organization"],
    refusals: [403],
    billed: "model",
    kinds: [
      { target: "v1/models", object: "models", reads: "model.list" },
      {
        target: "v1/files?limit=1",
        object: "files",
        reads: "data.read",
        writes: "file.upload",
        counts: listOf("data"),
      },
      {
        target: "v1/batches?limit=1",
        object: "batches",
        reads: "data.read",
        writes: "batch.create",
      },
      {
        target: "v1/fine_tuning/jobs?limit=1",
        object: "jobs",
        reads: "data.read",
        writes: "fine-tune.create",
      },
      {
        target: "v1/organization/users?limit=1",
        object: "organization",
        reads: "data.read",
        writes: "organization.administer secret.create",
      },
    ],
  },
  {
    system: "gemini",
    asks: ["models and files"],
    refusals: [403],
    billed: "model",
    kinds: [
      { target: "v1beta/models?pageSize=1", object: "models", reads: "model.list" },
      {
        target: "v1beta/files?pageSize=1",
        object: "files",
        reads: "data.read",
        writes: "file.upload",
        counts: listOf("files"),
      },
    ],
  },
  {
    // https://developers.notion.com/reference/capabilities: restricted_resource is 403.
    system: "notion",
    asks: ["people of the workspace, whether any page is shared with it, comments"],
    refusals: [403],
    headers: NOTION,
    kinds: [
      {
        target: "v1/users?page_size=1",
        object: "people",
        reads: "account.read",
        counts: listOf("results"),
      },
      {
        target: "v1/search",
        json: { page_size: 1 },
        object: "pages",
        reads: "page.read page.search",
        counts: listOf("results"),
      },
    ],
  },
  {
    system: "resend",
    asks: ["mails, contacts, domains"],
    refusals: [401, 403], // A key that may only send: restricted_api_key, 401. https://resend.com/docs/api-reference/errors
    kinds: [
      { target: "domains", object: "account", reads: "data.read", writes: "account.administer" },
      {
        target: "audiences",
        object: "contacts",
        reads: "data.read",
        writes:
          "list.write list.delete contact.import broadcast.draft broadcast.send broadcast.change-scheduled",
        counts: listOf("data"),
      },
    ],
  },
];

export const SERVICE_PROBES: readonly Probe[] = SERVICES.map(probeOf);

function probeOf({ system, asks, kinds, headers, refusals, billed }: Service): Probe {
  return {
    system,
    asks,
    async probe(ports) {
      const findings = new Findings(ports);
      const asker = new Asker(ports, findings, refusals);
      const powers: Power[] = [];
      for (const { target, json, object: what, reads, writes = "", counts } of kinds) {
        const object = findings.own(what);
        const said = headers === undefined ? {} : { headers };
        const { value, may, where } = await asker.ask(
          json === undefined
            ? { request: `GET /${target}`, ...said }
            : { request: `POST /${target}`, json, ...said },
          counts ?? ANYTHING.transform(() => undefined),
        );
        powers.push([reads, object, may]);
        if (writes !== "") powers.push([writes, object, may === false ? false : undefined]);
        if (counts === undefined || may === false) continue;
        findings.so(where, "label", object, "customer");
        findings.amount(where, "rows", object, value);
      }
      findings.powers("what it lets be read", powers);
      if (billed !== undefined)
        findings.assume(
          "no limit of what may be spent is told",
          "billed",
          ports.principal,
          UNBOUNDED,
        );
      return findings.probed();
    },
  };
}
