/**
 * Reads what is said to a model over a WebSocket, and by it, message by message, as {@link ModelWatch} does
 * of requests.
 *
 * @module
 */
import { hasModels } from "../catalog/index.ts";
import {
  createResponsesSocket,
  DOCUMENT_BYTES_MAX,
  modelApiOf,
  type KnownApi,
  type ModelRequest,
  type SocketPart,
} from "../wire/index.ts";
import { modelData, tellResults, unmatched, unreadOf, type Watched } from "./model-watch.ts";
import { callData, recordTool } from "./tool-events.ts";
import { historyOf } from "./tool-history.ts";

type Side = "client" | "server";

/** Watches the messages of one WebSocket. */
export interface SocketWatch {
  /** Takes the next bytes of a message, before they go on; `isEnd` with the last. */
  push(from: Side, bytes: Buffer, isEnd: boolean): void;
  end(): void;
}

/** A watch where the WebSocket that opens is one of a model's API. */
export function watchModelSocket(watched: Watched): SocketWatch | undefined {
  const { entry, request } = watched;
  if (entry !== undefined && !hasModels(entry)) return undefined;
  const api = modelApiOf(request.path);
  if (api === undefined) return undefined;
  // Of the APIs that are read, one has this way.
  const isRead = "protocol" in api && api.protocol === "openai-responses";
  if (isRead) return createWatch(watched, api);
  const what = "unread" in api ? api.unread : `${api.protocol} over a WebSocket`;
  return { push() {}, end: () => tellUnread(watched, api, `${what} is not read`) };
}

function tellUnread(watched: Watched, api: KnownApi, why: string): void {
  const data = modelData(watched, api, undefined, { calls: 0 });
  recordTool(watched, "model", { ...data, protocol: "unknown", unread: why });
}

function createWatch(watched: Watched, api: KnownApi): SocketWatch {
  const history = historyOf(watched.run);
  const socket = createResponsesSocket();
  /** What was asked and not answered yet, oldest first. */
  const asked: ModelRequest[] = [];
  const strange: NonNullable<ReturnType<typeof unmatched>>[] = [];
  const messages = { client: createMessage(), server: createMessage() };

  const tell = (part: SocketPart) => {
    if (part.kind === "call") {
      history.called(part.call);
      recordTool(watched, "tool.call", callData(part.call, "model", asked[0]?.model));
      return;
    }
    if (part.kind === "request") {
      tellResults(watched, history, part.request);
      if (asked.push(part.request) > ASKED_MAX) asked.shift();
      if (strange.push(unmatched(history, part.request)) > ASKED_MAX) strange.shift();
      return;
    }
    const request = asked.shift();
    const { unread = request?.unread } = part.answered;
    recordTool(watched, "model", {
      ...modelData(watched, api, request, part.answered),
      results: request?.results.length ?? 0,
      ...strange.shift(),
      ...unreadOf(unread),
    });
  };

  return {
    push(from, bytes, isEnd) {
      const whole = messages[from](bytes, isEnd);
      if (!isEnd) return;
      for (const part of socket[from](whole)) tell(part);
    },
    end() {
      for (const part of socket.end()) tell(part);
    },
  };
}

const ASKED_MAX = 64; // Responses that one connection has under way.

/** Puts messages together; at its end gives one, or `undefined` where it was too long. */
function createMessage(): (bytes: Buffer, isEnd: boolean) => Buffer | undefined {
  let pieces: Buffer[] = [];
  let length = 0;
  return (bytes, isEnd) => {
    length += bytes.length;
    // In few pieces, however many come: each has a weight of its own.
    if (length > DOCUMENT_BYTES_MAX) pieces = [];
    else if (bytes.length > 0) pieces.push(bytes);
    if (pieces.length >= PIECES_MAX) pieces = [Buffer.concat(pieces)];
    if (!isEnd) return undefined;
    const whole = length > DOCUMENT_BYTES_MAX ? undefined : Buffer.concat(pieces);
    pieces = [];
    length = 0;
    return whole;
  };
}

const PIECES_MAX = 4096;
