/**
 * One run, from its task to its end: the parts that hold it, and what each tells the others.
 *
 * Order of a start, each step undone if a later one fails: files, policy, record, limits, sandbox,
 * gateway and watcher (the proofs themselves connect and execute), proofs, go. The agent's first
 * instruction comes last.
 *
 * @module
 */
import { chownSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { UNKNOWN_PROCESS, digestOf, type FindingKind, type Process } from "../action/index.ts";
import { encodeFrame, type Frame, type RunEnd, type RunInfo, type RunStart } from "../api/index.ts";
import { assert, describeError, Fault } from "../base/index.ts";
import type { Gateway, GatewayRun } from "../gateway/index.ts";
import { compilePolicy, decide, initialPolicyState, noteDenial, type Policy, type Task } from "../policy/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { ConsoleBuffer } from "./console-buffer.ts";
import { briefProcess, Recorder } from "./recorder.ts";
