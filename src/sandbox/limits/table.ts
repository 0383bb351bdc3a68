/**
 * The limits table in words, for docs/reference/limits.md. Pure.
 *
 * @module
 */
import { isFault } from "../../base/index.ts";
import type { TaskCompute } from "../../policy/index.ts";
import { planLimits, type Controllers, type LimitName } from "./limits.ts";

const HOSTS: readonly (readonly [string, Controllers])[] = [
  ["v2", { cpu: "v2", memory: "v2", pids: "v2", freezer: "v2", kill: "v2" }],
  ["v1", { cpu: "v1", memory: "v1", pids: "v1", freezer: "v1", kill: "v1" }],
  ["none", { cpu: "none", memory: "none", pids: "none", freezer: "none", kill: "none" }],
];
const LIMITS: readonly LimitName[] = ["cpus", "memory", "pids", "disk", "gpu", "pause", "kill"];
const ASKED: TaskCompute = { memoryBytes: 2 ** 32, pids: 512, diskBytes: 2 ** 33, gpu: [0] };
const NAMES = { v2: "v2 delegated", v1: "v1, root", none: "neither" } as const;

/** A Markdown table: each limit by what holds it on each kind of host. */
export function limitsTable(): string {
  const titles = HOSTS.map(([name]) => NAMES[name as keyof typeof NAMES]);
  const head = [`| Limit | ${titles.join(" | ")} |`, `|---|${titles.map(() => "---").join("|")}|`];
  const rows = LIMITS.map((limit) => {
    const cells = HOSTS.map(([, controllers]) => cell(limit, controllers));
    return `| ${limit} | ${cells.join(" | ")} |`;
  });
  return [...head, ...rows].join("\n");
}

function cell(limit: LimitName, controllers: Controllers): string {
  const compute: TaskCompute = limit === "cpus" ? { ...ASKED, cpus: 2 } : ASKED;
  try {
    const { held: rows } = planLimits(
      { controllers, gpus: [{ number: 0, needs: [], likes: [] }] },
      compute,
    );
    const held = rows.find((one) => one.limit === limit);
    return `${held?.how}, ${held?.hard ? "hard" : "soft"}: ${held?.note}`;
  } catch (error) {
    if (isFault(error, "sandbox.limit")) return "refused where named";
    throw error;
  }
}
