/** Layer 3: task to process tree: namespaces, seccomp, Landlock, overlay workspace, proofs. */
export * as bpf from "./bpf.ts";
export { encodeFrame, parseReport, type Field } from "./control.ts";
export type { HostCheck } from "./doctor.ts";
export { examineHost } from "./host-facts.ts";
export { AGENT, BUNDLE_INSIDE, RESOLVER_ADDRESS, writeEtc } from "./etc.ts";
export type { Execution, ExecutionEnd } from "./execution.ts";
export {
  stepFault,
  type AgentStreams,
  type Exit,
  type SandboxDescriptors,
  type StartOrder,
} from "./launch.ts";
export { PUBLIC_INSIDE, RUN_UID, type Bind } from "./launch-plan.ts";
export type { Proof } from "./proofs.ts";
export {
  architecture,
  DEFAULT_SCRATCH,
  describeLaunch,
  launcherPath,
  makeRunFolder,
} from "./prepare.ts";
export { CANARY_ADDRESS, launchSandbox, type Sandbox } from "./sandbox.ts";
export { NOTIFIED } from "./seccomp.ts";
export type { Architecture } from "./syscalls.ts";
export type { ResourceLimits, SandboxSpec } from "./spec.ts";
export { resolveTools, type ToolRequest, type Tools } from "./tools.ts";
export type { ScratchBytes } from "./view.ts";
export * from "./limits/index.ts";
