/**
 * The broker of MCP: a client's streamable HTTP towards the agent, the same towards the server, and between them
 * each message judged by what it says (src/protocols/mcp).
 *
 * @module
 */
import { describeError, isFault } from "../../../base/index.ts";
import { isMembers, readOptions, type Members } from "./terms.ts";
import type { Asked } from "../../collected-client.ts";
import type { Errand, Place, Session, SessionBroker, Way } from "../broker.ts";
import { ask, askServer, openSession, type Asking } from "./ask.ts";
import { exchange, lineOf } from "./exchange.ts";
import { serveHttp } from "./front.ts";
import { reviewItem } from "./listing.ts";
import { readList } from "./listing.ts";
import { screenResult } from "./screen.ts";
import { Upstream } from "./upstream.ts";

/** The server, over connections that `open` gives. */
function upstreamOf(place: Place, open: () => Promise<Way>): Upstream {
  const { host, port, grant, limits, clock } = place;
  return new Upstream({
    ...{ host, port, limits, tls: grant.tls },
    wallMs: () => clock.now().wallMs,
    async open() {
      const { socket, lease } = await open();
      return { socket: grant.tls ? await place.secure(socket) : socket, lease };
    },
  });
}

async function serve(session: Session): Promise<void> {
  const upstream = upstreamOf(session, () => session.connect());
  try {
    const line = lineOf(session, upstream);
    await serveHttp(session, (asked) => exchange(line, asked));
  } finally {
    upstream.close();
  }
}

/** An errand's one connection is its only one. */
function upstreamOfErrand(errand: Errand): Upstream {
  let isTaken = false;
  return upstreamOf(errand, () => {
    if (isTaken) return Promise.reject(new Error("an errand has one connection"));
    isTaken = true;
    return Promise.resolve(errand.way);
  });
}

interface WayStored {
  readonly asking: Asking;
  /** The session that it came in; the broker's own where there is none. */
  readonly isLate: boolean;
  readonly id: string | number | undefined;
}

/** How the operation travelled when it was asked. */
function wayOf({ held, options }: Errand): WayStored {
  const preview = held.facts["preview"];
  const way = isMembers(preview) ? preview["way"] : undefined;
  const { version, session, mirrored, id } = isMembers(way) ? way : ({} as Members);
  const text = typeof version === "string" ? version : undefined;
  const pairs = Array.isArray(mirrored) ? mirrored.flat().map(String) : [];
  return {
    asking: {
      target: readOptions(options).path,
      ...(text === undefined ? {} : { version: text }),
      ...(typeof session === "string" ? { sessionId: session } : {}),
      mirrored: pairs,
    },
    isLate: text !== undefined && text >= "2026-07-28",
    id: typeof id === "string" || typeof id === "number" ? id : undefined,
  };
}

/** In the session that it came in, else in one of the broker's own: nothing was done where there was none. */
async function inSession<T>(
  upstream: Upstream,
  { asking, isLate }: WayStored,
  act: (asking: Asking) => Promise<T>,
): Promise<T> {
  if (isLate) return act(asking);
  if (asking.sessionId !== undefined) {
    try {
      return await act(asking);
    } catch (error) {
      if (!isFault(error, "gateway.mcp_session")) throw error;
    }
  }
  const opened = await openSession(upstream, asking);
  return act({ ...opened, mirrored: asking.mirrored ?? [] });
}

async function look(errand: Errand): Promise<Errand["held"]["facts"]> {
  const { operation } = errand.held;
  const { method, params } = isMembers(operation) ? operation : ({} as Members);
  const name = isMembers(params) ? params["name"] : undefined;
  const kind = method === "tools/call" ? "tools" : method === "prompts/get" ? "prompts" : undefined;
  const options = readOptions(errand.options);
  if (kind === undefined || typeof name !== "string" || options.pin === undefined) return {};
  const upstream = upstreamOfErrand(errand);
  try {
    const review = await inSession(upstream, wayOf(errand), (asking) =>
      reviewItem(kind, name, options, (list) =>
        readList(list, (one, more) => askServer(upstream, asking, one, more)),
      ),
    );
    return review?.kind === "same" ? { reviewed: review.digest } : {};
  } catch (error) {
    errand.log.info("gateway.mcp.look", { error: describeError(error) });
    return {};
  } finally {
    upstream.close();
  }
}

async function perform(errand: Errand): Promise<Asked> {
  const upstream = upstreamOfErrand(errand);
  try {
    return await performed(errand, upstream);
  } catch (error) {
    const failure = {
      code: isFault(error) ? error.code : "gateway.mcp_answer",
      detail: describeError(error),
    };
    return { outcome: { bytesOut: 0, bytesIn: 0, failure }, answer: undefined };
  } finally {
    upstream.close();
  }
}

async function performed(errand: Errand, upstream: Upstream): Promise<Asked> {
  const { operation } = errand.held;
  const stored = wayOf(errand);
  if (!isMembers(operation)) return answered({}, {});
  // A question of the server's that a person lets through: the agent is given it where it waits.
  if (operation["from"] === "server") return answered({ result: {} }, {});
  if (typeof operation["answers"] === "string") return tell(errand, upstream, stored, operation);
  const { method, params } = operation;
  if (typeof method !== "string" || !isMembers(params)) return answered({}, {});
  const said = await inSession(upstream, stored, (asking) => ask(upstream, asking, method, params));
  if ("error" in said) return answered({ error: said.error }, {});
  const options = readOptions(errand.options);
  const shown = screenResult(method, said.result, { options, text: said.text, isReviewed: true });
  return answered({ result: shown.result ?? said.result }, shown.record);
}

/** Sends what the agent answers to a question of the server. */
async function tell(
  { options }: Errand,
  upstream: Upstream,
  { asking, id }: WayStored,
  { result = {} }: Members,
): Promise<Asked> {
  const headers = [
    ...["Content-Type", "application/json", "Accept", "application/json, text/event-stream"],
    ...(asking.version === undefined ? [] : ["MCP-Protocol-Version", asking.version]),
    ...(asking.sessionId === undefined ? [] : ["Mcp-Session-Id", asking.sessionId]),
  ];
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: id ?? null, result }));
  const answer = await upstream.send({
    method: "POST",
    target: readOptions(options).path,
    headers,
    body,
  });
  await answer.finish();
  return answered(answer.status < 300 ? { result: {} } : {}, {});
}

/** What the agent's side is given: `{result}` or `{error}`. */
function answered(
  said: { readonly result?: Members; readonly error?: Members },
  record: Members,
): Asked {
  const isDone = said.result !== undefined;
  const body = Buffer.from(JSON.stringify(said));
  const bytes = Number(record["resultBytes"] ?? body.length);
  return {
    outcome: { bytesOut: 0, bytesIn: bytes, status: isDone ? 200 : 500 },
    answer: { status: isDone ? 200 : 500, headers: [], body, isCut: false },
  };
}

export const MCP_BROKER: SessionBroker = { system: "mcp", serve, perform, look };
