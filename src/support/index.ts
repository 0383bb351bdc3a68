/** Layer 5: what a maintainer is sent, without secrets: its parts, what covers them, and the last look. */
export { BUNDLE_BYTES_MAX, makeBundle, type Bundle, type Cover, type Part } from "./bundle.ts";
export { collectParts, runFolders, type CollectOptions } from "./collect.ts";
export { createCover, ownSecrets, type CoverOf } from "./cover.ts";
