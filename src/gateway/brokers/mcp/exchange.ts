/**
 * One HTTP request of an agent's MCP client, from its head to its outcome: check, read, describe, judge, send, and
 * screen what comes back (streams.ts).
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Json } from "../../../action/index.ts";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { readJson } from "../../../catalog/index.ts";
import {
  contentOf,
  envelopeOf,
  isMembers,
  readMessage,
  readOptions,
  type Id,
  type ListKind,
  type Members,
  type Message,
  type Options,
} from "./terms.ts";
import { checkRequest } from "../../http-request.ts";
import type { Asking, Judged, Session } from "../broker.ts";
import { answerAgent } from "./agent-answers.ts";
import type { Asked } from "./front.ts";
import { fieldsOf, flawOfHead, flawOfType, readHead, type Flaw, type McpHead } from "./heads.ts";
import { isAsReviewed, reviewItem, type Review } from "./listing.ts";
import { OPEN_MAX, openPlace, type OpenPlace, type OpenSession } from "./open-sessions.ts";
import { CODES, Reply } from "./reply.ts";
import { isSpoken, VERSIONS } from "./screen.ts";
import { Stream } from "./streams.ts";
import { noteCall, noteResult } from "./tool-notes.ts";
import type { Upstream } from "./upstream.ts";
import { askServer } from "./ask.ts";

/** What the requests of one connection share. */
export interface Line {
  readonly session: Session;
  readonly options: Options;
  readonly place: OpenPlace;
  readonly upstream: Upstream;
  /** What has been told already of what is not as it was reviewed. */
  readonly told: Set<string>;
}

export function lineOf(session: Session, upstream: Upstream): Line {
  const place = openPlace(session.run, session.grant.name, ({ allowed }) => session.share(allowed));
  const options = readOptions(session.options);
  return { session, upstream, options, place, told: new Set() };
}

/** A request that came whole, in the session that it says. */
export interface Exchange {
  readonly line: Line;
  readonly reply: Reply;
  readonly head: McpHead;
  readonly open: OpenSession;
}

/** Answers one request. Throws where the record cannot be written, or by a bug. */
export async function exchange(line: Line, { request, response, origin }: Asked): Promise<void> {
  const { session, options, place } = line;
  const reply = new Reply(response);
  const { method = "", url = "" } = request;
  const headOf = { method, url, httpVersion: request.httpVersion, rawHeaders: request.rawHeaders };
  const checked = checkRequest(headOf, origin, session.limits.headers);
  if (!checked.ok) {
    const { status, rule, reason } = checked.refusal;
    return refuse(line, reply, null, { status, rule, why: reason });
  }
  if (checked.request.target !== options.path) {
    // Clients look for ways to log in before they ask; here nobody need.
    if (checked.request.path.startsWith("/.well-known/")) return reply.empty(404);
    return refuse(line, reply, null, {
      ...{ status: 404, rule: "mcp.path" },
      why: `the server's endpoint is ${options.path}, and nothing else of it is granted`,
    });
  }
  const head = readHead(checked.request.headers);
  if ("rule" in head) return refuse(line, reply, null, head);
  const open = place.find(method === "POST" ? head.sessionId : (head.sessionId ?? undefined));
  if (method === "GET" || method === "DELETE") {
    if (open === undefined) return unknownSession(line, reply);
    const it = { line, reply, head, open };
    return method === "GET" ? listen(it) : end(it);
  }
  if (method !== "POST") return reply.empty(405);
  return post(line, { request, reply, head, open });
}

/** Refuses what is no operation of MCP. */
function refuse(line: Line, reply: Reply, id: Id | null, { status, rule, why }: Flaw): void {
  const title = "The message is not one that is forwarded";
  const { text } = line.session.refuse({ rule, title, reason: why });
  const code =
    rule === "mcp.json" ? CODES.parse : rule === "mcp.header" ? CODES.header : CODES.request;
  reply.error(id, code, text, { status });
}

/** As the protocol has it: the client begins anew. */
function unknownSession(line: Line, reply: Reply): void {
  refuse(line, reply, null, {
    ...{ status: 404, rule: "mcp.session" },
    why: "no such session of this run; it may have ended: begin a new one",
  });
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Posted {
  readonly request: IncomingMessage;
  readonly reply: Reply;
  readonly head: McpHead;
  readonly open: OpenSession | undefined;
}

async function post(line: Line, { request, reply, head, open }: Posted): Promise<void> {
  const { limits } = line.session;
  const type = flawOfType(head);
  if (type !== undefined) return refuse(line, reply, null, type);
  const late = setTimeout(() => request.destroy(), limits.wholeBodyMs);
  let body: Buffer | undefined;
  try {
    body = await readBody(request, limits.spoolBytes);
  } catch {
    return; // The client left within it.
  } finally {
    clearTimeout(late);
  }
  if (body === undefined) {
    const why = `a message of more than ${limits.spoolBytes} bytes`;
    return refuse(line, reply, null, { status: 413, rule: "mcp.long", why });
  }
  const read = readJson(body);
  if (read === undefined) {
    const why = "it is no JSON that has one meaning: UTF-8, each name once, no more than 60 deep";
    return refuse(line, reply, null, { status: 400, rule: "mcp.json", why });
  }
  const message = readMessage(read.value);
  if (message.kind === "bad") {
    return refuse(line, reply, null, { status: 400, rule: message.rule, why: message.why });
  }
  const flaw = flawOfHead(head, message);
  if (flaw !== undefined) return refuse(line, reply, idOf(message), flaw);
  const isOpening = message.kind === "request" && message.method === "initialize";
  const session = isOpening ? line.place.loose : open;
  if (session === undefined) return unknownSession(line, reply);
  const it = {
    line,
    reply,
    head: isOpening ? { ...head, sessionId: undefined } : head,
    open: session,
  };
  if (message.kind === "request") return ask(it, message);
  if (message.kind === "notice") return notice(it, message);
  return answerAgent(it, message);
}

function idOf(message: Message): Id | null {
  return message.kind === "request" ? message.id : null;
}

type Request = Extract<Message, { kind: "request" }>;

/** A question of the agent's. */
async function ask(it: Exchange, message: Request): Promise<void> {
  const { line, reply, open, head } = it;
  const { session, place } = line;
  const { id, method, params } = message;
  const flaw = flawOfId(it, id) ?? flawOfVersion(message);
  if (flaw !== undefined) return refuse(line, reply, id, flaw);
  const answering = answeringOf(params, place.inputs);
  if (answering === undefined) {
    const why = "inputResponses answers what no result of this server asked";
    return refuse(line, reply, id, { status: 400, rule: "mcp.answer", why });
  }
  const operation: Members = {
    ...{ method, params: contentOf(params) },
    ...(Object.keys(answering).length === 0 ? {} : { answering }),
  };
  const review = await reviewed(it, message);
  if (review !== undefined && review.kind === "changed") return changed(it, id, method, review.why);
  const facts = review === undefined ? {} : { reviewed: review.digest };
  const judged = await judge(session, { operation, facts }, head);
  const { verdict } = judged.decision;
  if (verdict === "deny") return deny(it, id, judged);
  for (const key of Object.keys(answering)) place.inputs.delete(key);
  if (verdict === "confirm") return hold(it, message, judged);
  const token = envelopeOf(params)["progressToken"];
  if (method === "tools/call") noteCall(it, id, params, judged);
  open.unanswered.set(id, method);
  if (typeof token === "string" || typeof token === "number") open.tokens.set(token, id);
  const stream = new Stream(it, { id, method, judged });
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  await stream.run({ method: "POST", target: line.options.path, headers: sentWith(head), body });
}

/** Fields of a request that brings a message. */
export function sentWith(head: McpHead): readonly string[] {
  return [
    ...["Content-Type", "application/json"],
    ...["Accept", "application/json, text/event-stream"],
    ...fieldsOf(head, head.sessionId),
  ];
}

function flawOfId({ open, head }: Exchange, id: Id): Flaw | undefined {
  if (typeof id === "string" && id.startsWith("cofferdam-")) {
    return { status: 400, rule: "mcp.id", why: "ids that begin with cofferdam- are ours" };
  }
  // Without a session several clients of a run may count alike; their answers come where they asked.
  if (head.sessionId === undefined) return undefined;
  if (open.unanswered.has(id)) {
    return { status: 400, rule: "mcp.id", why: `the request ${JSON.stringify(id)} is under way` };
  }
  if (open.unanswered.size >= OPEN_MAX) {
    return { status: 429, rule: "mcp.open", why: `${OPEN_MAX} requests are under way` };
  }
  return undefined;
}

function flawOfVersion({ method, params }: Request): Flaw | undefined {
  if (method !== "initialize" || isSpoken(params["protocolVersion"])) return undefined;
  const why = `the version that it asks for is not spoken here: ${VERSIONS.join(", ")}`;
  return { status: 400, rule: "mcp.version", why };
}

/** By which method each input that is answered was asked; `undefined` where one was not. */
function answeringOf(
  params: Members,
  asked: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | undefined {
  const responses = params["inputResponses"];
  if (responses === undefined) return {};
  if (!isMembers(responses)) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const key of Object.keys(responses)) {
    const method = asked.get(key);
    if (method === undefined) return undefined;
    pairs.push([key, method]);
  }
  return Object.fromEntries(pairs);
}

/** With a pin: whether what is about to be used is as it was reviewed. */
async function reviewed(it: Exchange, { method, params }: Request): Promise<Review | undefined> {
  const { options } = it.line;
  const kind = method === "tools/call" ? "tools" : method === "prompts/get" ? "prompts" : undefined;
  const { name } = params;
  if (options.pin === undefined || kind === undefined || typeof name !== "string") return undefined;
  try {
    return await reviewItem(kind, name, options, listsOf(it, params));
  } catch (error) {
    if (!isFault(error)) throw error;
    return { kind: "changed", why: `whether it is cannot be told: ${describeError(error)}` };
  }
}

/** Lists of the server in this session, asked for by the broker itself. */
function listsOf({ line, open, head }: Exchange, params: Members) {
  const { session, upstream, options } = line;
  const asking = { version: head.version, sessionId: head.sessionId, envelope: envelopeOf(params) };
  return (kind: ListKind): Promise<readonly Json[]> =>
    open.lists.of(kind, session.clock.now().monoMs, (method, more) =>
      askServer(upstream, { target: options.path, ...asking }, method, more),
    );
}

/** Of a pin that is a digest of all: whether all is as it was; asked where a list is about to be shown. */
export async function isReviewed(it: Exchange, method: string, params: Members): Promise<boolean> {
  if (it.line.options.pin === undefined || !/\/list$|^initialize$|discover$/.test(method))
    return true;
  if (method === "initialize" || method === "server/discover")
    return typeof it.line.options.pin !== "string";
  return isAsReviewed(it.line.options, listsOf(it, params));
}

const CHANGED = "What was reviewed is not what is there";

/** What a person has not seen is not used. */
function changed(it: Exchange, id: Id, method: string, why: string): void {
  const { session } = it.line;
  tellChanged(it.line, [why]);
  const hint = "a person reviews it with `cofferdam mcp pin`";
  const { text } = session.refuse({
    ...{ rule: "mcp.pin", title: CHANGED, reason: `${method}: ${why}; ${hint}` },
  });
  it.reply.error(id, CODES.denied, text);
}

/** Findings of what is not as it was reviewed, each once for a connection. */
export function tellChanged({ session, told }: Line, sentences: readonly string[]): void {
  for (const sentence of sentences) {
    if (told.has(sentence) || told.size >= TOLD_MAX) continue;
    told.add(sentence);
    session.find("changed", `${session.grant.name}: ${sentence}`);
  }
}

const TOLD_MAX = 20;

export function deny({ line, reply }: Exchange, id: Id, judged: Judged): void {
  reply.error(id, CODES.denied, line.session.deny(judged).text, {
    data: { rule: judged.decision.rule },
  });
}

/** A person decides over all of it; it is performed elsewhere, and what came of it is told here. */
async function hold(it: Exchange, { id, method, params }: Request, judged: Judged): Promise<void> {
  const { line, reply } = it;
  const resolution = await line.session.hold(judged);
  const done = resolution.kind === "answered" ? performed(resolution.answer.body) : undefined;
  if (method === "tools/call" && done !== undefined) {
    noteCall(it, id, params, judged);
    noteResult(it, id, judged, done);
  }
  if (reply.isOver) return;
  if (resolution.kind !== "answered") {
    const { text } = line.session.deny(judged, resolution);
    return reply.error(id, CODES.denied, text, { data: { approval: resolution.approval } });
  }
  const { result, error } = done ?? {};
  if (result === undefined) {
    const { code, message } = error ?? {};
    return reply.error(
      id,
      typeof code === "number" ? code : CODES.internal,
      typeof message === "string" ? message : "it was performed, and no answer came",
      { data: { approval: resolution.approval } },
    );
  }
  const noted = resolution.note === undefined ? result : withNote(method, result, resolution.note);
  reply.result(id, noted);
}

/**
 * Has `asking` judged. What waits for a person is told with how it travels: whoever performs it must know, and
 * nobody else.
 */
export async function judge(
  session: Session,
  asking: Asking,
  head: McpHead,
  more: Readonly<Record<string, Json>> = {},
): Promise<Judged> {
  const judged = await session.judge(asking);
  if (judged.decision.verdict !== "confirm") return judged;
  const way: Members = {
    ...(head.version === undefined ? {} : { version: head.version }),
    ...(head.sessionId === undefined ? {} : { session: head.sessionId }),
    ...(head.mirrored.length === 0 ? {} : { mirrored: head.mirrored.map((pair) => [...pair]) }),
    ...more,
  };
  // Under `preview`: shown, and not compared when it is performed.
  return session.complete(judged, { ...asking, facts: { ...asking.facts, preview: { way } } });
}

function performed(body: Buffer): { readonly result?: Members; readonly error?: Members } {
  const value = readJson(body, false, true)?.value;
  if (!isMembers(value)) return {};
  const { result, error } = value;
  return { ...(isMembers(result) ? { result } : {}), ...(isMembers(error) ? { error } : {}) };
}

function withNote(method: string, result: Members, note: string): Members {
  const content = result["content"];
  if (method !== "tools/call" || !Array.isArray(content)) return result;
  return { ...result, content: [...content, { type: "text", text: `[Cofferdam: ${note}]` }] };
}

/** What needs no answer; one about nothing that is under way is heard, and goes no further. */
async function notice(it: Exchange, message: Extract<Message, { kind: "notice" }>): Promise<void> {
  const { line, reply, open, head } = it;
  const { method, params } = message;
  const { requestId, progressToken } = params;
  const isId = (id: Json | undefined): id is Id => typeof id === "string" || typeof id === "number";
  const isVoid =
    (method === "notifications/cancelled" &&
      head.sessionId !== undefined &&
      !(isId(requestId) && open.unanswered.has(requestId))) ||
    (method === "notifications/progress" &&
      !(isId(progressToken) && open.asked.has(progressToken)));
  if (isVoid) return reply.empty(202);
  const judged = await line.session.judge({ operation: { method, params: contentOf(params) } });
  if (judged.decision.verdict !== "allow") {
    const { text } = line.session.deny(judged);
    return reply.error(null, CODES.denied, text, { status: 403 });
  }
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", method, params }));
  await pass(it, judged, body);
}

/** Sends what is not answered by a message. */
export async function pass(it: Exchange, judged: Judged, body: Buffer): Promise<void> {
  const { line, reply, head } = it;
  try {
    const sending = {
      method: "POST",
      target: line.options.path,
      headers: sentWith(head),
      body,
    } as const;
    const answer = await line.upstream.send(sending);
    await answer.finish();
    await line.session.outcome(judged, { status: answer.status, bytesOut: body.length });
    reply.empty(
      answer.status >= 200 && answer.status < 300 ? 202 : answer.status === 404 ? 404 : 502,
    );
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    await line.session.outcome(judged, { code: error.code });
    reply.empty(502);
  }
}

/** The stream by which a server says what nobody asked. */
async function listen(it: Exchange): Promise<void> {
  const { line, reply, head } = it;
  if (!head.accept.includes("text/event-stream")) return reply.empty(406);
  const judged = await line.session.judge({ operation: { http: "GET" } });
  if (judged.decision.verdict !== "allow") {
    const { text } = line.session.deny(judged);
    return reply.error(null, CODES.denied, text, { status: 403 });
  }
  const last = head.lastEventId === undefined ? [] : ["Last-Event-ID", head.lastEventId];
  const headers = ["Accept", "text/event-stream", ...fieldsOf(head, head.sessionId), ...last];
  const stream = new Stream(it, { id: undefined, method: "GET", judged });
  await stream.run({ method: "GET", target: line.options.path, headers });
}

async function end(it: Exchange): Promise<void> {
  const { line, reply, head } = it;
  const judged = await line.session.judge({ operation: { http: "DELETE" } });
  if (judged.decision.verdict !== "allow") {
    const { text } = line.session.deny(judged);
    return reply.error(null, CODES.denied, text, { status: 403 });
  }
  if (head.sessionId !== undefined) line.place.close(head.sessionId);
  try {
    const headers = fieldsOf(head, head.sessionId);
    const answer = await line.upstream.send({
      method: "DELETE",
      target: line.options.path,
      headers,
    });
    await answer.finish();
    await line.session.outcome(judged, { status: answer.status });
    reply.empty([200, 202, 204, 404, 405].includes(answer.status) ? answer.status : 502);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    await line.session.outcome(judged, { code: error.code });
    reply.empty(502);
  }
}
