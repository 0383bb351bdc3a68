/**
 * What an agent answers to a question of the server: it takes the agent's words out, so it is an action of its own.
 *
 * @module
 */
import type { Message } from "./terms.ts";
import { judge, pass, type Exchange } from "./exchange.ts";
import { CODES, errorBody } from "./reply.ts";

/** Heard instead of the agent's own words, which nobody has judged. */
const NO = "the client does not answer this";

export async function answerAgent(
  it: Exchange,
  message: Extract<Message, { kind: "result" | "error" }>,
): Promise<void> {
  const { line, reply, open, head } = it;
  const { session } = line;
  const method = message.id === undefined ? undefined : open.answer(message.id);
  if (message.id === undefined || method === undefined) {
    const reason = "it answers what the server did not ask, or was answered already";
    const title = "The message is not one that is forwarded";
    const { text } = session.refuse({ rule: "mcp.answer", title, reason });
    return reply.error(null, CODES.request, text, { status: 400 });
  }
  const { id } = message;
  // That there is no answer is all that an error says here.
  const isEmpty = message.kind === "error" || method === "ping";
  const operation = isEmpty
    ? { method: "notifications/cancelled", params: { requestId: id } }
    : { answers: method, result: message.result };
  const judged = await judge(session, { operation }, head, { id });
  const { verdict } = judged.decision;
  const body = Buffer.from(
    message.kind === "error"
      ? errorBody(id, codeOf(message.error["code"]), NO)
      : JSON.stringify({ jsonrpc: "2.0", id, result: method === "ping" ? {} : message.result }),
  );
  if (verdict === "allow") return pass(it, judged, body);
  if (verdict === "confirm") {
    const resolution = await session.hold(judged);
    if (resolution.kind === "answered") return reply.empty(202);
    const { text } = session.deny(judged, resolution);
    await refuseServer(it, id);
    return reply.error(null, CODES.denied, text, { status: 403 });
  }
  const { text } = session.deny(judged);
  await refuseServer(it, id);
  reply.error(null, CODES.denied, text, { status: 403 });
}

/** The server does not wait for what will not come. */
async function refuseServer(it: Exchange, id: string | number): Promise<void> {
  const { line, head } = it;
  const body = Buffer.from(errorBody(id, CODES.denied, NO));
  const judged = await line.session.judge({
    operation: { method: "notifications/cancelled", params: { requestId: id } },
  });
  if (judged.decision.verdict !== "allow") return;
  await pass({ ...it, reply: quiet(it), head: { ...head } }, judged, body);
}

function quiet({ reply }: Exchange): Exchange["reply"] {
  return Object.assign(Object.create(reply) as typeof reply, { empty: () => {}, error: () => {} });
}

/** JSON-RPC's own codes go on; any other number could be a message. */
function codeOf(code: unknown): number {
  return (
    [CODES.request, CODES.params, CODES.internal, -32_601, -1].find((one) => one === code) ?? -1
  );
}
