/**
 * Shells over a bare connection: who types, and who prompts.
 *
 * @module
 */
import type { FirstBytesProtocol } from "../../wire/index.ts";
import type { FlowDetector } from "./flow-detector.ts";
import { carriedBy, type Layer } from "./layers.ts";

// What an interactive shell prints first: a prompt, after the codes by which it talks to a terminal; or its complaint
// that there is none.
const ESCAPES = /^(?:\u001b(?:\[[\d;?]*[A-Za-z]|\][^\u0007]{0,200}\u0007))*/; // oxlint-disable-line no-control-regex -- a terminal's codes
const ESCAPE = 0x1b;
const PROMPTS: readonly RegExp[] = [
  /^[$#] $/,
  /^[$#] (?=[\w/])/,
  /^(?:ba|da|z|k|a|c|fi)?sh(?:-\d[\d.]*)?[$#%>] /,
  /^(?:\/[\w/]*\/)?(?:ba|da|z|k|a)?sh: .*(?:job control|terminal process group|tty)/,
  /^\(?[\w.-]*\)? ?[\w.-]{1,32}@[\w.-]{1,64}:[^\n]{0,128}[$#] /,
  /^\[[\w.-]{1,32}@[\w.-]{1,64} [^\n\]]{0,128}\][$#] /,
  /^Microsoft Windows \[Version /,
  /^(?:PS )?[A-Z]:\\[^\n>]{0,200}> ?/,
  /^Windows PowerShell\r?\n/,
];
const OUTPUTS: readonly RegExp[] = [
  /^uid=\d+\([^)\n]*\) gid=\d+/,
  /^(?:Linux|Darwin|FreeBSD) \S+ \d+\.\d+/,
  /^root\r?\n/,
];

const WORDS =
  "id|whoami|uname|ls|pwd|cat|ps|ifconfig|ip|hostname|w|env|printenv|export|unset|cd|echo|python[\\d.]*|perl|sh|bash|script|stty|which|find|grep|wget|curl|netstat|ss|nc|ncat|socat|sudo|su|chmod|crontab|history|uptime|df|mount|dir|ipconfig|systeminfo|net|tasklist|powershell|cmd|exit|exec";
const COMMAND = new RegExp(`^(?:/[\\w/.-]*/)?(?:${WORDS})(?:[ ;&|][^\\n\\0]{0,1000})?\\r?\\n`);

/** What stands at the beginning of `bytes`, if a shell is at that end: its prompt, or what a command gave. */
function shellAt(bytes: Buffer): "prompt" | "output" | undefined {
  const [first = 0] = bytes;
  const isText = first === ESCAPE || (first >= 0x20 && first < 0x7f) || (first >= 9 && first <= 13);
  if (!isText) return undefined;
  const text = bytes.toString("latin1", 0, 512).replace(ESCAPES, "");
  const line = text.trimStart();
  if (PROMPTS.some((pattern) => pattern.test(line) || pattern.test(text))) return "prompt";
  return OUTPUTS.some((pattern) => pattern.test(line)) ? "output" : undefined;
}

function isTyped(bytes: Buffer): boolean {
  return COMMAND.test(bytes.toString("latin1", 0, 1100));
}

// "find out more" is no command line: one has a flag, a path or a sign of the shell's, or is one word.
const ARGUMENTS = /^\S+\s*\n|^[^\n]*[-/.|>&;$~*]/;

function isCommandLine(bytes: Buffer): boolean {
  return isTyped(bytes) && ARGUMENTS.test(bytes.toString("latin1", 0, 1100));
}

/** Whether somebody at one end types commands into a shell at the other. */
function typedInto(shell: Buffer, typed: Buffer): { score: number; why: string } | undefined {
  const at = shellAt(shell);
  const isCommand = isTyped(typed);
  if (at === "prompt") {
    return isCommand
      ? { score: 0.95, why: "a prompt, and a command line as the answer" }
      : { score: 0.8, why: "the prompt or the complaint of a shell" };
  }
  if (isCommand && at === "output")
    return { score: 0.9, why: "a command line, and its output as the answer" };
  return undefined;
}

// What begins so is no shell, whatever follows; what it carries is a layer of its own.
const OTHERS: ReadonlySet<FirstBytesProtocol> = new Set([
  "tls",
  "http",
  "http2-preface",
  "ssh",
  "dns",
]);

const COMMON = {
  kind: "tunnel",
  atlas: ["AML.T0072"],
  owasp: ["ASI10", "ASI05"],
  sees: ["tcp"],
  tuning: {},
} as const;

export const SHELL_DETECTORS: readonly FlowDetector[] = [
  {
    ...COMMON,
    name: "shell.reverse",
    title: "A reverse shell: the client is the shell, and the server types",
    explanation:
      "The client's first bytes are a prompt, a shell's complaint that it has no terminal, or the output of the command line that the server sent first. Looked for in every layer that can be read. A server that sends commands to a client of its own in another form is not found.",
    attack: ["T1059.004", "T1095", "T1071.001"],
    judge(flow) {
      const [firstSize = 0] = flow.seen.sizes;
      for (const layer of flow.layers) {
        if (OTHERS.has(layer.opening.protocol)) continue;
        const found = typedInto(layer.sent, layer.received);
        if (found !== undefined) return { ...found, why: `${found.why}${carriedBy(layer)}` };
        // The server speaks first, in a command line, and the client answers with text that is no protocol's.
        const isFirst = layer.via.length > 0 || firstSize < 0;
        if (isFirst && isCommandLine(layer.received) && isPlainText(layer)) {
          return { score: 0.7, why: `the server's first line is a command${carriedBy(layer)}` };
        }
      }
      return undefined;
    },
  },
  {
    ...COMMON,
    name: "shell.bind",
    title: "A bare shell that waits for whoever connects",
    explanation:
      "The server's first bytes are a prompt or a shell's complaint, and the client types a command line: a shell without authentication, bound to a port.",
    attack: ["T1059.004", "T1095"],
    judge(flow) {
      const [layer] = flow.layers;
      if (layer === undefined || OTHERS.has(layer.opening.protocol) || !isTyped(layer.sent)) {
        return undefined;
      }
      const found = typedInto(layer.received, layer.sent);
      return found === undefined ? undefined : { ...found, why: `${found.why}, from the server` };
    },
  },
];

const BINARY = /[^\t\n\r\u001b\u0020-\u007e\u0080-\u00ff]/; // oxlint-disable-line no-control-regex -- what text has not

function isPlainText({ sent, opening }: Layer): boolean {
  const isProtocol =
    opening.certain && opening.protocol !== "unknown" && opening.protocol !== "shell";
  return sent.length > 0 && !isProtocol && !BINARY.test(sent.toString("latin1", 0, 512));
}
