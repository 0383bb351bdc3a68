/**
 * The shape of OTLP/HTTP in JSON, strictly, and a receiver of it: opentelemetry-proto 1.x, logs/v1 and trace/v1, in the
 * JSON form that the specification of OTLP describes.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

const long = z.string().regex(/^-?\d{1,20}$/);
const nano = z.string().regex(/^\d{19}$/);
const traceId = z.string().regex(/^(?!0+$)[0-9a-f]{32}$/);
const spanId = z.string().regex(/^(?!0+$)[0-9a-f]{16}$/);
const value: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: long }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(value) }) }),
  ]),
);
const attributes = z
  .array(z.strictObject({ key: z.string().min(1), value }))
  .refine(
    (all) => new Set(all.map(({ key }) => key)).size === all.length,
    "a key stands there twice",
  );
const resource = z.strictObject({ attributes });
const scope = z.strictObject({ name: z.string(), version: z.string() });

const logRecord = z.strictObject({
  timeUnixNano: nano,
  observedTimeUnixNano: nano,
  severityNumber: z.int().min(1).max(24),
  severityText: z.string(),
  eventName: z.string(),
  body: value,
  attributes,
  traceId: traceId.optional(),
  spanId: spanId.optional(),
});
const span = z
  .strictObject({
    traceId,
    spanId,
    parentSpanId: spanId.optional(),
    name: z.string().min(1),
    kind: z.int().min(0).max(5),
    startTimeUnixNano: nano,
    endTimeUnixNano: nano,
    attributes,
    status: z.strictObject({ code: z.int().min(0).max(2) }),
  })
  .refine(
    (one) => BigInt(one.endTimeUnixNano) >= BigInt(one.startTimeUnixNano),
    "it ends before it starts",
  );
const logsSchema = z.strictObject({
  resourceLogs: z.array(
    z.strictObject({
      resource,
      scopeLogs: z.array(z.strictObject({ scope, logRecords: z.array(logRecord) })),
    }),
  ),
});
const tracesSchema = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource,
      scopeSpans: z.array(z.strictObject({ scope, spans: z.array(span) })),
    }),
  ),
});

function flawsOf(schema: z.ZodType, body: unknown): readonly string[] {
  const { error } = schema.safeParse(body);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

export const flawsOfLogs = (body: unknown) => flawsOf(logsSchema, body);
export const flawsOfTraces = (body: unknown) => flawsOf(tracesSchema, body);

/** A receiver that takes what is well formed, when it is told to. */
export class OtlpReceiver {
  /** How the next requests are answered; what is not answered stands still. */
  answer: (response: ServerResponse) => void = (response) => void response.end("{}");
  /** Numbers of the entries that were taken, in their order, as often as they were. */
  readonly seqs: number[] = [];
  readonly spans: string[] = [];
  readonly flaws: string[] = [];
  readonly headers: (string | undefined)[] = [];
  requests = 0;
  readonly #server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      this.requests += 1;
      this.headers.push(request.headers["x-key"]?.toString());
      response.once("finish", () => {
        if (response.statusCode === 200)
          this.#take(request.url ?? "", Buffer.concat(parts).toString());
      });
      this.answer(response);
    });
  });

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(path: string, text: string): void {
    const body: unknown = JSON.parse(text);
    this.flaws.push(...(path === "/v1/logs" ? flawsOfLogs(body) : flawsOfTraces(body)));
    if (path === "/v1/traces") {
      const { resourceSpans } = tracesSchema.parse(body);
      this.spans.push(
        ...resourceSpans.flatMap((one) =>
          one.scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
        ),
      );
      return;
    }
    const { resourceLogs } = logsSchema.parse(body);
    for (const { logRecords } of resourceLogs.flatMap(({ scopeLogs }) => scopeLogs)) {
      for (const record of logRecords) {
        const seq = record.attributes.find(({ key }) => key === "cofferdam.seq")?.value;
        this.seqs.push(Number((seq as { readonly intValue: string }).intValue));
      }
    }
  }
}
