// The stand-in for an agent: carries out the steps of a plan, first those that come one after the other (the
// benign twins), then the attempts, `atOnce` of them at a time, and says as JSON lines how each went.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const TEXT_CHARS_MAX = 20_000;

const living = new Set();
process.on("SIGTERM", () => {
  for (const child of living) process.kill(-child.pid, "SIGKILL");
  process.exit(143);
});

for (const step of plan.first) await carryOut(step);
const queue = [...plan.steps];
const worker = async () => {
  for (let step = queue.shift(); step; step = queue.shift()) await carryOut(step);
};
await Promise.all(Array.from({ length: plan.atOnce }, worker));
process.exit(0);

async function carryOut(step) {
  say({ step: "start", name: step.name, at: Date.now() });
  const { code, text } = await call(step);
  say({ step: "end", name: step.name, at: Date.now(), code, text });
}

function call(step) {
  const child = spawn("/bin/sh", ["-c", step.command], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // Its own group, so that all of it can be ended.
  });
  living.add(child);
  let text = "";
  const keep = (part) => {
    if (text.length < TEXT_CHARS_MAX) text += part;
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  const end = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  };
  return new Promise((resolve) => {
    let timer;
    const done = (code, more = "") => {
      clearTimeout(timer);
      living.delete(child);
      resolve({ code, text: text + more });
    };
    timer = setTimeout(() => {
      end();
      // What it started elsewhere may hold its output open for ever.
      setTimeout(() => done(124), 500);
    }, step.limitMs);
    child.on("error", (error) => done(127, String(error)));
    child.on("close", (code) => done(code));
  });
}
