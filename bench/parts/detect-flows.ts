/**
 * What judging a flow costs: every flow detector over one flow, of the kinds that pass most, and over flows of twice
 * the bytes, which must cost about twice.
 *
 * @module
 */
import {
  clientHello,
  dnsQuery,
  http,
  randomBytes,
  tlsData,
} from "../../test/support/capture-kit.ts";
import {
  createFlowDetections,
  FlowWatch,
  type FlowSeen,
  type Side,
} from "../../src/detect/index.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { quantile } from "../statistics.ts";

const ROUNDS = 9;
const FLOWS = 4000; // In a round.

type Said = readonly (readonly [from: Side, bytes: Buffer])[];

function flow(protocol: "tcp" | "udp", said: Said, port = 443): FlowSeen {
  const watch = new FlowWatch({
    protocol,
    client: { address: "10.0.0.2", port: 50_000 },
    server: { address: "192.0.2.7", port },
    startMs: 0,
  });
  for (const [from, bytes] of said) watch.push(from, bytes, 1);
  return watch.seen();
}

/** As in the public captures: half are datagrams, the rest TLS, HTTP and others. */
function mixed(): readonly FlowSeen[] {
  return Array.from({ length: FLOWS }, (_, n) => {
    const kind = n % 8;
    if (kind < 3) return flow("udp", [["client", dnsQuery(`host${n}.corp.example`)]], 53);
    if (kind === 3)
      return flow("udp", [
        ["client", randomBytes(1200, n)],
        ["server", randomBytes(1200, n)],
      ]);
    if (kind < 6) {
      const hello = clientHello(`www${n}.example`, ["h2", "http/1.1"]);
      return flow("tcp", [
        ["client", hello],
        ["server", tlsData(1400, n)],
        ["client", tlsData(300, n)],
      ]);
    }
    if (kind === 6) {
      const answer = http("HTTP/1.1 200 OK", { "Content-Type": "application/json" }, `{"n":${n}}`);
      return flow(
        "tcp",
        [
          ["client", http(`GET /${n} HTTP/1.1`, { Host: "a.example" })],
          ["server", answer],
        ],
        80,
      );
    }
    return flow(
      "tcp",
      [
        ["client", randomBytes(200, n)],
        ["server", randomBytes(200, n)],
      ],
      9000,
    );
  });
}

/** JSON of so many bytes, the dearest that there is: each byte is looked at. */
function json(bytes: number): readonly FlowSeen[] {
  const line = '{"jsonrpc":"2.0","method":"login","params":{"login":"a"}}\n';
  return Array.from({ length: 200 }, () =>
    flow("tcp", [["client", Buffer.from(line.repeat(bytes / line.length))]]),
  );
}

/** The share `share` of the times per flow, in microseconds, a value per round. */
function timed(flows: readonly FlowSeen[], share: number): readonly number[] {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const detections = createFlowDetections();
    const times = flows.map((seen) => {
      const start = performance.now();
      detections.observe(seen);
      return (performance.now() - start) * 1000;
    });
    return quantile(times, share);
  });
  return rounds.slice(1); // The first is for warming up.
}

export const detectFlows: Part = {
  name: "detect-flows",
  group: "detect",
  measure() {
    const flows = mixed();
    const streams = flows.filter(({ protocol }) => protocol === "tcp");
    const half = timed(json(4000), 0.5);
    return Promise.resolve([
      createRow({
        name: "detect/flow-p50",
        unit: "us",
        values: timed(flows, 0.5),
        goal: { of: "value", must: "<", be: 5 },
      }),
      // Half of the mix are datagrams, which cost less: what the others cost by themselves.
      createRow({ name: "detect/flow-tcp-p50", unit: "us", values: timed(streams, 0.5) }),
      createRow({ name: "detect/flow-p99", unit: "us", values: timed(flows, 0.99) }),
      createRow({
        name: "detect/flow-of-twice-the-bytes",
        unit: "us",
        values: timed(json(8000), 0.5),
        against: { name: "half of them", values: half },
        goal: { of: "ratio", must: "<", be: 2.6 },
      }),
    ]);
  },
};
