/**
 * What we read of packs and pushes, held to git itself: random histories, pushed from anywhere to anywhere,
 * and broken objects. Seeded; COFFERDAM_GIT_PUSHES says how many pushes.
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { NOTHING_KNOWN, readPush } from "../../src/git/push.ts";
import { readKnown } from "../../src/git/index.ts";
import { FORMATS, idOf, type ObjectKind } from "../../src/git/object-format.ts";
import { parseCommit, parseTag, parseTree } from "../../src/git/objects.ts";
import { readPack } from "../../src/git/pack.ts";
import { tryRead } from "../../src/git/unreadable.ts";
import type { Change } from "../../src/git/tree-diff.ts";
import { randomOf, Repository } from "./kit.ts";

const PUSHES = Number(process.env["COFFERDAM_GIT_PUSHES"] ?? 150);
const SEED = Number(process.env["COFFERDAM_GIT_SEED"] ?? 7);

const NAMES = ["a", "b.txt", "src", "lib", "x y", "ü", "Makefile", ".github", "z"];

/** A stream for fast-import: commits, merges, roots; files, folders, links and modes. */
function randomHistory(random: (below: number) => number, commits: number): string {
  const lines: string[] = [];
  const marks: number[] = [];
  for (let n = 1; n <= commits; n += 1) {
    const parents =
      marks.length === 0 || random(25) === 0
        ? []
        : Array.from(
            { length: random(6) === 0 ? 2 : 1 },
            () => marks[Math.max(0, marks.length - 1 - random(6))] ?? 1,
          );
    const [from, ...merges] = [...new Set(parents)];
    const message = `commit ${n}\n`;
    lines.push(`commit refs/heads/b${n}`, `mark :${n}`);
    lines.push(
      `author A <a@x> ${1_700_000_000 + n} +0100`,
      `committer C <c@x> ${1_700_000_000 + n} -0330`,
    );
    lines.push(`data ${message.length}`, message.trimEnd());
    if (from !== undefined) lines.push(`from :${from}`);
    for (const one of merges) lines.push(`merge :${one}`);
    for (let change = random(4); change >= 0; change -= 1) {
      const path = Array.from({ length: 1 + random(3) }, () => NAMES[random(NAMES.length)]).join(
        "/",
      );
      const quoted = JSON.stringify(path);
      if (random(6) === 0) {
        lines.push(`D ${quoted}`);
        continue;
      }
      const mode = ["100644", "100644", "100755", "120000"][random(4)] ?? "100644";
      const text = Array.from(
        { length: 1 + random(30) },
        (_, at) => `line ${at} ${random(4)}`,
      ).join("\n");
      lines.push(`M ${mode} inline ${quoted}`, `data ${Buffer.byteLength(text)}`, text);
    }
    lines.push("");
    marks.push(n);
  }
  return `${lines.join("\n")}\n`;
}

const random = randomOf(SEED);
let repository: Repository;
let commits: readonly string[] = [];

before(() => {
  repository = new Repository();
  repository.git(["fast-import", "--quiet", "--force"], randomHistory(random, 120));
  commits = repository.text(["rev-list", "--all"]).split("\n");
});
after(() => repository.remove());

const isBehind = (old: string, now: string): boolean => {
  try {
    repository.git(["merge-base", "--is-ancestor", old, now]);
    return true;
  } catch {
    return false;
  }
};

/** `path old new` of each change, as git says it. */
function rawDiff(args: readonly string[]): readonly string[] {
  const fields = repository
    .git(["diff-tree", "-r", "-z", "--no-renames", "--raw", ...args])
    .toString("latin1")
    .split("\0");
  const lines: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [oldMode = "", newMode = "", oldId = "", newId = ""] = (fields[at] ?? "")
      .slice(1)
      .split(" ");
    lines.push([fields[at + 1], oldMode, oldId, newMode, newId].join(" "));
  }
  return lines.sort();
}

const known = new Map<string, readonly string[]>();

function diffOfCommit(id: string): readonly string[] {
  let diff = known.get(id);
  if (diff === undefined) {
    const [, parent] = repository.text(["rev-list", "--parents", "-1", id]).split(" ");
    diff = rawDiff(parent === undefined ? ["--root", "--no-commit-id", id] : [parent, id]);
    known.set(id, diff);
  }
  return diff;
}

function ourDiff(changes: readonly Change[]): readonly string[] {
  const side = (one: Change["old"]) => [one?.mode ?? "000000", one?.id ?? "0".repeat(40)];
  // git tells a type change in one line, we as one that goes and one that comes.
  const byPath = new Map<string, [Change["old"], Change["now"]]>();
  for (const { path, old, now } of changes) {
    const name = path.join("/");
    const [was, is] = byPath.get(name) ?? [undefined, undefined];
    byPath.set(name, [old ?? was, now ?? is]);
  }
  return [...byPath]
    .map(([name, [old, now]]) => [name, ...side(old), ...side(now)].join(" "))
    .sort();
}

test(`INV-119: ${PUSHES} random pushes: refs, commits and paths are what git says`, () => {
  const counted = { update: 0, force: 0, create: 0, changes: 0, commits: 0, thin: 0 };
  for (let n = 0; n < PUSHES; n += 1) {
    const [one, other] = [
      commits[random(commits.length)] ?? "",
      commits[random(commits.length)] ?? "",
    ];
    const behind = repository.text(["rev-list", "-20", one]).split("\n");
    const before = random(2) === 0 ? other : behind[random(behind.length)];
    const old = random(4) === 0 ? undefined : before;
    if (old === one) continue;
    const wish = { ref: "refs/heads/agent/x", new: one, ...(old === undefined ? {} : { old }) };
    // What the server has: the old tip, or some commit of it.
    const has = old === undefined ? [commits[random(commits.length)] ?? ""] : [old];
    const thin = random(3) > 0;
    const body = repository.pushBody([wish], { has, thin });
    const { facts } = repository.inquire(body);
    const read = readPush(body, readKnown(JSON.parse(JSON.stringify(facts))), []);
    assert.ok(read.ok, read.ok ? "" : read.reason);
    const { refs, commits: news, missing } = read.value;
    assert.deepEqual(missing, []);
    assert.deepEqual(missing, []);
    const [ref] = refs;
    assert.ok(ref !== undefined);
    const expected = repository.text(["rev-list", one, ...has.map((id) => `^${id}`)]);
    assert.deepEqual(
      news.map(({ id }) => id).sort(),
      expected
        .split("\n")
        .filter((id) => id !== "")
        .sort(),
    );
    counted.commits += news.length;
    for (const { id, changes } of news) {
      assert.deepEqual(ourDiff(changes), diffOfCommit(id), id);
    }
    if (old === undefined) {
      assert.equal(ref.how, "create");
      counted.create += 1;
    } else {
      const isFast = isBehind(old, one);
      assert.equal(ref.how, isFast ? "update" : "force", `${old} ${one}`);
      counted[isFast ? "update" : "force"] += 1;
      assert.deepEqual(ourDiff(ref.changes), rawDiff([old, one]), `${old} ${one}`);
      counted.changes += ref.changes.length;
    }
    if (thin) counted.thin += 1;
  }
  console.log(`# ${JSON.stringify(counted)}`);
});

test("every object of a pack has the name and content that git gives it, also with deep deltas and SHA-256", () => {
  for (const format of ["sha1", "sha256"] as const) {
    const own = new Repository({ format });
    try {
      own.git(["fast-import", "--quiet", "--force"], randomHistory(random, 60));
      own.git(["tag", "-a", "v1", "-m", "a tag", own.text(["rev-list", "--all", "-1"])]);
      for (const how of [
        [],
        ["--delta-base-offset"],
        ["--depth=250", "--window=250", "--delta-base-offset"],
      ]) {
        const pack = own.git(["pack-objects", "--all", "--revs", "--stdout", "-q", ...how], "");
        const { objects, count } = readPack(pack, FORMATS[format]);
        const listed = own.text(
          ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"],
          own.git(["rev-list", "--objects", "--all", "--no-object-names"]),
        );
        const ours = [...objects].map(([id, { kind, data }]) => `${id} ${kind} ${data.length}`);
        assert.deepEqual(ours.sort(), listed.split("\n").sort());
        assert.equal(count, objects.size);
      }
    } finally {
      own.remove();
    }
  }
});

test("INV-119: a pack with a changed byte is refused, or git reads the same objects from it", () => {
  const body = repository.git(["pack-objects", "--all", "--revs", "--stdout", "-q"], "");
  const small = repository.git(
    ["pack-objects", "--stdout", "-q"],
    `${commits.slice(0, 4).join("\n")}\n`,
  );
  for (const pack of [body, small]) {
    let refused = 0;
    for (let n = 0; n < 300; n += 1) {
      const broken = Buffer.from(pack);
      const at = random(broken.length);
      broken[at] = (broken[at] ?? 0) ^ (1 + random(255));
      // With its hash made right again the objects alone must give it away.
      const isRepaired = random(2) === 0;
      if (isRepaired) {
        const end = broken.length - 20;
        broken.set(sha1(broken.subarray(0, end)), end);
      }
      const ours = tryRead(() => readPack(broken, FORMATS.sha1));
      if (!ours.ok || ours.value.missingBases.length > 0) {
        refused += 1;
        continue;
      }
      const own = new Repository();
      try {
        own.git(["unpack-objects", "-q"], broken);
        const listed = own.text(["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"]);
        assert.deepEqual([...ours.value.objects.keys()].sort(), listed.split("\n").sort());
      } finally {
        own.remove();
      }
    }
    assert.ok(refused > 150, `${refused}`);
  }
});

test("INV-119: what our strict parsers take, `git fsck --strict` has nothing against", () => {
  const own = new Repository();
  try {
    const ids = new Map<string, string>();
    const ok = new Map<string, boolean>();
    const files = new Map<ObjectKind, string[]>();
    const bases = samplesOf(own);
    for (let n = 0; n < 600; n += 1) {
      const [kind, sample] = bases[n % bases.length] ?? (["blob", Buffer.alloc(0)] as const);
      const data = n < bases.length ? sample : mutated(sample, random);
      const parses = tryRead(() => {
        if (kind === "tree") parseTree(data, FORMATS.sha1);
        else if (kind === "commit") parseCommit(data, FORMATS.sha1);
        else parseTag(data, FORMATS.sha1);
      });
      const id = idOf({ kind, data }, FORMATS.sha1);
      const file = join(own.folder, `${kind}-${n}`);
      writeFileSync(file, data);
      files.set(kind, [...(files.get(kind) ?? []), file]);
      ids.set(id, data.toString("latin1"));
      ok.set(id, parses.ok);
      if (n < bases.length) assert.ok(parses.ok, parses.ok ? "" : `${kind}: ${parses.reason}`);
    }
    for (const [kind, list] of files) {
      own.git(["hash-object", "-t", kind, "--literally", "-w", "--stdin-paths"], list.join("\n"));
    }
    let said = "";
    try {
      own.git(["fsck", "--strict", "--no-dangling", "--unreachable"]);
    } catch (error) {
      said = String((error as { stderr?: Buffer }).stderr);
    }
    const faulty = new Set(
      [...said.matchAll(/^(?:error|warning) in (?:tree|commit|tag) ([0-9a-f]{40}): (.*)$/gm)]
        // Names of git's own are a finding of ours, not a refusal.
        .filter(
          ([, , what = ""]) =>
            !/^(?:broken links|hasDotgit|gitmodulesSymlink|gitattributesSymlink|gitignoreSymlink|mailmapSymlink)/.test(
              what,
            ),
        )
        .map(([, id = ""]) => id),
    );
    const accepted = [...ok].filter(([, isOk]) => isOk).map(([id]) => id);
    assert.ok(faulty.size > 100, `${faulty.size}: ${said.slice(0, 300)}`);
    assert.deepEqual(
      accepted
        .filter((id) => faulty.has(id))
        .map(
          (id) =>
            `${JSON.stringify(ids.get(id))}: ${said.split("\n").find((one) => one.includes(id))}`,
        ),
      [],
    );
    console.log(`# ${accepted.length} taken, ${faulty.size} faulty to git`);
  } finally {
    own.remove();
  }
});

function samplesOf(own: Repository): readonly (readonly [ObjectKind, Buffer])[] {
  const blob = own.blob("x\n");
  const commit = own.commit({ "a/b": "1", c: "2", "c.d": "3", "x.sh": "4" });
  own.git(["tag", "-a", "v1", "-m", "t"]);
  const tree = own.text(["rev-parse", "HEAD^{tree}"]);
  const merge = own.text([
    "commit-tree",
    tree,
    "-p",
    commit,
    "-p",
    own.commit({ e: "5" }),
    "-m",
    "m",
  ]);
  const raw = (kind: string, id: string) => own.git(["cat-file", kind, id]);
  return [
    ["tree", raw("tree", tree)],
    ["commit", raw("commit", commit)],
    ["commit", raw("commit", merge)],
    ["tag", raw("tag", "v1")],
    ["tree", Buffer.concat([Buffer.from("120000 l\0"), Buffer.from(blob, "hex")])],
  ];
}

const WORDS = [
  "\0",
  "\n",
  " ",
  "100664 ",
  "040000 ",
  "..",
  ".git",
  "/",
  "<",
  ">",
  "parent ",
  "author ",
  "0",
  "-1",
  "+01000",
  "tree ",
];

function mutated(sample: Buffer, next: (below: number) => number): Buffer {
  let data = Buffer.from(sample);
  for (let n = next(2); n >= 0; n -= 1) {
    const at = next(data.length + 1);
    const word = Buffer.from(WORDS[next(WORDS.length)] ?? "");
    const kind = next(4);
    if (kind === 0) data = Buffer.concat([data.subarray(0, at), word, data.subarray(at)]);
    else if (kind === 1)
      data = Buffer.concat([data.subarray(0, at), data.subarray(at + 1 + next(6))]);
    else if (kind === 2)
      data = Buffer.concat([data.subarray(0, at), word, data.subarray(at + word.length)]);
    else data[Math.min(at, data.length - 1)] = next(256);
  }
  return data;
}

function sha1(bytes: Uint8Array): Buffer {
  return Buffer.from(hash("sha1", bytes), "hex");
}

test("nothing known, a push is judged as the strictest it could be", () => {
  const own = new Repository();
  try {
    const old = own.commit({ "src/a.txt": "1\n", "package.json": "{}\n" });
    const now = own.commit({ "src/a.txt": "2\n" });
    const body = own.pushBody([{ ref: "refs/heads/x", old, new: now }], { thin: false });
    const read = readPush(body, NOTHING_KNOWN, []);
    assert.ok(read.ok);
    assert.ok(read.value.findings.some(({ verb }) => verb === "push.scripts"));
  } finally {
    own.remove();
  }
});
