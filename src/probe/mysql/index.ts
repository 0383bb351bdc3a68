/** What a login at MariaDB or MySQL can really do. */
import type { TaskGrant } from "../../policy/index.ts";
import { FactBook } from "../database.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { askAll } from "./asking.ts";
import { addFacts } from "./facts.ts";

export const mysqlProbe: Probe = {
  system: "mysql",
  asks: [
    "who one is, the server's version, name, plugin_dir and secure_file_priv",
    "SHOW GRANTS, and the roles one may become",
    "tables and views that one may use: names of columns, engines, sizes",
    "how many rows each table of at most 32 MB has that one may read",
    "functions, procedures and triggers that one may see: definers, and texts where the server shows them",
  ],
  withOf,
  probe,
};

/** Without a database of its own, and with what the grant hides: no question names a column of a user's. */
function withOf(given: TaskGrant["with"] = {}): TaskGrant["with"] {
  const { database: _, hide: __, ...rest } = given;
  return { seconds: 30, ...rest };
}

async function probe({ grant, principal, at, ask }: ProbePorts): Promise<Probed> {
  const answers = await askAll(ask);
  if (typeof answers === "string")
    return { facts: [], notes: [`the server did not tell ${answers}`] };
  const book = new FactBook(at);
  addFacts(book, { answers, grant, principal });
  if (book.isFull)
    return { facts: [], notes: ["there is more than can be told; all of it is assumed"] };
  return { facts: book.facts, notes: book.notes };
}
