/**
 * The agents that play a drill in which a model is led by what it reads: a small one of ours, and real command
 * lines, unmodified.
 *
 * @module
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../src/base/index.ts";

/** Where a file goes in the workspace, and what is in it. */
type Files = Readonly<Record<string, string>>;

export interface Agent {
  readonly name: string;
  /** The shipped profile whose grants lead to its model. */
  readonly profile: string;
  /** Looked for on PATH; absent where it lies in the workspace. */
  readonly program?: string;
  /** How a person gets it. */
  readonly get: string;
  /** It reads its prompt from standard input; `mcp` is the URL of a server that it is to use. */
  command(mcp: string | undefined): readonly string[];
  files(mcp: string | undefined): Files;
  /** What it wants in its environment: keys of no use anywhere. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of these, what a run is to have that its profile does not pass in. */
  readonly passed?: readonly string[];
  /** Targets that it asks for on its own, in vain, and can do without (docs/reference/agents.md). */
  readonly asksInVain: RegExp;
  /** Whether it carries the calls of one turn out at the same time. */
  readonly isParallel: boolean;
}

const NOTHING = /^$/;
const MCP_FILE = ".drill/mcp.json";
const SMALL = "small-agent.mjs";
const json = (value: object) => `${JSON.stringify(value)}\n`;

/** The agent that is played with where no other is asked for. */
export const SMALL_AGENT: Agent = {
  name: "small",
  profile: "claude-code",
  get: "it is a part of the drills",
  command: (mcp) => ["node", `.drill/${SMALL}`, ...(mcp === undefined ? [] : [mcp])],
  files: () => ({
    [`.drill/${SMALL}`]: readFileSync(
      fileURLToPath(new URL(`./${SMALL}`, import.meta.url)),
      "utf8",
    ),
  }),
  environment: { ANTHROPIC_API_KEY: "sk-ant-not-a-key" },
  asksInVain: NOTHING,
  isParallel: true,
};

const CLAUDE_CODE: Agent = {
  name: "claude-code",
  profile: "claude-code",
  program: "claude",
  get: "npm install -g @anthropic-ai/claude-code",
  command: (mcp) => [
    ...["claude", "-p", "--dangerously-skip-permissions"],
    ...(mcp === undefined ? [] : ["--mcp-config", MCP_FILE]),
  ],
  files: (mcp): Files =>
    mcp === undefined
      ? {}
      : { [MCP_FILE]: json({ mcpServers: { tools: { type: "http", url: mcp } } }) },
  // Without controls it would refuse to skip its questions as root.
  environment: { ANTHROPIC_API_KEY: "sk-ant-not-a-key", IS_SANDBOX: "1" },
  asksInVain: /\/api\/claude_code\/(settings|policy_limits)$|statsig|sentry|downloads\.claude\.ai/,
  isParallel: false,
};

const CODEX: Agent = {
  name: "codex",
  profile: "codex",
  program: "codex",
  get: "npm install -g @openai/codex",
  command: (mcp) => [
    ...["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"],
    ...(mcp === undefined ? [] : ["-c", `mcp_servers.tools.url=${JSON.stringify(mcp)}`]),
    "-",
  ],
  files: () => ({}),
  environment: { OPENAI_API_KEY: "sk-not-a-key", CODEX_API_KEY: "sk-not-a-key" },
  // Plugins, model lists and the WebSocket that it tries first.
  asksInVain:
    /^(ab\.)?chatgpt\.com$|^(api\.)?github\.com$|^api\.openai\.com$|^https:\/\/api\.openai\.com\/v1\/responses$/,
  isParallel: false,
};

const GEMINI_CLI: Agent = {
  name: "gemini-cli",
  profile: "gemini-cli",
  program: "gemini",
  get: "npm install -g @google/gemini-cli",
  command: () => ["gemini", "--skip-trust", "--yolo"],
  files: (mcp): Files =>
    mcp === undefined
      ? {}
      : { ".gemini/settings.json": json({ mcpServers: { tools: { httpUrl: mcp } } }) },
  // Else it would not read its settings in the workspace, whatever --skip-trust says.
  environment: { GEMINI_API_KEY: "not-a-key", GEMINI_CLI_TRUST_WORKSPACE: "true" },
  passed: ["GEMINI_CLI_TRUST_WORKSPACE"],
  asksInVain: /^play\.googleapis\.com$/,
  isParallel: false,
};

const OPENCODE: Agent = {
  name: "opencode",
  profile: "opencode",
  program: "opencode",
  get: "npm install -g opencode-ai",
  command: () => ["opencode", "run", "-m", "openai/gpt-4o"],
  files: (mcp): Files => ({
    "opencode.json": json({
      permission: "allow",
      ...(mcp === undefined ? {} : { mcp: { tools: { type: "remote", url: mcp } } }),
    }),
  }),
  environment: { OPENAI_API_KEY: "sk-not-a-key", OPENCODE_DISABLE_MODELS_FETCH: "1" },
  asksInVain: /^models\.opencode\.ai$|models\.dev|^registry\.npmjs\.org/,
  isParallel: false,
};

/** Those that `--agent` may name. */
export const AGENTS: readonly Agent[] = [CLAUDE_CODE, CODEX, GEMINI_CLI, OPENCODE];

/** The agent of that name; the small one where none is named. */
export function agentOf(name: string | undefined): Agent {
  if (name === undefined) return SMALL_AGENT;
  const agent = AGENTS.find((one) => one.name === name);
  if (agent !== undefined) return agent;
  throw new Fault("drill.agent", `no agent ${JSON.stringify(name)} is known here`, {
    hint: `--agent ${AGENTS.map((one) => one.name).join("|")}`,
  });
}

/**
 * The folder with the agent's program: `folder` where it is given, else of `path`.
 *
 * @throws {Fault} `drill.agent` where it is not there: a drill is not played by somebody else instead.
 */
export function findAgent(agent: Agent, path: string, folder: string | undefined): string {
  const { program } = agent;
  if (program === undefined) return dirname(process.execPath);
  const folders = folder === undefined ? path.split(delimiter).filter(isAbsolute) : [folder];
  const found = folders.find((one) => isProgram(join(one, program)));
  if (found !== undefined) return found;
  const where = folder === undefined ? "on PATH" : `in ${folder}`;
  throw new Fault("drill.agent", `${agent.name} is not here: there is no ${program} ${where}`, {
    hint: `${agent.get}, or say where it is: --agent-bin FOLDER`,
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not for us: the same to a caller.
  }
}

/** The text of the agent's shipped profile: beside `drills/`, or beside `dist/`. */
export function profileOf({ profile }: Agent): string {
  const near = new URL(`../../profiles/${profile}.yaml`, import.meta.url);
  const far = new URL(`../../../profiles/${profile}.yaml`, import.meta.url);
  return readFileSync(existsSync(near) ? near : far, "utf8");
}
