import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlace } from "../../test/support/overlay.ts";
import { diffWorkspace, type Change } from "./index.ts";

const HOST = `
  mkdir -p d/sub e keep; echo a > d/a; echo b > d/b; echo q > d/sub/q
  echo x > x; echo y > y; ln x x2; ln -s x link; echo m > mode; echo r > ren; mkdir rd; echo z > rd/z
  truncate -s 4M sparse; printf data | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none`;

/** Sets an overlay's own attribute from inside; Perl knows no name for setxattr(2). */
const OPAQUE = `perl -e 'my ($f, $k, $v) = ("d", "user.overlay.opaque", "y");
  syscall(qx(uname -m) =~ /aarch64/ ? 5 : 188, $f, $k, $v, 1, 0) == 0 or die $!'`;

const line = ({ kind, path }: Change): string => `${kind} ${path}`;

const CASES: readonly (readonly [string, readonly string[], string])[] = [
  // what the run does, what is listed, why
  ["true", [], "nothing done is nothing changed"],
  ["touch x; chmod 644 y; cat d/a > /dev/null", [], "copied up but the same: no change"],
  ["echo x > new; mv new x", [], "replaced by the same: no change"],
  ["echo X > x", ["modified x"], "same size, other content; its other name keeps the old"],
  [
    "printf D | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none",
    ["modified sparse"],
    "one byte between holes",
  ],
  [
    "echo n > n; mkdir -p p/q; echo 1 > p/q/r",
    ["added n", "added p", "added p/q", "added p/q/r"],
    "a folder before what it holds",
  ],
  ["rm x", ["deleted x"], "a whiteout"],
  [
    "rm -r d",
    ["deleted d", "deleted d/a", "deleted d/b", "deleted d/sub", "deleted d/sub/q"],
    "with all below",
  ],
  [
    "rm -r d; mkdir d; echo a > d/a",
    ["deleted d/b", "deleted d/sub", "deleted d/sub/q"],
    "an opaque folder hides the host's; what is the same again is none",
  ],
  [
    "rm -r d; mkdir -p d/sub; echo n > d/sub/n",
    ["deleted d/a", "deleted d/b", "added d/sub/n", "deleted d/sub/q"],
    "opaque goes on below",
  ],
  ["mv ren ren2", ["deleted ren", "added ren2"], "a rename is a deletion and an addition"],
  ["mv rd rd2", ["deleted rd", "deleted rd/z", "added rd2", "added rd2/z"], "of a folder too"],
  ["rm -r e; echo f > e", ["typechange e"], "a folder becomes a file"],
  [
    "rm -r d; ln -s /etc d",
    ["typechange d", "deleted d/a", "deleted d/b", "deleted d/sub", "deleted d/sub/q"],
    "a folder becomes a link: what it held is gone",
  ],
  [
    "rm link; mkdir link; echo t > link/t",
    ["typechange link", "added link/t"],
    "a link becomes a folder",
  ],
  ["rm x; ln -s y x", ["typechange x"], "a file becomes a link"],
  ["ln -sfn y link", ["symlink link"], "a link that points elsewhere"],
  ["ln -s x l2", ["symlink l2"], "a new link"],
  ["chmod 600 mode", ["mode mode"], "a mode alone"],
  ["chmod 700 d", ["mode d"], "of a folder too"],
  ["mkfifo f", ["fifo f"], "a pipe is named"],
  [
    `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>"s",Listen=>1) or die'`,
    ["socket s"],
    "a socket is named",
  ],
  [
    `mkdir o; ${OPAQUE}; echo n > d/n`,
    ["added d/n", "added o"],
    "a run cannot mark a folder opaque: the kernel escapes the name",
  ],
  ["mknod w c 0 0 2>/dev/null || true", [], "nor make a whiteout"],
];
// One overlay for all: each case has a folder of its own.
test("diff lists what a run did", async (t) => {
  const place = createPlace(CASES.map((_, n) => `(mkdir c${n}; cd c${n}; ${HOST})`).join("\n"));
  try {
    const layer = await place.start();
    place.inside(CASES.map(([script], n) => `(cd c${n}; ${script})`).join("\n"));
    const views = [
      ["", await diffWorkspace(layer)],
      [", rootless", await place.as(() => diffWorkspace(layer))],
    ] as const;
    for (const [as, changes] of views) {
      for (const [n, [, expected, why]] of CASES.entries()) {
        const mine = changes.filter(({ path }) => path.startsWith(`c${n}/`));
        const lines = mine.map((one) => line(one).replace(` c${n}/`, " "));
        await t.test(`${why}${as}`, () => assert.deepEqual(lines, expected));
      }
    }
  } finally {
    place.remove();
  }
});

test("diff: any name comes back as one line, and goes on to hold what it holds", async () => {
  const place = createPlace("true");
  try {
    const layer = await place.start();
    const long = "n".repeat(255);
    place.inside(`mkdir "$(printf 'a\\nb')"; echo 1 > "$(printf 'a\\nb')/$(printf '\\377')"; echo 2 > ./-rf
      echo 3 > ${long}; echo 4 > "$(printf '\\342\\200\\256gpj.sh')"`);
    assert.deepEqual((await diffWorkspace(layer)).map(line), [
      "added -rf",
      "added a\\u{a}b",
      "added a\\u{a}b/\\xff",
      `added ${long}`,
      "added \\u{202e}gpj.sh",
    ]);
  } finally {
    place.remove();
  }
});

test("diff: a folder that the run closed to itself is told, not skipped", async () => {
  const place = createPlace("mkdir d; echo 1 > d/a");
  try {
    const layer = await place.start();
    place.inside("mkdir shut; echo 1 > shut/x; chmod 000 shut");
    const changes = await place.as(() => diffWorkspace(layer));
    const shut = changes.find(({ path, refused }) => path === "shut" && refused !== undefined);
    if (process.geteuid?.() === 0) assert.match(shut?.refused ?? "", /cannot be read/);
  } finally {
    place.remove();
  }
});

test("diff: a tree deeper than a path may be long is told, and ends", async () => {
  const place = createPlace("true");
  try {
    const layer = await place.start();
    place.inside(
      `perl -e 'for (1 .. 30) { mkdir("d" x 200) or die; chdir("d" x 200) or die; }'`,
      false,
    );
    const changes = await diffWorkspace(layer);
    assert.match(changes.at(-1)?.refused ?? "", /too long/);
  } finally {
    place.remove();
  }
});

test("fault workspace.too_many: a run that makes files without end does not fill our memory", async () => {
  const place = createPlace("mkdir d; echo 1 > d/1; echo 1 > d/2");
  try {
    const layer = await place.start();
    place.inside("rm -r d; echo 1 > n", false);
    await assert.rejects(diffWorkspace(layer, 3), { code: "workspace.too_many" });
    assert.equal((await diffWorkspace(layer, 4)).length, 4);
  } finally {
    place.remove();
  }
});
