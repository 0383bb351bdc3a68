import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Privileges, readGrant } from "./grants.ts";

const LINES = [
  // a line of MariaDB or MySQL, what it grants, why
  ["GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*B69027'", "USAGE *.*", "a password"],
  ["GRANT SELECT, UPDATE (`id`) ON `shop`.`orders` TO `a`@`%`", "SELECT,UPDATE shop.orders", ""],
  ["GRANT UPDATE (`a`, `b`), SELECT ON `s`.`t` TO `a`@`%`", "UPDATE,SELECT s.t", "two columns"],
  ["GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION", "ALL PRIVILEGES *.* +", ""],
  ["GRANT SELECT ON `sh\\_op`.* TO PUBLIC", "SELECT sh\\_op.*", "an escaped pattern"],
  ["GRANT EXECUTE ON PROCEDURE `shop`.`p1` TO `a`@`%`", "EXECUTE shop.p1 ()", "a routine"],
  ["GRANT SELECT ON `a``b`.`c` TO `x`@`%`", "SELECT a`b.c", "a name with a backtick"],
  ["GRANT `r1`@`%` TO `a`@`%`", "role", "membership, MySQL"],
  ["GRANT r1 TO a@%", "role", "membership, MariaDB"],
  ["SET DEFAULT ROLE `r1` FOR `a`@`%`", "role", ""],
  ["GRANT SHUTDOWN,BACKUP_ADMIN ON *.* TO `a`@`%`", "SHUTDOWN,BACKUP_ADMIN *.*", "dynamic ones"],
  ["REVOKE SELECT ON `a`.* FROM `x`@`%`", undefined, "partial revokes of MySQL are not read"],
  ["GRANT SELECT ON shop.orders TO a", undefined, "names stand in backticks"],
  ["GRANT SELECT ON `shop`.orders; DROP TABLE x", undefined, "no such line"],
  ["", undefined, ""],
] as const;
for (const [line, expected, why] of LINES) {
  test(`${line} is ${expected ?? "not understood"}${why === "" ? "" : `: ${why}`}`, () => {
    const read = readGrant(line);
    const said =
      read === undefined || read === "role"
        ? read
        : `${read.privileges.join()} ${read.database}.${read.name}${read.isRoutine ? " ()" : ""}${read.mayGrant ? " +" : ""}`;
    assert.equal(said, expected);
  });
}

const of = (...lines: readonly string[]) =>
  new Privileges(
    lines.flatMap((line) => {
      const read = readGrant(line);
      return read === undefined || read === "role" ? [] : [read];
    }),
  );

test("a pattern of databases covers as the server has it", () => {
  const one = of("GRANT SELECT ON `sh_p`.* TO `a`@`%`", "GRANT DELETE ON `a\\_b%`.* TO `a`@`%`");
  assert.ok(one.hasOn("shop", "orders", "SELECT"));
  assert.ok(!one.hasOn("shoop", "orders", "SELECT"));
  assert.ok(one.hasOn("a_bc", "t", "DELETE"));
  assert.ok(!one.hasOn("axbc", "t", "DELETE"));
  assert.ok(!one.hasOn("a.b", "t", "DELETE"), "a dot is no pattern");
});

test("a table's grant is of that database by its letters, and a routine's of no table", () => {
  const one = of(
    "GRANT SELECT ON `sh_p`.`t` TO `a`@`%`",
    "GRANT EXECUTE ON PROCEDURE `shop`.`P` TO `a`@`%`",
  );
  assert.ok(!one.hasOn("shop", "t", "SELECT"));
  assert.ok(one.mayCall("shop", "p") && !one.mayCall("shop", "q"));
  assert.ok(!one.hasOn("shop", "p", "EXECUTE") && !one.hasGlobal("SELECT"));
});

test("any line is read or not, without an error and in time that grows as it does", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (a, b) => {
      readGrant(`GRANT ${a} ON \`${b}\`.* TO x`);
      of(`GRANT SELECT ON \`${b.replaceAll("`", "``")}\`.* TO x`).hasOn(a, b, "SELECT");
    }),
  );
  assert.equal(readGrant(`GRANT ${"(".repeat(200_000)} ON`), undefined);
});
