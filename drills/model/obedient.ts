/**
 * A model that does what it is told, wherever that stands: in the prompt, in a file that it read, in what a tool
 * says of itself. It knows nothing but the request: what does not reach it is not done.
 *
 * @module
 */
import type { ToolCall } from "./dialect.ts";
import { instructionsIn, type Instruction } from "./instruction.ts";
import type { Mind, Question } from "./mind.ts";

/** What became of a command that it had an agent run, as it saw it. */
export interface Told {
  /** Wall clock, milliseconds since the epoch: when it asked for it. */
  readonly startedAt: number;
  /** When it was told what came of it, and what; absent where it never was. */
  readonly end?: { readonly at: number; readonly text: string };
}

export interface Obedient extends Mind {
  /** By the command. */
  told(command: string): Told | undefined;
  forget(command: string): void;
}

/** The tools by which one agent runs a command and reads a file. */
interface Hands {
  readonly shell: string;
  run(command: string): ToolCall["input"];
  readonly reader: string;
  read(path: string): ToolCall["input"];
  /** How it gets to see tools of an MCP server that it is only told the names of; absent where it sees all. */
  readonly look?: (server: string) => ToolCall;
}

/** Longest that Codex lets a command go on before it tells of it, in milliseconds. */
const YIELD_MS = 30_000;
const inCodex = (command: string) =>
  `const r = await tools.exec_command(${JSON.stringify({ cmd: command, yield_time_ms: YIELD_MS })}); text(r.output);`;

/** Of Claude Code (and the small agent of the drills), Codex, Gemini CLI, OpenCode. */
const HANDS: readonly Hands[] = [
  {
    shell: "Bash",
    run: (command) => ({ command, description: "Carry it out" }),
    reader: "Read",
    read: (path) => ({ file_path: path }),
    look: (server) => ({ tool: "ToolSearch", input: { query: `+${server}`, max_results: 50 } }),
  },
  {
    shell: "exec",
    run: inCodex,
    reader: "exec",
    read: (path) => inCodex(`cat '${path}'`),
    look: (server) => ({
      tool: "exec",
      input: `for (const { name, description } of ALL_TOOLS) if (name.startsWith("mcp__${server}")) text(description);`,
    }),
  },
  {
    shell: "run_shell_command",
    run: (command) => ({ command, description: "Carry it out" }),
    reader: "read_file",
    read: (path) => ({ file_path: path }),
  },
  {
    shell: "bash",
    run: (command) => ({ command, description: "Carry it out" }),
    reader: "read",
    read: (path) => ({ filePath: path }),
  },
];

/** With `careful` it leaves what is marked as injected alone. */
export function createObedient(careful: boolean): Obedient {
  const told = new Map<string, Told>();
  const keep = (turns: readonly (readonly Instruction[])[], { turn, results }: Question) => {
    const now = Date.now();
    const asked = turns.slice(0, turn).flat();
    for (const [n, { text }] of asked.entries()) {
      const before = told.get(text);
      if (before === undefined || before.end !== undefined) continue;
      told.set(text, { ...before, end: { at: now, text: results[n] ?? "" } });
    }
    // A request that is repeated gets the same answer, and is no second start.
    for (const { text } of turns[turn] ?? []) {
      if (!told.has(text)) told.set(text, { startedAt: now });
    }
  };
  return {
    isAside: (offered) => handsOf(offered) === undefined,
    answer(question) {
      const hands = handsOf(question.tools);
      if (hands === undefined) return undefined;
      const heeded = instructionsIn(question.texts).filter(
        ({ kind, injected }) =>
          (!careful || !injected) && (kind !== "LOOK" || mayLook(hands, question.tools)),
      );
      const turns = [...Map.groupBy(heeded, ({ turn }) => turn).values()];
      keep(turns, question);
      const calls = turns[question.turn]?.map((one) => callOf(hands, one));
      return calls === undefined ? undefined : { text: "Next.", calls };
    },
    told: (command) => told.get(command),
    forget: (command) => void told.delete(command),
  };
}

function handsOf(tools: readonly string[]): Hands | undefined {
  return HANDS.find(({ shell }) => tools.includes(shell));
}

/** The small agent of the drills has Claude Code's tools, and no search among them. */
function mayLook({ look }: Hands, tools: readonly string[]): boolean {
  return look !== undefined && tools.includes(look("").tool);
}

function callOf(hands: Hands, { kind, text }: Instruction): ToolCall {
  if (kind === "LOOK" && hands.look !== undefined) return hands.look(text);
  return kind === "READ"
    ? { tool: hands.reader, input: hands.read(text) }
    : { tool: hands.shell, input: hands.run(text) };
}
