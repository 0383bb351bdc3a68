/**
 * What kinds of findings are called elsewhere, for those whose detector says nothing more exact, and the drill that
 * plays them.
 *
 * ATT&CK v17, MITRE ATLAS 5.6, OWASP Top 10 for Agentic Applications 2026.
 *
 * @module
 */
import type { FindingKind } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import type { DetectorAbout } from "../detect/index.ts";

/** What is known of a finding's kind or detector. */
export type About = Pick<DetectorAbout, "title" | "explanation" | "attack" | "atlas" | "owasp">;
/** A detector by its name. */
export type DetectorLookup = (name: string) => DetectorAbout | undefined;

const ROWS: readonly (readonly [
  kind: FindingKind,
  title: string,
  attack: string,
  atlas: string,
  owasp: string,
  drill?: string,
])[] = [
  ["tunnel", "A tunnel to outside", "T1572", "AML.T0072", "ASI10", "rome"],
  ["mining", "Mining of cryptocurrency", "T1496.001", "AML.T0034.002", "ASI10", "rome"],
  ["scan", "Probing of many destinations", "T1046", "", "ASI10", "rome"],
  ["metadata", "Reaching for the cloud's credentials", "T1552.005", "AML.T0055", "ASI03", "rome"],
  ["protocol", "Another protocol than the granted one", "T1071", "AML.T0107", "ASI02", "d17"],
  ["resolver", "Getting round the name service", "T1071.004", "AML.T0107", "ASI02", "d06"],
  ["sticky", "Several ways to one denied target", "T1090", "AML.T0107", "ASI10", "rome"],
  ["credential", "A credential out of its place", "T1552.001", "AML.T0055", "ASI03", "d08"],
  ["escape", "An attempt on the sandbox", "T1611", "AML.T0105", "ASI05"],
  ["changed", "Something that is not as it was reviewed", "T1195.002", "AML.T0109", "ASI04"],
  ["exfiltration", "Data taken out", "T1567", "AML.T0086", "ASI02", "d07"],
  ["beacon", "Calls home at regular times", "T1071.001", "AML.T0108", "ASI10"],
  ["persistence", "Something to outlive the run", "T1546", "AML.T0081", "ASI10", "d26"],
  ["agent", "Another agent started or unleashed", "T1059", "AML.T0103", "ASI10", "d16"],
  ["signal", "Signals between runs", "T1102", "", "ASI07", "d05"],
  ["flood", "More approvals than a person can read", "", "", "ASI09", "d14"],
  ["loop", "The same over and over", "T1499", "AML.T0034.002", "ASI08", "d25"],
  ["usage", "Compute that fits no tool call", "T1496.001", "AML.T0034.002", "ASI10", "rome"],
  ["claim", "Words that differ from the record", "T1036", "", "ASI10", "d19"],
  ["tampering", "An attempt on the record", "T1070", "", "ASI10", "d19"],
];

const BY_KIND: ReadonlyMap<string, About & { readonly drill?: string | undefined }> = new Map(
  ROWS.map(([kind, title, attack, atlas, owasp, drill]) => {
    const some = (id: string) => (id === "" ? [] : [id]);
    const about = { title, explanation: "", attack: some(attack), atlas: some(atlas) };
    return [kind, { ...about, owasp: some(owasp), drill }];
  }),
);
const NOTHING: About = { title: "A finding", explanation: "", attack: [], atlas: [], owasp: [] };

/** What the entry itself names, else the detector's own words where they are known, else what its kind is called. */
export function aboutFinding(
  { kind, detector, data }: { kind: string; detector: string; data: Entry["data"] },
  lookup: DetectorLookup,
): About {
  const known = lookup(detector) ?? BY_KIND.get(kind) ?? NOTHING;
  const named = (name: "attack" | "atlas" | "owasp") => {
    const ids = data?.[name];
    return Array.isArray(ids) ? ids.map(String).filter((id) => ID.test(id)) : known[name];
  };
  const { title, explanation } = known;
  return {
    title,
    explanation,
    attack: named("attack"),
    atlas: named("atlas"),
    owasp: named("owasp"),
  };
}

const ID = /^[A-Z]{1,4}[A-Z0-9.]{1,14}$/;

/** Name of the drill that plays a kind of finding, where there is one. */
export function drillOf(kind: string): string | undefined {
  return BY_KIND.get(kind)?.drill;
}

/** ATLAS 5.6's tactic of each technique that is named here or by a detector, by its identifier without a sub-technique. */
const TACTICS: Readonly<Record<string, string>> = {
  "AML.T0034": "AML.TA0011",
  "AML.T0053": "AML.TA0005",
  "AML.T0055": "AML.TA0013",
  "AML.T0072": "AML.TA0014",
  "AML.T0075": "AML.TA0008",
  "AML.T0077": "AML.TA0010",
  "AML.T0080": "AML.TA0006",
  "AML.T0081": "AML.TA0006",
  "AML.T0083": "AML.TA0013",
  "AML.T0086": "AML.TA0010",
  "AML.T0096": "AML.TA0014",
  "AML.T0097": "AML.TA0007",
  "AML.T0098": "AML.TA0013",
  "AML.T0101": "AML.TA0011",
  "AML.T0103": "AML.TA0005",
  "AML.T0105": "AML.TA0012",
  "AML.T0107": "AML.TA0007",
  "AML.T0108": "AML.TA0014",
  "AML.T0109": "AML.TA0007",
  "AML.T0110": "AML.TA0006",
  "AML.T0112": "AML.TA0011",
};

/** The tactic that a technique serves; undefined where the table here does not say, and then none is claimed. */
export function tacticOf(technique: string): string | undefined {
  return TACTICS[technique.split(".").slice(0, 2).join(".")];
}
