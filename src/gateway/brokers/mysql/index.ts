/**
 * The broker of MariaDB and MySQL: their protocol, hand-made on both sides. docs/decisions/0287.
 *
 * @module
 */
import { loadProtocols } from "../../../protocols/index.ts";
import type { SessionBroker } from "../broker.ts";
import { MysqlSession } from "./mysql-session.ts";
import { performMysql } from "./perform.ts";

// Before the worker is sealed: nothing is loaded after.
await loadProtocols(["mysql"]);

export const mysqlBroker: SessionBroker = {
  system: "mysql",
  async serve(session) {
    session.client.setNoDelay(true);
    await new MysqlSession(session).serve();
  },
  perform: performMysql,
};
