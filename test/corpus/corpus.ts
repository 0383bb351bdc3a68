/**
 * Corpora: cases of what could be asked, and what must be made of each. Their form is in README.md.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import {
  effectSchema,
  UNKNOWN_PROCESS,
  verdictSchema,
  type Action,
} from "../../src/action/index.ts";
import { findEntry } from "../../src/catalog/index.ts";
import { actionOfHeld, type Held } from "../../src/gateway/index.ts";
import {
  compilePolicy,
  decide,
  initialPolicyState,
  parseTaskFile,
  type Decision,
} from "../../src/policy/index.ts";
import { findProtocol, loadProtocols } from "../../src/protocols/index.ts";
import { taskSystems } from "../../src/systems/index.ts";

const caseSchema = z
  .strictObject({
    name: z.string(),
    operation: z.string().optional(),
    json: z.json().optional(),
    request: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    bodyBase64: z.base64().optional(),
    with: z.record(z.string(), z.json()).optional(),
    facts: z.record(z.string(), z.json()).optional(),
    allow: z.array(z.record(z.string(), z.json())).optional(),
    expect: z
      .strictObject({
        verdict: verdictSchema.optional(),
        verb: z.string().optional(),
        effects: z.array(effectSchema).optional(),
        includes: z.array(effectSchema).optional(),
        excludes: z.array(effectSchema).optional(),
        parts: z
          .array(z.strictObject({ verb: z.string(), object: z.array(z.string()).optional() }))
          .optional(),
        recipients: z.array(z.string()).optional(),
      })
      .refine(
        (expect) => Object.keys(expect).length > 0,
        "a case that expects nothing always passes",
      ),
  })
  .refine(
    ({ operation, json, request }) =>
      [operation, json, request].filter((one) => one !== undefined).length === 1,
    "one of operation, json and request",
  );

export type CorpusCase = z.output<typeof caseSchema>;

/** The cases of every YAML file in `folder`. Throws where one is not of the form. */
export function readCorpus(folder: string): readonly CorpusCase[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  return files.flatMap((name) => {
    const parsed = z.array(caseSchema).safeParse(parse(readFileSync(join(folder, name), "utf8")));
    if (!parsed.success) throw new Error(`${join(folder, name)}: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  });
}

/** Loads what the cases of `system` are judged with. */
export async function loadCorpus(system: string): Promise<void> {
  await loadProtocols([system]);
}

/** What is not as the case expects, a sentence each; none where it passes. */
export function failuresOf(system: string, it: CorpusCase): readonly string[] {
  const { action, decision } = judgeCase(system, it);
  const {
    verdict,
    verb,
    effects,
    includes = [],
    excludes = [],
    parts = [],
    recipients,
  } = it.expect;
  const has = new Set(decision.effects);
  const failures: string[] = [];
  const same = (what: string, is: unknown, wanted: unknown) => {
    if (wanted !== undefined && !isDeepStrictEqual(is, wanted)) {
      failures.push(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
    }
  };
  same("verdict", decision.verdict, verdict);
  same("verb", action.verb, verb);
  same("effects", [...has].sort(), effects && [...new Set(effects)].sort());
  same(
    "recipients",
    [...(action.impact?.recipients ?? [])].sort(),
    recipients && [...recipients].sort(),
  );
  for (const one of includes)
    if (!has.has(one)) failures.push(`does not ${one}: ${[...has].join()}`);
  for (const one of excludes) if (has.has(one)) failures.push(`does ${one}`);
  for (const wanted of parts) {
    const found = (action.parts ?? []).some(
      ({ verb: name, object }) =>
        name === wanted.verb &&
        (wanted.object === undefined || isDeepStrictEqual(object, wanted.object)),
    );
    if (!found)
      failures.push(`has no part ${JSON.stringify(wanted)}: ${JSON.stringify(action.parts)}`);
  }
  return failures;
}

/** The action that a case is, and what a grant decides over it. */
export function judgeCase(system: string, it: CorpusCase): { action: Action; decision: Decision } {
  const { allow = [{ verbs: ["*"] }] } = it;
  const protocol = findProtocol(system);
  const options = { ...protocol?.example, ...it.with };
  const grant = {
    ...{ system, name: "it", hosts: ["system.example"], allow },
    ...(Object.keys(options).length === 0 ? {} : { with: options }),
  };
  const source = JSON.stringify({ task: "corpus", purpose: "a case", grants: [grant] });
  const policy = compilePolicy(parseTaskFile(source, "case", Date.now(), taskSystems()));
  const [compiled] = policy.grants;
  if (compiled === undefined) throw new Error("the task has one grant");
  const at = { wallMs: Date.now(), monoMs: 0 };
  const context = {
    run: "corpus",
    at,
    grant: compiled,
    entry: findEntry(system),
    cause: UNKNOWN_PROCESS,
  };
  const action = actionOfHeld(heldOf(system, it), context);
  return { action, decision: decide(policy, initialPolicyState, action) };
}

function heldOf(system: string, it: CorpusCase): Held {
  const { body, bodyBase64, facts = {} } = it;
  const bytes =
    bodyBase64 === undefined ? body && Buffer.from(body) : Buffer.from(bodyBase64, "base64");
  const whole = bytes === undefined ? {} : { body: bytes as Buffer };
  const place = { host: "system.example", facts, ...whole };
  if (it.request !== undefined) {
    const [method = "", target = "/"] = it.request.split(" ");
    const headers = Object.entries(it.headers ?? {}).flat();
    return { ...place, scheme: "https", port: 443, method, target, headers };
  }
  const protocol = findProtocol(system);
  if (protocol === undefined) throw new Error(`nobody speaks ${system}`);
  const operation = it.json ?? protocol.operationOf(it.operation ?? "");
  return { ...place, port: protocol.ports[0], operation };
}
