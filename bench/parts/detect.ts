/**
 * What noticing costs: every detector over a stream of events as an agent at work makes them, beside writing each
 * event as JSON, which the record does anyway. And whether ten times as many take ten times as long.
 *
 * @module
 */
import type { Event } from "../../src/action/index.ts";
import { Fault } from "../../src/base/index.ts";
import { createDetections, DETECTORS, LeavingWatch, type Leaving } from "../../src/detect/index.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns, quantile } from "../statistics.ts";

const ROUNDS = 5;
const SINGLE = 20_000; // Events of which each is timed.
const SOME = 20_000;
const MANY = 10 * SOME;

export const detect: Part = {
  name: "detect",
  async measure() {
    requireNotice();
    const taken = await inTurns(ROUNDS, {
      single: () => median(eventsOf(SINGLE), observer()),
      written: () => median(eventsOf(SINGLE), (event) => JSON.stringify(event)),
      request: () => median(requestsOf(SINGLE), looker()),
      writtenRequest: () => median(requestsOf(SINGLE), (request) => JSON.stringify(request)),
      some: () => total(eventsOf(SOME), observer()),
      many: () => total(eventsOf(MANY), observer()),
    });
    return [
      createRow({
        name: "detect/event-p50",
        unit: "us",
        values: taken.single,
        against: { name: "JSON.stringify of the event", values: taken.written },
        goal: { of: "value", must: "<", be: 10 },
      }),
      createRow({
        name: "detect/request-p50",
        unit: "us",
        values: taken.request,
        against: { name: "JSON.stringify of the request", values: taken.writtenRequest },
      }),
      createRow({
        name: "detect/sustained",
        unit: "events/s",
        values: taken.many.map((ms) => (MANY * 1000) / ms),
        goal: { of: "value", must: ">=", be: 20_000 },
      }),
      createRow({
        name: "detect/ten-times",
        unit: "ms",
        values: taken.many,
        against: { name: "a tenth of the events", values: taken.some },
        goal: { of: "ratio", must: "<=", be: 12 },
      }),
    ];
  },
};

/** What the gateway does with each request: looks for what leaves in it. */
function looker(): (request: Leaving) => unknown {
  const watch = new LeavingWatch();
  return (request) => watch.look(request);
}

function observer(): (event: Event) => unknown {
  const detections = createDetections(DETECTORS);
  return (event) => detections.observe(event);
}

/** Detectors that see nothing are fast. @throws {Fault} `bench.case` */
function requireNotice(): void {
  const observe = observer();
  const [first] = eventsOf(1);
  const argv = ["ssh", "-R", "80:localhost:22", "example.org"];
  const tunnel = { pid: 9, exe: "/usr/bin/ssh", argv, knownBy: "seccomp" as const, ancestors: [] };
  const found = first && observe({ ...first, type: "process.start", process: tunnel });
  if (Array.isArray(found) && found.length > 0) return;
  throw new Fault("bench.case", "a tunnel was not noticed, so the figures mean nothing");
}

/** The median time of one event or request, in microseconds. */
function median<Of>(all: readonly Of[], observe: (one: Of) => unknown): number {
  const times = all.map((one) => {
    const start = performance.now();
    observe(one);
    return (performance.now() - start) * 1000;
  });
  return quantile(times, 0.5);
}

/** The time of all events, in milliseconds. */
function total(events: readonly Event[], observe: (event: Event) => unknown): number {
  const start = performance.now();
  for (const event of events) observe(event);
  return performance.now() - start;
}

const COMMANDS = [
  ["/usr/bin/dash", "sh", "-c", "npm test -- --grep 'reads a page' 2>&1 | tail -40"],
  ["/usr/bin/node", "node", "/usr/bin/npm", "install", "--no-audit", "left-pad"],
  ["/usr/bin/git", "git", "clone", "--depth", "1", "https://git.example/site.git"],
  ["/usr/bin/python3.11", "python3", "-m", "pytest", "-q", "tests/test_page.py"],
  ["/usr/bin/gcc", "gcc", "-O2", "-c", "-o", "build/page.o", "src/page.c"],
  ["/usr/bin/grep", "grep", "-rn", "TODO", "src", "docs"],
  ["/usr/bin/bash", "bash", "-c", "cd src && make -j2 all > ../build.log && echo done"],
  ["/usr/bin/ssh", "ssh", "web.example", "systemctl", "status", "nginx"],
] as const;

/** `count` events of an agent at work, none like another. */
function eventsOf(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, n) => eventOf(n));
}

/** `count` requests of an agent at work: pages, and packages with their hashes. */
function requestsOf(count: number): readonly Leaving[] {
  return Array.from({ length: count }, (_, n): Leaving => {
    const isPackage = n % 4 === 0;
    const path = `/posts/${n % 200}`;
    const hash = `${n}`.padStart(64, "9f86d081884c7d65");
    return {
      host: `www.site${n % 40}.example`,
      path: isPackage ? `/packages/${hash}/name-${n}.whl` : path,
      query: `page=${n % 9}&q=words+to+find`,
      headers: [
        ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"],
        ["accept", "application/json, text/plain, */*"],
        ["accept-encoding", "gzip, deflate, br"],
        ["x-request-id", hash.slice(-32)],
      ],
    };
  });
}

function eventOf(n: number): Event {
  const [exe, ...argv] = COMMANDS[n % COMMANDS.length] ?? COMMANDS[0];
  const above = {
    pid: 3,
    exe: "/usr/bin/node",
    argv: ["node", "/usr/bin/agent", "--task", "page"],
  };
  const process = {
    pid: n,
    exe,
    exeSha256: `${n % 50}`.padStart(64, "0"),
    argv: [...argv, `file-${n}`],
    knownBy: "seccomp" as const,
    ancestors: [above],
  };
  const base = { run: `r-${n % 4}`, at: "2026-11-27T00:00:00.000Z", monoMs: n * 20 };
  const host = `www.site${n % 40}.example`;
  const about = {
    system: "site",
    target: `https://${host}/posts/${n}`,
    action: `a-${n - (n % 10)}`,
  };
  switch (n % 10) {
    case 0:
    case 1:
      return {
        ...base,
        ...about,
        type: "action",
        verdict: "allow",
        flow: `f-${n}`,
        process,
        data: actionOf(n, host),
      };
    case 2:
      return {
        ...base,
        ...about,
        type: "outcome",
        data: { status: 200, bytesOut: 300, bytesIn: 900 },
      };
    case 3:
    case 4:
      return {
        ...base,
        type: "dns",
        target: host,
        data: { name: host, type: "A", rcode: "NOERROR", answer: [] },
      };
    case 5:
      return {
        ...base,
        type: "denial",
        verdict: "deny",
        target: `telemetry${n % 9}.example`,
        process,
        data: { route: '["","",443,"tcp",""]', title: "", reason: "" },
      };
    case 6:
      return {
        ...base,
        type: "flow.close",
        target: `${host}:443`,
        process,
        data: { upstreamOut: 500, upstreamIn: 900 },
      };
    default:
      return { ...base, type: "process.start", target: exe, process };
  }
}

function actionOf(n: number, host: string): NonNullable<Event["data"]> {
  return {
    kind: "http",
    verb: n % 10 === 0 ? "GET" : "POST",
    effects: [n % 10 === 0 ? "read" : "write"],
    summary: `Read ${n}`,
    digest: `${n}`.padStart(64, "0"),
    fields: {
      method: "GET",
      scheme: "https",
      host,
      port: 443,
      path: `/posts/${n}`,
      query: `page=${n}&q=words+to+find`,
    },
  };
}
