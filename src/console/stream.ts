/**
 * The one stream of events of a tab (server-sent events): what changed, so that its pages need not ask again and again.
 *
 * Topics: `approvals` (each change of one), `run=ID` (entries of that run, in batches). An event's id is the number of the
 * last entry that it tells; a browser that comes back names it and misses nothing.
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import { describeError } from "../base/index.ts";
import type { Asker, ConsoleDesk } from "./desk.ts";

const HEARTBEAT_MS = 15_000;
const BATCH_MS = 100;

export async function streamEvents(
  desk: ConsoleDesk,
  { signal }: Asker,
  topics: URLSearchParams,
  lastId: string | undefined,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": hello\n\n");
  const send = (event: string, data: unknown, id?: number) =>
    response.write(
      `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    );
  const beat = setInterval(() => response.write(": \n\n"), HEARTBEAT_MS);
  const run = topics.get("run");
  const from = lastId === undefined ? undefined : Number(lastId) + 1;
  try {
    await Promise.all([
      topics.has("approvals") ? sendApprovals(desk, signal, send) : undefined,
      run === null ? undefined : sendEntries(desk, { run, from }, signal, send),
      new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve(), { once: true }),
      ),
    ]);
  } catch (error) {
    if (!signal.aborted) send("failed", { message: describeError(error) });
  } finally {
    clearInterval(beat);
    response.end();
  }
}

type Send = (event: string, data: unknown, id?: number) => boolean;

async function sendApprovals(desk: ConsoleDesk, signal: AbortSignal, send: Send): Promise<void> {
  for await (const approval of desk.client.stream("approvals.follow", {}, signal)) {
    send("approval", approval);
  }
}

async function sendEntries(
  desk: ConsoleDesk,
  { run, from }: { readonly run: string; readonly from: number | undefined },
  signal: AbortSignal,
  send: Send,
): Promise<void> {
  let batch: { readonly seq: number }[] = [];
  const flush = () => {
    const last = batch.at(-1);
    if (last !== undefined) send("entries", batch, last.seq);
    batch = [];
  };
  const timer = setInterval(flush, BATCH_MS);
  try {
    const asks = { run, follow: true, ...(from === undefined ? {} : { from }) };
    for await (const entry of desk.client.stream("log.read", asks, signal)) batch.push(entry);
  } finally {
    clearInterval(timer);
    flush();
  }
}
