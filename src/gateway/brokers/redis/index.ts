/**
 * The broker of Redis: RESP2 and RESP3, hand-made on both sides. docs/decisions/0285.
 *
 * @module
 */
import { acceptTls } from "../../tls-front.ts";
import type { SessionBroker } from "../broker.ts";
import { performRedis } from "./perform.ts";
import { RedisSession } from "./redis-session.ts";

export const redisBroker: SessionBroker = {
  system: "redis",
  async serve(session) {
    const { client, grant, limits } = session;
    client.setNoDelay(true);
    const plain = grant.tls
      ? await acceptTls(client, await session.leaf(), limits.handshakeMs, [])
      : client;
    await new RedisSession(session, plain).serve();
  },
  perform: performRedis,
};
