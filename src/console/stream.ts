/**
 * The one stream of events of a tab (server-sent events): what changed, so that its pages need not ask again and again.
 *
 * Topics: `now` (event `cards`: cards of runs that changed), `approvals` (`approval`: each that changed; `approvals`: those that
 * wait may be others than was told, at the opening and whenever the daemon was away), `ledger` (`head`:
 * how long the record is), `run=ID` (`entries`: entries of that run, in batches).
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import { describeError } from "../base/index.ts";
import type { Asker, ConsoleDesk } from "./desk.ts";
import { serveTab, topicsOf, type Sink } from "./live/index.ts";

export async function streamEvents(
  desk: ConsoleDesk,
  { signal, session }: Asker,
  topics: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const write = async (text: string) => {
    if (!signal.aborted && !response.write(text)) await drained(response, signal);
  };
  const sink: Sink = {
    send: async (event, data, id) =>
      write(
        `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
      ),
    beat: async () => write(": \n\n"),
    isWelcome: () => desk.sessions.has(session),
  };
  await write(": hello\n\n");
  try {
    const ending = AbortSignal.any([signal, desk.closing]);
    await serveTab(desk.live, topicsOf(topics), sink, ending);
  } catch (error) {
    if (!signal.aborted) await sink.send("failed", { message: describeError(error) });
  } finally {
    response.end();
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
