/**
 * The first entry after a restore: of when the backup is, and that what came after it is not here. What waited then may
 * have been decided and performed since: it is cancelled, so that no restore performs anything a second time (INV-233).
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Approvals } from "../approval/index.ts";
import { RESTORED_FILE, restoredSchema } from "../backup/index.ts";
import type { World } from "./world.ts";

/** Settles a restore, where there was one since the last daemon. Cut short in between, it is said once more. */
export async function settleRestore(
  { home, ledger, clock }: Pick<World, "home" | "ledger" | "clock">,
  approvals: Approvals,
): Promise<void> {
  const path = join(home.root, RESTORED_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const { of, entries } = restoredSchema.parse(JSON.parse(text));
  const { wallMs, monoMs } = clock.now();
  const why = `restored from a backup of ${of} with ${entries} entries; what came after that is not here`;
  const data = { done: "restore", of, entries, why };
  const at = new Date(wallMs).toISOString();
  await ledger.append({ type: "record", at, monoMs, data }, { sync: true });
  for (const run of new Set(approvals.list(false).map((one) => one.run))) {
    await approvals.cancel(
      run,
      () => true,
      `its home was restored from a backup of ${of}; ask again`,
    );
  }
  await ledger.checkpoint();
  rmSync(path);
}
