/**
 * Clients, and what they say: bench/tools/load.c, curl and wrk. All of them cost little beside what
 * they measure.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../src/base/index.ts";

const loadSchema = z.object({
  requests: z.number(),
  seconds: z.number(),
  errors: z.number(),
  p50: z.number(),
  p99: z.number(),
  hundredths: z.array(z.number()).length(100).optional(),
});
export type Load = z.infer<typeof loadSchema>;
export type LoadMode = "new" | "named" | "keep";

export interface LoadOptions {
  readonly mode: LoadMode;
  readonly host: string;
  readonly port: number;
  readonly clients: number;
  readonly seconds: number;
  /** When it begins, in seconds since 1970: together with others. */
  readonly at?: number;
}

/** Words that run the client, whose program lies at `program`. */
export function loadWords(program: string, of: LoadOptions): readonly string[] {
  const at = of.at === undefined ? [] : [`${of.at}`];
  return [program, of.mode, of.host, `${of.port}`, "/1k", `${of.clients}`, `${of.seconds}`, ...at];
}

/** @throws {Fault} `bench.load` where one request in a hundred failed: that measures something else. */
export function parseLoad(text: string): Load {
  const load = loadSchema.parse(JSON.parse(text));
  if (load.errors * 100 <= load.requests) return load;
  throw new Fault("bench.load", `${load.errors} requests failed beside ${load.requests}`);
}

const CURL_FORMAT = "%{http_code} %{size_download} %{speed_download}\\n";

/** Words that fetch `url` and throw the body away. */
export function curlWords(url: string, ...more: readonly string[]): readonly string[] {
  return ["curl", "-s", "-S", ...more, "-o", "/dev/null", "-w", CURL_FORMAT, url];
}

/** Megabytes a second that curl saw of a body of `bytes`. */
export function parseCurl(text: string, bytes: number): number {
  const [code, size, speed] = text.trim().split(" ").map(Number);
  if (code === 200 && size === bytes && speed !== undefined) return speed / 1e6;
  throw new Fault("bench.load", `curl got ${text.trim()}, not 200 and ${bytes} bytes`);
}

/** Words that ask for `url` over 32 connections for `seconds`. */
export function wrkWords(program: string, url: string, seconds: number): readonly string[] {
  return [program, "-t1", "-c32", `-d${seconds}s`, url];
}

/** Requests a second that wrk saw. */
export function parseWrk(text: string): number {
  const [, rate] = /^Requests\/sec:\s+([\d.]+)/m.exec(text) ?? [];
  if (rate !== undefined && !/Non-2xx|Socket errors/.test(text)) return Number(rate);
  throw new Fault("bench.load", `wrk did not go well: ${text.trim()}`);
}

/** Words as one line for a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
