/**
 * `cofferdam/client`: what programs import. Runs, commands and files in them, what was recorded and noticed, and the
 * gym-like surface for trainers.
 *
 * ```ts
 * import { connect } from "cofferdam/client";
 *
 * const host = await connect();
 * await using box = await host.create({ task: "rollout.yaml" });
 * const { code, stdout } = await box.exec("pytest -q", { step: { trajectory: "t-1", episode: "e-1", step: 3 } });
 * ```
 *
 * @module
 */
export { Fault } from "../base/index.ts";
export type {
  Entry,
  ExecInfo,
  FileInfo,
  RunEnd,
  RunInfo,
  RunStart,
  SnapshotInfo,
  Step,
} from "../api/index.ts";
export type { Client } from "./client.ts";
export { connect, Cofferdam, type CreateOptions } from "./cofferdam.ts";
export { Command, type Done, type ExecOptions, type Output } from "./command.ts";
export { Files, Sandbox, type IncidentFormat } from "./sandbox.ts";
export {
  Env,
  make,
  type Action,
  type EnvInfo,
  type EnvOptions,
  type EnvSpec,
  type PlainObservation,
} from "./gym.ts";
