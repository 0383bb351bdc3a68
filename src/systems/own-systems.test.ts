/** Systems of a user's own: each file that is refused with its place, and what a good one is. */
import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { OwnSystems, SYSTEMS_MAX } from "./own-systems.ts";

const folder = join(mkdtempSync(join(tmpdir(), "cofferdam-systems-")), "catalog");
after(() => rmSync(join(folder, ".."), { recursive: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
});

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples", "catalog");
const GOOD = `system: tickets
title: Tickets
docs: [https://tickets.example.com/api]
unknown: [send, delete]
routes:
  - verb: ticket.close
    request: POST /tickets/{id}/close
    effects: [send]
    summary: Close ticket {path.id}
`;

const put = (text: string, name = "tickets.yaml") =>
  writeFileSync(join(folder, name), text, { mode: 0o600 });
const read = () => [...new OwnSystems(folder).read().keys()];

test("the examples are systems, and no folder is none", () => {
  cpSync(EXAMPLES, folder, { recursive: true });
  assert.deepEqual(read(), ["ghost", "invoices", "mattermost"]);
  rmSync(folder, { recursive: true });
  assert.deepEqual(read(), []);
});

test("a file that changed is read again, and has another digest; one that broke takes all with it", () => {
  const systems = new OwnSystems(folder);
  put(GOOD);
  const first = systems.read();
  assert.equal(systems.read(), first, "not read twice");
  put(GOOD.replace("[send]\n    summary", "[write]\n    summary"));
  const second = systems.read();
  assert.notEqual(second.get("tickets")?.digest, first.get("tickets")?.digest);
  assert.deepEqual(second.get("tickets")?.entry.routes[0]?.effects, ["write"]);
  put(GOOD.replaceAll("tickets", "other").replace("routes:", "rutes:"), "other.yaml");
  assert.throws(() => systems.read(), /other\.yaml:5:1: .*rutes.*did you mean "routes"/);
  assert.throws(() => systems.read(), /other\.yaml:5:1/, "and it is said each time");
  rmSync(join(folder, "other.yaml"));
  assert.deepEqual([...systems.read().keys()], ["tickets"]);
});

const route = (text: string) => GOOD.replace("    summary:", `${text}\n    summary:`);

const REFUSED = [
  ["nothing", "", /^\S+tickets\.yaml:1:1: the file is empty/],
  ["no routes", GOOD.slice(0, GOOD.indexOf("routes")), /"routes" is missing/],
  [
    "a key that nobody knows",
    GOOD.replace("title:", "titel: x\ntitle:"),
    /:2:1: "titel" is not a key/,
  ],
  ["a key twice", GOOD.replace("title:", "title: x\ntitle:"), /:3:1: the key "title" stands twice/],
  ["an alias", GOOD.replace("Tickets\n", "&a Tickets\n"), /anchors are not read/],
  ["an effect that is none", GOOD.replace("[send]", "[sned]"), /:8:15: .*sned.*did you mean send/],
  ["no highest effects", GOOD.replace("[send, delete]", "[]"), /unknown is an empty list/],
  [
    "a name of ours",
    GOOD.replace("system: tickets", "system: wordpress"),
    /:1:9: .*is a name of Cofferdam's own/,
  ],
  ["a word of task files", GOOD.replace("system: tickets", "system: http"), /Cofferdam's own/],
  [
    "another name than its file's",
    GOOD.replace("system: tickets", "system: ticket"),
    /call the file ticket\.yaml/,
  ],
  [
    "a path that cannot be read",
    GOOD.replace("{id}/close", "{id...}/close"),
    /:7:14: routes\[0\]\.request cannot be read/,
  ],
  ["two names in a segment", GOOD.replace("{id}/", "{id}{x}/"), /cannot be read/],
  ["an expression that is none", GOOD.replace("{id}/", "{id:[}/"), /cannot be read/],
  [
    "a name that is not in its path",
    GOOD.replace("{path.id}", "{path.number}"),
    /not every path of the route has \{number\}/,
  ],
  [
    "a source that is none",
    GOOD.replace("{path.id}", "{current.id}"),
    /neither a part of the request nor a look-up/,
  ],
  [
    "a case that hangs on nothing",
    route("    cases: [{ when: {}, effects: [read] }]"),
    /hides what follows/,
  ],
  [
    "a case on what is not looked up",
    route("    cases: [{ when: { state.x: { only: [a] } }, effects: [read] }]"),
    /"state" is neither/,
  ],
  [
    "a test that always holds",
    route("    cases: [{ when: { body.x: {} }, effects: [read] }]"),
    /always holds/,
  ],
  [
    "the verb of what is unknown",
    GOOD.replace("ticket.close", "unknown"),
    /has a meaning of its own/,
  ],
  [
    "the same request twice",
    `${GOOD}${GOOD.slice(GOOD.indexOf("  - verb"))}`,
    /stands in a route before/,
  ],
  ["a reader that is none", route("    reader: shell"), /reader .*is not one of/],
  [
    "an expression of a test that is none",
    route("    cases: [{ when: { body.x: { only_like: '[' } }, effects: [read] }]"),
    /not a regular expression/,
  ],
] as const;
for (const [why, text, message] of REFUSED) {
  test(`INV-66: refused whole, with its place: ${why}`, () => {
    put(text);
    assert.throws(read, (error: Error & { code?: string }) => {
      assert.equal(error.code, "systems.file");
      assert.match(error.message, message);
      return true;
    });
  });
}

test("INV-66: only a file that nobody else can write is read, and only from such a folder", () => {
  put(GOOD);
  const path = join(folder, "tickets.yaml");
  chmodSync(path, 0o620);
  assert.throws(read, /can be written by other users/);
  chmodSync(path, 0o600);
  chmodSync(folder, 0o777);
  assert.throws(read, /can be written by other users/);
  chmodSync(folder, 0o700);
  assert.deepEqual(read(), ["tickets"]);
});

test("INV-66: what is no file of a system is not passed over", () => {
  put(GOOD, "tickets.yml");
  assert.throws(read, /tickets\.yml is no system's file/);
  rmSync(join(folder, "tickets.yml"));
  mkdirSync(join(folder, "tickets.yaml"));
  assert.throws(read, /tickets\.yaml is not a file/);
  rmSync(join(folder, "tickets.yaml"), { recursive: true });
  symlinkSync("/dev/zero", join(folder, "tickets.yaml"));
  assert.throws(read, /tickets\.yaml/);
  rmSync(join(folder, "tickets.yaml"));
  put("# notes", "README.md");
  assert.deepEqual(read(), []);
  for (let n = 0; n <= SYSTEMS_MAX; n += 1) put(GOOD, `s${n}.yaml`);
  assert.throws(read, /more than 200 systems/);
});

test("every example says where it is from and is named in the guide", () => {
  const guide = readFileSync(
    join(EXAMPLES, "..", "..", "docs", "guides", "own-systems.md"),
    "utf8",
  );
  for (const name of ["ghost", "invoices", "mattermost"]) {
    assert.match(guide, new RegExp(`examples/catalog/${name}\\.yaml`));
  }
});
