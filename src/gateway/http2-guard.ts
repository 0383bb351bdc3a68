/**
 * What an HTTP/2 peer may make us do beside its requests, bounded by number: frames that want an answer
 * (PING, SETTINGS). Frames without one cost what their bytes cost; CONTINUATION, header lists and resets
 * are bounded by nghttp2 and by the broker. INV-35.
 *
 * @module
 */
import type { Http2Session } from "node:http2";
import type { GatewayLimits } from "./limits.ts";

const SECOND_MS = 1000;

/** Calls `over` once with a sentence, where the peer sends more in a second than any honest one does. */
export function guardSession(
  session: Http2Session,
  limits: Pick<GatewayLimits, "h2PingsPerSecond" | "h2SettingsPerSecond">,
  over: (why: string) => void,
): void {
  const count = (what: string, max: number) => {
    let seen = 0;
    let sinceMs = performance.now();
    return () => {
      const nowMs = performance.now();
      if (nowMs - sinceMs >= SECOND_MS) {
        sinceMs = nowMs;
        seen = 0;
      }
      seen += 1;
      if (seen === max + 1) over(`more than ${max} ${what} frames in a second`);
    };
  };
  session.on("ping", count("PING", limits.h2PingsPerSecond));
  session.on("remoteSettings", count("SETTINGS", limits.h2SettingsPerSecond));
}
