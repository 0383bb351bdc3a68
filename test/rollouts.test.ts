/** The example of a trainer, small: its three rollouts that go astray are named, and no other. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("`npm run example:rollouts`: findings and `cofferdam correlate` name exactly the three steps", async () => {
  const main = join(import.meta.dirname, "..", "examples", "rollouts", "main.ts");
  const example = spawn(process.execPath, [main, "--rollouts", "5", "--threads", "3"]);
  const said: Buffer[] = [];
  for (const stream of [example.stdout, example.stderr]) {
    stream.on("data", (data: Buffer) => said.push(data));
  }
  const code = await new Promise((resolve) => example.on("close", resolve));
  const text = Buffer.concat(said).toString();
  assert.equal(code, 0, text);
  const named = text.split("correlate` makes of them:")[1] ?? "";
  for (const kind of ["mining", "probing", "tunnel"]) {
    const [, key = "none"] = new RegExp(`^ {2}(r-\\S+ \\S+) {2}${kind}$`, "m").exec(text) ?? [];
    assert.ok(named.includes(`${key}  (exact)`), `${kind}: ${key}\n${text}`);
  }
  assert.match(named, /: nobody's here$/m);
});
