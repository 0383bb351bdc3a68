/**
 * The smallest value that fits a JSON Schema, for questions that must be answered in JSON: which model to
 * use, who speaks next.
 *
 * @module
 */
import { z } from "zod";

const DEPTH_MAX = 16; // A schema may refer to itself; ours is then cut off, and the agent's loss.

const schemaSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  minimum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** A value of `schema`, with each property that it names; `{}` where it is no schema. */
export function sampleOf(schema: unknown, depth = 0): unknown {
  const { data } = schemaSchema.safeParse(schema);
  if (data === undefined || depth > DEPTH_MAX) return {};
  if (data.const !== undefined) return data.const;
  if (data.enum !== undefined) return data.enum[0];
  // Google's own form of schemas writes types in capitals.
  switch ([data.type].flat()[0]?.toLowerCase()) {
    case "string":
      return "scripted";
    case "number":
    case "integer":
      return data.minimum ?? 1;
    case "boolean":
      return false;
    case "array":
      return [];
    default:
      return Object.fromEntries(
        Object.entries(data.properties ?? {}).map(([name, of]) => [name, sampleOf(of, depth + 1)]),
      );
  }
}
