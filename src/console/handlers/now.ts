/**
 * What happens now.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";

export function nowHandlers({ live, record, now }: ConsoleDesk): Pick<ConsoleHandlers, "now.show"> {
  return {
    "now.show": async () => ({
      cards: [...(await live.cards())],
      size: record.status().indexed,
      at: new Date(now()).toISOString(),
    }),
  };
}
