/**
 * Who is signed in.
 *
 * @module
 */
import type { SessionInfo } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import type { Asker, ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import type { Session } from "../session/index.ts";

export function sessionHandlers({
  client,
  home,
  sessions,
}: ConsoleDesk): Pick<
  ConsoleHandlers,
  "session.show" | "session.list" | "session.revoke" | "session.end"
> {
  return {
    "session.show": async (_, { session, person, identity, roles }) => {
      const { version } = await client.call("daemon.status", {});
      const { expiresMs } = sessions.require(session);
      const expiresAt = timeOf(expiresMs);
      return { person, identity, roles: [...roles], home: home.root, version, expiresAt };
    },
    "session.list": async (_, asker) =>
      sessions
        .list()
        .filter((one) => maySee(one, asker))
        .map((one) => infoOf(one, asker)),
    "session.revoke": async ({ session: id }, asker) => {
      // One that another has is told from one that nobody has to an operator alone.
      if (!sessions.list().some((one) => one.id === id && maySee(one, asker))) {
        throw new Fault("console.no_such_session", "there is no such session, or it is not yours", {
          hint: "an operator may end everybody's",
        });
      }
      sessions.end(id);
      return {};
    },
    "session.end": async (_, { session }) => {
      sessions.end(session);
      return {};
    },
  };
}

function maySee({ identity }: Session, asker: Asker): boolean {
  return identity === asker.identity || asker.roles.includes("operator");
}

function infoOf(session: Session, asker: Asker): SessionInfo {
  const { id, person, roles, about, startedMs, usedMs, expiresMs } = session;
  return {
    ...{ session: id, person, roles: [...roles], about, isThis: id === asker.session },
    ...{ startedAt: timeOf(startedMs), usedAt: timeOf(usedMs), expiresAt: timeOf(expiresMs) },
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
