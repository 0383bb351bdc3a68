/** A watching thread that fails as soon as it has something to watch. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", () => {
  throw new Error("a bug");
});
