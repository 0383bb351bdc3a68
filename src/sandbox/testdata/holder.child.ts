/**
 * A daemon in small, for the test that kills it: holds one run that would go on, says in which pid
 * namespace it lives, and waits.
 *
 *     node holder.child.ts SPEC-AS-JSON
 *
 * @module
 */
import { readlink } from "node:fs/promises";
import { hold } from "../sandbox.fixture.ts";
import type { SandboxSpec } from "../spec.ts";

const held = await hold(JSON.parse(process.argv[2] ?? "") as SandboxSpec);
const script = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo up; sleep 1000";
const streams = await held.sandbox.start({
  argv: ["sh", "-c", script],
  environment: { PATH: "/usr/bin:/bin" },
  cwd: "/",
});
if (streams.kind === "pipes") {
  const space = await readlink(`/proc/${held.sandbox.initPid}/ns/pid`);
  streams.stdout.once("data", () => process.stdout.write(`${space}\n`));
}
