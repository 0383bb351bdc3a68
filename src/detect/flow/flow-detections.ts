/**
 * All flow detectors over flows.
 *
 * @module
 */
import type { FindingKind } from "../../action/index.ts";
import { tuningOf, type DetectorAbout, type Tuning } from "../detector.ts";
import { FlowView, type FlowSign } from "./flow-detector.ts";
import { flowName, type FlowSeen } from "./flow-seen.ts";
import { FLOW_DETECTORS, SERIES_DETECTORS } from "./table.ts";

/** One thing found in a flow. */
export interface FlowFinding extends FlowSign {
  /** {@link flowName} of the flow. */
  readonly flow: string;
  readonly kind: FindingKind;
  readonly detector: string;
}

export interface FlowDetections {
  /** What a flow shows, by itself and with those before; surest first. */
  observe(flow: FlowSeen): readonly FlowFinding[];
  /** What all of them show. */
  end(): readonly FlowFinding[];
}

/** @param tuning Per detector's name: thresholds that are not the default ones. */
export function createFlowDetections(
  tuning: Readonly<Record<string, Tuning>> = {},
): FlowDetections {
  const valuesOf = (about: DetectorAbout) => ({ ...tuningOf(about), ...tuning[about.name] });
  const single = FLOW_DETECTORS.map((detector) => ({ detector, values: valuesOf(detector) }));
  const seeing = (protocol: FlowSeen["protocol"]) => {
    const seen = single.filter(({ detector }) => detector.sees.includes(protocol));
    return [...Map.groupBy(seen, ({ detector }) => detector.may)].map(([may, members]) => ({
      may,
      members,
    }));
  };
  const byProtocol = { tcp: seeing("tcp"), udp: seeing("udp"), icmp: seeing("icmp") };
  const series = SERIES_DETECTORS.map((detector) => ({
    detector,
    state: detector.start(valuesOf(detector)),
  }));
  const finding = ({ name, kind }: DetectorAbout, flow: string, { score, why }: FlowSign) => ({
    flow,
    kind,
    detector: name,
    score,
    why,
  });
  return {
    observe(flow) {
      if (flow.bytesOut + flow.bytesIn === 0) return NONE;
      const view = new FlowView(flow);
      let found: FlowFinding[] | undefined;
      for (const { may, members } of byProtocol[flow.protocol]) {
        if (may?.(view) === false) continue;
        for (const { detector, values } of members) {
          const sign = detector.judge(view, values);
          if (sign !== undefined) (found ??= []).push(finding(detector, flowName(flow), sign));
        }
      }
      for (const { detector, state } of series) {
        const sign = detector.observe(state, view);
        if (sign !== undefined) (found ??= []).push(finding(detector, flowName(flow), sign));
      }
      return found === undefined ? NONE : found.sort((one, other) => other.score - one.score);
    },
    end: () =>
      series.flatMap(({ detector, state }) =>
        detector.end(state).map((sign) => finding(detector, sign.flow, sign)),
      ),
  };
}

const NONE: readonly FlowFinding[] = [];
