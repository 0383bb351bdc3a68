/**
 * What shall outlive the run: schedules and files that others execute, and what the next agent reads.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { fieldOf, found, shown, textOf } from "./found.ts";
import {
  commandsIn,
  commandsOf,
  isScript,
  programOf,
  programOfWords,
  writesOf,
  type Program,
} from "./program.ts";

const SCHEDULE: DetectorAbout = {
  name: "persistence.schedule",
  kind: "persistence",
  title: "A schedule, a service or a login that outlives the run",
  explanation:
    "Looks at programs that are started, here and by SSH elsewhere: crontab, at, systemctl enable, systemd-run, loginctl enable-linger, ssh-copy-id. In the run itself they reach nothing of the host; that they are tried is what counts. Listing (crontab -l) is none.",
  attack: ["T1053.003", "T1098.004"],
  atlas: [],
  owasp: ["ASI10"],
  tuning: {},
};

/** Whether a program leaves something that runs later. */
const SCHEDULERS: Readonly<Record<string, (args: readonly string[]) => boolean>> = {
  crontab: (args) => args.length > 0 && !args.some((one) => /^-[lrV]$/.test(one)),
  at: (args) => !args.some((one) => /^-[lrcdV]$/.test(one)),
  batch: () => true,
  "systemd-run": () => true,
  systemctl: (args) => args.some((one) => ["enable", "link", "reenable"].includes(one)),
  loginctl: (args) => args.includes("enable-linger"),
  "ssh-copy-id": (args) => args.length > 0,
  "update-rc.d": () => true,
  chkconfig: (args) => args.includes("on") || args.includes("--add"),
};

export const persistenceSchedule = defineDetector<object>({
  ...SCHEDULE,
  sees: ["process.start", "action"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const hit = programsOf(event).find(
      (program) =>
        !isScript(program) &&
        Object.hasOwn(SCHEDULERS, program.name) &&
        SCHEDULERS[program.name]?.(program.args) === true,
    );
    if (hit === undefined) return [];
    const where = event.type === "action" ? ` at ${shown(event.system ?? "")}` : "";
    return [
      found(
        SCHEDULE,
        event,
        0.7,
        `${hit.name} is started${where}, which leaves something that runs later`,
      ),
    ];
  },
});

const FILE: DetectorAbout = {
  name: "persistence.file",
  kind: "persistence",
  title: "A file is written that others execute or trust",
  explanation:
    "Looks at files that programs and shells are told to write, at files written by SFTP, at commands by SSH, and at what a run leaves in its workspace and HOME when it ends: authorized_keys, cron, start-up files of shells, units, hooks of git. Installers of tools add a line to .bashrc too.",
  attack: ["T1098.004", "T1053.003", "T1546.004"],
  atlas: [],
  owasp: ["ASI10"],
  tuning: {},
};

/** What each path is for, by a pattern of a whole path. */
const PLACES: readonly (readonly [RegExp, number, string])[] = [
  [/(?:^|\/)authorized_keys2?$/, 0.9, "who may log in"],
  [/^\/etc\/cron|^\/var\/spool\/cron/, 0.9, "a schedule"],
  [
    /(?:^|\/)\.config\/(?:systemd\/user|autostart)\/|^\/(?:etc|lib|usr\/lib)\/systemd\//,
    0.8,
    "a unit",
  ],
  [
    /^\/etc\/(?:rc\.local|ld\.so\.preload|profile\.d\/|sudoers|passwd$|shadow$)/,
    0.9,
    "what every login runs",
  ],
  [/(?:^|\/)\.ssh\/(?:rc|config)$/, 0.6, "what ssh does"],
  [/(?:^|\/)\.git\/hooks\/[^/]+$(?<!\.sample)/, 0.7, "a hook of git"],
  [
    /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|profile|zshrc|zprofile|zshenv)$/,
    0.5,
    "what every shell runs",
  ],
];

export const persistenceFile = defineDetector<object>({
  ...FILE,
  sees: ["process.start", "action", "workspace"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    for (const path of pathsOf(event)) {
      const place = PLACES.find(([pattern]) => pattern.test(path));
      if (place === undefined) continue;
      return [found(FILE, event, place[1], `${shown(path)} is written, which says ${place[2]}`)];
    }
    return [];
  },
});

const MEMORY: DetectorAbout = {
  name: "persistence.memory",
  kind: "persistence",
  title: "What the next agent reads as its memory or settings is written",
  explanation:
    "As persistence.file, for what agents read by themselves: CLAUDE.md, AGENTS.md, MEMORY.md, HEARTBEAT.md, .claude, .codex, .cursor, .mcp.json and their like. An agent that is asked to write such a file looks alike; what it wrote waits for `cofferdam diff` and `apply`.",
  attack: [],
  atlas: ["AML.T0080", "AML.T0081"],
  owasp: ["ASI06"],
  tuning: {},
};

const MEMORY_FILE =
  /(?:^|\/)(?:CLAUDE(?:\.local)?|AGENTS|GEMINI|QWEN|MEMORY|HEARTBEAT|SOUL)\.md$|(?:^|\/)\.(?:claude|codex|gemini|cursor|opencode|openclaw|continue|windsurf|amazonq|aider)\/.*(?:settings|config|rules|hooks|agents|commands|skills|memor|mcp)|(?:^|\/)\.(?:mcp\.json|cursorrules|windsurfrules|clinerules|aider\.conf\.yml)$|(?:^|\/)\.github\/copilot-instructions\.md$/;

export const persistenceMemory = defineDetector<object>({
  ...MEMORY,
  sees: ["process.start", "action", "workspace"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const path = pathsOf(event).find((one) => MEMORY_FILE.test(one));
    if (path === undefined) return [];
    return [
      found(MEMORY, event, 0.5, `${shown(path)} is written, which agents read by themselves`),
    ];
  },
});

const NO_PROGRAMS: readonly Program[] = [];

/** Programs that an event starts, or asks for elsewhere. */
export function programsOf(event: Event): readonly Program[] {
  if (event.type === "process.start") {
    return event.process === undefined ? NO_PROGRAMS : commandsOf(event.process);
  }
  const command = fieldOf(event, "command");
  return command === ""
    ? NO_PROGRAMS
    : commandsIn(command).map(({ words }) => programOfWords(words));
}

const PATHS_MAX = 64;

/** Files that an event writes. */
export function pathsOf(event: Event): readonly string[] {
  if (event.type === "process.start") {
    return event.process === undefined ? [] : writesOf(programOf(event.process));
  }
  if (event.type === "workspace") {
    const left = event.data?.["left"];
    return Array.isArray(left)
      ? left.filter((one) => typeof one === "string").slice(0, PATHS_MAX)
      : [];
  }
  if (event.verdict === "deny") return [];
  const path = fieldOf(event, "path");
  if (
    path !== "" &&
    /^sftp\.|^scp/.test(textOf(event, "verb")) &&
    !/read|list|stat/.test(textOf(event, "verb"))
  ) {
    return [path];
  }
  return commandsIn(fieldOf(event, "command")).flatMap(({ words, into }) => [
    ...into,
    ...writesOf(programOfWords(words)),
  ]);
}
