/**
 * What a server says to one request of the agent's: each message is read, judged where it asks something, screened
 * where it answers, and dropped where it belongs to nothing.
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { Fault } from "../../../base/index.ts";
import {
  contentOf,
  isMembers,
  SERVER_NOTICES,
  SERVER_REQUESTS,
  type Id,
  type Members,
  type Message,
} from "./terms.ts";
import type { StreamEvent } from "../../../wire/index.ts";
import type { Judged } from "../broker.ts";
import { isReviewed, sentWith, tellChanged, type Exchange } from "./exchange.ts";
import { OPEN_MAX, type OpenSession } from "./open-sessions.ts";
import { CODES, errorBody } from "./reply.ts";
import { canBeCut, hear, isSpoken, screenResult } from "./screen.ts";
import { noteResult } from "./tool-notes.ts";
import type { Answer, Sending } from "./upstream.ts";

/** What is answered. */
interface Question {
  /** Absent where nothing was asked: a stream that only listens. */
  readonly id: Id | undefined;
  readonly method: string;
  readonly judged: Judged;
}

const INPUTS_MAX = 64;

export class Stream {
  readonly #it: Exchange;
  readonly #question: Question;
  /** The session that an `initialize` begins is another than the one it came in. */
  #open: OpenSession;
  #isAnswered = false;
  #hasIds = false;
  #dropped = 0;
  #record: Readonly<Record<string, Json>> = {};

  constructor(it: Exchange, question: Question) {
    this.#it = it;
    this.#question = question;
    this.#open = it.open;
  }

  /** Sends, passes on what comes, and tells the outcome. */
  async run(sending: Sending): Promise<void> {
    const { line, reply } = this.#it;
    const { judged } = this.#question;
    let status = 0;
    let failure: Fault | undefined;
    try {
      const answer = await line.upstream.send(sending);
      reply.onGone(() => answer.cancel());
      if (reply.isOver) answer.cancel();
      ({ status } = answer);
      await this.#heed(answer);
    } catch (error) {
      if (!(error instanceof Fault))
        failure = new Fault("gateway.mcp_answer", "the answer broke off");
      else failure = error;
    }
    await line.session.outcome(judged, {
      ...(status === 0 ? {} : { status }),
      ...(failure === undefined ? {} : { code: failure.code }),
      ...this.#record,
      ...(this.#dropped === 0 ? {} : { dropped: this.#dropped }),
      bytesOut: sending.body?.length ?? 0,
    });
    this.#finish(failure);
  }

  /** Whoever asked is told something, whatever the server did. */
  #finish(failure: Fault | undefined): void {
    const { reply } = this.#it;
    const { id } = this.#question;
    if (id === undefined) {
      if (failure !== undefined && !reply.isBegun) reply.empty(502);
      else reply.end();
      return;
    }
    if (this.#isAnswered) return reply.end();
    // A stream with ids may be taken up again, and answer then (2025-11-25, "Resumability").
    if (this.#hasIds && failure === undefined && this.#it.head.sessionId !== undefined)
      return reply.end();
    this.#open.over(id);
    const why = failure?.message ?? "the server ended its answer before it was there";
    reply.error(id, CODES.internal, `Cofferdam: ${why}`, {
      data: { code: failure?.code ?? "mcp" },
    });
  }

  async #heed(answer: Answer): Promise<void> {
    const { line, reply, head } = this.#it;
    const { id, method } = this.#question;
    const isOk = answer.status >= 200 && answer.status < 300;
    if (id === undefined && !isOk) {
      answer.cancel();
      return reply.empty([404, 405].includes(answer.status) ? answer.status : 502);
    }
    if (answer.status === 404 && head.sessionId !== undefined) line.place.close(head.sessionId);
    if (answer.status === 401 || answer.status === 403) {
      answer.cancel();
      throw new Fault(
        "gateway.mcp_refused",
        `the server refuses the credential (status ${answer.status})`,
      );
    }
    if (answer.kind === "none" && id !== undefined) {
      answer.cancel();
      throw new Fault(
        "gateway.mcp_answer",
        `the server answered with status ${answer.status} and no message`,
      );
    }
    if (method === "initialize" && isOk && answer.sessionId !== undefined) {
      this.#open = line.place.open(answer.sessionId);
      reply.sessionId = answer.sessionId;
    }
    if (answer.kind === "stream") reply.stream();
    for await (const event of answer.events()) {
      if (reply.isOver) break;
      await this.#take(event, answer);
      if (this.#isAnswered) break;
    }
    if (this.#isAnswered) await answer.finish();
    else answer.cancel();
  }

  async #take(event: StreamEvent, answer: Answer): Promise<void> {
    const { line, reply } = this.#it;
    const { data, ...rest } = event;
    if (event.id !== undefined) this.#hasIds = true;
    if (data === undefined || data === "") {
      // Only an id to take up from, or a time to wait.
      if (answer.kind === "stream")
        await reply.event({ ...rest, ...(data === "" ? { data } : {}) });
      return;
    }
    const { message, text, isRedacted } = hear(data, line.upstream.secrets);
    if (isRedacted) {
      const what = `what ${line.session.grant.name} said held its credential, which was blackened`;
      line.session.find("credential", what);
    }
    if (message.kind === "bad") {
      this.#stray(`said what is no message of MCP: ${message.why}`);
      throw new Fault("gateway.mcp_answer", `the server said what is no message: ${message.why}`);
    }
    const said = await this.#heard(message, text);
    if (said === undefined) return;
    if (answer.kind === "stream") await reply.event({ ...rest, data: said });
    else reply.json(said, answer.status >= 400 && answer.status < 500 ? answer.status : 200);
    if (this.#isAnswered && answer.kind === "stream") reply.end();
  }

  /** What goes on of a message; `undefined` where nothing does. */
  async #heard(message: Message, text: string): Promise<string | undefined> {
    switch (message.kind) {
      case "notice":
        return this.#heardNotice(message, text);
      case "request":
        return this.#heardRequest(message, text);
      default:
        return this.#heardAnswer(message, text);
    }
  }

  #heardNotice(
    { method, params }: Extract<Message, { kind: "notice" }>,
    text: string,
  ): string | undefined {
    if (!SERVER_NOTICES.has(method)) return this.#stray(`told ${method}, which there is not`);
    const { lists } = this.#open;
    if (method === "notifications/tools/list_changed") lists.forget("tools");
    if (method === "notifications/prompts/list_changed") lists.forget("prompts");
    if (method === "notifications/resources/list_changed") lists.forget("templates");
    if (method === "notifications/progress") {
      const token = params["progressToken"];
      const isOurs = typeof token === "string" || typeof token === "number";
      if (!isOurs || !this.#open.tokens.has(token)) return this.#stray("told progress of nothing");
    }
    if (method === "notifications/cancelled") {
      const id = params["requestId"];
      const isOurs = typeof id === "string" || typeof id === "number";
      if (!isOurs || this.#open.answer(id) === undefined) return this.#stray("cancelled nothing");
    }
    return text;
  }

  /** The server asks something of the agent: an action of its own, granted or not. */
  async #heardRequest(
    { id, method, params }: Extract<Message, { kind: "request" }>,
    text: string,
  ): Promise<string | undefined> {
    if (this.#open.asked.has(id) || this.#open.asked.size >= OPEN_MAX) {
      return this.#stray("asked under an id that is in use, or too much at once");
    }
    if (method === "ping") {
      this.#open.asked.set(id, method);
      return text;
    }
    const refusal = await this.#mayAsk(method, params);
    if (refusal === undefined) {
      this.#open.asked.set(id, method);
      return text;
    }
    const code = SERVER_REQUESTS.has(method) ? CODES.denied : -32_601;
    await this.#tellServer(errorBody(id, code, refusal));
    return undefined;
  }

  /** Why the server may not ask this; `undefined` where it may. */
  async #mayAsk(method: string, params: Members): Promise<string | undefined> {
    const { session } = this.#it.line;
    const operation = { from: "server", method, params: contentOf(params) };
    const judged = await session.judge({ operation });
    const { verdict } = judged.decision;
    if (verdict === "allow") {
      await session.outcome(judged, { delivered: true });
      return undefined;
    }
    if (verdict === "deny") {
      session.deny(judged);
      return "not granted";
    }
    const resolution = await session.hold(judged);
    if (resolution.kind === "answered") return undefined;
    session.deny(judged, resolution);
    return resolution.kind === "pending"
      ? "a person is asked; ask again later"
      : "a person said no";
  }

  async #tellServer(text: string): Promise<void> {
    const { line, head } = this.#it;
    const sending = {
      method: "POST",
      target: line.options.path,
      headers: sentWith(bare(head)),
    } as const;
    const answer = await line.upstream.send({ ...sending, body: Buffer.from(text) });
    await answer.finish();
  }

  async #heardAnswer(
    message: Extract<Message, { kind: "result" | "error" }>,
    text: string,
  ): Promise<string | undefined> {
    const { id } = this.#question;
    // JSON-RPC, 5: an error may come without an id, where the request could not be read.
    const isOurs = message.id === id || (message.kind === "error" && message.id === undefined);
    const method = isOurs && id !== undefined ? this.#question.method : this.#late(message.id);
    if (method === undefined) return this.#stray("answered what nobody asked");
    const answered = message.id ?? id;
    if (answered !== undefined) this.#open.over(answered);
    if (isOurs) this.#isAnswered = true;
    if (method === "tools/call" && answered !== undefined) {
      noteResult(this.#it, answered, this.#question.judged, message);
    }
    if (message.kind === "error") {
      this.#record = { ...this.#record, error: Number(message.error["code"]) };
      return message.id === undefined && id !== undefined
        ? JSON.stringify({ jsonrpc: "2.0", id, error: message.error })
        : text;
    }
    return this.#screened(method, message, text);
  }

  /** An answer to a request of before, on a stream that was taken up again. */
  #late(id: Id | undefined): string | undefined {
    return this.#question.id === undefined && id !== undefined
      ? this.#open.unanswered.get(id)
      : undefined;
  }

  async #screened(
    method: string,
    { id, result }: Extract<Message, { kind: "result" }>,
    text: string,
  ): Promise<string> {
    const { line } = this.#it;
    const version = result["protocolVersion"];
    if (method === "initialize" && !isSpoken(version)) {
      return errorBody(
        id,
        CODES.params,
        `Cofferdam: the server speaks a version that is not spoken here`,
      );
    }
    const refusal = await this.#mayAskFor(result);
    if (refusal !== undefined) return errorBody(id, CODES.denied, `Cofferdam: ${refusal}`);
    const { options } = line;
    const asReviewed = await isReviewed(this.#it, method, this.#paramsOf());
    const shown = screenResult(method, result, { options, text, isReviewed: asReviewed });
    this.#record = { ...this.#record, ...shown.record };
    tellChanged(line, shown.changed);
    if (shown.record["cut"] === true && !canBeCut(method)) {
      const why = `the answer to ${method} is longer than the ${options.result_bytes} bytes that the grant lets through`;
      return errorBody(id, CODES.denied, `Cofferdam: ${why}`);
    }
    return shown.result === undefined
      ? text
      : JSON.stringify({ jsonrpc: "2.0", id, result: shown.result });
  }

  /** What travels with a question of the broker's own, in the same session. */
  #paramsOf(): Members {
    const { operation } = this.#question.judged.asking;
    const params = isMembers(operation) ? operation["params"] : undefined;
    return isMembers(params) ? params : {};
  }

  /** A result that asks (2026-07-28): each question as if the server had asked it by itself. */
  async #mayAskFor(result: Members): Promise<string | undefined> {
    const inputs = result["inputRequests"];
    if (inputs === undefined) return undefined;
    if (!isMembers(inputs)) return "the server asks in a form that is not the protocol's";
    for (const [key, input] of Object.entries(inputs)) {
      if (!isMembers(input) || typeof input["method"] !== "string") {
        return "the server asks in a form that is not the protocol's";
      }
      const { method, params = {} } = input;
      const refusal = await this.#mayAsk(method, isMembers(params) ? params : {});
      if (refusal !== undefined) return `the server asks for ${method}: ${refusal}`;
      const { inputs: known } = this.#it.line.place;
      for (const oldest of known.keys()) {
        if (known.size < INPUTS_MAX) break;
        known.delete(oldest);
      }
      known.set(key, method);
    }
    return undefined;
  }

  /** What belongs to nothing goes no further, and is told once. */
  #stray(what: string): undefined {
    if (this.#dropped === 0) {
      const { session } = this.#it.line;
      session.find("protocol", `the MCP server ${session.grant.name} ${what}`);
    }
    this.#dropped += 1;
    return undefined;
  }
}

/** The head of a message that is no request. */
function bare(head: Exchange["head"]): Exchange["head"] {
  return { ...head, method: undefined, name: undefined, mirrored: [] };
}
