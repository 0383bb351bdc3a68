/**
 * Reads what an exchange with a model says, beside its forwarding: which tools the model calls, what the request
 * says that calls gave, and which calls it claims. No byte is changed or kept back; what follows waits only while
 * compressed bytes are undone.
 *
 * INV-140: a call is on its way to the record before the last bytes of it are on their way to the agent. INV-141:
 * every exchange with a model has its entry `model`, which says what could not be read.
 *
 * @module
 */
import { hasModels, modelRouteOf, type Entry } from "../catalog/index.ts";
import type { Action, Event } from "../action/index.ts";
import {
  createAnswerReader,
  DOCUMENT_BYTES_MAX,
  isFetchedResponse,
  isModelRequest,
  looksLikeModel,
  modelApiOf,
  readModelRequest,
  type Answered,
  type AnswerReader,
  type KnownApi,
  type ModelCall,
  type ModelProtocol,
  type ModelRequest,
} from "../wire/index.ts";
import { createDecoding, type Decoding } from "./decoding.ts";
import type { FlowRecord } from "./flow-record.ts";
import { catalogRequestOf } from "./http-action.ts";
import { endToEnd, valuesOf, type RawHeaders } from "./http-headers.ts";
import type { CheckedRequest } from "./http-request.ts";
import { historyOf, type ToolHistory } from "./tool-history.ts";
import { callData, recordTool, resultData, type Told } from "./tool-events.ts";
import type { GatewayRun } from "./ports.ts";
import type { Grant } from "../policy/index.ts";

/** Decoded bytes of an answer that are read. */
const ANSWER_BYTES_MAX = 32 << 20;
/** Results of one request that are told one by one. */
const RESULTS_MAX = 64;
/** Claims without a call that an entry names. */
const NAMED_MAX = 16;

/** What an exchange is made of. */
export interface Watched {
  readonly run: GatewayRun;
  readonly grant: Pick<Grant, "name" | "system" | "under" | "with">;
  readonly entry: Entry | undefined;
  readonly request: CheckedRequest;
  readonly flow: FlowRecord;
  readonly action: Action;
}

/**
 * A watch for the exchange that begins with a request, where it may be one with a model.
 *
 * What a route of the catalog names is one. So is what has the path and the form of one in a plain grant of HTTP,
 * since a model can be anywhere; and what a model's system is asked at such a path that no route names.
 */
export function watchModel(watched: Watched, body: Buffer | undefined): ModelWatch | undefined {
  const { entry, request, grant } = watched;
  const { method, path, headers } = request;
  const asked = catalogRequestOf(request, undefined, grant);
  if (entry !== undefined) {
    const protocol = modelRouteOf(entry, asked);
    if (protocol !== undefined) return new ModelWatch(watched, { protocol }, true);
    if (!hasModels(entry)) return undefined;
  }
  if (method === "GET" && isFetchedResponse(path)) {
    return new ModelWatch(watched, { protocol: "openai-responses" }, undefined);
  }
  if (method !== "POST") return undefined;
  const paths = [path, ...asked.readings.map((segments) => `/${segments.join("/")}`)];
  const api = paths.map(modelApiOf).find((one) => one !== undefined);
  if (api !== undefined)
    return new ModelWatch(watched, api, entry === undefined ? undefined : true);
  if (body === undefined || !isPlain(headers) || !hasShape(path, body)) return undefined;
  return new ModelWatch(watched, { unread: "a model's API at a path that is none's" }, true);
}

function isPlain(headers: RawHeaders): boolean {
  return valuesOf(headers, "content-encoding").every((coding) => coding === "identity");
}

/** Looked for before it is parsed: hardly any body has them. */
const WORDS = ['"messages"', '"contents"', '"prompt"', '"input"', '"inputs"'];

function hasShape(path: string, body: Buffer): boolean {
  return WORDS.some((word) => body.includes(word)) && looksLikeModel(path, parsed(body));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // Then it is no request that is read here.
  }
}

/** One exchange. */
export class ModelWatch {
  readonly #watched: Watched;
  readonly #api: KnownApi;
  readonly #history: ToolHistory;
  /** Whether it is one with a model; `undefined` until its body shows it. */
  #isModel: boolean | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #asked: ModelRequest | undefined;
  #unread: string | undefined;
  #results = 0;
  #unmatched: NonNullable<Event["data"]> = {};
  #status: number | undefined;
  #reader: AnswerReader | undefined;
  #decoding: Decoding | undefined;
  #isOver = false;

  constructor(watched: Watched, api: KnownApi, isModel: boolean | undefined) {
    this.#watched = watched;
    this.#api = api;
    this.#isModel = isModel;
    this.#history = historyOf(watched.run);
    if ("unread" in api) this.#unread = `${api.unread} is not read`;
  }

  /** Takes the request's body, where it is there whole. */
  async request(body: Buffer | undefined): Promise<void> {
    if (body !== undefined) this.pushRequest(body);
    await this.endRequest();
  }

  /** Takes a piece of the request's body. */
  pushRequest(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= DOCUMENT_BYTES_MAX) this.#kept.push(chunk);
    else this.#kept = [];
  }

  /** The request's body is there; what it says is on its way to the record. */
  async endRequest(): Promise<void> {
    const { request, entry } = this.#watched;
    if (request.method === "GET") return;
    const body = await this.#requestBody();
    if (body === undefined) {
      this.#isModel ??= true;
      return;
    }
    const isMarked = this.#isModel === true;
    const protocol = this.#protocol;
    const value = isMarked ? undefined : parsed(body);
    this.#isModel ??=
      protocol === undefined
        ? looksLikeModel(request.path, value)
        : isModelRequest(protocol, value);
    if (!this.#isModel || protocol === undefined) return;
    const asked = readModelRequest(protocol, request.path, body);
    // A plain grant's own path may have another meaning there; a system's has not.
    if (asked.unread !== undefined && (isMarked || entry !== undefined)) this.#doubt(asked.unread);
    this.#asked = asked;
    // Ahead of the answer: what a request claims before a model says it is no call of a model.
    this.#unmatched = unmatched(this.#history, asked);
    this.#results = tellResults(this.#watched, this.#history, asked);
    if (this.#results > RESULTS_MAX) this.#doubt(`more than ${RESULTS_MAX} new results`);
  }

  get #protocol(): ModelProtocol | undefined {
    return "protocol" in this.#api ? this.#api.protocol : undefined;
  }

  async #requestBody(): Promise<Buffer | undefined> {
    if (this.#keptBytes > DOCUMENT_BYTES_MAX) {
      this.#doubt(`a request of more than ${DOCUMENT_BYTES_MAX} bytes`);
      return undefined;
    }
    const whole = Buffer.concat(this.#kept);
    this.#kept = [];
    const decoding = createDecoding(this.#watched.request.headers, DOCUMENT_BYTES_MAX);
    if (decoding === "plain") return whole;
    if (decoding === "unknown") {
      this.#doubt("a request in a coding that is not known here");
      return undefined;
    }
    const decoded = await decoding.push(whole);
    if (decoding.isOver) this.#doubt("a request whose coding is broken, or that is too long");
    decoding.close();
    return decoded;
  }

  /** The head of the answer. */
  head(status: number, headers: RawHeaders): void {
    this.#status = status;
    const protocol = this.#protocol;
    // What is no success is no answer of the model: clients read no calls from it.
    if (protocol === undefined || this.#isModel === false || status < 200 || status > 299) return;
    const decoding = createDecoding(endToEnd(headers), ANSWER_BYTES_MAX);
    if (decoding === "unknown") {
      this.#doubt("an answer in a coding that is not known here");
      return;
    }
    this.#reader = createAnswerReader(protocol);
    if (decoding !== "plain") this.#decoding = decoding;
  }

  /** Takes the next bytes of the answer; they go on when what is returned is done. */
  push(chunk: Buffer): void | Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    const decoding = this.#decoding;
    if (decoding === undefined) return this.#tell(reader.push(chunk));
    if (decoding.isOver) return undefined;
    return decoding.push(chunk).then((decoded) => {
      if (decoding.isOver) this.#doubt("an answer whose coding is broken, or that is too long");
      if (!this.#isOver) this.#tell(reader.push(decoded));
    });
  }

  /** The exchange is over, however it ended. */
  end(failure?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoding?.close();
    if (this.#reader !== undefined) this.#tell(this.#reader.end());
    if (this.#isModel === false) return;
    const answered = this.#reader?.answered ?? { calls: 0 };
    // A response that is fetched by a path of OpenAI's need not be one.
    if (this.#isModel === undefined && answered.model === undefined) return;
    if (failure !== undefined) this.#doubt(`the exchange failed: ${failure}`);
    this.#record("model", {
      ...modelData(this.#watched, this.#api, this.#asked, answered),
      results: this.#results,
      ...(this.#status === undefined ? {} : { status: this.#status }),
      ...this.#unmatched,
      ...unreadOf(this.#unread ?? answered.unread),
    });
  }

  #tell(calls: readonly ModelCall[]): void {
    for (const call of calls) {
      this.#history.called(call);
      const { model = this.#asked?.model } = this.#reader?.answered ?? {};
      this.#record("tool.call", callData(call, "model", model));
    }
  }

  #doubt(why: string): void {
    this.#unread ??= why;
  }

  #record(type: Event["type"], data: NonNullable<Event["data"]>): void {
    recordTool(this.#watched, type, data);
  }
}

/** Tells the results that no request told before; gives how many there are. */
export function tellResults(told: Told, history: ToolHistory, { results }: ModelRequest): number {
  const fresh = results.filter((result) => history.isNewResult(result));
  for (const result of fresh.slice(0, RESULTS_MAX)) {
    recordTool(told, "tool.result", resultData(result, "model"));
  }
  return fresh.length;
}

/** What an entry `model` says of every exchange. */
export function modelData(
  { entry, request, grant }: Pick<Watched, "entry" | "request" | "grant">,
  api: KnownApi,
  asked: ModelRequest | undefined,
  answered: Answered,
): NonNullable<Event["data"]> {
  const { model = asked?.model, stop, tokensIn, tokensOut, calls } = answered;
  return {
    provider: entry === undefined ? request.host : grant.system,
    protocol: "protocol" in api ? api.protocol : "unknown",
    ...(model === undefined ? {} : { model }),
    ...(stop === undefined ? {} : { stop }),
    ...(tokensIn === undefined && tokensOut === undefined
      ? {}
      : { tokens: { in: tokensIn ?? null, out: tokensOut ?? null } }),
    tools: asked?.tools ?? 0,
    ...((asked?.hostedTools ?? 0) === 0 ? {} : { hostedTools: asked?.hostedTools ?? 0 }),
    calls,
  };
}

/** Calls that the request claims and no answer of this run gave, or gave otherwise; each is told once. */
export function unmatched(
  history: ToolHistory,
  asked: ModelRequest | undefined,
): NonNullable<Event["data"]> {
  const strange = (asked?.claims ?? []).flatMap((claim) => {
    const why = history.strangeness(claim);
    return why === undefined
      ? []
      : [{ call: claim.id, name: claim.name, digest: claim.input.digest, why }];
  });
  if (strange.length === 0) return {};
  return { unmatched: strange.slice(0, NAMED_MAX), unmatchedCount: strange.length };
}

/** `unread`, where it is known. */
export function unreadOf(why: string | undefined): NonNullable<Event["data"]> {
  return why === undefined ? {} : { unread: why };
}
