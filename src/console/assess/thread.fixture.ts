/** A thread that does as its job's text says: answers, never ends, dies. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ source }: { source: string }) => {
  if (source === "die") process.exit(1);
  if (source === "throw") throw new Error("a bug");
  for (let isOn = source === "spin"; isOn;) isOn = performance.now() >= 0;
  parentPort?.postMessage({ answer: source }, []);
});
