/**
 * Requests of 4 KiB that agents make of systems, to measure with: each in the form that its system is really
 * spoken to, a post, a workflow, a mutation, a mail.
 *
 * @module
 */
import type { Json } from "../src/action/index.ts";
import { catalogSystems, findEntry, type Entry } from "../src/catalog/index.ts";
import { Fault } from "../src/base/index.ts";
import { actionOfHeld } from "../src/gateway/index.ts";
import { compilePolicy, parseTaskFile, type Grant, type Policy } from "../src/policy/index.ts";

export type HeldRequest = Parameters<typeof actionOfHeld>[0];

const BODY_BYTES = 4096;
const WORDS =
  "The harbour was rebuilt in three stages, and each of them took longer than was planned. ";

/** Text of as many characters, some beyond ASCII as people write them. */
function prose(characters: number): string {
  const text = `Größe über alles – “quoted”, and <b>bold</b>.\n\n${WORDS.repeat(60)}`;
  return text.slice(0, characters);
}

/** The text that `make` gives with so much prose that it has 4 KiB. */
function filled(make: (text: string) => string): Buffer {
  let characters = BODY_BYTES;
  for (
    let body = Buffer.from(make(prose(characters)));
    ;
    body = Buffer.from(make(prose(characters)))
  ) {
    if (body.length <= BODY_BYTES) return body;
    characters -= Math.max(1, Math.floor((body.length - BODY_BYTES) / 2));
  }
}

const json = (make: (text: string) => Json) => filled((text) => JSON.stringify(make(text)));

/** A workflow of ordinary nodes, each leading to the next. */
function workflow(text: string): Json {
  const types = ["webhook", "set", "httpRequest", "filter", "set", "merge", "emailSend", "slack"];
  const named = types.map((type, at) => ({ type, name: `${type} ${at}` }));
  return {
    name: "Weekly report",
    nodes: named.map(({ type, name }, at) => ({
      id: `7f3c2a90-0000-4000-8000-00000000000${at}`,
      name,
      type: `n8n-nodes-base.${type}`,
      typeVersion: 1,
      position: [240 + at * 200, 300],
      parameters: {
        url: "https://api.example.com/items?page=1",
        text: text.slice(at * 300, at * 300 + 300),
      },
    })),
    connections: Object.fromEntries(
      named
        .slice(1)
        .map(({ name }, at) => [
          named[at]?.name ?? "",
          { main: [[{ node: name, type: "main", index: 0 }]] },
        ]),
    ),
    settings: { executionOrder: "v1", timezone: "Europe/Berlin" },
  };
}

function mail(text: string): string {
  return [
    "From: me@example.com",
    "To: Ann <ann@example.org>, Bob <bob@example.net>",
    "Cc: team@example.org",
    "Subject: =?utf-8?B?R3LDvMOfZQ==?=",
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="b1"',
    "",
    "--b1",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    text.slice(0, text.length / 2),
    "--b1",
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    `<p>${text.slice(text.length / 2)}</p>`,
    "--b1--",
    "",
  ].join("\r\n");
}

const MUTATION = `mutation Report($input: CreateIssueInput!) {
  createIssue(input: $input) { issue { id number url title } }
}`;

interface Sample {
  readonly host: string;
  readonly target: string;
  readonly body: Buffer;
  /** What it is: a request that nobody understood would be fast. */
  readonly verb: string;
}

const SAMPLES: Readonly<Record<string, Sample>> = {
  wordpress: {
    host: "blog.example",
    target: "/wp-json/wp/v2/posts",
    body: json((content) => ({ title: "News", content, status: "publish", categories: [3, 7] })),
    verb: "post.publish",
  },
  n8n: {
    host: "n8n.example",
    target: "/api/v1/workflows",
    body: json(workflow),
    verb: "workflow.create",
  },
  github: {
    host: "api.github.com",
    target: "/graphql",
    body: json((body) => ({
      query: MUTATION,
      variables: { input: { repositoryId: "R_kgDOAbCdEf", title: "It fails", body } },
    })),
    verb: "issue.create",
  },
  gmail: {
    host: "gmail.googleapis.com",
    target: "/gmail/v1/users/me/messages/send",
    body: json((text) => ({ raw: Buffer.from(mail(text)).toString("base64url") })),
    verb: "message.send",
  },
};

/** A request with all that is needed to judge it. */
export interface Case {
  readonly held: HeldRequest & { readonly body: Buffer };
  readonly grant: Grant;
  readonly entry: Entry;
  readonly policy: Policy;
  readonly verb: string;
}

/** The cases, by their system, under one task that grants all of them. */
export function createCases(): ReadonlyMap<string, Case> {
  const grants = Object.entries(SAMPLES).map(
    ([system, { host }]) =>
      `  - { system: ${system}, name: ${system}, hosts: [${host}], allow: [{ verbs: ["*"] }] }`,
  );
  const text = `task: bench\npurpose: Measure what judging costs.\ngrants:\n${grants.join("\n")}\n`;
  const policy = compilePolicy(parseTaskFile(text, "bench.yaml", Date.now(), catalogSystems()));
  return new Map(
    Object.entries(SAMPLES).map(([system, sample]) => [system, caseOf(system, sample, policy)]),
  );
}

function caseOf(system: string, { host, target, body, verb }: Sample, policy: Policy): Case {
  const grant = policy.grants.find((one) => one.system === system);
  const entry = findEntry(system);
  if (grant === undefined || entry === undefined)
    throw new Fault("bench.case", `the catalog has no ${system}`);
  const headers = ["content-type", "application/json", "accept", "*/*", "user-agent", "agent/1.0"];
  const authority = { scheme: "https", host, port: 443 } as const;
  return {
    held: { ...authority, method: "POST", target, headers, body, facts: {} },
    grant,
    entry,
    policy,
    verb,
  };
}
