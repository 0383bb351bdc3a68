/**
 * A terminal of its own for a program, and somebody who waits for words on it and types.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { BIN } from "./home.ts";

/**
 * What is waited for on the screen, and what is done then. `CODE` in what is typed is the last card's code; with `from`
 * what stands in that file is typed, once it is there.
 */
export interface Step {
  readonly wait: string;
  readonly type?: string;
  readonly from?: string;
  readonly columns?: number;
}

export interface Screen {
  readonly code: number | null;
  readonly shown: string;
}

const PROGRAM = `
import fcntl, json, os, pty, re, signal, struct, sys, termios, time
steps = json.loads(os.environ["STEPS"])
pid, screen = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
def size(columns):
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
size(100)
shown, at = b"", 0
def late(*_):
    sys.stdout.buffer.write(shown + b"\\nNOT SEEN IN TIME: " + json.dumps(steps[:1]).encode())
    os.kill(pid, signal.SIGKILL)
    sys.stdout.flush()
    os._exit(99)
signal.signal(signal.SIGALRM, late)
signal.alarm(int(os.environ.get("LIMIT_S", "120")))
while True:
    while steps:
        found = re.search(steps[0]["wait"].encode(), shown[at:], re.S)
        if not found:
            break
        at += found.end()
        step = steps.pop(0)
        codes = re.findall(rb"Code +(?:\\x1b\\[0m)?\\| (?:\\x1b\\[\\d+m)?([0-9a-f]{6})", shown)
        if "columns" in step:
            size(step["columns"])
        if "from" in step:
            while not os.path.exists(step["from"]):
                time.sleep(0.05)
            step["type"] = open(step["from"]).read()
        os.write(screen, step.get("type", "").encode().replace(b"CODE", codes[-1] if codes else b""))
    try:
        data = os.read(screen, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
sys.stdout.buffer.write(shown)
if steps:
    sys.stdout.buffer.write(b"\\nENDED BEFORE: " + json.dumps(steps[:1]).encode())
sys.exit(98 if steps else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** Runs `cofferdam ARGS` at a terminal; resolves when it ends. */
export async function atTerminal(
  args: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>>,
): Promise<Screen> {
  const child = spawn("python3", ["-c", PROGRAM, BIN, ...args], {
    env: { ...process.env, ...env, STEPS: JSON.stringify(steps) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const shown: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => shown.push(data));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, shown: Buffer.concat(shown).toString("utf8") };
}
