/**
 * `npm run docs`: docs/reference/openapi.json, the control contract as OpenAPI 3.1, made from the tables in src/api.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  CONSOLE_ENDPOINTS,
  ENDPOINTS,
  faultSchema,
  TRANSFERS,
  type Endpoint,
} from "../src/api/index.ts";

export const OPENAPI_PAGE = join(import.meta.dirname, "..", "docs", "reference", "openapi.json");

/** The document's text. */
export function openapiPage(): string {
  const own = Object.entries<Endpoint>(CONSOLE_ENDPOINTS).map((row) => operationOf(row, "console"));
  const daemons = Object.entries<Endpoint>(ENDPOINTS).map((row) => operationOf(row, "daemon"));
  const moving = Object.entries(TRANSFERS).map(transferOf);
  const document = {
    openapi: "3.1.1",
    info: {
      title: "Cofferdam control",
      version: "1",
      description:
        "Over the daemon's Unix socket as POST /v1/NAME, for whoever owns it (the operations tagged daemon); over the console as " +
        "POST /api/NAME, for whoever is signed in and has the role. What streams answers JSON lines.",
    },
    servers: [{ url: "/api" }],
    paths: Object.fromEntries([...daemons, ...moving, ...own]),
    components: {
      securitySchemes: { session: { type: "apiKey", in: "cookie", name: "cofferdam" } },
      schemas: { Fault: schemaOf(faultSchema, "output") },
    },
    security: [{ session: [] }],
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function operationOf([name, endpoint]: readonly [string, Endpoint], tag: string) {
  const { needs, takes, gives, streams } = endpoint;
  const type = streams ? "application/x-ndjson" : "application/json";
  const operation = {
    operationId: name,
    tags: [tag, name.split(".")[0]],
    // `owner` is nobody over HTTP.
    "x-needs": needs,
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaOf(takes, "input") } },
    },
    responses: {
      "200": {
        description: streams ? "a line for each" : "the answer",
        content: { [type]: { schema: schemaOf(gives, "output") } },
      },
      default: {
        description: "a refusal: what, why, and the fix",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Fault" } } },
      },
    },
  };
  return [`/${name}`, { post: operation }] as const;
}

const BYTES = { "application/octet-stream": { schema: {} } };

/** Of those that move bytes, on the daemon's socket only. */
function transferOf([name, { needs, takes }]: readonly [string, (typeof TRANSFERS)["file.read"]]) {
  const schema = schemaOf(takes, "input");
  const isRead = name === "file.read";
  const request = { "application/json": { schema } };
  const written = z.strictObject({ bytes: z.int().nonnegative() });
  const operation = {
    operationId: name,
    tags: ["daemon", name.split(".")[0]],
    "x-needs": needs,
    ...(isRead
      ? {}
      : { parameters: [{ name: "request", in: "query", required: true, content: request }] }),
    requestBody: { required: true, content: isRead ? request : BYTES },
    responses: {
      "200": {
        description: isRead ? "the file's bytes" : "what was written",
        content: isRead ? BYTES : { "application/json": { schema: schemaOf(written, "output") } },
      },
      default: {
        description: "a refusal: what, why, and the fix",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Fault" } } },
      },
    },
  };
  return [`/${name}`, { post: operation }] as const;
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "throw" });
  return rest;
}

if (import.meta.main) writeFileSync(OPENAPI_PAGE, openapiPage());
