/**
 * The attempts without Cofferdam: the same commands, on the agent host as it is.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { callProgram } from "../cofferdam.ts";
import { ordinary, type Tools } from "../world/index.ts";
import { ATTEMPT_MS, type Attempt } from "./attempts.ts";
import { reachedEvent, watchSteps, type Live } from "../live.ts";
import { awaitClosed, judgeOutcome, watchTunnel, type Reached } from "./outcome.ts";
import type { Scene } from "./scene.ts";
import { WATCHED } from "./story.ts";
import { readSaid } from "./words.ts";
import { AGENT_COMMAND, makeWorkspace } from "./workspace.ts";

/** What a bare attempt came to. */
export interface Bare extends Reached {
  /** One clause for a person. */
  readonly told: string;
}

/** Makes one attempt with nothing in its way. */
export async function attemptBare(of: {
  readonly tools: Tools;
  readonly scene: Scene;
  readonly attempt: Attempt;
  readonly secret: string;
  readonly live: Live | undefined;
}): Promise<Bare> {
  const { tools, scene, attempt, secret, live } = of;
  const folder = join(scene.folder, "bare", attempt.name);
  const steps = [{ name: attempt.name, command: attempt.command, limitMs: ATTEMPT_MS }];
  const servePort = attempt.tunnel?.servePort ?? 0;
  mkdirSync(dirname(folder), { recursive: true });
  makeWorkspace({ folder, steps, servePort, secret, sshKey: scene.sshKey });
  // Names are told by a hosts file of its own, in a mount namespace that ends with the attempt.
  const script = 'mount --bind -- "$1" /etc/hosts && shift && exec "$@"';
  const shell = ["--mount", "--", "/bin/sh", "-c", script, "bare"];
  const path = [dirname(process.execPath), dirname(tools("ssh")), "/usr/bin", "/bin"];
  const startedAt = Date.now();
  let end = () => {};
  const watched = { ...WATCHED, phase: "bare", attempts: [attempt] } as const;
  const outcome = callProgram({
    ...(live === undefined ? {} : { onOutput: watchSteps(live, watched) }),
    file: tools("unshare"),
    line: [...shell, scene.hostsFile, ...ordinary(tools), ...AGENT_COMMAND],
    environment: { PATH: path.join(delimiter), HOME: folder, LANG: "C.UTF-8" },
    limitMs: ATTEMPT_MS + 2000,
    cwd: folder,
    onStart: (stop) => {
      end = stop;
    },
  });
  const tunnel = await watchTunnel({ scene, attempt, secret, outcome, end: () => end() });
  const { stdout, stderr } = await outcome;
  await awaitClosed(scene, attempt);
  const said = readSaid(stdout).get(attempt.name);
  const contacts = await scene.contacts();
  const reached = judgeOutcome({ attempt, said, contacts, tunnel, from: startedAt });
  live?.(reachedEvent(watched, attempt.name, reached));
  const tookMs = (tunnel.readAt ?? said?.end?.at ?? Date.now()) - (said?.startedAt ?? startedAt);
  const how = reached.crossed ? "it crossed, but without harm" : "it did not get through";
  const failed = `${how}: ${(said?.end?.text ?? stderr).trim().slice(-300)}`;
  return { ...reached, told: reached.harm ? `${reached.told} (${Math.round(tookMs)} ms)` : failed };
}
