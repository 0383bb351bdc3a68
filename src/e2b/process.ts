/**
 * `process.Process`, the service by which commands of a sandbox are run, heard, fed and ended. Messages are protobuf's in
 * their JSON form: 64-bit numbers are text, bytes base64, and what is zero or empty may be left out.
 *
 * @module
 */
import { z } from "zod";
import type { Client } from "../client/index.ts";
import type { Command, Spoken } from "./commands.ts";
import type { Call, Method, Send } from "./connect.ts";
import { pathIn } from "./paths.ts";
import { Refusal } from "./refusal.ts";
import type { Sandbox } from "./sandboxes.ts";

const ARGUMENTS_MAX = 4095;
/** As long as a command may last by the control contract. */
const TIMEOUT_MS_MAX = 86_400_000;
/** What a shell says where a command cannot be started. */
const NOT_STARTED = 127;

const uint32 = z.int().min(0).max(0xffffffff);
const tag = z.string().min(1).max(200);
const selector = z
  .strictObject({ pid: uint32.optional(), tag: tag.optional() })
  .refine(({ pid, tag: name }) => (pid === undefined) !== (name === undefined), "pid or tag");
const size = z.int().min(1).max(10_000);
const pty = z.strictObject({ size: z.strictObject({ cols: size, rows: size }) });
const input = z
  .strictObject({ stdin: z.base64().optional(), pty: z.base64().optional() })
  .refine((one) => (one.stdin === undefined) !== (one.pty === undefined), "stdin or pty");

export const envsSchema = z.record(z.string().regex(/^[^=\0]{1,200}$/), z.string().max(65_536));

const startSchema = z.strictObject({
  process: z.strictObject({
    cmd: z.string().min(1),
    args: z.array(z.string()).max(ARGUMENTS_MAX).default([]),
    envs: envsSchema.default({}),
    cwd: z.string().optional(),
  }),
  pty: pty.optional(),
  tag: tag.optional(),
  /** Whether input comes; it did before the field was there. */
  stdin: z.boolean().default(true),
});
const SIGNALS = {
  SIGNAL_SIGTERM: "SIGTERM",
  15: "SIGTERM",
  SIGNAL_SIGKILL: "SIGKILL",
  9: "SIGKILL",
} as const;
const signalSchema = z.strictObject({
  process: selector,
  signal: z.union([z.enum(["SIGNAL_SIGTERM", "SIGNAL_SIGKILL"]), z.literal(15), z.literal(9)]),
});
const piece = z.union([
  z.strictObject({ start: z.strictObject({ process: selector }) }),
  z.strictObject({ data: z.strictObject({ input }) }),
  z.strictObject({ keepalive: z.strictObject({}) }),
]);

/** The methods for one sandbox. */
export function processMethods(client: Client, sandbox: Sandbox): Readonly<Record<string, Method>> {
  const { commands, id: run } = sandbox;
  const of = (command: Command) => ({ run, exec: command.exec });
  const feed = async (command: Command, said: z.infer<typeof input>) => {
    if ((said.pty !== undefined) !== command.isTerminal) {
      throw new Refusal(
        "invalid_argument",
        command.isTerminal ? "it has a terminal" : "it has no terminal",
      );
    }
    await client.call("exec.input", { ...of(command), data: said.pty ?? said.stdin ?? "" });
    return {};
  };
  return {
    Start: {
      kind: "streaming",
      act: async (message, call, send) => {
        const said = taken(startSchema, message);
        const { cmd, args, envs, cwd } = said.process;
        const terminal = said.pty === undefined ? undefined : terminalOf(said.pty, envs["TERM"]);
        const { timeoutMs } = call;
        await commands.run(
          { argv: [cmd, ...args], cwd, envs, tag: said.tag },
          {
            ...(cwd === undefined ? {} : { cwd: pathIn(sandbox, cwd) }),
            environment: { ...sandbox.order.envs, ...envs },
            interactive: said.stdin && terminal === undefined,
            ...(terminal === undefined ? {} : { terminal }),
            label: said.tag ?? "e2b",
            ...(timeoutMs === undefined || timeoutMs === 0 || timeoutMs > TIMEOUT_MS_MAX
              ? {}
              : { timeoutMs }),
          },
          hearing(call, send, terminal !== undefined),
        );
      },
    },
    Connect: {
      kind: "streaming",
      act: async (message, call, send) => {
        const command = commands.find(
          taken(z.strictObject({ process: selector }), message).process,
        );
        const { begun, listener, gone } = hearing(call, send, command.isTerminal);
        await begun(command);
        const late = call.timeoutMs === undefined ? [] : [AbortSignal.timeout(call.timeoutMs)];
        await command.listen(listener, AbortSignal.any([gone, ...late]));
        if (late[0]?.aborted === true)
          throw new Refusal("deadline_exceeded", "the call's time is over");
      },
    },
    List: unary(async () => ({
      processes: commands.list.map(({ pid, said }) => ({
        pid,
        config: {
          cmd: said.argv[0],
          args: said.argv.slice(1),
          envs: said.envs,
          ...(said.cwd === undefined ? {} : { cwd: said.cwd }),
        },
        ...(said.tag === undefined ? {} : { tag: said.tag }),
      })),
    })),
    Update: unary(async (message) => {
      const said = taken(z.strictObject({ process: selector, pty: pty.optional() }), message);
      const command = commands.find(said.process);
      const { cols: columns, rows } = said.pty?.size ?? {};
      if (columns === undefined || rows === undefined) return {};
      await client.call("exec.resize", { ...of(command), columns, rows });
      return {};
    }),
    SendInput: unary(async (message) => {
      const said = taken(z.strictObject({ process: selector, input }), message);
      return feed(commands.find(said.process), said.input);
    }),
    StreamInput: {
      kind: "receiving",
      act: async (messages) => {
        let command: Command | undefined;
        for await (const message of messages) {
          const said = taken(piece, message);
          if ("start" in said) command = commands.find(said.start.process);
          else if ("data" in said) {
            if (command === undefined)
              throw new Refusal("invalid_argument", "input comes behind a start");
            await feed(command, said.data.input);
          }
        }
        return {};
      },
    },
    CloseStdin: unary(async (message) => {
      const command = commands.find(taken(z.strictObject({ process: selector }), message).process);
      await client.call("exec.input", { ...of(command), end: true });
      return {};
    }),
    SendSignal: unary(async (message) => {
      const said = taken(signalSchema, message);
      const command = commands.find(said.process);
      const signal = SIGNALS[said.signal];
      // Killed is all of it, also what it started and what left its group: nothing goes on for nobody.
      if (signal === "SIGKILL") await client.call("exec.cancel", of(command));
      else await client.call("exec.signal", { ...of(command), signal });
      return {};
    }),
  };
}

function unary(act: (message: unknown) => Promise<unknown>): Method {
  return { kind: "unary", act };
}

/** @throws {Refusal} `invalid_argument` with the first thing that is wrong. */
export function taken<Schema extends z.ZodType>(schema: Schema, message: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal("invalid_argument", `${issue?.path.join(".")}: ${issue?.message}`);
}

function terminalOf({ size: { cols, rows } }: z.infer<typeof pty>, term: string | undefined) {
  const named = term === undefined || term === "" || term.length > 200 ? {} : { term };
  return { columns: cols, rows, ...named };
}

/** Passes on what a command says in the messages of the service, and that it still lasts where it says nothing. */
function hearing({ gone, keepaliveMs }: Call, send: Send, isTerminal: boolean) {
  const alive =
    keepaliveMs === undefined
      ? undefined
      : setInterval(() => void send({ event: { keepalive: {} } }), keepaliveMs);
  gone.addEventListener("abort", () => clearInterval(alive), { once: true });
  return {
    gone,
    begun: async ({ pid }: Command) => send({ event: { start: { pid } } }),
    listener: async (line: Spoken) => {
      if (line.type !== "ended") {
        return send({ event: { data: { [isTerminal ? "pty" : line.type]: line.data } } });
      }
      clearInterval(alive);
      return send({ event: { end: endOf(line) } });
    },
  };
}

/** As Go's `os.ProcessState` says it, which E2B's own service passes on: -1 is the code of what a signal ended. */
function endOf({ code, signal, reason, detail }: Extract<Spoken, { readonly type: "ended" }>) {
  if (reason === "not-started") {
    return {
      exitCode: NOT_STARTED,
      exited: true,
      status: "not started",
      error: detail ?? "it could not be started",
    };
  }
  if (code !== undefined) {
    return {
      exitCode: code,
      exited: true,
      status: `exit status ${code}`,
      ...(code === 0 ? {} : { error: `exit status ${code}` }),
    };
  }
  const how = `signal: ${SIGNAL_WORDS[signal ?? ""] ?? signal ?? "unknown"}`;
  const why =
    reason === "timeout"
      ? `${how}; its time was over`
      : reason === "run"
        ? `${how}; its sandbox ended`
        : how;
  return { exitCode: -1, exited: false, status: how, error: why };
}
const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
};
