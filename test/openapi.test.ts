/** The control contract as others read it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OPENAPI_PAGE, openapiPage } from "../scripts/openapi.ts";
import { CONSOLE_API, TRANSFERS } from "../src/api/index.ts";

test("docs/reference/openapi.json is what the tables say; `npm run docs` makes it", () => {
  assert.equal(readFileSync(OPENAPI_PAGE, "utf8"), openapiPage());
});

test("every endpoint has an operation with its role, what it takes and what it gives", () => {
  const { paths } = JSON.parse(openapiPage()) as {
    paths: Record<string, { post: { "x-needs": string; operationId: string } }>;
  };
  assert.deepEqual(
    Object.entries(paths)
      .map(([path, { post }]) => [path, post.operationId, post["x-needs"]])
      .sort(),
    Object.entries({ ...CONSOLE_API, ...TRANSFERS })
      .map(([name, { needs }]) => [`/${name}`, name, needs])
      .sort(),
  );
});
