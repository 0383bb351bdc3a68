/**
 * The agents of the suite: how each is started, what the model has it do, and which refusals are known.
 *
 * @module
 */
import { agentOf } from "../../drills/field/agents.ts";
import type { ToolCall, Turn } from "../../drills/model/index.ts";
import { PACKAGE } from "../support/registries.ts";

export const LAST_WORDS = "The work is done.";
const PROMPT = "Do what the script says.";

/** What the shell is asked for: look, install a package, use it. */
const SHELL = [
  "id -u",
  `npm install --no-audit --no-fund ${PACKAGE}`,
  `node -p 'require("${PACKAGE}")' > proof.txt`,
  "cat proof.txt",
].join(" && ");

export interface Agent {
  readonly name: string;
  readonly profile: string;
  readonly command: readonly string[];
  readonly dialect: string;
  /** The last part of the path of the program that talks to the model. */
  readonly program: RegExp;
  readonly script: (workspace: string) => readonly Turn[];
  /** Targets that it asks for in vain, and can do without. */
  readonly telemetry: RegExp;
  readonly files?: Readonly<Record<string, string>>;
  /** A grant of its own, beside the profile's. */
  readonly host?: string;
}

const asksInVain = (name: string) => agentOf(name).asksInVain;

const script = (...calls: readonly ToolCall[]): readonly Turn[] => [
  ...calls.map((call) => ({ text: "Next.", calls: [call] })),
  { text: LAST_WORDS },
];

/** The same work by OpenCode, over one of the wire formats it speaks. */
function opencodeScript(workspace: string): readonly Turn[] {
  const filePath = `${workspace}/hello.txt`;
  return script(
    { tool: "read", input: { filePath } },
    { tool: "edit", input: { filePath, oldString: "hello", newString: "edited" } },
    { tool: "bash", input: { command: SHELL, description: "install and use a package" } },
  );
}

export const AGENTS: readonly Agent[] = [
  {
    name: "Claude Code",
    profile: "claude-code",
    command: ["claude", "-p", PROMPT, "--dangerously-skip-permissions"],
    dialect: "anthropic",
    program: /claude$/,
    telemetry: asksInVain("claude-code"),
    script: (workspace) =>
      script(
        { tool: "Read", input: { file_path: `${workspace}/hello.txt` } },
        {
          tool: "Edit",
          input: {
            file_path: `${workspace}/hello.txt`,
            old_string: "hello",
            new_string: "edited",
          },
        },
        { tool: "Bash", input: { command: SHELL, description: "install and use a package" } },
      ),
  },
  {
    name: "Codex",
    profile: "codex",
    command: ["codex", "exec", PROMPT],
    dialect: "openai-responses",
    program: /codex$/,
    telemetry: asksInVain("codex"),
    script: () =>
      script(
        {
          tool: "exec",
          input:
            "text(await tools.apply_patch(" +
            JSON.stringify(
              "*** Begin Patch\n*** Update File: hello.txt\n@@\n-hello\n+edited\n*** End Patch\n",
            ) +
            "));",
        },
        {
          tool: "exec",
          input: `const r = await tools.exec_command(${JSON.stringify({ cmd: SHELL, yield_time_ms: 30_000 })}); text(r.output);`,
        },
      ),
  },
  {
    name: "Gemini CLI",
    profile: "gemini-cli",
    command: ["gemini", "--skip-trust", "--yolo", "-p", PROMPT],
    dialect: "google",
    program: /node$/,
    telemetry: asksInVain("gemini-cli"),
    script: () =>
      script(
        { tool: "read_file", input: { file_path: "hello.txt" } },
        {
          tool: "replace",
          input: {
            file_path: "hello.txt",
            old_string: "hello",
            new_string: "edited",
            instruction: "Edit the greeting.",
          },
        },
        {
          tool: "run_shell_command",
          input: { command: SHELL, description: "install and use a package" },
        },
      ),
  },
  {
    name: "OpenCode (Responses)",
    profile: "opencode",
    command: ["opencode", "run", "-m", "openai/gpt-4o", PROMPT],
    dialect: "openai-responses",
    program: /opencode$/,
    telemetry: asksInVain("opencode"),
    script: opencodeScript,
  },
  {
    name: "OpenCode (Chat Completions)",
    profile: "opencode",
    command: ["opencode", "run", "-m", "scripted/some-model", PROMPT],
    dialect: "openai-chat",
    program: /opencode$/,
    telemetry: asksInVain("opencode"),
    script: opencodeScript,
    host: "models.example.com",
    files: {
      "opencode.json": JSON.stringify({
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            options: { baseURL: "https://models.example.com/v1", apiKey: "not-a-key" },
            models: { "some-model": { name: "Some model" } },
          },
        },
      }),
    },
  },
];
