/**
 * What the flow detectors see of a connection that nobody judges inside: beyond its first bytes the sizes and the
 * times of what passes, and what it carries. The detectors are those of `cofferdam detect`; what they find is noticed,
 * and what follows from that is the task's to say: sizes are evidence, no proof.
 *
 * @module
 */
import type { Clock } from "../base/index.ts";
import {
  createFlowDetections,
  FlowWatch,
  openedBy,
  SIZES_MAX,
  type Side,
} from "../detect/index.ts";
import type { Grant } from "../policy/index.ts";
import type { FlowRecord } from "./flow-record.ts";

/** Takes what passes, in order. */
export type FlowSight = (from: Side, chunk: Buffer) => void;

/** Judges `flow` after its first chunks, and then each time that it has twice as many, to {@link SIZES_MAX}. */
export function createFlowSight(flow: FlowRecord, grant: Grant, clock: Clock): FlowSight {
  const detections = createFlowDetections();
  const watch = new FlowWatch({
    protocol: "tcp",
    // The agent's own port says nothing here.
    client: { address: "run", port: 0 },
    server: { address: flow.host ?? "unknown", port: flow.port },
    startMs: clock.now().monoMs,
  });
  const granted = new Set<string>(grant.protocols);
  const told = new Set<string>();
  let chunks = 0;
  let next = 4;
  return (from, chunk) => {
    if (chunks === SIZES_MAX) return;
    chunks += 1;
    watch.push(from, chunk, clock.now().monoMs);
    if (chunks < next && chunks < SIZES_MAX) return;
    next = chunks * 2;
    for (const { detector, kind, why, score } of detections.observe(watch.seen())) {
      const opening = openedBy(detector);
      const isGranted = opening === undefined ? detector !== "ssh.forward" : granted.has(opening);
      if (isGranted || told.has(detector)) continue;
      told.add(detector);
      const detail = `in an opaque connection to ${flow.target}: ${why}`;
      flow.find(kind, detail, { detector, score });
    }
  };
}
