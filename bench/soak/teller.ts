/**
 * Preloaded into the soak's daemon (`--import`): at a SIGUSR2 it collects its garbage, and writes what is left, and
 * what its event loop is kept alive by, to the file that is named.
 *
 * @module
 */
import { renameSync, writeFileSync } from "node:fs";

/** What it writes. */
export interface Told {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly resources: number;
}

const file = process.env["COFFERDAM_SOAK_TOLD"];
if (file !== undefined) {
  process.on("SIGUSR2", () => {
    // Twice: what a finalizer lets go of is garbage only then.
    globalThis.gc?.();
    setImmediate(() => {
      globalThis.gc?.();
      const { heapUsed, external } = process.memoryUsage();
      const resources = process.getActiveResourcesInfo().length;
      const told: Told = { heapBytes: heapUsed, externalBytes: external, resources };
      writeFileSync(`${file}.new`, JSON.stringify(told));
      renameSync(`${file}.new`, file);
    });
  });
}
