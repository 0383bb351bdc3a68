export * from "./flow-seen.ts";
export * from "./flow-table.ts";
export * from "./flow-detector.ts";
export * from "./flow-detections.ts";
export * from "./table.ts";
