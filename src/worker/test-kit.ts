/**
 * For the tests of this folder: a run that remembers what it was told, and ports whose way out is counted.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNKNOWN_PROCESS, type Process } from "../action/index.ts";
import { findEntry } from "../catalog/index.ts";
import { systemClock } from "../base/index.ts";
import { intentOf, openAuthority } from "../gateway/index.ts";
import { compilePolicy, decide, initialPolicyState, parseTaskFile } from "../policy/index.ts";
import type { HeldRun, ServedPorts } from "./served.ts";

/** The process that every flow of a test belongs to. */
export const AGENT: Process = {
  ...UNKNOWN_PROCESS,
  pid: 4121,
  exe: "/usr/bin/agent",
  argv: ["agent"],
  knownBy: "seccomp",
};

const TASK = `task: test
purpose: A test.
grants:
  - { system: http, name: docs, hosts: [docs.test], ports: [80], tls: false, allow: [{ methods: [GET], paths: ["/**"] }] }
`;

/** A run, and everything it was told as "word detail", in order. */
export function makeRun(id: string): HeldRun & { readonly told: string[] } {
  const policy = compilePolicy(parseTaskFile(TASK, "task.yaml", Date.now()));
  const told: string[] = [];
  const run: HeldRun & { readonly told: string[] } = {
    id,
    policy,
    policyState: initialPolicyState,
    told,
    async intend(action, flow) {
      const { state: _, ...verdict } = decide(policy, initialPolicyState, action);
      await run.record(intentOf(action, verdict, flow).event);
      return verdict;
    },
    hold: (_request, action) =>
      Promise.resolve({ kind: "pending", approval: action.id, reason: "nobody is there" }),
    entryOf: findEntry,
    placeholders: { given: [], find: () => [] },
    denied: ({ rule, target }) => void told.push(`denied ${rule} ${target}`),
    attribute: () => Promise.resolve(AGENT),
    async record({ type, target = "", process, verdict = "" }) {
      told.push(`${type} ${target} ${verdict} by ${process?.pid ?? "nobody"}`);
      return Promise.resolve(told.length);
    },
    finding: (kind, detail) => void told.push(`finding ${kind} ${detail}`),
    freeze: (why) => Promise.resolve(told.push(`frozen: ${why}`) > 0),
    thaw: () => Promise.resolve(void told.push("thawed")),
    stop: (reason, detail) => void told.push(`stopped ${reason}: ${detail}`),
  };
  return run;
}

/** Ports whose upstream is one loopback server that greets; `dialled` is what was asked for. */
export async function makePorts() {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-workers-"));
  const authority = await openAuthority(folder).finally(() => rmSync(folder, { recursive: true }));
  const server = createServer((socket) => void socket.on("error", () => {}).end("hello from it"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const dialled: string[] = [];
  const ports: ServedPorts = {
    clock: systemClock,
    authority,
    async connect(to): Promise<Socket> {
      dialled.push(`${to.host}:${to.port}`);
      const socket = connect(port, "127.0.0.1").pause();
      await once(socket, "connect");
      return socket;
    },
  };
  return { ports, dialled, close: () => server.close() };
}
