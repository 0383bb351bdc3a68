/**
 * What a run is made of.
 *
 * @module
 */
import type { Bind } from "./launch-plan.ts";
import type { Tools } from "./tools.ts";
import type { ScratchBytes } from "./view.ts";

/** Limits (getrlimit(2)) by resource number; -1 for none. */
export type ResourceLimits = ReadonlyMap<number, readonly [soft: number, hard: number]>;

/** What a run is made of. All paths are absolute, real, and on the host. */
export interface SandboxSpec {
  readonly workspace: {
    readonly path: string;
    readonly mode: "overlay" | "read-only";
    /** The layer's `upper/` holds a copy of it, since no overlay can be mounted here. */
    readonly copied?: boolean;
  };
  /** A folder of this run for the overlay's `upper`, `work` and `merged`; made where absent. */
  readonly layer: string;
  /** The agent's home; made where absent. */
  readonly home: string;
  /** What the run reads at /run/cofferdam. */
  readonly publicDir: string;
  /** The run's /etc, from `writeEtc`. */
  readonly etc: string;
  /** From `resolveTools`. */
  readonly tools?: Tools;
  /** Further things of the host, such as granted devices. */
  readonly binds?: readonly Bind[];
  readonly scratch?: ScratchBytes;
  /** Resource limits (getrlimit(2)) by number: soft and hard, -1 for none. Core dumps are always off. */
  readonly limits?: ResourceLimits;
  /** Files of the host that exist and that the prover must not find. */
  readonly canaries?: readonly string[];
  /** Called with the launcher's pid before it gets any order: the moment to put it into a cgroup. */
  readonly admit?: (pid: number) => Promise<void> | void;
}
