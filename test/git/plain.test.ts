/** Servers that speak protocol version 0: what they tell is true, and where they tell less a push is stricter. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  Advertisement,
  answerOf,
  describePush,
  readKnown,
  readReport,
  rejectionFor,
  speaksVersion2,
} from "../../src/git/index.ts";
import { Repository, type Wish } from "./kit.ts";

const repositories: Repository[] = [];
after(() => repositories.forEach((it) => it.remove()));

const BASE = {
  "README.md": "# Site\n",
  "src/a.txt": Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join(""),
  "package.json": "{}\n",
  ".github/workflows/ci.yml": "on: push\n",
};
const AGENT = "refs/heads/agent/x";

const PUSHES: readonly (readonly [
  what: string,
  make: (it: Repository, base: string) => Wish,
  isAsMild: boolean,
])[] = [
  ["a branch at a tip", (it) => ({ ref: AGENT, new: it.commit({ a: "1" }) }), true],
  [
    "main goes on",
    (it, base) => ({ ref: "refs/heads/main", old: base, new: it.commit({ a: "1" }) }),
    true,
  ],
  ["a script", (it) => ({ ref: AGENT, new: it.commit({ "package.json": "{ }\n" }) }), true],
  [
    "an unrelated line",
    (it, base) => {
      it.git(["checkout", "-q", "--orphan", "alone"]);
      return { ref: AGENT, old: base, new: it.commit({ b: "1" }) };
    },
    false,
  ],
  [
    "behind the tip",
    (it, base) => {
      it.git(["checkout", "-q", "--detach", `${base}~1`]);
      return { ref: AGENT, old: base, new: it.commit({ b: "1" }) };
    },
    false,
  ],
  [
    "a branch off a commit that no ref names",
    (it, base) => {
      it.git(["checkout", "-q", "--detach", `${base}~1`]);
      return { ref: AGENT, new: it.commit({ b: "1" }) };
    },
    false,
  ],
];

for (const canFilter of [true, false]) {
  for (const [what, make, isAsMild] of canFilter ? PUSHES : PUSHES.slice(0, 2)) {
    test(`INV-121: in version 0 ${what} is ${isAsMild ? "the same" : "no milder"}${canFilter ? "" : ", also without filters"}`, () => {
      const it = new Repository();
      repositories.push(it);
      it.git(["config", "uploadpack.allowFilter", `${canFilter}`]);
      it.commit({ "src/b.txt": "b\n" }, "zero");
      const base = it.commit(BASE, "first");
      const wish = make(it, base);
      const body = it.pushBody([wish], { has: [base], thin: false });
      it.git(["checkout", "-q", "-f", "main"]);
      it.git(["reset", "-q", "--hard", base]);
      if (wish.old !== undefined) it.git(["update-ref", wish.ref, wish.old]);
      const [known, less] = [it.inquire(body).facts, it.inquirePlain(body)].map((facts) =>
        describePush({ body, known: readKnown(facts) }),
      );
      assert.ok(known !== undefined && !("unreadable" in known), "it can be read");
      assert.ok(less !== undefined && !("unreadable" in less), "it can be read");
      const effects = new Set(less.effects);
      assert.ok(
        known.effects.every((effect) => effects.has(effect)),
        `${known.effects.join()} in ${less.effects.join()}`,
      );
      if (isAsMild) assert.deepEqual(less.parts, known.parts);
    });
  }
}

test("a branch that could be another name of the default one is protected in version 0", () => {
  const it = new Repository();
  repositories.push(it);
  const base = it.commit(BASE);
  it.git(["symbolic-ref", "refs/heads/agent/x", "refs/heads/main"]);
  const body = it.pushBody([{ ref: AGENT, old: base, new: it.commit({ a: "1" }) }]);
  it.git(["update-ref", "refs/heads/main", base]);
  const described = describePush({
    body,
    known: readKnown(it.inquirePlain(body)),
    options: { protected: ["nothing"] },
  });
  assert.ok(!("unreadable" in described));
  assert.deepEqual(described.parts[0]?.effects, ["write", "publish"]);
});

test("an advertisement is passed on whole, however it is cut, with one capability more", () => {
  const it = new Repository();
  repositories.push(it);
  it.commit(BASE);
  it.git(["tag", "v1"]);
  const all = it.git(["receive-pack", "--http-backend-info-refs", "."]);
  const property = fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), (cuts) => {
    for (const adds of ["", "no-thin"]) {
      const reading = new Advertisement(adds);
      const out: Buffer[] = [];
      let at = 0;
      let isEnd = false;
      for (const to of [...cuts, all.length].sort((one, other) => one - other)) {
        const read = reading.push(all.subarray(at, to));
        assert.ok(read.ok && !isEnd);
        out.push(read.value.bytes);
        ({ isEnd } = read.value);
        at = to;
        if (isEnd) break;
      }
      assert.ok(isEnd);
      const came = Buffer.concat(out).toString("latin1");
      if (adds === "") assert.equal(came, all.toString("latin1"));
      else
        assert.match(
          came,
          /^[0-9a-f]{44} refs\/heads\/main\0[^\n]* no-thin\n[0-9a-f]{44} refs\/tags\/v1\n0000$/,
        );
    }
  });
  fc.assert(property);
});

test("what comes from a server is read or is nothing, whatever it is", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.boolean(),
    (bytes, isPlain) => {
      answerOf(bytes, isPlain);
      speaksVersion2(bytes);
      readReport(bytes, { capabilities: isPlain ? ["side-band-64k"] : [] });
      new Advertisement("no-thin").push(bytes);
    },
  );
  fc.assert(property);
});

test("a report says what was refused, in bands and without", () => {
  for (const bands of [[], ["side-band-64k"]]) {
    const capabilities = ["report-status", ...bands];
    const command = { ref: "refs/heads/x", old: "0", new: "1", kind: "create" } as const;
    const report = rejectionFor(
      { commands: [command], capabilities },
      { short: "no: why", lines: ["a"] },
    );
    assert.deepEqual(readReport(report ?? Buffer.alloc(0), { capabilities }), {
      unpack: "ok",
      refused: [{ ref: "refs/heads/x", reason: "no: why" }],
    });
    assert.equal(readReport(Buffer.from("0000"), { capabilities }), undefined);
  }
});
