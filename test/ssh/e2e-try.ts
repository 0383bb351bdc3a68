import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SshHome } from "./kit.ts";
const it = new SshHome();
const quiet = process.env["Q"] === "1";
try {
  await it.start();
  const task = it.task(readFileSync(process.env["ALLOW"] ?? "/tmp/sshx/allow.yaml", "utf8"));
  for (const script of process.argv.slice(2)) {
    const t = Date.now();
    const r = await it.run(task, script);
    console.log(
      "$",
      script,
      "=>",
      r.code,
      Date.now() - t,
      "ms\n" + r.stdout + "--err--\n" + r.stderr,
    );
  }
  const log = await it.home.log();
  const skip = new Set([
    "policy",
    "run.start",
    "run.proved",
    "process.start",
    "dns",
    "daemon.start",
    "credential",
    "flow.open",
  ]);
  if (!quiet)
    for (const e of log.filter((x: any) => !skip.has(x.type)).slice(-40)) {
      const { process: _, ...r } = e as any;
      console.log(JSON.stringify(r).slice(0, 700));
    }
  console.log(
    readFileSync(join(it.home.state, "daemon.log"), "utf8").split("\n").slice(-12).join("\n"),
  );
  if (!quiet) console.log(it.sshd.log.slice(-1500));
} finally {
  await it.close();
}
