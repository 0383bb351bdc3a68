/** Layer 5: how long the record is kept: the setting, what is on hold, and what is due. */
export { Holds, type Hold } from "./holds.ts";
export { monthsOf, type Month } from "./months.ts";
export { planPruning, type Kept, type Plan, type PlanPorts } from "./plan.ts";
export { cutoffOf, readRetention, RETENTION_FILE, type Retention } from "./settings.ts";
