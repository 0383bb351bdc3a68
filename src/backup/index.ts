/** Layer 4: a home as one file, and back again: made while it is in use, believed only after all of it was checked. */
export { makeBackup, type BackupOptions, type Made } from "./make.ts";
export { readArchive, tarEnd, tarHead, tarPadding, type ArchiveEntry } from "./archive.ts";
export { RESTORED_FILE, restoreBackup, restoredSchema, type Restored } from "./restore.ts";
export type { Manifest } from "./manifest.ts";
