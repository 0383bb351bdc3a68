/**
 * One sandbox in which every attempt is made, by whoever runs this: root, or an ordinary user. Prints
 * JSON for attempts.test.ts: what came of each attempt, and how the host saw the run meanwhile.
 *
 *     node attempts.child.ts ATTEMPTS-BINARY
 *
 * @module
 */
import {
  copyFile,
  chmod,
  lstat,
  readdir,
  readFile,
  readlink,
  stat,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expectText, hold, makePlace } from "../sandbox.fixture.ts";

const [binary = ""] = process.argv.slice(2);
const place = await makePlace();
const host = createServer();
const name = `cofferdam-test-${process.pid}`;
await new Promise<void>((resolve) => host.listen(`\0${name}`, resolve));
const canary = join(place.root, "canary");
await writeFile(canary, "host only\n", { mode: 0o644 });
await writeFile(join(place.workspace, "private"), "before\n", { mode: 0o600 });
await copyFile(binary, join(place.workspace, "attempts"));
await chmod(join(place.workspace, "attempts"), 0o755);

const held = await hold(place.spec);
const streams = await held.sandbox.start({
  argv: [
    "/bin/sh",
    "-c",
    `./attempts ${name} ${canary} ${process.execPath} /etc/shadow "$PWD/private" &&
    echo after >> private && env && sed -n 's/^Uid:/uid/p;s/^Gid:/gid/p' /proc/self/status && echo all-done && read go`,
  ],
  environment: { PATH: "/usr/bin:/bin", GIVEN: "yes" },
  cwd: place.workspace,
  terminal: { columns: 90, rows: 30 },
});
const expect = expectText(streams);
const output = await expect("all-done\r\n");
const processes = await lookFromHost(held.sandbox.launcherPid, held.sandbox.initPid);
if (streams.kind === "terminal") streams.terminal.write("\n");
const exit = await held.sandbox.exited;
const upper = join(place.spec.layer, "upper", "private");
const result = {
  uid: process.geteuid?.(),
  lines: output.split("\r\n"),
  canary,
  execPath: process.execPath,
  privateFile: join(place.workspace, "private"),
  processes,
  exit,
  lower: await readFile(join(place.workspace, "private"), "utf8"),
  lowerOwner: (await stat(join(place.workspace, "private"))).uid,
  upper: await readFile(upper, "utf8"),
  upperOwner: (await lstat(upper)).uid,
};
await held.end();
host.close();
await place.remove();
process.stdout.write(JSON.stringify(result));

/** The ids of every process of the run, bubblewrap's own included, as the host sees them. */
async function lookFromHost(launcherPid: number, initPid: number) {
  const space = await readlink(`/proc/${initPid}/ns/pid`);
  const found: { pid: number; ids: string; groups: string }[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const own = await readlink(`/proc/${entry}/ns/pid`).catch(() => "");
    if (own !== space && Number(entry) !== launcherPid) continue;
    const status = await readFile(`/proc/${entry}/status`, "utf8").catch(() => "");
    const line = (key: string) => new RegExp(`^${key}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "";
    found.push({
      pid: Number(entry),
      ids: `${line("Uid")} ${line("Gid")}`,
      groups: line("Groups"),
    });
  }
  return found;
}
