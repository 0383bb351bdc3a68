/** Adds credentials for ever, each told on a line once it is acknowledged: to be killed. */
import { systemClock } from "../base/index.ts";
import { specOf } from "./vault.fixture.ts";
import { openVault } from "./vault.ts";

const [, , dir = "", keyFile = ""] = process.argv;
const vault = await openVault({ dir, clock: systemClock, unlock: { keyFile } });
for (let n = 0; ; n += 1) {
  await vault.add(specOf(`c${n}`, { kind: "bearer" }), { value: `secret-of-c${n}` });
  process.stdout.write(`c${n}\n`);
}
