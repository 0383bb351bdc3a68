/**
 * Performs what was judged as the opening of a WebSocket: asks the upstream, proves its answer, tells the
 * client, and carries messages until it is over.
 *
 * @module
 */
import { PassThrough, type Duplex } from "node:stream";
import { routeOf } from "../policy/index.ts";
import type { FlowRecord } from "./flow-record.ts";
import { endSocket } from "./http-answer.ts";
import { failureOf, forward, type Outcome } from "./http-forward.ts";
import { endToEnd, type RawHeaders } from "./http-headers.ts";
import type { AnswerScreen } from "./credential.ts";
import type { CheckedRequest } from "./http-request.ts";
import type {
  ClientSide,
  Switched,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamSide,
} from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";
import type { SocketWatch } from "./model-socket.ts";
import { answerFlaw } from "./websocket-handshake.ts";
import { closeFrame, relayWebSocket, type Ending } from "./websocket-relay.ts";

export interface Opening {
  readonly request: CheckedRequest;
  readonly client: ClientSide;
  readonly upstream: UpstreamSide;
  readonly flow: FlowRecord;
  readonly system: string;
  /** The rule lets binary messages through that nobody here understands. */
  readonly opaque: boolean;
  /** Of a request with a credential: looks through the head of the answer, and all of one that declines. */
  readonly screen?: AnswerScreen | undefined;
  /** Of one to a model: reads along. */
  readonly model?: SocketWatch | undefined;
  readonly limits: GatewayLimits;
}

/** Settles when the WebSocket is over, or was not opened. Never rejects for what peers do. */
export async function openWebSocket(opening: Opening): Promise<Outcome> {
  const { request, client, upstream, screen, limits } = opening;
  let answer: Switched | UpstreamAnswer;
  try {
    answer = await upstream.askUpgrade(request);
  } catch (error) {
    return { bytesOut: 0, bytesIn: 0, failure: failureOf(error) };
  }
  if (!("socket" in answer)) {
    const declined: UpstreamSide = {
      ...upstream,
      call: () => Promise.resolve(answered(answer)),
      askUpgrade: upstream.askUpgrade,
    };
    return await forward({ request, client, body: undefined, upstream: declined, screen, limits });
  }
  const flaw = answerFlaw(answer.headers, client.head.rawHeaders);
  if (flaw !== undefined) {
    answer.socket.destroy();
    return { bytesOut: 0, bytesIn: 0, failure: { code: "gateway.upstream_answer", detail: flaw } };
  }
  let headers: RawHeaders;
  try {
    headers = screen?.head(answer.headers) ?? answer.headers;
  } catch (error) {
    answer.socket.destroy();
    return { bytesOut: 0, bytesIn: 0, failure: failureOf(error) };
  }
  const outcome = await converse(opening, { ...answer, headers });
  return (screen?.found ?? 0) === 0 ? outcome : { ...outcome, redacted: screen?.found ?? 0 };
}

/** An answer that came, as the call that it belongs to. */
function answered(answer: UpstreamAnswer): UpstreamCall {
  return {
    sink: new PassThrough(), // A request that opens a WebSocket has no body.
    isReused: () => false,
    answer: () => Promise.resolve(answer),
    flush() {},
    end() {},
    cut: () => void answer.body.destroy(),
  };
}

async function converse(opening: Opening, { socket: server, headers }: Switched): Promise<Outcome> {
  const { client, flow, limits, opaque, model } = opening;
  const socket = client.takeOver();
  socket.setTimeout(limits.exchangeIdleMs, () => flow.cut("idle within a WebSocket"));
  socket.write(switchingHead(headers));
  const heed = model && model.push.bind(model);
  const ending = await relayWebSocket({ client: socket, server, opaque, limits, heed });
  model?.end();
  const { offence, flaw } = ending;
  if (offence !== undefined) closeOffender(opening, socket, offence);
  else if (flaw?.from === "client") {
    refuseMessage(opening, socket, {
      code: 1002,
      rule: "websocket.frame",
      reason: `the client's frames are not those of a WebSocket: ${flaw.why}`,
    });
  } else if (flaw !== undefined) flow.cut(`the upstream's frames are none: ${flaw.why}`);
  else endSocket(socket, limits);
  const { bytesOut, bytesIn, messagesOut, messagesIn } = ending;
  return { status: 101, bytesOut, bytesIn, messagesOut, messagesIn };
}

/** The 101 that goes to the client: the upstream's own fields, which the parser has taken apart. */
function switchingHead(headers: RawHeaders): Buffer {
  const fields = ["Connection", "Upgrade", "Upgrade", "websocket", ...endToEnd(headers)];
  const lines = fields.flatMap((text, n) =>
    n % 2 === 0 ? [`${text}: ${fields[n + 1] ?? ""}`] : [],
  );
  return Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function closeOffender(
  opening: Opening,
  socket: Duplex,
  { protocol, detail, from }: NonNullable<Ending["offence"]>,
): void {
  const where = `in a message of the ${from}'s`;
  // What is unknown may be an honest client's: it hears why. A tunnel hears nothing.
  if (protocol !== "unknown" && protocol !== "http") {
    opening.flow.offend(protocol, detail, where);
    return;
  }
  opening.flow.find("protocol", `${detail}, ${where} (${opening.flow.target})`);
  refuseMessage(opening, socket, { code: 1008, rule: "websocket.opaque", reason: detail });
}

function refuseMessage(
  { flow, request, system, limits }: Opening,
  socket: Duplex,
  { code, rule, reason }: { readonly code: number; readonly rule: string; readonly reason: string },
): void {
  flow.deny({
    system,
    target: `${request.scheme}://${request.host}${request.path}`,
    route: routeOf({ verb: "websocket", port: request.port, protocol: request.scheme }),
    rule,
    title: "The WebSocket carries what is not granted",
    reason,
  });
  flow.because(`denied: ${rule}`);
  socket.write(closeFrame(code, reason));
  endSocket(socket, limits);
}
