/**
 * `export`: the record, on to where others look at it.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { EXIT, textOption, type Command } from "../command.ts";

export const exportCommand: Command = {
  name: "export",
  usage: "otlp --to URL [--follow]",
  options: { to: { type: "string" }, follow: { type: "boolean", short: "f" } },
  optionHelp: {
    to: "the receiver: http://HOST:4318/v1/logs, traces beside it; headers come from OTEL_EXPORTER_OTLP_HEADERS",
    follow: "go on as entries arrive, also with the next daemon, and try for ever",
  },
  examples: [
    "cofferdam export otlp --to http://127.0.0.1:4318/v1/logs",
    "cofferdam export otlp --to https://otel.example.com/v1/logs --follow",
  ],
  positionals: [1, 1],
  async run(context) {
    const [form] = context.positionals;
    const to = textOption(context.values, "to");
    if (form !== "otlp" || to === undefined) {
      throw new Fault("cli.usage", "export takes otlp --to URL");
    }
    const follow = context.values["follow"] === true;
    const { cursorFile, exportOtlp, readCursor, receiverOf, saveCursor } =
      await import("../otlp-export.ts");
    const { followEntries } = await import("../follow.ts");
    const receiver = receiverOf(to);
    const headers = headersOf(process.env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "");
    const client = await context.daemon();
    const { version, entries } = await client.call("daemon.status", {});
    const file = cursorFile(context.home.root, receiver.logs);
    const cursor = readCursor(file, entries);
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    process.once("SIGINT", stop).once("SIGTERM", stop);
    const warn = (text: string) => context.err(`cofferdam: ${text}\n`);
    const { from } = cursor;
    const { signal } = stopped;
    const read = follow
      ? followEntries(client, { from, signal, warn })
      : client.stream("log.read", { follow, from }, signal);
    const taken = await exportOtlp(read, {
      ...{ ...receiver, headers, version, cursor, follow, warn },
      save: (next) => saveCursor(file, next),
    });
    context.out(`${taken} entries taken\n`);
    return EXIT.ok;
  },
};

/** `a=b,c=d`, each value percent-encoded, as the variable's specification has it. */
function headersOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").filter((part) => part.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name = "", value = ""] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=(.*)$/.exec(pair) ?? [];
      try {
        if (name !== "") return [name, decodeURIComponent(value.trim())];
      } catch {
        // Said below.
      }
      // Its value may be a secret: it is not told.
      throw new Fault("cli.usage", "OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,...");
    }),
  );
}
