/** A deletion in a real PostgreSQL on its card: rows as they are, found by trying it and taking it back, and then gone. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  authorityName,
  createAuthorityCertificate,
  createKey,
  createLeaf,
} from "../../src/gateway/tls/certificate.ts";
import { Cluster } from "../postgres/cluster.ts";
import { eventually, TestHome } from "../support/home.ts";
import { openDesk } from "./kit.ts";

const HOST = "db.test";

test("the rows that a statement would take are on the card, counted by the database itself", async () => {
  const key = createKey();
  const issuer = { key, name: authorityName(key), untilMs: Date.now() + 86_400_000 };
  const leaf = createLeaf(issuer, HOST, Date.now());
  const files = mkdtempSync(join(tmpdir(), "cofferdam-console-pg-"));
  chmodSync(files, 0o755);
  writeFileSync(join(files, "ca.pem"), createAuthorityCertificate(key, Date.now()));
  const home = new TestHome();
  const cluster = await Cluster.start([], {
    certificate: leaf.certificatePem,
    key: leaf.key.export({ type: "pkcs8", format: "pem" }).toString(),
  });
  try {
    cluster.sql(`create database shop; create role agent login password 'k9-secret-71'`);
    cluster.sql(
      `create table orders (id int primary key, customer text);
       insert into orders select g, 'customer ' || g from generate_series(1, 10) g; grant all on orders to agent`,
      "shop",
    );
    const login = ["--kind", "login", "--user", "agent", "--host", HOST, "--scheme", "postgres"];
    const added = await home.call(["credential", "add", "shop-db", ...login, "--stdin"], {
      input: "k9-secret-71",
    });
    assert.equal(added.code, 0, added.stderr);
    const grant = `{ system: postgres, name: shop, hosts: [${HOST}], dial: "127.0.0.1:${cluster.port}", ca: ${join(files, "ca.pem")}, credential: shop-db, with: { database: shop }, allow: [{ verbs: [select, delete], on: [public.orders] }, { verbs: [describe] }] }`;
    const file = join(files, "task.yaml");
    writeFileSync(
      file,
      `task: shop\npurpose: p\napprovals: { hold: 90s }\ngrants:\n  - ${grant}\n`,
    );
    await using desk = await openDesk({ home });
    const page = await desk.signedIn();
    await page.goto(`${desk.origin}/approvals`);
    const run = home.run(
      [
        "psql",
        "-X",
        "-At",
        "-h",
        HOST,
        "-U",
        "anybody",
        "-d",
        "shop",
        "-c",
        "delete from orders where id <= 3",
      ],
      ["--task", file],
    );
    const { id } = await eventually("it waits", 60_000, async () => (await home.approvals())[0]);
    await page.locator(`a[href$="${id}"]`).click();
    const rows = page.getByRole("region", { name: "Rows" });
    await rows.getByText("3 rows are touched").waitFor();
    const table = rows.getByRole("table");
    for (const customer of ["customer 1", "customer 2", "customer 3"]) {
      await table.getByText(customer, { exact: true }).waitFor();
    }
    assert.equal(await table.getByRole("rowheader", { name: "goes" }).count(), 3);
    assert.equal(await table.getByText("customer 4").count(), 0);
    await desk.picture(page, "approvals-rows");
    await desk.isAccessible(page);
    await page.keyboard.press("a");
    await page.waitForTimeout(450);
    await page.keyboard.press("Enter");
    const { stdout, stderr } = await run;
    assert.match(stdout, /DELETE 3/, stderr);
    assert.match(cluster.sql("select count(*) from orders", "shop"), /7/);
  } finally {
    await home.close();
    cluster.stop();
    rmSync(files, { recursive: true });
  }
});
