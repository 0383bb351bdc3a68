import assert from "node:assert/strict";
import { test } from "node:test";
import {
  coversAll,
  flawOfObjectGlob,
  matchesObject,
  parseObjectGlob,
  printVerbs,
} from "./object-glob.ts";

const CASES: readonly (readonly [
  source: string,
  separator: string,
  object: readonly string[],
  covered: boolean,
])[] = [
  ["public.orders", ".", ["public", "orders"], true],
  ["public.orders", ".", ["private", "orders"], false],
  ["public.orders", ".", ["public", "orders", "total"], false],
  ["public.order*", ".", ["public", "orders_2026"], true],
  ["public.*", ".", ["public", "a.b"], true],
  ["*.orders", ".", ["public", "orders"], true],
  ["systemctl status *", " ", ["systemctl", "status", "nginx"], true],
  ["systemctl status *", " ", ["systemctl", "status"], false],
  ["systemctl status *", " ", ["systemctl", "status", "nginx", "--now"], false],
  ["systemctl status *", " ", ["systemctl", "status", "nginx --now"], true],
  ["systemctl status *", " ", ["systemctl status", "x", "y"], false],
  ["journalctl **", " ", ["journalctl"], true],
  ["journalctl **", " ", ["journalctl", "-u", "nginx"], true],
  ["journalctl **", " ", ["journalctl2"], false],
  ["journalctl ** -n *", " ", ["journalctl", "-u", "x", "-n", "5"], true],
  ["cat /srv/*", " ", ["cat", "/srv/a/b"], true],
  ["cat /srv/*", " ", ["cat", "/srv/../etc/shadow"], false],
  ["cat /srv/*", " ", ["cat", "/srv/.."], false],
  ["cat /srv/*", " ", ["cat", "/srv/a..b"], true],
  ["tar --file=/srv/*", " ", ["tar", "--file=/srv/x/../../etc"], false],
  ["cat *", " ", ["cat", "/srv/../etc/shadow"], true],
  ["cat /srv/../etc/shadow", " ", ["cat", "/srv/../etc/shadow"], true],
  ["/etc/nginx/**", "/", ["etc", "nginx"], true],
  ["/etc/nginx/**", "/", ["etc", "nginx", "sites", "a"], true],
  ["/etc/nginx/**", "/", ["etc", "nginx2"], false],
  ["*@client.example", "@", ["ann", "client.example"], true],
  ["*@client.example", "@", ["ann", "evil.example"], false],
  ["*@client.example", "@", ["ann@evil.example", "client.example"], true],
  ["session:*", "", ["session:42"], true],
  ["session:*", "", ["sessions"], false],
  ["session:*", "", ["session:"], true],
  ["*", "", [""], false],
];
for (const [source, separator, object, covered] of CASES) {
  test(`${source} ${covered ? "covers" : "does not cover"} ${JSON.stringify(object)}`, () => {
    assert.equal(matchesObject(parseObjectGlob(source, separator), object), covered);
  });
}

test("what says nothing, or could be read in two ways, is told with the fix", () => {
  assert.equal(flawOfObjectGlob("public.orders", "."), undefined);
  assert.match(flawOfObjectGlob("..", ".")?.[0] ?? "", /names nothing/);
  assert.match(flawOfObjectGlob("public.or**", ".")?.[0] ?? "", /\*\* beside/);
  assert.match(flawOfObjectGlob("a**", "")?.[1] ?? "", /one segment/);
  assert.match(flawOfObjectGlob("a\nb", ".")?.[0] ?? "", /control/);
});

test("a pattern of everything is known as one, however it is written", () => {
  assert.ok(["*.*", "**.*", "*.**"].every((one) => coversAll(parseObjectGlob(one, "."))));
  assert.ok(coversAll(parseObjectGlob("* **", " ")));
  assert.deepEqual(
    ["**", "*"].map((one) => coversAll(parseObjectGlob(one, "."))),
    [true, true],
  );
  assert.equal(coversAll(parseObjectGlob("public.*", ".")), false);
});

test("a rule of verbs is one phrase", () => {
  const on = [parseObjectGlob("systemctl status *", " ")];
  const phrase = printVerbs({ verbs: ["exec"], on, doing: ["read"] });
  assert.equal(phrase, "exec on systemctl status * doing read");
});
