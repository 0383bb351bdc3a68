/**
 * Every detector over the stream of events.
 *
 * @module
 */
import { agentNested, agentUnleashed } from "./agents.ts";
import { beacon } from "./beacon.ts";
import { CLAIM_DETECTORS } from "./claim-detectors.ts";
import type { Detector, DetectorAbout } from "./detector.ts";
import { dnsEncoded, dnsSpread, dnsTunnel } from "./dns.ts";
import { escapeDecoded, escapeRenamed, escapeTool } from "./escape.ts";
import { CANARY, exfilSecret, exfilSmall, exfilUrl, exfilVolume } from "./exfiltration.ts";
import { FLOW_DETECTORS, SERIES_DETECTORS } from "./flow/index.ts";
import { loopActions, loopCalls, loopSpend } from "./loops.ts";
import { miningCommand, miningPool } from "./mining.ts";
import { persistenceFile, persistenceMemory, persistenceSchedule } from "./persistence.ts";
import { probeRelay, probeSlow } from "./probing.ts";
import { approvalAgain, approvalFlood, denialSeeking } from "./seeking.ts";
import { signalBoard, signalNames, signalTurns } from "./signals.ts";
import { tamperingRecord } from "./tampering.ts";
import { tunnelCommand, tunnelPackets } from "./tunnels.ts";
import { miningUsage } from "./usage.ts";

export const DETECTORS: readonly Detector[] = [
  probeSlow,
  probeRelay,
  dnsTunnel,
  dnsSpread,
  dnsEncoded,
  exfilUrl,
  exfilSecret,
  exfilSmall,
  exfilVolume,
  beacon,
  persistenceSchedule,
  persistenceFile,
  persistenceMemory,
  escapeTool,
  escapeRenamed,
  escapeDecoded,
  miningCommand,
  miningPool,
  miningUsage,
  tamperingRecord,
  agentUnleashed,
  agentNested,
  tunnelCommand,
  tunnelPackets,
  signalNames,
  signalTurns,
  signalBoard,
  denialSeeking,
  approvalFlood,
  approvalAgain,
  loopActions,
  loopCalls,
  loopSpend,
  ...CLAIM_DETECTORS,
];

/** What each is that a task file can set, also of what is noticed where it happens rather than in events; by name. */
export const DETECTOR_ABOUTS: ReadonlyMap<
  string,
  DetectorAbout & { readonly scope?: Detector["scope"] }
> = new Map([CANARY, ...DETECTORS].map((about) => [about.name, about]));

/** What whoever notices anything is called elsewhere, those of flows among them; by name. */
export const EVERY_ABOUT: ReadonlyMap<string, DetectorAbout> = new Map<string, DetectorAbout>([
  ...DETECTOR_ABOUTS,
  ...[...FLOW_DETECTORS, ...SERIES_DETECTORS].map((about): [string, DetectorAbout] => [
    about.name,
    about,
  ]),
]);
