/**
 * A run without an agent, and commands in it by the control contract, for tests.
 *
 * @module
 */
import {
  locateHome,
  type ExecLine,
  type ExecStart,
  type RunInfo,
  type Takes,
} from "../../src/api/index.ts";
import { createClient, type Client } from "../../src/client/index.ts";
import type { TestHome } from "./home.ts";

export const PLAIN_TASK = `task: rollout
purpose: holds still until commands come
lifetime: 1h
home: fresh
grants: []
`;

/** A client of the daemon of `home`, which is started where none answers. */
export async function clientOf(home: TestHome): Promise<Client> {
  await home.runs();
  return createClient(locateHome({ COFFERDAM_HOME: home.state }));
}

/** Starts a run that holds still. */
export async function startIdle(
  client: Client,
  home: TestHome,
  source: string = PLAIN_TASK,
  lineage?: Takes<"run.start">["lineage"],
): Promise<RunInfo> {
  return client.call("run.start", {
    ...(lineage === undefined ? {} : { lineage }),
    task: { source, fileName: `${home.workspace}/task.yaml` },
    command: [],
    cwd: home.workspace,
    path: process.env["PATH"] ?? "",
    environment: {},
    detach: true,
  });
}

/** What a command left. */
export interface Done {
  readonly exec: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly end: Extract<ExecLine, { readonly type: "ended" }>;
}

/** Runs a command to its end. */
export async function execute(
  client: Client,
  run: string,
  argv: readonly string[],
  options: Omit<Partial<ExecStart>, "run" | "argv"> = {},
): Promise<Done> {
  let exec = "";
  let end: Done["end"] | undefined;
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for await (const line of client.stream("run.exec", { run, argv: [...argv], ...options })) {
    if (line.type === "started") exec = line.exec;
    else if (line.type === "ended") end = line;
    else said[line.type].push(Buffer.from(line.data, "base64"));
  }
  if (end === undefined) throw new Error("a command without an end");
  return {
    exec,
    stdout: Buffer.concat(said.stdout).toString(),
    stderr: Buffer.concat(said.stderr).toString(),
    end,
  };
}
