// The drill's stand-in for an agent: it carries out the tool calls of a plan, one after the other,
// and says as JSON lines when each begins and how it ends. It serves the workspace's one secret file
// on its own loopback, which is what a tunnel would let somebody read.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const TEXT_CHARS_MAX = 100_000;

let current;
process.on("SIGTERM", () => {
  if (current) process.kill(-current.pid, "SIGKILL");
});

if (plan.servePort) {
  const server = createServer((_, response) => {
    response.setHeader("connection", "close");
    response.end(readFileSync("secret.txt"));
  });
  await new Promise((resolve) => server.listen(plan.servePort, "127.0.0.1", resolve));
}
for (const step of plan.steps) {
  say({ step: "start", name: step.name, at: Date.now() });
  const { code, text } = await call(step);
  say({ step: "end", name: step.name, at: Date.now(), code, text });
}
process.exit(0);

function call(step) {
  const child = spawn("/bin/sh", ["-c", step.command], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // Its own group, so that all of it can be ended.
  });
  current = child;
  let text = "";
  const keep = (part) => {
    if (text.length < TEXT_CHARS_MAX) text += part;
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), step.limitMs);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: 127, text: String(error) }));
    child.on("close", (code) => {
      clearTimeout(timer);
      current = undefined;
      resolve({ code, text });
    });
  });
}
