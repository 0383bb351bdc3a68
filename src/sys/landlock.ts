/**
 * Whether this kernel has Landlock (landlock(7)).
 *
 * @module
 */
import { constants } from "node:os";
import { checked, lastErrno, native } from "./libc.ts";

const LANDLOCK_CREATE_RULESET = 444n; // The same on every architecture, as for all calls since Linux 5.1.
const CREATE_RULESET_VERSION = 1n;

/** Landlock's ABI version: 1 and up, or 0 where the kernel has none or has it switched off. */
export function landlockAbi(): number {
  const { ENOSYS, EOPNOTSUPP } = constants.errno;
  const version = native.syscall(
    LANDLOCK_CREATE_RULESET,
    0n,
    0n,
    CREATE_RULESET_VERSION,
    0n,
    0n,
    0n,
  );
  if (Number(version) < 0 && [ENOSYS, EOPNOTSUPP].includes(lastErrno())) return 0;
  return checked("landlock_create_ruleset", version);
}
