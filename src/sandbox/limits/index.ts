/** Limits of a run: what holds each on this host, control groups and what stands in for them. */
export {
  closeCgroups,
  NO_CGROUPS,
  leaveDelegatedGroup,
  openCgroups,
  type CgroupHost,
} from "./cgroup-host.ts";
export { createLimits, type LimitedRun, type Limits } from "./create-limits.ts";
export { ProcessMeter, type BusyProcess } from "./busiest.ts";
export { findGpus, hiddenGpus, type DeviceNode, type Gpu } from "./gpus.ts";
export { GpuReader, type GpuMeter, type GpuUse } from "./gpu-use.ts";
export { readNvidia } from "./nvidia-smi.ts";
export {
  GPU_LOOK_MS,
  planLimits,
  type Controllers,
  type Held,
  type LimitName,
  type LimitPlan,
  type LimitsHost,
} from "./limits.ts";
export { reapGroups, type Usage } from "./run-group.ts";
