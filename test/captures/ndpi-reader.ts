/**
 * Debian's ndpiReader over the same captures: what it names is a figure beside ours.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Peer } from "./measure.ts";

/** What nDPI calls what a detector finds, where it has a name for it. */
const NAMES: readonly (readonly [RegExp, RegExp])[] = [
  [/^mining\.(?!peer)/, /Mining/],
  [/^vpn\.openvpn/, /OpenVPN/],
  [/^vpn\.wireguard/, /WireGuard/],
  [/^vpn\.tor/, /Tor/],
  [/^proxy\.socks/, /SOCKS/],
  [/^remote\.desktop/, /RDP|VNC/],
  [/^ssh\.(?:elsewhere|inside)/, /SSH/],
];

interface Row {
  cases: number;
  hits: number;
  ours: number;
}

export interface NdpiReader extends Peer {
  /** "nDPI 4.2.0". */
  readonly version: string;
  /** Flows of a kind, and how many each named for what they are. */
  readonly rows: ReadonlyMap<string, Readonly<Row>>;
  /** Conversations that it calls mining and that are none. */
  readonly wrong: readonly string[];
}

/** `undefined` where it is not installed. */
export function openNdpiReader(): NdpiReader | undefined {
  const help = spawnSync("ndpiReader", ["--help"], { encoding: "utf8" });
  if (help.error !== undefined) return undefined;
  const rows = new Map<string, Row>();
  const wrong: string[] = [];
  return {
    version: /Welcome to (nDPI \S+)/.exec(help.stdout)?.[1] ?? "nDPI",
    rows,
    wrong,
    compare(path, detector, cases, ours) {
      const names = NAMES.find(([pattern]) => pattern.test(detector))?.[1];
      if (names === undefined) return;
      const family = detector.startsWith("mining.") ? "mining pools" : detector;
      const row = rows.get(family) ?? { cases: 0, hits: 0, ours: 0 };
      row.cases += cases;
      row.hits += Math.min(cases, flowsNamed(path, names));
      row.ours += ours;
      rows.set(family, row);
    },
    compareBenign(path, name) {
      if (flowsNamed(path, /Mining/) > 0) wrong.push(name);
    },
  };
}

/** How many flows it gives a name that is one of `names`. */
function flowsNamed(path: string, names: RegExp): number {
  const csv = join(tmpdir(), `cofferdam-quality-${process.pid}.csv`);
  spawnSync("ndpiReader", ["-i", path, "-q", "-C", csv], { stdio: "ignore", timeout: 60_000 });
  if (!existsSync(csv)) return 0; // It reads no capture of this kind.
  const [, ...rows] = readFileSync(csv, "utf8").split("\n");
  rmSync(csv);
  return rows.filter((row) => names.test(row.split(",")[10] ?? "")).length;
}
