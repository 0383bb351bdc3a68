/** Layer 3: task to process tree: namespaces, seccomp, Landlock, overlay workspace, proofs. */
export { AGENT, BUNDLE_INSIDE, RESOLVER_ADDRESS, writeEtc } from "./etc.ts";
export type { AgentStreams, Exit, SandboxDescriptors, StartOrder } from "./launch.ts";
export { PUBLIC_INSIDE, RUN_UID, type Bind } from "./launch-plan.ts";
export { launchSandbox, launcherPath, makeRunFolder, type Sandbox, type SandboxSpec } from "./sandbox.ts";
