/**
 * Agents that start agents, and agents whose guards are taken off.
 *
 * @module
 */
import type { ProcessNode } from "../action/index.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found } from "./found.ts";
import { detectorOfPrograms } from "./of-programs.ts";
import { commandsOf, programOf, type Program } from "./program.ts";

/** How one is given a task of its own, apart from a person. */
const HEADLESS = /^(?:-p|--print|--prompt|exec|run|-m|--message|task|--headless)(?:=|$)/;
/** All that it is asked for is what it is: nothing is started. */
const ABOUT_ITSELF = /^(?:--version|-v|-V|--help|-h)$/;
const YOLO =
  /^(?:--yolo|-y|--approval-mode=yolo|--trust-all-tools|--allow-all-tools|--dangerously-[\w-]+|--yes-always|--yes|--force|-f|--skip-permissions-unsafe|--auto-approve|--no-interactive)$/;

/** Command lines of agents, and flags that take their guards off; from their documents and from incidents. */
const AGENTS: ReadonlyMap<string, RegExp> = new Map([
  [
    "claude",
    /^--(?:allow-)?dangerously-skip-permissions$|^bypassPermissions$|^--permission-mode=bypassPermissions$/,
  ],
  [
    "codex",
    /^--(?:yolo|dangerously-bypass-[\w-]+|full-auto)$|^danger-full-access$|^--sandbox=danger-full-access$/,
  ],
  ["gemini", /^(?:--yolo|-y|yolo|--approval-mode=yolo)$/],
  ["q", /^--trust-all-tools$/],
  ["kiro-cli", /^--trust-all-tools$/],
  ["aider", /^--(?:yes-always|yes)$/],
  ["opencode", YOLO],
  ["goose", YOLO],
  ["openclaw", YOLO],
  ["cursor-agent", /^(?:--force|-f|--yolo)$/],
  ["copilot", /^--(?:allow-all-tools|allow-all|yolo)$/],
  ["amp", /^--dangerously-allow-all$/],
  ["droid", /^--skip-permissions-unsafe$/],
  ["qwen", YOLO],
  ["crush", YOLO],
  ["iflow", YOLO],
  ["auggie", YOLO],
  ["cline", YOLO],
]);
/** Packages that are an agent under another name. */
const PACKAGES: readonly (readonly [string, string])[] = [
  ["@anthropic-ai/claude-code", "claude"],
  ["@openai/codex", "codex"],
  ["@google/gemini-cli", "gemini"],
  ["opencode-ai", "opencode"],
  ["@github/copilot", "copilot"],
  ["@sourcegraph/amp", "amp"],
  ["@qwen-code/qwen-code", "qwen"],
];

/** Which agent a program is. */
function agentOf(program: Program): string | undefined {
  const owner = PACKAGES.find(([path]) => program.path.includes(path));
  if (owner !== undefined) return owner[1];
  return AGENTS.has(program.name) ? program.name : undefined;
}

/** The agents among the ancestors of a process. */
function agentsAbove(ancestors: readonly ProcessNode[]): readonly string[] {
  return ancestors.flatMap((node) => agentOf(programOf(node)) ?? []);
}

/** What installs packages, and the words by which it does; their scripts are strangers'. */
const INSTALLERS = /^(?:npm|npm-cli|pnpm|yarn|bun|pip3?|uv|gem|composer|cargo|poetry)$/;
const INSTALLING = new Set(["install", "i", "ci", "add", "rebuild", "update", "upgrade", "sync"]);
/** Names by which packages have something run when they are installed. */
const INSTALL_SCRIPT = /^(?:(?:pre|post)-?)?install$|^setup$/;

/** Whether a program, or what a shell's text starts, installs something. */
function isInstaller({ name, path, args }: Program): boolean {
  if (INSTALLERS.test(name)) return args.some((word) => INSTALLING.has(word));
  return INSTALL_SCRIPT.test(name) && /\.(?:[cm]?js|sh|py)$/.test(path);
}

function isBelowInstaller(ancestors: readonly ProcessNode[]): boolean {
  return ancestors.some((node) => commandsOf(node).some(isInstaller));
}

/** Words of the command that a person started, also within a text that it gives to a shell. */
interface Own {
  words: ReadonlySet<string>;
}

const UNLEASHED: DetectorAbout = {
  name: "agent.unleashed",
  kind: "agent",
  title: "An agent is started with its guards off",
  explanation:
    "Looks for flags by which agents' own command lines skip permissions (--dangerously-skip-permissions, --yolo, --trust-all-tools, ...). What a person started the run with is none: inside a run such flags are a matter of taste. An install script that drives an agent is surer (0.95), and counts without flags where it gives the agent a task (0.7): so Nx (2025) and Amazon Q (2025) were abused. A package that asks an agent's program for its version is none.",
  attack: ["T1562", "T1059.004"],
  atlas: ["AML.T0103", "AML.T0081", "AML.T0112.000"],
  owasp: ["ASI02", "ASI05", "ASI10"],
  tuning: {},
};

export const agentUnleashed = defineDetector<Own>({
  ...UNLEASHED,
  sees: ["run.start", "process.start"],
  scope: "run",
  start: () => ({ words: new Set() }),
  observe(own, event) {
    if (event.type === "run.start") {
      own.words = wordsOf(event.data?.["command"]);
      return [];
    }
    const { process } = event;
    if (process === undefined) return [];
    const program = programOf(process);
    const agent = agentOf(program);
    if (agent === undefined) return [];
    const flag = program.args.find((word) => AGENTS.get(agent)?.test(word) === true);
    const isOff = flag !== undefined && !own.words.has(flag);
    if (isBelowInstaller(process.ancestors)) {
      if (isOff) {
        const why = `an install script starts ${agent} with ${flag}`;
        return [found(UNLEASHED, event, 0.95, why)]; // Also where another has started it before.
      }
      const isTasked = program.args.some((word) => HEADLESS.test(word));
      if (isTasked)
        return [found(UNLEASHED, event, 0.7, `an install script gives ${agent} a task`)];
    }
    return isOff ? [found(UNLEASHED, event, 0.9, `${agent} is started with ${flag}`)] : [];
  },
});

const NESTED: DetectorAbout = {
  name: "agent.nested",
  kind: "agent",
  title: "An agent starts another agent",
  explanation:
    "Looks for an agent's command line below another agent's. An agent that restarts itself or starts workers of its own is none; one that gives itself or another a task of its own (-p, exec) is. Asking another for its version or its help starts nothing.",
  attack: ["T1059.004"],
  atlas: ["AML.T0103"],
  owasp: ["ASI08", "ASI10"],
  tuning: {},
};

export const agentNested = detectorOfPrograms(NESTED, (program, process) => {
  const agent = agentOf(program);
  if (agent === undefined || isAboutItself(program)) return undefined;
  const above = agentsAbove(process.ancestors);
  const outer = above.find((one) => one !== agent);
  const isTasked = program.args.some((word) => HEADLESS.test(word));
  const isAgain =
    above.includes(agent) && isTasked && !isSameTask(program, process.ancestors, agent);
  if (outer === undefined && !isAgain) return undefined;
  return [outer === undefined ? 0.5 : 0.7, `${outer ?? agent} starts ${agent}`];
});

function isAboutItself({ args }: Program): boolean {
  return args.length > 0 && args.every((word) => ABOUT_ITSELF.test(word));
}

/** Whether an ancestor of the same agent was given what it is given: it started itself anew. */
function isSameTask({ args }: Program, ancestors: readonly ProcessNode[], agent: string): boolean {
  const given = new Set(args);
  return ancestors.some((node) => {
    const outer = programOf(node);
    const isTasked = outer.args.some((word) => HEADLESS.test(word));
    return agentOf(outer) === agent && isTasked && outer.args.every((word) => given.has(word));
  });
}

function wordsOf(value: unknown): ReadonlySet<string> {
  if (!Array.isArray(value)) return new Set();
  const argv = value.filter((one) => typeof one === "string").slice(0, 64);
  const brief = argv.map((one) => one.slice(0, 4096));
  const within = commandsOf({ exe: brief[0] ?? "", argv: brief }).flatMap(({ args }) => args);
  return new Set([...brief, ...within]);
}
