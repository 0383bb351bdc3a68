import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, lstatSync, openSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPlace, isRoot, RUN, snapshot, type Place } from "../../test/support/overlay.ts";
import { errorCode, readAttribute, writeAttribute } from "../sys/index.ts";
import { applyWorkspace, copyHost, createLayer, diffWorkspace, type Layer } from "./index.ts";

const now = { run: "r-1", frozen: true, confirm: new Set<string>() };

function setAttribute(path: string, name: string, value: string): void {
  const file = openSync(path, "r");
  writeAttribute(file, name, Buffer.from(value));
  closeSync(file);
}

function attribute(path: string, name: string): string | undefined {
  const file = openSync(path, "r");
  try {
    return readAttribute(file, name)?.toString();
  } finally {
    closeSync(file);
  }
}

async function withCopy(
  script: string,
  use: (place: Place, layer: Layer) => Promise<void>,
): Promise<void> {
  const place = createPlace(script, "copy");
  try {
    await use(place, await place.start());
  } finally {
    place.remove();
  }
}

test("a copy holds what the host holds: content, modes, links, holes, times, attributes", async () => {
  const script = `mkdir -p d/e shut; echo 1 > d/e/f; chmod 640 d/e/f; echo r > ro; chmod 444 ro; ln -s d/e/f l; ln -s /nowhere broken
    truncate -s 5M sparse; printf x | dd of=sparse bs=1 seek=3000000 conv=notrunc status=none
    echo x > "$(printf 'odd\\n\\377')"; chmod 555 shut`;
  const place = createPlace(script, "copy");
  try {
    setAttribute(join(place.host, "d/e/f"), "user.note", "kept");
    const layer = await place.start();
    assert.deepEqual(snapshot(layer.upper), snapshot(place.host));
    const [host, copy] = [place.host, layer.upper].map((root) =>
      lstatSync(join(root, "d/e/f"), { bigint: true }),
    );
    assert.equal(copy?.mtimeNs, host?.mtimeNs, "to the nanosecond: Git's index compares it");
    assert.equal(Number(copy?.uid), RUN.uid);
    assert.ok(lstatSync(join(layer.upper, "sparse")).blocks < 64, "holes are holes");
    assert.equal(attribute(join(layer.upper, "d/e/f"), "user.note"), "kept");
    assert.deepEqual(await diffWorkspace(layer), [], "and nothing has changed");
    setAttribute(join(layer.upper, "d/e/f"), "user.note", "changed");
    setAttribute(join(layer.upper, "d/e/f"), "user.overlay.opaque", "y");
    const { applied } = await applyWorkspace(layer, now);
    assert.deepEqual(applied, ["d/e/f"]);
    assert.equal(attribute(join(place.host, "d/e/f"), "user.note"), "changed");
    assert.equal(attribute(join(place.host, "d/e/f"), "user.overlay.opaque"), undefined);
  } finally {
    place.remove();
  }
});

test("INV-4: a copy holds no socket, pipe or device of the host, and deleting it is not told", async () => {
  const script = `mkfifo pipe; mkdir d; mkfifo d/pipe; echo 1 > d/1
    perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>"sock",Listen=>1) or die'`;
  const place = createPlace(script, "copy");
  try {
    if (isRoot) execFileSync("mknod", [join(place.host, "null"), "c", "1", "3"]);
    const layer = await createLayer(join(place.base, "layer"), {
      host: place.host,
      run: RUN,
      copied: true,
    });
    const { leftOut, names } = await copyHost(layer);
    assert.deepEqual(leftOut.map(({ path }) => path).toSorted(), [
      "d/pipe",
      ...(isRoot ? ["null"] : []),
      "pipe",
      "sock",
    ]);
    assert.equal(names, 2);
    assert.deepEqual(await diffWorkspace(layer), []);
    place.inside("rm d/1; rmdir d; echo mine > sock", false);
    const { conflicts, applied } = await applyWorkspace(layer, { ...now, partial: true });
    assert.deepEqual(
      conflicts.map(({ path }) => path),
      ["d", "d/pipe", "sock"],
      "what the run never saw is not the run's to replace",
    );
    assert.deepEqual(applied, ["d/1"]);
    assert.ok(lstatSync(join(place.host, "sock")).isSocket());
  } finally {
    place.remove();
  }
});

test("attributes that the host cannot keep are told for their file, and stop nothing else", async () => {
  await withCopy("echo 1 > a", async (place, layer) => {
    const large = "x".repeat(60_000); // More than a block of ext4; where the layer takes none, neither.
    place.inside("echo 2 > a; echo 3 > b", false);
    try {
      setAttribute(join(layer.upper, "a"), "user.large", large);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      setAttribute(join(layer.upper, "a"), "user.large", "small");
    }
    const { applied, refused } = await applyWorkspace(layer, now);
    assert.ok(applied.includes("b"));
    assert.equal(applied.length + refused.length, 2);
  });
});

test("what only the host changed is no change of the run's", async () => {
  await withCopy("echo 1 > a; echo 2 > b; mkdir d; echo 3 > d/c", async (place, layer) => {
    place.onHost("echo host > a; rm b; echo new > new; mkdir e; echo 1 > e/1; chmod 700 d");
    assert.deepEqual(await diffWorkspace(layer), []);
    place.inside("echo run > d/c", false);
    const { applied, conflicts } = await applyWorkspace(layer, now);
    assert.deepEqual([applied, conflicts], [["d/c"], []]);
    assert.equal(readFileSync(join(place.host, "a"), "utf8"), "host\n");
  });
});

test("a change with the old size and time is a change all the same", async () => {
  await withCopy("echo 1 > a", async (place, layer) => {
    place.inside("touch -r a ../../copy/time; echo 2 > a; touch -r ../../copy/time a", false);
    assert.deepEqual(
      (await diffWorkspace(layer)).map(({ path }) => path),
      ["a"],
    );
  });
});

test("an overlay's marks mean nothing in a copy, where a run can make them itself", async () => {
  await withCopy("mkdir d; echo 1 > d/1; echo 2 > f", async (place, layer) => {
    setAttribute(join(layer.upper, "d"), "user.overlay.opaque", "y");
    setAttribute(layer.upper, "user.overlay.opaque", "z");
    assert.deepEqual(await diffWorkspace(layer), []);
    // What overlayfs would take for a deletion: a device, which no apply brings.
    place.inside("rm f; unshare -Ur mknod f c 0 0 || mknod f c 0 0", false);
    const { refused, applied } = await applyWorkspace(layer, now);
    assert.deepEqual(
      refused.map(({ path, why }) => [path, why]),
      [["f", "device nodes are never applied"]],
    );
    assert.deepEqual(applied, []);
    assert.equal(readFileSync(join(place.host, "f"), "utf8"), "2\n");
  });
});

test("commits come out of a copy, without the objects that the host has", async () => {
  const git = `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a
    export GIT_COMMITTER_EMAIL=a@example.com; commit() { echo "$1" > "$1"; git add "$1"; git commit -qm "$1"; }`;
  const script = `${git}; git init -qb main; commit one; git branch gone; git gc -q`;
  await withCopy(script, async (place, layer) => {
    place.inside(`${git}; git branch -D gone -q; commit two`, false);
    const { commits, refused } = await applyWorkspace(layer, now);
    assert.deepEqual(
      commits.flatMap(({ refs }) => refs.map(({ name }) => name)),
      ["refs/cofferdam/r-1/heads/main"],
    );
    assert.deepEqual(refused, []);
    place.onHost(
      "git log --format=%s refs/cofferdam/r-1/heads/main | tr '\\n' ' ' | grep -qx 'two one '",
    );
  });
});

test("fault workspace.copy_limit: a workspace that is too large is refused, with the fix", async (t) => {
  const CASES = [
    [{ bytesMax: 1000, namesMax: 100 }, "seq 1000 > a", "bytes"],
    [{ bytesMax: 1e9, namesMax: 3 }, "mkdir a b c d", "names, folders too"],
  ] as const;
  for (const [limits, script, why] of CASES) {
    await t.test(why, async () => {
      const place = createPlace(script, "copy");
      try {
        const folder = join(place.base, "layer");
        const layer = await createLayer(folder, { host: place.host, run: RUN, copied: true });
        await assert.rejects(copyHost(layer, limits), {
          code: "workspace.copy_limit",
          hint: /local disk/,
        });
      } finally {
        place.remove();
      }
    });
  }
});

test("fault workspace.copy: a copy goes into an empty place, or not at all", async () => {
  await withCopy("echo 1 > a", async (_, layer) => {
    await assert.rejects(copyHost(layer), { code: "workspace.copy" });
  });
});

test("times before 1970 and whole seconds keep their value", async () => {
  const place = createPlace("echo 1 > a", "copy");
  try {
    utimesSync(join(place.host, "a"), -1.5, -1.5);
    const layer = await place.start();
    const times = [place.host, layer.upper].map((root) => lstatSync(join(root, "a")).mtimeMs);
    assert.equal(times[0], times[1]);
  } finally {
    place.remove();
  }
});
