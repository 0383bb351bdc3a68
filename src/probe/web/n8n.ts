/**
 * n8n by its public API: what the key may do (GET /discover, which newer versions have; keys of older ones may do all),
 * which workflows there are and what their nodes do, and which credentials a workflow of one's own could use. Secrets of
 * credentials are never answered by this API, and a credential's host and user neither.
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import { findEntry, readNodes, verbInfos, type WorkflowNode } from "../../catalog/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { Findings, nameOf, type Power, type Told } from "./findings.ts";
import { credentialKindOf, type CredentialKind } from "./n8n-credentials.ts";
import { Asker } from "./questions.ts";

const CURSOR = z.string().max(2000).nullish();
const DISCOVERY = z.object({
  data: z.object({
    resources: z.record(
      z.string(),
      z.object({
        endpoints: z.array(z.object({ method: z.string(), path: z.string() })).max(1000),
      }),
    ),
  }),
});
const WORKFLOW = z.object({
  id: z.string().min(1).max(100),
  name: z.string(),
  active: z.boolean(),
  activeVersionId: z.string().nullish(),
  nodes: z.array(z.unknown()),
});
const WORKFLOWS = z.object({ data: z.array(WORKFLOW).max(250), nextCursor: CURSOR });
const CREDENTIAL = z.object({ id: z.string().min(1).max(100), name: z.string(), type: z.string() });
const CREDENTIALS = z.object({ data: z.array(CREDENTIAL).max(250), nextCursor: CURSOR });
const SOME = z.object({ data: z.array(z.unknown()), nextCursor: CURSOR });
const USED = z.record(z.string(), z.object({ id: z.string().nullish(), name: z.string() }));

/** Workflows have bodies of some kilobytes, and an answer of more than 1 MiB is cut. */
const PER_PAGE = 10;
const PAGES_MAX = 30;
const CREDENTIALS_PER_PAGE = 100;

/** How a workflow is started from outside, without n8n's own login as a rule. */
const CALLED = /\.(?:webhook|formTrigger|chatTrigger|mcpTrigger)$/;

type Workflow = z.infer<typeof WORKFLOW>;

export const n8nProbe: Probe = {
  system: "n8n",
  asks: [
    "what the key may do (discover)",
    "workflows with their nodes, and whether they are active",
    "credentials by name and type, users, executions",
  ],
  probe: (ports) => new N8nProbe(ports).run(),
};

class N8nProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;
  /** By what identifies them. */
  readonly #credentials = new Map<string, { readonly name: string; readonly type: string }>();

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    this.#asker = new Asker(ports, this.#findings);
  }

  async run(): Promise<Probed> {
    const may = await this.#key();
    const workflows = await this.#list(
      "api/v1/workflows?excludePinnedData=true&limit=",
      PER_PAGE,
      WORKFLOWS,
    );
    const kept = await this.#list("api/v1/credentials?limit=", CREDENTIALS_PER_PAGE, CREDENTIALS);
    for (const { id, name, type } of kept.items) this.#credentials.set(id, { name, type });
    for (const workflow of workflows.items) this.#workflow(workflow);
    this.#powers(may, workflows);
    this.#lending(kept, workflows.isWhole);
    await this.#amounts();
    this.#counted(
      "workflows",
      workflows.where,
      workflows.isWhole ? workflows.items.length : undefined,
    );
    this.#counted("credentials", kept.where, kept.isWhole ? kept.items.length : undefined);
    this.#findings.assume(
      "what else it keeps is not counted",
      "rows",
      this.#findings.object("all of n8n"),
      UNBOUNDED,
    );
    this.#machine();
    return this.#findings.probed();
  }

  /** Whether the key may use each verb: it may where it may send one of its requests. */
  async #key(): Promise<(verb: string) => Told> {
    const { value, where } = await this.#asker.get("api/v1/discover", DISCOVERY);
    if (value === undefined) {
      this.#findings.note(
        `${where}: not told; in editions and versions without scopes a key may do all`,
      );
      return () => undefined;
    }
    const endpoints = Object.values(value.data.resources).flatMap(({ endpoints: own }) =>
      own.map(({ method, path }) => `${method} ${shapeOf(path.replace(/^\/api\/v1/, ""))}`),
    );
    const there = new Set(endpoints);
    const entry = findEntry("n8n");
    const verbs = new Map(
      (entry === undefined ? [] : verbInfos(entry)).map((one) => [one.verb, one]),
    );
    return (verb) =>
      verbs.get(verb)?.requests.some((form) => formsOf(form).some((one) => there.has(one)));
  }

  async #list<Item>(
    target: string,
    perPage: number,
    schema: z.ZodType<{
      readonly data: readonly Item[];
      readonly nextCursor?: string | null | undefined;
    }>,
  ): Promise<{
    readonly items: readonly Item[];
    readonly isWhole: boolean;
    readonly may: Told;
    readonly where: string;
  }> {
    const items: Item[] = [];
    let cursor = "";
    let where = "";
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.#asker.get(`${target}${perPage}${cursor}`, schema);
      if (page === 0) where = answer.where;
      if (answer.value === undefined) return { items, isWhole: false, may: answer.may, where };
      items.push(...answer.value.data);
      const next = answer.value.nextCursor ?? "";
      if (next === "") return { items, isWhole: true, may: true, where };
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
    this.#findings.note(
      `${where}: more than ${PAGES_MAX} pages; what is beyond counts at its worst`,
    );
    return { items, isWhole: false, may: true, where };
  }

  /** What one workflow does when it is started, and which credentials it shows. */
  #workflow(workflow: Workflow): void {
    const object = this.#workflowObject(workflow);
    const where = `workflow ${workflow.id}`;
    const read = readNodes(workflow.nodes)?.map(({ node }) => node);
    for (const node of workflow.nodes) this.#usedBy(node);
    const kinds = new Set(read?.map(({ kind }) => kind) ?? ["unknown" as const]);
    const target = `${object}: its mail and messages`;
    if (WRITES.some((kind) => kinds.has(kind))) {
      this.#findings.so(where, "starts", object, "send", target);
      this.#findings.assume(
        "to whom a workflow writes is in its data",
        "people",
        target,
        UNBOUNDED,
      );
    }
  }

  #workflowObject({ id, name }: Pick<Workflow, "id" | "name">): string {
    return this.#findings.object(`workflow ${id} ${nameOf(name)}`);
  }

  #usedBy(node: unknown): void {
    const used = z.object({ credentials: USED }).safeParse(node);
    if (!used.success) return;
    for (const [type, { id, name }] of Object.entries(used.data.credentials)) {
      const known = id ?? `${type} ${name}`;
      if (!this.#credentials.has(known)) this.#credentials.set(known, { name, type });
    }
  }

  #powers(
    may: (verb: string) => Told,
    { items, where }: { readonly items: readonly Workflow[]; readonly where: string },
  ): void {
    const all = this.#findings.object("all of n8n");
    const entry = findEntry("n8n");
    const own = new Set(["webhook.call", "wait.resume", "health.read"]);
    const powers: Power[] = (entry === undefined ? [] : verbInfos(entry))
      .filter(({ verb }) => !own.has(verb))
      .map(({ verb }) => [
        verb,
        OBJECTS[verb] === undefined ? all : this.#findings.object(OBJECTS[verb]),
        may(verb),
      ]);
    powers.push(["health.read wait.resume", all, true]);
    // What is called is so whatever the key may do.
    const called = items.filter(isCalled);
    for (const workflow of called)
      powers.push(["webhook.call", this.#workflowObject(workflow), true]);
    if (called.length === 0) powers.push(["webhook.call", all, true]);
    this.#findings.powers(where, powers);
  }

  /** What a workflow of one's own can use. */
  #lending(kept: { readonly isWhole: boolean; readonly where: string }, isWhole: boolean): void {
    for (const [id, { name, type }] of this.#credentials)
      this.#lend(
        kept.where,
        `credential ${nameOf(id)} ${nameOf(name)} (${nameOf(type)})`,
        credentialKindOf(type),
      );
    if (kept.isWhole) return;
    const what = isWhole ? "credentials that no workflow shows" : "credentials that were not told";
    this.#lend(undefined, what, "unknown");
  }

  #lend(where: string | undefined, what: string, kind: CredentialKind): void {
    const findings = this.#findings;
    const object = findings.object(what);
    const why = `what ${what} is good for is not told`;
    if (where === undefined) findings.assume("not told", "lends", findings.principal, object);
    else findings.so(where, "lends", findings.principal, object);
    const holder = `whoever uses ${object}`;
    const reach = `what ${object} reaches`;
    findings.assume(why, "opens", object, holder);
    findings.assume(why, "principal", holder, `kept ${kind}`);
    findings.assume(why, "can", holder, "use", reach);
    for (const predicate of REACHES[kind])
      findings.assume(
        why,
        predicate,
        reach,
        ...(predicate === "label" ? ["customer"] : [UNBOUNDED]),
      );
    if (kind !== "machine" && kind !== "unknown") return;
    const host = `the machine that ${what} is for`;
    findings.assume(why, "host", host);
    findings.assume(why, "runs_on", holder, host, "its account");
  }

  async #amounts(): Promise<void> {
    const findings = this.#findings;
    const filled = async (target: string, what: string, why: string) => {
      const { value, where } = await this.#asker.get(`api/v1/${target}?limit=1`, SOME);
      if (value?.data.length === 0) findings.so(where, "rows", findings.object(what), 0);
      else findings.holds(why, findings.object(what));
    };
    await filled("executions", "executions", "executions hold what workflows worked on");
    await filled("data-tables", "tables", "nobody says what tables hold");
    const variables = findings.object("variables");
    findings.assume("variables may be secrets", "contains", variables, `values of ${variables}`);
    findings.assume(
      "an invitation goes to any address",
      "people",
      findings.object("users"),
      UNBOUNDED,
    );
  }

  #counted(what: string, where: string, count: number | undefined): void {
    this.#findings.amount(where, "rows", this.#findings.object(what), count);
  }

  /** Code nodes run in a runner beside n8n; what keeps them in is a setting that nobody tells. */
  #machine(): void {
    const findings = this.#findings;
    const [host, user] = [`the machine of ${findings.site}`, "n8n's user"];
    const why = "n8n does not tell of its machine, and whether its code nodes are kept in";
    findings.assume(why, "host", host);
    findings.assume(why, "runs_on", findings.principal, host, user);
    findings.assume(why, "is_service", findings.principal, host, user);
    const config = findings.object("key of n8n");
    findings.assume(why, "readable", host, user, config);
    findings.assume(why, "contains", config, `N8N_ENCRYPTION_KEY in ${config}`);
  }
}

/** Kinds of node that write to people, or may. */
const WRITES: readonly WorkflowNode["kind"][] = ["mail", "chat", "unknown"];

/** What facts other than `can` are said of. */
const OBJECTS: Readonly<Record<string, string>> = {
  "workflow.delete": "workflows",
  "workflow.archive": "workflows",
  "workflow.deactivate": "workflows",
  "credential.delete": "credentials",
  "execution.read": "executions",
  "execution.delete": "executions",
  "table.read": "tables",
  "table.delete": "tables",
  "variable.read": "variables",
  "user.invite": "users",
};

/** Which amounts a credential of each kind brings. */
const REACHES: Readonly<Record<CredentialKind, readonly string[]>> = {
  mail: ["people"],
  mailbox: ["people", "label", "rows"],
  chat: ["people"],
  database: ["label", "rows"],
  machine: [],
  payment: ["money"],
  model: ["money"],
  forge: ["rows"],
  site: ["label", "rows"],
  unknown: ["people", "label", "rows", "money"],
};

function isCalled({ active, activeVersionId, nodes }: Workflow): boolean {
  const isActive = active || typeof activeVersionId === "string";
  const typed = z.object({ type: z.string() });
  return isActive && nodes.some((node) => CALLED.test(typed.safeParse(node).data?.type ?? ""));
}

/** `/workflows/{}/activate` */
function shapeOf(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, "{}");
}

/** Each method and path that a route of the catalog stands for: `POST|PATCH /a/{act:b|c}/{id}`. */
function formsOf(form: string): readonly string[] {
  const [methods = "", path = ""] = form.split(" ");
  let paths = [""];
  for (const segment of path.split("/").slice(1)) {
    const choice = /^\{[^:}]*:([a-z|-]+)\}$/.exec(segment)?.[1]?.split("|");
    paths = paths.flatMap((before) =>
      (choice ?? [shapeOf(segment)]).map((one) => `${before}/${one}`),
    );
  }
  return methods.split("|").flatMap((method) => paths.map((one) => `${method} ${one}`));
}
