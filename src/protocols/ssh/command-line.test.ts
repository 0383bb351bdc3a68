/**
 * Command lines: what is sent means one thing, in every shell that a server may have.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { loadGrammar, readCommandLine, spell } from "./command-line.ts";
import { meaningOf } from "./describe-command.ts";

await loadGrammar();

const SHELLS = ["/bin/sh", "/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"] as const;

const root = mkdtempSync(join(tmpdir(), "cofferdam-words-"));
after(() => rmSync(root, { recursive: true, force: true }));
// A program that says its words, each with a length ahead, so that none can pass for two.
writeFileSync(
  join(root, "words"),
  `#!/bin/sh\nfor w in "$@"; do printf '%s:%s\\n' "\${#w}" "$w"; done\n`,
);
chmodSync(join(root, "words"), 0o755);

const environment = { PATH: `${root}:/usr/bin:/bin`, HOME: root, LC_ALL: "C.UTF-8" };

function wordsBy(shell: string, sent: string): string {
  return execFileSync(shell, ["-c", sent], { env: environment, cwd: root, encoding: "utf8" });
}

function shown(words: readonly string[]): string {
  return words.map((word) => `${Buffer.byteLength(word)}:${word}\n`).join("");
}

const awkward = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "\\",
        "$",
        "`",
        "!",
        "#",
        "~",
        "*",
        "?",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
      ),
      fc.constantFrom(
        ";",
        "&",
        "|",
        "<",
        ">",
        "=",
        "%",
        "^",
        " ",
        "-",
        "@",
        ",",
        ":",
        "/",
        "a",
        "B",
        "é",
        "0",
      ),
      fc.constantFrom(
        "\\'",
        "''",
        "$(id)",
        "a b",
        "--",
        "=ls",
        "~root",
        "if",
        "then",
        "%self",
        "\\\\",
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

test("INV-105: the spelling of any words is read as those words by sh, bash, zsh and fish", () => {
  const lists = fc.sample(fc.array(awkward, { minLength: 1, maxLength: 6 }), {
    numRuns: 60,
    seed: 7,
  });
  // One shell reads all of them: starting one is what takes time.
  const sent = lists.map((words) => ["words", ...words].map(spell).join(" ")).join("; ");
  const wanted = lists.map(shown).join("");
  for (const shell of SHELLS) assert.equal(wordsBy(shell, sent), wanted, shell);
});

test("INV-105: what a simple line is sent as runs the words that were judged, whatever was written", () => {
  const quoted = fc.oneof(
    awkward,
    awkward.map((text) => `'${text}'`),
    awkward.map((text) => `"${text}"`),
    awkward.map((text) => text.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`)),
  );
  const texts = fc
    .sample(fc.array(quoted, { maxLength: 4 }), { numRuns: 3000, seed: 11 })
    .map((words) => ["words", ...words].join(" "));
  const simple = texts.flatMap((text) => {
    const line = readCommandLine(text);
    if (
      line.kind !== "simple" ||
      line.commands.some(
        ({ words, globs }) => words[0] !== "words" || globs.size > 0 || words.includes("/dev/null"),
      )
    )
      return [];
    return line.sent.includes("|") && line.commands.length > 1 ? [] : [line];
  });
  assert.ok(simple.length > 200, `${simple.length} are simple`);
  const kept = simple
    .filter(({ sent }) => !/[<>]/.test(sent.replaceAll(/'[^']*'/g, "")))
    .slice(0, 400);
  const sent = kept.map((line) => line.sent.replaceAll(" && ", "; ").replaceAll(" || ", "; "));
  const whole = kept.filter((line, at) => line.sent === sent[at]);
  const wanted = whole
    .flatMap(({ commands }) => commands.map(({ words }) => shown(words.slice(1))))
    .join("");
  for (const shell of SHELLS) {
    assert.equal(wordsBy(shell, whole.map((line) => line.sent).join("; ")), wanted, shell);
  }
});

test("bash reads a simple line as it was read here", () => {
  const lines = [
    "words a 'b c' \"d e\" f\\ g",
    'words \'it\'"\'"\'s\' "a\\"b" "c\\\\d" "e\\f"',
    "words a\\\n b",
    "words -- --x=y -z # not this",
    "words a;words b&&words c||words d",
    "words '' \"\" ''\"\"",
    "words a#b 'x'#y",
    "words =x %y ^z @w +v ,u",
  ];
  for (const text of lines) {
    const line = readCommandLine(text);
    assert.equal(line.kind, "simple", text);
    if (line.kind !== "simple") continue;
    assert.equal(wordsBy("/bin/bash", line.sent), wordsBy("/bin/bash", text), text);
  }
});

test("a git server of a kind that compares texts is sent the quotes that it wants", () => {
  assert.equal(
    meaningOf("git-upload-pack 'team/app.git'", false).sent,
    "git-upload-pack 'team/app.git'",
  );
  assert.equal(
    meaningOf("git-receive-pack '/srv/x.git'", false).sent,
    "git-receive-pack '/srv/x.git'",
  );
});

test("reading a command line never throws, and takes time in proportion to it", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(awkward).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(texts, fc.boolean(), (text, isInteractive) => {
      const { parts, sent } = meaningOf(text, isInteractive);
      assert.ok(parts.length > 0);
      // What is not told apart is one script, and is sent as it came.
      if (
        parts.some(({ verb }) => verb === "script") &&
        parts.length === 1 &&
        parts[0]?.object[0] === text
      ) {
        assert.equal(sent, text);
      }
    }),
    { seed: 3, numRuns: 3000 },
  );
  for (const unit of [
    "$(",
    "'",
    "\\",
    "((",
    "{a,",
    "<<x\n",
    "a;",
    "if ",
    "`",
    "[[ ",
    '"$(',
    "|",
    "& ",
  ]) {
    const begun = performance.now();
    meaningOf(unit.repeat(60_000 / unit.length), false);
    assert.ok(performance.now() - begun < 2000, `${unit}: ${performance.now() - begun} ms`);
  }
});

test("INV-106: nothing but an exec of words is made of what has one part for a pattern to name", () => {
  const any = fc
    .array(fc.oneof(awkward, fc.constantFrom("ls", "sudo", "env", "|", ";", ">", "sh", "-c")))
    .map((all) => all.join(" "));
  fc.assert(
    fc.property(any, (text) => {
      const line = readCommandLine(text);
      const { parts } = meaningOf(text, false);
      if (line.kind === "script") {
        assert.deepEqual(
          parts.map(({ verb, object }) => [verb, object]),
          [["script", [text]]],
        );
        assert.ok(parts[0]?.effects.includes("execute"));
      } else if (!/^(scp|rsync|git)/.test(line.commands[0]?.words[0] ?? "")) {
        assert.equal(parts.length, line.commands.length);
      }
    }),
    { seed: 5, numRuns: 2000 },
  );
});
