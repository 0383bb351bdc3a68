/**
 * INV-65: what is added to a request never makes it milder. For every golden request: a value that no system
 * knows, under each name that its entry looks at and each that the request has, in its query and in its body.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../action/index.ts";
import { assert as hold } from "../base/index.ts";
import {
  describeRequest,
  findEntry,
  UNKNOWN_VERB,
  type CatalogRequest,
  type Entry,
} from "./index.ts";
import { requestOf } from "./golden-kit.ts";
import { GOLDENS } from "./goldens.ts";

const ODD = "cofferdam-odd";
const FORM = "application/x-www-form-urlencoded";

/** Names of parameters that cases of `entry` look at, and that make a request another. */
function namesOf({ routes, override }: Entry): ReadonlySet<string> {
  const references = routes.flatMap(({ cases = [] }) =>
    cases.flatMap(({ when }) => Object.keys(when)),
  );
  const looked = references.flatMap((reference) => {
    const [root = "", name] = reference.split(".");
    const isPlain = name !== undefined && /^[\w-]+$/.test(name);
    return isPlain && ["query", "body", "param"].includes(root) ? name : [];
  });
  return new Set([
    ...looked,
    ...[override.method, override.path].filter((one) => one !== undefined),
  ]);
}

function withQuery(request: CatalogRequest, name: string): CatalogRequest {
  const { query } = request;
  return { ...request, query: `${query === "" ? "" : `${query}&`}${name}=${ODD}` };
}

/** With one value more in a form, or a name more in JSON; the same where its body is neither. */
function withBody(request: CatalogRequest, name: string): CatalogRequest {
  const type = request.headers["content-type"];
  const text = Buffer.from(request.body ?? []).toString();
  if (type === FORM) return { ...request, body: Buffer.from(`${text}&${name}=${ODD}`) };
  if (type !== "application/json") return request;
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json) || Object.hasOwn(json, name))
    return request;
  return { ...request, body: Buffer.from(JSON.stringify({ ...json, [name]: ODD })) };
}

const MILD: readonly Effect[] = ["read", "read-private", "write"];

/** How strict: an unknown request is denied; whatever is not mild waits for a person. */
function strictness(verb: string, effects: readonly Effect[]): number {
  if (verb === UNKNOWN_VERB) return MILD.length + 1;
  const ranks = effects.map((effect) => MILD.indexOf(effect));
  return ranks.includes(-1) ? MILD.length : Math.max(...ranks);
}

for (const [system, rows] of GOLDENS) {
  test(`INV-65: nothing that is added makes a request to ${system} milder`, () => {
    const entry = findEntry(system);
    hold(entry !== undefined, `the catalog has ${system}`);
    for (const row of rows) {
      const request = requestOf(row);
      const facts = row.facts ?? {};
      const before = describeRequest(entry, request, facts);
      // What lacks something may become whole, and be understood then.
      if (before.verb === UNKNOWN_VERB) continue;
      const own = new URLSearchParams(request.query).keys();
      for (const name of new Set([...namesOf(entry), ...own])) {
        for (const more of [withQuery(request, name), withBody(request, name)]) {
          const after = describeRequest(entry, more, facts);
          assert.ok(
            strictness(after.verb, after.effects) >= strictness(before.verb, before.effects),
            `${row.request} is ${before.effects.join()}, with ${name} more ${after.effects.join()}`,
          );
        }
      }
    }
  });
}
