/**
 * Every limit of what is read of git, with its reason. What is beyond one is not read at all.
 *
 * @module
 */
export const GIT_LIMITS = {
  /** Objects in one pack. */
  objects: 20_000,
  /** Of one object, inflated and with its deltas applied. */
  objectBytes: 16 << 20,
  /** Of all objects of a pack together: what inflates to more is a bomb or no honest push of 8 MiB. */
  inflatedBytes: 64 << 20,
  /** Deltas upon deltas; git's own default is 50, with `gc --aggressive` of old 250. */
  deltaDepth: 256,
  /** Refs that one push changes. */
  commands: 64,
  pushOptions: 16,
  /** New commits of a push. */
  commits: 2000,
  /** Entries of trees that are compared: trees that name one another can unfold without end. */
  entries: 200_000,
  /** Of one name in a folder; no file system takes more than 255. */
  nameBytes: 1024,
  /** Of a whole path, as for git's own check. */
  pathBytes: 4096,
  /** Names of all parts of a push together: beyond it nobody reads them. */
  partChars: 200_000,
  /** Folders within folders. */
  depth: 64,
  /** Paths that a push changes, over all its commits. */
  changes: 5000,
} as const;
