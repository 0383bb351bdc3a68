/**
 * A golden row as a request, for tests of whatever speaks of actions.
 *
 * @module
 */
import { assert } from "../base/index.ts";
import { describeRequest, type CatalogRequest, type Described } from "./describe.ts";
import { findEntry } from "./catalog.ts";
import type { Golden } from "./golden.ts";

/** The request of `row`; what its path may be read as is known from its escaped slashes alone. */
export function requestOf(row: Golden): CatalogRequest {
  const [, method = "", path = "", query = ""] = /^(\S+) ([^?]*)\??(.*)$/.exec(row.request) ?? [];
  const [type, text] = contentOf(row);
  const literal = path.slice(1).split("/").map(decodeURIComponent);
  const parted = literal.flatMap((segment) => segment.split("/"));
  return {
    method,
    scheme: "https",
    host: "system.example",
    port: 443,
    path,
    query,
    headers: { ...row.headers, ...(type === undefined ? {} : { "content-type": type }) },
    readings: parted.length === literal.length ? [literal] : [literal, parted],
    ...(text === undefined ? {} : { body: Buffer.from(text) }),
  };
}

function contentOf({ json, form, raw }: Golden): readonly [string | undefined, string | undefined] {
  if (json !== undefined) return ["application/json", JSON.stringify(json)];
  if (form !== undefined) return ["application/x-www-form-urlencoded", form];
  return [raw?.type, raw?.text];
}

/** What the catalog makes of `row`. */
export function describeGolden(system: string, row: Golden): Described {
  const entry = findEntry(system);
  assert(entry !== undefined, `the catalog has ${system}`);
  return describeRequest(entry, requestOf(row), row.facts ?? {});
}
