/**
 * The person's terminal while a run is attached: raw mode, size, signals, and nothing of its own.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { RunEnd } from "../api/index.ts";
import { Fault } from "../base/fault.ts";
import { visibleLine } from "../base/visible-text.ts";
import { createFrameReader, encodeFrame, type Frame } from "../link/index.ts";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** Ctrl-P Ctrl-Q lets go of a run without ending it, as container tools have it. */
const DETACH = Buffer.from([0x10, 0x11]);

/** How watching a run ended: the run's own end, or the person letting go. */
export type RelayEnd =
  | { readonly kind: "ended"; readonly end: RunEnd }
  | { readonly kind: "detached" };

/** What was read from a stream before it is relayed. */
export interface Begun {
  readonly reader: ReturnType<typeof createFrameReader>;
  readonly frames: readonly Frame[];
}

/** Relays between this process's terminal or pipes and the run behind `stream`, until either ends. */
export async function relay(
  stream: Duplex,
  terminal: boolean,
  { reader, frames }: Begun = { reader: createFrameReader(), frames: [] },
): Promise<RelayEnd> {
  const { stdin, stdout, stderr } = process;
  let finish: (end: RelayEnd) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const ended = new Promise<RelayEnd>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const send = (data: Buffer) => {
    if (!stream.writable) return;
    if (!stream.write(data)) {
      stdin.pause();
      stream.once("drain", () => stdin.resume());
    }
  };
  let isOver = false;
  const take = (frame: Frame) => {
    if (frame.type === "stdout") write(stdout, frame.payload, stream);
    else if (frame.type === "stderr") write(stderr, frame.payload, stream);
    else if (frame.type === "notice") notice(frame.payload, terminal);
    else if (frame.type === "exit") {
      isOver = true;
      const end = JSON.parse(frame.payload.toString()) as RunEnd;
      // What was written before may still fail, and is told then; an empty write comes after it.
      stdout.write("", (error) => {
        if (!error) finish({ kind: "ended", end });
      });
    }
  };
  frames.forEach(take);
  stream.on("data", (chunk: Buffer) => reader.push(chunk).forEach(take));
  stream.resume();
  // Once it said how the run ended it leaves, and whoever reads our output may be slower than that.
  const lost = (message: string, cause?: unknown) => {
    if (!isOver) fail(new Fault("cli.lost", message, { cause }));
  };
  stream.on("close", () => lost("the daemon is gone; its runs are killed"));
  stream.on("error", (cause) => lost("lost the daemon", cause));
  // A reader of ours that went away (`| head`) must not keep the run from ending.
  stdout.on("error", (cause) => {
    fail(
      new Fault("cli.output", "the output cannot be written any more; the run goes on", { cause }),
    );
    stream.destroy();
  });

  const onInput = (data: Buffer) => {
    if (terminal && data.includes(DETACH)) finish({ kind: "detached" });
    else send(encodeFrame("stdin", data));
  };
  const onEnd = () => send(encodeFrame("stdin-end", ""));
  const onResize = () =>
    send(encodeFrame("resize", JSON.stringify({ columns: stdout.columns, rows: stdout.rows })));
  const onSignal = (signal: NodeJS.Signals) => send(encodeFrame("signal", signal));
  stdin.on("data", onInput);
  stdin.on("end", onEnd);
  if (terminal) {
    stdin.setRawMode(true);
    stdout.on("resize", onResize);
  }
  for (const signal of FORWARDED) process.on(signal, onSignal);
  try {
    return await ended;
  } finally {
    for (const signal of FORWARDED) process.off(signal, onSignal);
    stdin.off("data", onInput);
    stdin.off("end", onEnd);
    stdout.off("resize", onResize);
    if (terminal) stdin.setRawMode(false);
    stdin.pause();
    stdin.destroy(); // Or an open terminal or pipe would keep this process alive.
    stream.destroy();
  }
}

function write(to: NodeJS.WriteStream, bytes: Buffer, from: Duplex): void {
  if (to.write(bytes)) return;
  from.pause();
  to.once("drain", () => from.resume());
}

/** Tells the person something; where it waits for them, so that they notice. */
function notice(payload: Buffer, terminal: boolean): void {
  const { text, asks } = JSON.parse(payload.toString()) as { text: string; asks?: true };
  const { stderr } = process;
  const bell = asks === true && stderr.isTTY ? "\u0007" : "";
  const line = `cofferdam: ${visibleLine(text)}`;
  stderr.write(terminal ? `${bell}\r\n${line}\r\n` : `${bell}${line}\n`);
  if (asks !== true) return;
  // Loaded when it is needed: the start of a run waits for no module more.
  void import("./desktop-notice.ts").then(({ noticeOnDesktop }) =>
    noticeOnDesktop(visibleLine(text), process.env),
  );
}
