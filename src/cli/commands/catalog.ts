/**
 * `catalog` and `explain`: which systems are known, and what a request to one of them would be.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { UNKNOWN_PROCESS, type Action } from "../../action/index.ts";
import { assert, describeError, Fault, readTextFile } from "../../base/index.ts";
import {
  placesOf,
  readFact,
  sampleOf,
  verbInfos,
  type Entry,
  type Facts,
} from "../../catalog/index.ts";
import { actionOfHeld, isOperation, lookupTargets, type HeldRequest } from "../../gateway/index.ts";
import { allProtocols } from "../../protocols/index.ts";
import {
  detailedProtocol,
  listedProtocol,
  protocolInfo,
  readOperation,
  readOptions,
} from "../operation.ts";
import {
  compilePolicy,
  decide,
  initialPolicyState,
  parseTaskFile,
  type Policy,
} from "../../policy/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  listOption,
  textOption,
  type Command,
  type Context,
  type Values,
} from "../command.ts";
import { knownSystems, systemsOf, type KnownSystem } from "../systems.ts";

export const catalogCommand: Command = {
  name: "catalog",
  usage: "[SYSTEM] [--json]",
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  examples: ["cofferdam catalog", "cofferdam catalog wordpress", "cofferdam catalog --json"],
  positionals: [0, 1],
  async run(context) {
    const known = knownSystems(context);
    const name = context.positionals[0];
    const chosen = name === undefined ? known : known.filter(({ entry }) => entry.system === name);
    const protocols = [...allProtocols().values()].filter(
      ({ system }) => name === undefined || system === name,
    );
    if (chosen.length === 0 && protocols.length === 0)
      throw unknownSystem(name ?? "", [
        ...known.map(({ entry }) => entry.system),
        ...allProtocols().keys(),
      ]);
    const print = name === undefined ? listed : detailed;
    const isJson = context.values["json"] === true;
    const printProtocol = name === undefined ? listedProtocol : detailedProtocol;
    context.out(
      isJson
        ? `${JSON.stringify([...chosen.map(infoOf), ...protocols.map(protocolInfo)])}\n`
        : [...chosen.map(print), ...protocols.map(printProtocol)].join(""),
    );
    return EXIT.ok;
  },
};

function infoOf({ entry, isOwn }: KnownSystem) {
  const { system, title, docs, hosts, base, unknown } = entry;
  return {
    system,
    title,
    own: isOwn,
    docs,
    hosts: hosts ?? [],
    base,
    credential: placesOf(entry),
    unknown,
    verbs: verbInfos(entry),
  };
}

function listed({ entry, isOwn }: KnownSystem): string {
  const { system, title, hosts } = entry;
  const where = hosts === undefined ? "at hosts that the grant names" : hosts.join(", ");
  const verbs = verbInfos(entry).length;
  return `${system.padEnd(18)} ${title} (${verbs} verbs${isOwn ? ", your own" : ""}), ${where}\n`;
}

function detailed({ entry }: KnownSystem): string {
  const { title, docs, hosts, unknown } = entry;
  const verbs = verbInfos(entry).map(({ verb, effects, requests, summary }) =>
    [`${verb}  [${effects.join(", ")}]  ${summary}`, ...requests.map((one) => `    ${one}`)].join(
      "\n",
    ),
  );
  return [
    `${entry.system}: ${title}`,
    `  hosts: ${hosts?.join(", ") ?? "as the grant names them"}`,
    `  credential: ${placesOf(entry).join("; ") || "none"}`,
    `  read from: ${docs.join(" ")}`,
    `  anything else counts as ${unknown.join(", ")} and is denied`,
    "",
    ...verbs,
    "",
  ].join("\n");
}

export const explainCommand: Command = {
  name: "explain",
  usage:
    "--system KIND 'METHOD PATH'|OPERATION [--with JSON] [--data TEXT|@FILE] [--header 'NAME: VALUE']... [--fact NAME=@FILE]... [--json]",
  options: {
    system: { type: "string" },
    data: { type: "string" },
    header: { type: "string", multiple: true },
    fact: { type: "string", multiple: true },
    with: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    system: "a name of `cofferdam catalog`, or http",
    with: "the grant's `with:`, in JSON, of systems that have it",
    data: "the body; @FILE reads it from a file, @- from standard input",
    header: "a field of the request; a body that is JSON needs none",
    fact: "what a look-up would find: NAME=TEXT or NAME=@FILE, in JSON; without it the strictest holds",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam explain --system wordpress 'POST /wp-json/wp/v2/posts' --data '{\"status\":\"publish\"}'",
    'cofferdam explain --system postgres "delete from orders" --json',
    "cofferdam explain --system n8n 'POST /api/v1/workflows' --data @workflow.json --json",
  ],
  positionals: [1, 1],
  async run(context) {
    const { entryOf, systems } = systemsOf(context);
    const kind = textOption(context.values, "system") ?? "";
    const entry = entryOf(kind);
    const isProtocol = allProtocols().has(kind);
    if (entry === undefined && kind !== "http" && !isProtocol)
      throw unknownSystem(kind, ["http", ...systems.keys()]);
    const { held, source } = isProtocol
      ? await readOperation({
          system: kind,
          text: context.positionals[0] ?? "",
          body: readBody(context.values),
          facts: readFacts(context.values),
          options: textOption(context.values, "with"),
        })
      : readRequest(context, kind, entry);
    const task = parseTaskFile(source, "explain", Date.now(), systems);
    const policy = compilePolicy(task);
    const [grant] = policy.grants;
    assert(grant !== undefined, "the task has one grant");
    const at = { wallMs: Date.now(), monoMs: 0 };
    const cause = UNKNOWN_PROCESS;
    const action = actionOfHeld(held, { run: "explain", at, grant, entry, cause });
    const targets = isOperation(held) ? [] : lookupTargets(held, grant, entry);
    const lookups = targets.map(({ name, request }) => {
      const isKnown = Object.hasOwn(held.facts, name);
      return { name, request: `${request.method} ${request.target}`, known: isKnown };
    });
    const explained = { ...explain(policy, action), lookups };
    const isJson = context.values["json"] === true;
    context.out(isJson ? `${JSON.stringify(explained)}\n` : printExplained(explained));
    return EXIT.ok;
  },
};

type Explained = ReturnType<typeof explain> & {
  readonly lookups: readonly { name: string; request: string; known: boolean }[];
};

function explain(policy: Policy, action: Action) {
  const { verdict, rule, reason, effects } = decide(policy, initialPolicyState, action);
  const { kind, verb, target, summary, impact, parts, digest } = action;
  return {
    system: kind,
    verb,
    effects,
    verdict,
    rule,
    reason,
    summary,
    target,
    impact,
    parts,
    digest,
  };
}

const VERDICTS = {
  allow: "a grant of this verb lets it through",
  confirm: "a grant of this verb lets it wait for a person",
  deny: "no grant lets it through",
} as const;

function printExplained({
  verb,
  effects,
  verdict,
  reason,
  summary,
  target,
  ...more
}: Explained): string {
  const { impact, parts = [], lookups } = more;
  const { recipients = [], amount, reversible } = impact ?? {};
  return [
    summary,
    `  verb      ${verb}`,
    `  effects   ${effects.join(", ")}`,
    `  verdict   ${verdict}: ${VERDICTS[verdict]} (${reason})`,
    `  target    ${target}`,
    ...(recipients.length === 0 ? [] : [`  reaches   ${recipients.join(", ")}`]),
    ...(amount === undefined ? [] : [`  amount    ${amount.value} ${amount.currency}`]),
    ...(reversible === undefined ? [] : [`  undo      ${reversible ? "yes" : "no"}`]),
    ...parts.map(
      ({ verb: one, effects: does, object = [], count = 1 }) =>
        `  part      ${[one, ...object].join(" ")} [${does.join(", ")}]${count > 1 ? ` (${count} times)` : ""}`,
    ),
    ...lookups.map(({ name, request, known }) =>
      known
        ? `  state     ${name} as given`
        : `  state     it depends on ${request}; not knowing it, this is the strictest (--fact ${name}=@FILE)`,
    ),
    "",
  ].join("\n");
}

const REQUEST = /^([A-Za-z]+) (?:(https?):\/\/([^/?#]+))?(\/.*)?$/s;

/** The request of the command line, and a task that grants all of its system, where it is sent to. */
function readRequest(
  { positionals, values }: Context,
  kind: string,
  entry: Entry | undefined,
): { readonly held: HeldRequest; readonly source: string } {
  const [text = ""] = positionals;
  const sample = sampleOf(entry, text);
  const place = entry?.hosts?.[0];
  const match = REQUEST.exec(sample?.request ?? text);
  const [, method = "", scheme = "https", authority, target = "/"] = match ?? [];
  if (match === null || /[\s#]/.test(target)) {
    throw new Fault(
      "cli.usage",
      "a request is written 'METHOD PATH' or 'METHOD URL', escaped as it is sent",
      {
        hint: "for example 'POST /wp-json/wp/v2/posts'",
      },
    );
  }
  const isTls = scheme === "https";
  const host =
    authority ?? (place === undefined || place.startsWith("*") ? "system.example" : place);
  const url = new URL(`${scheme}://${host}`);
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const body = sample?.body ?? readBody(values);
  const held: HeldRequest = {
    scheme: isTls ? "https" : "http",
    host: url.hostname,
    port,
    method,
    target,
    headers: sample?.headers ?? readHeaders(values, body),
    facts: sample?.facts ?? readFacts(values),
    ...(body === undefined ? {} : { body }),
  };
  const rule = kind === "http" ? { methods: [method], paths: ["/**"] } : { verbs: ["*"] };
  const grant = {
    name: "explained",
    system: kind,
    hosts: [url.hostname],
    ports: [port],
    tls: isTls,
    ...withOf(values, kind),
    allow: [rule],
  };
  // JSON is YAML.
  const task = { task: "explain", purpose: "what a request would be", grants: [grant] };
  return { held, source: JSON.stringify(task) };
}

/** A grant's `with:`, as far as it is given. */
function withOf(values: Values, kind: string): { readonly with?: unknown } {
  const text = textOption(values, "with");
  if (text === undefined || kind === "http") return {};
  return { with: readOptions(text) };
}

function readBody(values: Values): Buffer | undefined {
  const data = textOption(values, "data");
  return data === undefined ? undefined : Buffer.from(textOrFile(data), "utf8");
}

const STDIN = 0;

function textOrFile(value: string): string {
  if (!value.startsWith("@")) return value;
  const file = value === "@-" ? "standard input" : value.slice(1);
  let text: string;
  try {
    text = value === "@-" ? readFileSync(STDIN, "utf8") : readTextFile(file, { mayWait: true });
  } catch (cause) {
    throw new Fault("cli.data", `cannot read ${file}: ${describeError(cause)}`, { cause });
  }
  // It would be judged as other bytes than were meant.
  if (text.includes("\uFFFD")) throw new Fault("cli.data", `${file} is not text in UTF-8`);
  return text;
}

function readHeaders(values: Values, body: Buffer | undefined): readonly string[] {
  const headers = listOption(values, "header").flatMap((line) => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Fault("cli.usage", `--header takes 'NAME: VALUE', not ${line}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const isTyped = headers.some((one, at) => at % 2 === 0 && /^content-type$/i.test(one));
  return body === undefined || isTyped ? headers : [...headers, "content-type", typeOf(body)];
}

/** What clients would say of `body`: JSON where it is, else a form. */
function typeOf(body: Buffer): string {
  try {
    JSON.parse(body.toString("utf8"));
    return "application/json";
  } catch {
    return "application/x-www-form-urlencoded";
  }
}

function readFacts(values: Values): Facts {
  const facts = listOption(values, "fact").map((line) => {
    const at = line.indexOf("=");
    const fact = at < 1 ? undefined : readFact(Buffer.from(textOrFile(line.slice(at + 1))));
    if (fact === undefined) throw new Fault("cli.usage", `--fact takes NAME=JSON, not ${line}`);
    return [line.slice(0, at), fact] as const;
  });
  return Object.fromEntries(facts);
}

function unknownSystem(name: string, known: readonly string[]): Fault {
  return new Fault("cli.system", `no system is called ${JSON.stringify(name)}`, {
    hint: `known are ${known.join(", ")}`,
  });
}
