/** Fuzz targets of git: bytes of all sorts into every reader; a push in pieces; servers that tell little or lies. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { applyDelta } from "../../src/git/delta.ts";
import { readFetched, readRefs } from "../../src/git/fetch.ts";
import {
  describePush,
  packet,
  PushInquiry,
  PushScanner,
  readFetchRequest,
  readKnown,
  rejectionOf,
} from "../../src/git/index.ts";
import { FORMATS, idOf } from "../../src/git/object-format.ts";
import { parseCommit, parseTag, parseTree } from "../../src/git/objects.ts";
import { isRefName } from "../../src/git/ref-name.ts";
import { readPack } from "../../src/git/pack.ts";
import { tryRead } from "../../src/git/unreadable.ts";
import { commitData, handMade, packOf, partsOf, randomOf, Repository, treeData } from "./kit.ts";

let repository: Repository;
let base = "";
let body: Buffer;
before(() => {
  repository = new Repository();
  base = repository.commit({
    "a/b": "1\n2\n3\n",
    "package.json": "{}",
    ".github/workflows/x.yml": "x",
  });
  const now = repository.commit({ "a/b": "1\n2\n4\n", c: "x" });
  body = repository.pushBody([{ ref: "refs/heads/agent/x", old: base, new: now }]);
});
after(() => repository.remove());

const bytes = fc.uint8Array({ maxLength: 400 }).map((list) => Buffer.from(list));

test("INV-119: fuzz: no bytes make a reader throw, and none takes long", () => {
  const readers: readonly (readonly [string, (data: Buffer) => unknown])[] = [
    ["pack", (data) => tryRead(() => readPack(data, FORMATS.sha1))],
    ["tree", (data) => tryRead(() => parseTree(data, FORMATS.sha1))],
    ["commit", (data) => tryRead(() => parseCommit(data, FORMATS.sha1))],
    ["tag", (data) => tryRead(() => parseTag(data, FORMATS.sha1))],
    ["delta", (data) => tryRead(() => applyDelta(Buffer.alloc(64), data))],
    ["fetch", (data) => readFetchRequest(data, false)],
    ["packed fetch", (data) => readFetchRequest(data, true)],
    ["fetch within gzip", (data) => readFetchRequest(gzipSync(data), true)],
    ["refs", (data) => readRefs(data, FORMATS.sha1)],
    ["answer", (data) => readFetched(data, FORMATS.sha1)],
    ["push", (data) => describePush({ body: data })],
    ["scanner", (data) => new PushScanner().push(data)],
    ["rejection", (data) => rejectionOf(data, { short: "x", lines: ["y"] })],
    ["inquiry", (data) => new PushInquiry(data).next()],
    ["pushed pack", (data) => describePush({ body: handMade([], undefined, data) })],
  ];
  for (const [name, read] of readers) {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((data) =>
            Buffer.concat([Buffer.from("PACK\0\0\0\x02\0\0\0\x01", "latin1"), data]),
          ),
        ),
        (data) => {
          const start = process.hrtime.bigint();
          read(data);
          const ms = Number(process.hrtime.bigint() - start) / 1e6;
          assert.ok(ms < 1000, `${name} took ${ms} ms`);
        },
      ),
      { numRuns: 400 },
    );
  }
});

test("INV-121: a push with a changed byte is unreadable, or is judged at least as strictly", () => {
  const { facts } = repository.inquire(body);
  const known = readKnown(JSON.parse(JSON.stringify(facts)));
  const random = randomOf(3);
  const before = describePush({ body, known });
  assert.ok(!("unreadable" in before));
  let read = 0;
  for (let n = 0; n < 2000; n += 1) {
    const broken = Buffer.from(body);
    const at = random(broken.length);
    broken[at] = random(256);
    const now = describePush({ body: broken, known });
    if ("unreadable" in now) continue;
    read += 1;
    // The objects are hashed, so only names of refs and old tips can be another.
    assert.equal(now.parts.length >= 1, true);
    assert.ok(
      now.effects.includes("write") || now.effects.includes("administer"),
      JSON.stringify(now.parts),
    );
    assert.ok(now.effects.length >= before.effects.length);
  }
  assert.ok(read > 5, `${read}`);
});

test("INV-121: what a server leaves out of its answers never makes a push milder", () => {
  const whole = JSON.parse(JSON.stringify(repository.inquire(body).facts)) as {
    objects: Record<string, string>;
    branches: Record<string, string>;
  };
  const strict = ["read", "write", "publish", "execute"];
  const all = describePush({ body, known: readKnown(whole) });
  assert.ok(!("unreadable" in all));
  const rank = (effects: readonly string[]) =>
    Math.max(...effects.map((one) => (strict.includes(one) ? strict.indexOf(one) : 9)));
  for (const id of Object.keys(whole.objects)) {
    const { [id]: _, ...objects } = whole.objects;
    const less = describePush({ body, known: readKnown({ ...whole, objects }) });
    if ("unreadable" in less) continue;
    assert.ok(rank(less.effects) >= rank(all.effects), `without ${whole.objects[id]?.slice(0, 6)}`);
    for (const part of partsOf(all)) {
      const ref = part.replace("push.update", "push.force");
      assert.ok(
        partsOf(less).some((one) => one === part || one === ref),
        part,
      );
    }
  }
  for (const lie of [
    {},
    { objects: [] },
    { objects: { x: 1 }, branches: { a: 1 } },
    null,
    7,
    "x",
    { ...whole, branches: "x" },
  ]) {
    readKnown(lie);
  }
});

test("a server without filters is asked without, and the judgement is the same", () => {
  const { facts } = repository.inquire(body);
  repository.git(["config", "uploadpack.allowFilter", "false"]);
  const plain = repository.inquire(body);
  repository.git(["config", "uploadpack.allowFilter", "true"]);
  assert.ok(plain.questions <= 12);
  const judged = [facts, plain.facts].map((one) => describePush({ body, known: readKnown(one) }));
  assert.deepEqual(judged[0], judged[1]);
});

test("a server that answers nothing, or anything, is asked a few times and no more", () => {
  for (const answer of [
    undefined,
    Buffer.alloc(0),
    Buffer.from("0000"),
    packet("ERR no\n"),
    Buffer.from("<html>"),
  ]) {
    const inquiry = new PushInquiry(body);
    let questions = 0;
    for (let one = inquiry.next(); one !== undefined; one = inquiry.next()) {
      questions += 1;
      inquiry.tell(answer);
    }
    assert.ok(questions >= 1 && questions <= 12, `${questions}`);
    JSON.stringify(inquiry.facts());
  }
});

test("the end of a push is found however it is cut, and not before", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sizes) => {
      const scanner = new PushScanner();
      let at = 0;
      for (let n = 0; at < body.length; n += 1) {
        const next = Math.min(body.length, at + (sizes[n % sizes.length] ?? 1));
        const { state } = scanner.push(body.subarray(at, next));
        at = next;
        assert.equal(state, at === body.length ? "done" : "more", `${at} of ${body.length}`);
      }
      assert.deepEqual(scanner.bytes, body);
    }),
    { numRuns: 60 },
  );
  const deletion = repository.pushBody([{ ref: "refs/heads/x", old: base }]);
  assert.deepEqual(new PushScanner().push(deletion), { state: "done" });
});

test("a ref that we take git takes as well", () => {
  const random = randomOf(5);
  const pieces = [
    "refs",
    "/",
    "heads",
    "a",
    ".",
    "..",
    "@{",
    "@",
    "~",
    "^",
    ":",
    "?",
    "*",
    "[",
    "\\",
    " ",
    "-",
    ".lock",
    "ü",
    "x/y",
    "\x7f",
    "\x01",
  ];
  let taken = 0;
  for (let n = 0; n < 400; n += 1) {
    const tail = Array.from({ length: 1 + random(5) }, () => pieces[random(pieces.length)]).join(
      "",
    );
    const name = `refs/heads/${tail}`;
    if (!isRefName(name)) continue;
    taken += 1;
    execFileSync("git", ["check-ref-format", name]);
  }
  assert.ok(taken > 20, `${taken}`);
});

test("INV-119: a pack of as many objects as may be is read in seconds, and one more is not", () => {
  const blobs = Array.from({ length: 19_000 }, (_, at) => ({
    kind: "blob" as const,
    data: Buffer.from(`${at}`),
  }));
  const start = process.hrtime.bigint();
  assert.equal(readPack(packOf(blobs), FORMATS.sha1).objects.size, 19_000);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  assert.ok(seconds < 10, `${seconds} s`);
  assert.equal(tryRead(() => readPack(packOf([], 20_001), FORMATS.sha1)).ok, false);
});

test("a large folder is compared in time by its length", () => {
  const entries = Array.from(
    { length: 50_000 },
    (_, at) => ["100644", `f${String(at).padStart(6, "0")}`, "1".repeat(40)] as const,
  );
  const start = process.hrtime.bigint();
  assert.equal(parseTree(treeData(entries), FORMATS.sha1).length, 50_000);
  assert.ok(process.hrtime.bigint() - start < 3_000_000_000n);
});

/** A push of one commit with files of these names in one folder, all of one content. */
function named(names: readonly string[], content: Buffer): Buffer {
  const blob = { kind: "blob" as const, data: content };
  const id = idOf(blob, FORMATS.sha1);
  const sorted = [...names].sort();
  const tree = {
    kind: "tree" as const,
    data: treeData(sorted.map((name) => ["100644", name, id] as const)),
  };
  const commit = { kind: "commit" as const, data: commitData(idOf(tree, FORMATS.sha1)) };
  return handMade([blob, tree, commit]);
}

test("INV-119: long and odd names cost no more than their length, and what is told of them is bounded", () => {
  const many = Array.from({ length: 4900 }, (_, at) => `${"n".repeat(200)}${at}`);
  const cases: readonly (readonly [string, readonly string[], boolean])[] = [
    ["one too long", ["x".repeat(1025)], false],
    ["dots", Array.from({ length: 2000 }, (_, at) => `${". ".repeat(400)}x${at}`), true],
    ["colons", Array.from({ length: 2000 }, (_, at) => `${":".repeat(900)}${at}`), true],
    ["many without text", many, true],
    ["many that something runs", many.map((name) => `${name}.mk`), false],
  ];
  for (const [what, names, isRead] of cases) {
    const pushed = named(names, Buffer.from([0, 1, 2]));
    const start = process.hrtime.bigint();
    const described = describePush({
      body: pushed,
      known: readKnown({ branches: {}, objects: {} }),
    });
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    assert.ok(ms < 5000, `${what}: ${ms} ms`);
    assert.equal(!("unreadable" in described), isRead, what);
    // A worker may say four million characters at once.
    assert.ok(JSON.stringify(described).length < 1_500_000, what);
  }
});

test("what is told of a push with much of everything is bounded", () => {
  const own = new Repository();
  try {
    const first = own.commit({ a: "1" });
    const stream = Array.from({ length: 130 }, (_, n) => {
      const message = `${n}\n\n${"m".repeat(9000)}`;
      const head = `commit refs/heads/main\nmark :${n + 1}\ncommitter C <c@x> ${1_700_000_000 + n} +0000`;
      const from = n === 0 ? first : `:${n}`;
      return `${head}\ndata ${message.length}\n${message}\nfrom ${from}\n\n`;
    });
    const tagged = Array.from({ length: 20 }, (_, n) => {
      const text = "t".repeat(50_000);
      return `tag v${n}\nfrom :130\ntagger C <c@x> 1700000000 +0000\ndata ${text.length}\n${text}\n`;
    });
    own.git(["fast-import", "--quiet", "--force"], [...stream, ...tagged].join(""));
    const ids = own.text(["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"]);
    const tags = ids.split("\n").map((line) => ({ new: line.slice(0, 40), ref: line.slice(41) }));
    const pushed = own.pushBody([{ ref: "refs/heads/x", old: first, new: own.head() }, ...tags]);
    const described = own.judge(pushed);
    assert.ok(JSON.stringify(described).length < 1_500_000);
    assert.match(described.content.notShown.join("\n"), /commits of the log/);
    assert.match(described.content.notShown.join("\n"), /things more/);
  } finally {
    own.remove();
  }
});
