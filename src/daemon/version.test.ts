import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

test("a daemon whose package is replaced or removed says what it is, and goes on", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-test-version-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const own = join(import.meta.dirname, "..", "..");
  symlinkSync(join(own, "node_modules"), join(folder, "node_modules"));
  copyFileSync(join(import.meta.dirname, "version.ts"), join(folder, "version.ts"));
  const write = (version: string) =>
    writeFileSync(join(folder, "package.json"), JSON.stringify({ version, type: "module" }));
  write("1.2.3");
  const script = `
    const { writeFileSync, rmSync } = await import("node:fs");
    const { version } = await import("./version.ts");
    writeFileSync("package.json", '{"version":"9.9.9"}');
    const replaced = version();
    rmSync("package.json");
    console.log(replaced, version());`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: folder,
    encoding: "utf8",
    timeout: 30_000,
  });
  assert.equal(said, "1.2.3 1.2.3\n");
});
