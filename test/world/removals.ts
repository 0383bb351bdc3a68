/**
 * What is planted, each taken away again, and the paths that go with it.
 *
 * @module
 */
import type { Company } from "./company.ts";

export interface Removal {
  readonly what: string;
  readonly remove: (company: Company) => void;
  /** Outcomes and objects of the task `ops`. */
  readonly gone: readonly (readonly [outcome: string, object: string])[];
}

const owner = (sql: string) => `cd /; runuser -u postgres -- psql -qc "${sql}" shop`;

export const REMOVALS: readonly Removal[] = [
  {
    what: "find as root",
    remove: ({ web }) => void web.run("sed -i '/bin.find/d' /etc/sudoers"),
    gone: [["secrets_readable", "default in web1:/home/plain/.aws/credentials"]],
  },
  {
    what: "the environment file of the CRM",
    remove: ({ web }) => void web.run("rm /srv/crm/.env"),
    gone: [
      ["secrets_readable", "DB_PASSWORD in web1:/srv/crm/.env"],
      ["credentials_mintable", "mysql:crm@crm.example:3306"],
      ["customer_records", "/crm leads"],
      ["data_destroyable", "/crm leads"],
      ["data_destroyable", "/crm tickets"],
    ],
  },
  {
    what: "wp-config.php is the web server's alone",
    remove: ({ web }) => void web.run("chmod 600 /srv/www/wp-config.php"),
    gone: [
      ["secrets_readable", "DB_PASSWORD in web1:/srv/www/wp-config.php"],
      ["customer_records", "whatever mysql:wordpress@web1:3306 may"],
      ["data_destroyable", "whatever mysql:wordpress@web1:3306 may"],
    ],
  },
  {
    what: ".pgpass",
    remove: ({ web }) => void web.run("rm /home/deploy/.pgpass"),
    gone: [
      ["secrets_readable", "password in web1:/home/deploy/.pgpass"],
      ["credentials_mintable", "postgres:pg@pg.example:5432"],
      ["customer_records", "/shop public.customers"],
      ["customer_records", "/postgres"],
      ["data_destroyable", "/shop public.ledger"],
    ],
  },
  {
    what: "the key in the home of deploy",
    remove: ({ web }) => void web.run("rm /home/deploy/.ssh/id_ed25519"),
    gone: [
      ["secrets_readable", "key in web1:/home/deploy/.ssh/id_ed25519"],
      ["hosts_executable", "db1"],
      ["credentials_mintable", "db1:/home/keeper/.ssh/authorized_keys"],
      ["customer_records", "/shop public.people"],
      ["data_destroyable", "/shop public.customers"],
      ["data_destroyable", "/shop public.orders"],
      ["data_destroyable", "/shop public.people"],
      ["data_destroyable", "/postgres"],
    ],
  },
  {
    what: "keys of another that deploy may write",
    remove: ({ web }) => void web.run("chmod 600 /home/other/.ssh/authorized_keys"),
    gone: [["credentials_mintable", "web1:/home/other/.ssh/authorized_keys"]],
  },
  {
    what: "a function of the owner's",
    remove: ({ db }) => void db.run(owner("drop function tidy()")),
    gone: [["data_destroyable", "/shop public.archive"]],
  },
];
