/**
 * Mail: takes whole messages from the agent, has each judged, and sends those that may be sent, with the login of
 * the grant. A message that waits for a person is stored, and the agent is told so at once: mail is sent later by
 * its nature, and no mail program waits for hours.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { describeError, isFault } from "../../../base/index.ts";
import { flawsOfMail, smtpOptions } from "../../../protocols/index.ts";
import { acceptTls } from "../../tls-front.ts";
import type { Resolution } from "../../ports.ts";
import type { Judged, Session, SessionBroker } from "../broker.ts";
import {
  readDelivery,
  recordOf,
  replyOf,
  writeDelivery,
  type Delivery,
  type Reply,
} from "./delivery.ts";
import { Dialogue } from "./dialogue.ts";
import { isImplicitTls, messageOf, operationOf, type Message } from "./message.ts";
import { send } from "./send.ts";

export const smtpBroker: SessionBroker = {
  system: "smtp",
  leavesNothing: true,

  async serve(session) {
    const { client, grant, host, limits } = session;
    const upgrade = async () =>
      await acceptTls(client, await session.leaf(), limits.handshakeMs, []);
    const isImplicit = grant.tls && isImplicitTls(session);
    const stream: Duplex = isImplicit ? await upgrade() : client;
    const dialogue = new Dialogue(stream, {
      host,
      bytesMax: Math.min(limits.spoolBytes, smtpOptions.parse(session.options).bytes),
      upgrade: grant.tls && !isImplicit ? upgrade : undefined,
      submit: (message) => submit(message, session),
      refuse: (rule, reason) =>
        void session.refuse({ rule, title: "This mail is refused", reason }),
      offend: (detail) => session.find("protocol", detail),
      because: (reason) => session.because(reason),
    });
    session.lastWord = (text) => dialogue.interrupt(text);
    try {
      await dialogue.run();
    } catch (error) {
      // A client that leaves or goes silent is how connections end.
      if (!isFault(error, "gateway.smtp_gone") && !isFault(error, "gateway.smtp_silent"))
        throw error;
      session.because(describeError(error));
    } finally {
      stream.destroy();
      client.destroy();
    }
  },

  async perform({ held, way, ...place }) {
    const message = messageOf(held.operation, held.body);
    const delivery: Delivery =
      message === undefined
        ? { sent: "no", accepted: [], refused: [], code: 0, text: "no message is stored" }
        : await send(message, way, place);
    const isSent = delivery.sent === "yes";
    const status = isSent ? 200 : 500;
    const failure = { code: `smtp.sent_${delivery.sent}`, detail: delivery.text };
    const body = writeDelivery(delivery);
    return {
      outcome: {
        status,
        bytesOut: message?.bytes.length ?? 0,
        bytesIn: body.length,
        ...(isSent ? {} : { failure }),
      },
      answer: { status, headers: [], body, isCut: false },
    };
  },
};

/** What becomes of a message, and what the agent is told of it. */
async function submit(message: Message, session: Session): Promise<Reply> {
  const operation = operationOf(message);
  const { bytes: body } = message;
  const judged = await session.judge({ operation, body });
  switch (judged.decision.verdict) {
    case "allow":
      return await sendNow(message, judged, session);
    case "confirm":
      return await queue(judged, session);
    default: {
      const { host, port, options } = session;
      const [flaw] = flawsOfMail(operation, { host, port, options, body });
      const { text } = session.deny(judged);
      const why = flaw === undefined ? "" : `${flaw.reason} (${flaw.rule}). `;
      return { code: 550, enhanced: "5.7.1", text: `${why}${text}` };
    }
  }
}

async function sendNow(message: Message, judged: Judged, session: Session): Promise<Reply> {
  let delivery: Delivery;
  try {
    delivery = await send(message, await session.connect(), session);
  } catch (error) {
    const text = describeError(error);
    const code = isFault(error, "gateway.denied") ? 550 : 0;
    delivery = { sent: "no", accepted: [], refused: [], code, text };
  }
  await session.outcome(judged, recordOf(delivery));
  return replyOf(delivery);
}

async function queue(judged: Judged, session: Session): Promise<Reply> {
  try {
    return resolved(await session.hold(judged, 0), judged, session);
  } catch (error) {
    if (!isFault(error)) throw error;
    return { code: 451, enhanced: "4.3.0", text: `not queued: ${describeError(error)}` };
  }
}

function resolved(resolution: Resolution, judged: Judged, session: Session): Reply {
  const { approval, kind } = resolution;
  if (kind === "pending") {
    return { code: 250, enhanced: "2.0.0", text: `queued as ${approval}: waits for a person` };
  }
  if (kind === "denied") {
    return { code: 550, enhanced: "5.7.1", text: session.deny(judged, resolution).text };
  }
  const delivery = readDelivery(resolution.answer.body);
  if (delivery !== undefined) return replyOf(delivery);
  const text = `${approval} was approved, and what became of it is not known`;
  return { code: 554, enhanced: "5.4.0", text };
}
