/** The work that a request makes grows with its bytes: four times the bytes, far less than sixteen times the work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readContent } from "./content.ts";
import { CATALOG, describeRequest } from "./index.ts";
import { readMultipart } from "./multipart.ts";
import { readJson } from "./strict-json.ts";

const SIZE = 200_000;
const GROWTH = 4;
/** Linear is 4, quadratic 16; between them is room for caches and collected garbage. */
const RATIO_MAX = 10;
const TRIES = 7;

const json = (text: string) => () => void readJson(Buffer.from(text), true);
const members = (n: number) =>
  Array.from({ length: n / 20 }, (_, at) => `"n${at}":${at}`).join(",");
const form = (text: string) => () =>
  void readContent(
    {
      query: "",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: Buffer.from(text),
    },
    false,
  );
const multipart = (text: string) => () => void readMultipart(Buffer.from(text), "boundary=b");
const HEAD = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n';

const WORK: Readonly<Record<string, (n: number) => () => void>> = {
  "JSON, a long string": (n) => json(`{"a":"${"x".repeat(n)}"}`),
  "JSON, escapes": (n) => json(`{"a":"${'\\"'.repeat(n)}"}`),
  "JSON, many names": (n) => json(`{${members(n)}}`),
  "JSON, many lists": (n) => json(`[${"[],".repeat(n)}0]`),
  "JSON, space": (n) => json(`[${" ".repeat(n)}1${" ".repeat(n)}]`),
  "JSON, a long number": (n) => json(`[${"1".repeat(n)}]`),
  "JSON, an open string": (n) => json(`["${"\\\\".repeat(n)}`),
  "a form, one long value": (n) => form(`a=${"%41".repeat(n)}`),
  "a form, one long name": (n) => form(`${"[".repeat(n)}=1`),
  "multipart, near marks": (n) => multipart(`${HEAD}${"\r\n--".repeat(n)}\r\n--b--`),
  "multipart, no end": (n) => multipart(`${HEAD}${"\r\n-".repeat(n)}`),
  "multipart, a head without end": (n) => multipart(`--b\r\n${"a".repeat(n)}`),
};

/** Milliseconds of this thread's own that `work` takes at its best: others use this machine too. */
function best(work: () => void): number {
  const times = Array.from({ length: TRIES }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

function assertLinear(make: (n: number) => () => void): void {
  // What takes next to no time grows by chance.
  const small = Math.max(best(make(SIZE)), 2);
  const large = best(make(SIZE * GROWTH));
  assert.ok(large / small < RATIO_MAX, `${small} ms became ${large} ms`);
}

for (const [name, make] of Object.entries(WORK)) {
  test(`linear: ${name}`, () => assertLinear(make));
}

for (const [system, entry] of CATALOG) {
  test(`linear: a long path at ${system}, by every route`, () => {
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    assertLinear((n) => {
      const [base = ""] = entry.base;
      // As long as a path may be.
      const segment = "1a-".repeat(n / 300);
      const segments = [...base.split("/").slice(1), ...Array.from({ length: 4 }, () => segment)];
      const path = `/${segments.join("/")}`;
      const request = {
        scheme: "https",
        host: "a.example",
        port: 443,
        query: "",
        headers: {},
      } as const;
      return () => {
        for (const method of methods) {
          describeRequest(entry, { ...request, method, path, readings: [segments] });
        }
      };
    });
  });
}
