/**
 * Who is signed in.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";

export function sessionHandlers(
  desk: ConsoleDesk,
): Pick<ConsoleHandlers, "session.show" | "session.end"> {
  return {
    "session.show": async (_, { session, person, roles }) => {
      const { version } = await desk.client.call("daemon.status", {});
      const { expiresMs } = desk.sessions.require(session);
      const expiresAt = new Date(expiresMs).toISOString();
      return { person, roles: [...roles], home: desk.home.root, version, expiresAt };
    },
    "session.end": async (_, { session }) => {
      desk.sessions.end(session);
      return {};
    },
  };
}
