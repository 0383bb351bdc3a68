/**
 * A real MariaDB of a test's own: on loopback, in a folder of its own, by a user without rights.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./home.ts";
import { freePort } from "./redis-server.ts";

export const SHOP_PASSWORD = "Sh0p-Secret-0123456789";

export interface MariadbServer {
  readonly port: number;
  /** Runs SQL past Cofferdam, as its owner; rows by lines, columns by tabs. */
  sql(text: string): string;
  close(): Promise<void>;
}

/** A server of MySQL to be tried instead: `COFFERDAM_MYSQLD` names its program. */
export const MYSQLD = process.env["COFFERDAM_MYSQLD"];

const NOBODY = { uid: 65_534, gid: 65_534 };

export async function startMariadb(more: readonly string[] = []): Promise<MariadbServer> {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-mariadb-"));
  const isRoot = process.getuid?.() === 0;
  const as = isRoot ? NOBODY : {};
  if (isRoot) chownSync(folder, NOBODY.uid, NOBODY.gid);
  chmodSync(folder, 0o755);
  const data = join(folder, "data");
  const socket = join(folder, "sock");
  const install = [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ];
  const [maker, how] =
    MYSQLD === undefined
      ? ["mariadb-install-db", install]
      : [MYSQLD, ["--no-defaults", "--initialize-insecure", `--datadir=${data}`]];
  execFileSync(maker, how, { ...as, stdio: "ignore", cwd: folder });
  const port = await freePort();
  const own = [
    "--no-defaults",
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
  ];
  const small = [
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
  ];
  const child = spawn(MYSQLD ?? "mariadbd", [...own, ...small, ...more], {
    ...as,
    stdio: "ignore",
    cwd: folder,
  });
  const sql = (text: string) =>
    execFileSync("mariadb", ["--no-defaults", "-S", socket, "-u", "root", "-N", "-B"], {
      input: text,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    }).replace(/\n$/, "");
  await eventually("MariaDB answers", 30_000, () => {
    try {
      return sql("SELECT 1") === "1";
    } catch {
      return undefined;
    }
  });
  return {
    port,
    sql,
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Tables that most tests need, and a login that may do all with them. */
export function fillShop(server: MariadbServer): void {
  server.sql(
    `
    CREATE DATABASE shop; USE shop;
    CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(100), amount DECIMAL(10,2) DEFAULT 1) ENGINE=InnoDB;
    CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(100), password VARCHAR(100)) ENGINE=InnoDB;
    CREATE TABLE logs (id INT PRIMARY KEY, line TEXT) ENGINE=MyISAM;
    INSERT INTO orders (id, note) VALUES (1, 'one'), (2, 'two'), (3, 'drei ä');
    INSERT INTO customers VALUES (1, 'Ada', 's3cr3t-hash'), (2, 'Bob', 'other-hash');
    INSERT INTO logs VALUES (1, 'x');
    CREATE PROCEDURE refund(IN which INT) UPDATE orders SET amount = 0 WHERE id = which;
    CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2, 3; END;
    CREATE USER shop@'%' IDENTIFIED BY '${SHOP_PASSWORD}';
    GRANT ALL ON shop.* TO shop@'%';
    GRANT FILE ON *.* TO shop@'%';
  `.replace("BEGIN SELECT 1; SELECT 2, 3; END", "SELECT 1"),
  );
}

/** A file that the server's user can read. */
export function writeReadable(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o644 });
}
