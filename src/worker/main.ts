/**
 * Where a worker's process begins: in a checkout most of its start is stripping types, which the daemon has done with the
 * same sources. What that left is read from here on; a worker can write none of it (docs/decisions/0371).
 *
 * @module
 */
import { enableCompileCache } from "node:module";

const [, , , , , compiled = "", standIn] = process.argv;
if (compiled !== "") enableCompileCache(compiled);
await (standIn === undefined ? import("./serve.ts") : import(standIn));
