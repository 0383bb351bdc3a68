import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { createPlace } from "../../test/support/overlay.ts";
import { diffWorkspace, renderChanges, SHOWN_BYTES_MAX } from "./index.ts";
import { runDiff } from "./text-diff.ts";

async function shown(onHost: string, inRun: string): Promise<string> {
  const place = createPlace(onHost);
  try {
    const layer = await place.start();
    place.inside(inRun, false);
    return await renderChanges(layer, await diffWorkspace(layer));
  } finally {
    place.remove();
  }
}

test("changed lines are shown as people know them", async () => {
  const text = await shown(
    "seq 9 > n; echo gone > g",
    "sed -i s/5/five/ n; rm g; printf new > a; ln -s n l",
  );
  const expected = `added      a (file 3 bytes)
--- a/a
+++ b/a
@@ -0,0 +1 @@
+new
\\ No newline at end of file
deleted    g (file)
--- a/g
+++ b/g
@@ -1 +0,0 @@
-gone
symlink    l (link -> n)
modified   n (file 18 -> 21 bytes)
--- a/n
+++ b/n
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
`;
  assert.equal(text, expected);
});

test("what the run wrote cannot command the reader's terminal", async () => {
  const text = await shown(
    "true",
    String.raw`printf '\033]0;owned\007 \342\200\256 \377\r\n' > "$(printf 'x\033[2J')"`,
  );
  assert.doesNotMatch(text, /[^\n\t -~\ufffd]/);
  assert.match(text, /\\u\{1b\}\]0;owned\\u\{7\} \\u\{202e\}/);
});

test("binary, large and special files are named, large trees are one line", async () => {
  const text = await shown(
    "seq 400000 > big; head -c 9000 /dev/zero > bin",
    `echo x >> big; echo x >> bin; mkfifo p; mkdir -p node_modules/a t
      for i in $(seq 60); do echo $i > node_modules/a/$i; echo $i > t/$i; done; echo 1 > t.txt`,
  );
  assert.match(text, /^modified {3}big \(.*\)\n {2}not shown: large\n/m);
  assert.match(text, /^modified {3}bin \(.*\)\n {2}not shown: binary\n/m);
  assert.match(text, /^added {6}node_modules\/ \(62 changes\)\n/m);
  assert.match(text, /^added {6}t\/ \(61 changes\)\nadded {6}t.txt \(file 2 bytes\)\n---/m);
  assert.match(text, /^fifo {7}p \(fifo; named pipes are never applied\)\n/m);
});

test("a link in the place of a changed file shows the link, never what it points to", async () => {
  const text = await shown("echo 1 > f", "rm f; ln -s /etc/passwd f");
  assert.equal(
    text,
    "typechange f (file -> link -> /etc/passwd; a link that leads outside: /etc/passwd)\n",
  );
});

test("the text has an end", async () => {
  const text = await shown("true", "for i in 1 2 3 4 5 6 7 8; do seq 140000 > $i; done");
  assert.match(text, /too much to read here/);
  assert.ok(text.length < SHOWN_BYTES_MAX + 3_000_000);
});

test("fault workspace.diff_tool: without diff(1) it says what to install", async () => {
  const file = openSync("/dev/null", "r");
  const files = { before: file, after: file, raw: "x" };
  assert.equal(await runDiff(files), "");
  for (const program of ["/nonexistent/diff", "sh"]) {
    await assert.rejects(runDiff(files, program), { code: "workspace.diff_tool", hint: /install/ });
  }
  closeSync(file);
});
